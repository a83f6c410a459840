import type { Capability, ConformanceCase, MqttVersion } from "../case.ts";
import { check, checkEqual } from "../failure.ts";
import * as wire from "../wire/index.ts";
import { concat, decodePacket, property, Type, utf8 } from "../wire/index.ts";
import type { SessionHarness } from "./driver.ts";
import { type End, SessionLab } from "./lab.ts";

export type { ProtocolDriver, SessionHarness, SessionSettings } from "./driver.ts";

export type SessionCase = ConformanceCase<SessionHarness> & { readonly version: MqttVersion };

interface SessionRule {
  readonly id: string;
  readonly title: string;
  readonly v3?: readonly string[];
  readonly v5?: readonly string[];
  /** Ends the rule holds for; default both. */
  readonly ends?: readonly End[];
  readonly needs?: readonly Capability[];
  run(lab: SessionLab): void;
}

const RULES: readonly SessionRule[] = [
  {
    id: "keep-alive-client",
    title: "sends PINGREQ before the Keep Alive has passed",
    v3: ["3.1.2-23"],
    v5: ["3.1.2-20"],
    ends: ["client"],
    run: (lab) => {
      lab.open({ keepAlive: 10 });
      for (let round = 0; round < 3; round += 1) {
        const before = lab.nowMs;
        lab.untilOutput(20_000);
        checkEqual(lab.next().type, Type.PINGREQ, "packet type");
        check(lab.nowMs - before <= 10_000, `expected PINGREQ within 10 s, it came after ${lab.nowMs - before} ms`);
        lab.receive(wire.pingresp());
      }
    },
  },
  {
    id: "keep-alive-server",
    title: "ends after one and a half times the Keep Alive, and not before",
    v3: ["3.1.2-24"],
    v5: ["3.1.2-22"],
    ends: ["server"],
    run: (lab) => {
      lab.open({ keepAlive: 10 });
      lab.advance(14_900);
      check(!lab.driver.ended, "expected the session to go on before 15 s");
      lab.receive(wire.pingreq());
      lab.advance(14_900);
      check(!lab.driver.ended, "expected a packet to start the Keep Alive anew");
      lab.advance(200);
      check(lab.driver.ended, "expected the end after 15 s without a packet");
    },
  },
  {
    id: "acknowledged-in-order",
    title: "acknowledges what it receives, in order and under its identifier",
    v3: ["3.3.4-1", "2.3.1-6", "4.6.0-2", "4.6.0-3"],
    v5: ["3.3.4-1", "2.2.1-5", "4.6.0-2", "4.6.0-3", "4.3.2-4", "4.3.3-8"],
    run: (lab) => {
      lab.open();
      const ids = [7, 300, 2];
      lab.receive(concat(...ids.map((packetId) => wire.publish(lab.version, { topic: "t", qos: 1, packetId }))));
      lab.receive(
        concat(...ids.map((packetId) => wire.publish(lab.version, { topic: "t", qos: 2, packetId: packetId + 1 }))),
      );
      for (const id of ids) {
        lab.expect(Type.PUBACK, id);
      }
      for (const id of ids) {
        lab.expect(Type.PUBREC, id + 1);
      }
      lab.receive(wire.ack(Type.PUBREL, 8));
      lab.expect(Type.PUBCOMP, 8);
    },
  },
  {
    id: "qos-2-once",
    title: "hands on a repeated QoS 2 message once, over a reconnection too",
    v3: ["4.3.3-2", "4.1.0-1"],
    v5: ["4.3.3-10", "4.3.3-12", "4.1.0-1"],
    run: (lab) => {
      const publish = (dup: boolean): Uint8Array =>
        wire.publish(lab.version, { topic: "t", payload: "once", qos: 2, packetId: 9, dup });
      lab.open();
      lab.receive(publish(false));
      lab.expect(Type.PUBREC, 9);
      const before = lab.driver.messages.length;
      lab.reconnect();
      lab.receive(publish(true));
      lab.expect(Type.PUBREC, 9);
      checkEqual([before, lab.driver.messages.length], [1, 0], "messages before and after the reconnection");
      lab.receive(wire.ack(Type.PUBREL, 9));
      lab.expect(Type.PUBCOMP, 9);
      lab.receive(publish(false));
      checkEqual(lab.driver.messages.length, 1, "messages under the completed identifier");
    },
  },
  {
    id: "redelivery",
    title: "sends what is unacknowledged again in its order with DUP, and PUBREL where PUBREC came",
    v3: ["4.4.0-1", "3.3.1-1", "4.6.0-1", "4.3.3-1"],
    v5: ["4.4.0-1", "3.3.1-1", "4.6.0-1", "4.3.3-5", "4.3.3-6"],
    run: (lab) => {
      lab.open();
      for (const qos of [1, 2, 2, 1]) {
        lab.publish(qos);
      }
      const ids = [1, 2, 3, 4].map(() => lab.next().packetId);
      lab.receive(wire.ack(Type.PUBREC, ids[1] ?? 0));
      lab.expect(Type.PUBREL, ids[1] ?? 0);
      lab.reconnect();
      const again = [1, 2, 3, 4].map(() => lab.next());
      const publishes = again.filter(({ type }) => type === Type.PUBLISH);
      checkEqual(
        publishes.map(({ packetId, dup }) => [packetId, dup]),
        [ids[0], ids[2], ids[3]].map((id) => [id, true]),
        "repeated PUBLISH packets",
      );
      checkEqual(
        again.filter(({ type }) => type === Type.PUBREL).map(({ packetId }) => packetId),
        [ids[1]],
        "repeated PUBREL",
      );
    },
  },
  {
    id: "not-again-while-connected",
    title: "does not send a message again on the same connection, however long it waits",
    v5: ["4.4.0-1"],
    run: (lab) => {
      lab.open();
      lab.publish(1);
      lab.next();
      lab.advance(3_600_000);
      checkEqual(lab.rest().filter(({ type }) => type === Type.PUBLISH).length, 0, "repeated PUBLISH packets");
    },
  },
  {
    id: "receive-maximum",
    title: "keeps to the other side's Receive Maximum; a refusing PUBREC frees a place",
    v5: ["3.3.4-7", "3.3.4-9", "4.9.0-1", "4.9.0-2", "4.4.0-2"],
    run: (lab) => {
      lab.open({ peerReceiveMaximum: 2 });
      for (let index = 0; index < 4; index += 1) {
        lab.publish(2);
      }
      const [first, second, ...more] = lab.rest().filter(({ type }) => type === Type.PUBLISH);
      check(first !== undefined && second !== undefined && more.length === 0, "expected two messages at first");
      lab.receive(wire.ack(Type.PUBREC, first.packetId, 0x97));
      checkEqual(lab.rest().filter(({ type }) => type === Type.PUBLISH).length, 1, "messages after a refusal");
      lab.receive(wire.ack(Type.PUBREC, second.packetId));
      lab.receive(wire.ack(Type.PUBCOMP, second.packetId));
      checkEqual(lab.rest().filter(({ type }) => type === Type.PUBLISH).length, 1, "messages after PUBCOMP");
    },
  },
  {
    id: "peer-exceeds-receive-maximum",
    title: "ends when the other side exceeds the Receive Maximum",
    v5: [],
    run: (lab) => {
      lab.open({ receiveMaximum: 2 });
      for (let packetId = 1; packetId <= 3; packetId += 1) {
        lab.receive(wire.publish("5.0", { topic: "t", qos: 2, packetId }));
      }
      check(lab.driver.ended, "expected the end at the third unreleased message");
    },
  },
  {
    id: "alias-unknown",
    title: "ends on a Topic Alias that was never set on this connection",
    v5: ["3.3.2-7"],
    run: (lab) => {
      lab.open();
      lab.receive(wire.publish("5.0", { topic: "", properties: [["topicAlias", 1]] }));
      check(lab.driver.ended, "expected the end");
      checkEqual(lab.driver.messages.length, 0, "messages handed on");
    },
  },
  {
    id: "authentication-again",
    title: "begins re-authentication with AUTH 0x19 under the method of CONNECT, and answers the challenge",
    v5: ["4.12.1-1", "4.12.0-3", "4.12.0-5", "3.15.2-1"],
    ends: ["client"],
    needs: ["reauthenticate"],
    run: (lab) => {
      lab.open({ authentication: { method: "conformance", answer: utf8("answer") } });
      lab.driver.reauthenticate?.(lab.nowMs);
      const first = lab.next();
      checkEqual(
        [first.type, first.reasonCode, property(first, "authenticationMethod")],
        [Type.AUTH, 0x19, "conformance"],
        "AUTH",
      );
      const challenge = wire.auth(0x18, [
        ["authenticationMethod", "conformance"],
        ["authenticationData", "challenge"],
      ]);
      lab.receive(challenge);
      const second = lab.next();
      checkEqual(
        [second.type, second.reasonCode, property(second, "authenticationMethod")],
        [Type.AUTH, 0x18, "conformance"],
        "AUTH",
      );
      checkEqual(property(second, "authenticationData"), utf8("answer"), "Authentication Data");
      lab.receive(wire.auth(0x00, [["authenticationMethod", "conformance"]]));
      check(!lab.driver.ended, "expected the session to go on");
    },
  },
  {
    id: "out-of-place",
    title: "ends on a packet that the other side may not send",
    v3: ["4.8.0-1", "3.1.0-2"],
    v5: ["4.13.1-1", "3.1.0-2"],
    run: (lab) => {
      const { version } = lab;
      const wrong =
        lab.end === "server"
          ? [
              wire.connect(version, { clientId: "c" }),
              wire.connack(version),
              wire.suback(version, 1, [0]),
              wire.pingresp(),
            ]
          : [
              wire.connect(version, { clientId: "c" }),
              wire.subscribe(version, 1, [["t", 0]]),
              wire.pingreq(),
              wire.connack(version),
            ];
      for (const packet of wrong) {
        lab.open();
        lab.receive(packet);
        check(lab.driver.ended, `expected the end on packet type ${decodePacket(packet, version).type}`);
      }
    },
  },
  {
    id: "nothing-after-end",
    title: "sends nothing and hands on nothing once it has ended",
    v3: ["3.14.4-2"],
    v5: ["3.14.4-1"],
    run: (lab) => {
      lab.open();
      lab.receive(
        concat(
          wire.packet(0x36, utf8("\0\u0001t\0\u0001\0")),
          wire.publish(lab.version, { topic: "t", qos: 1, packetId: 1 }),
        ),
      );
      check(lab.driver.ended, "expected the end on a PUBLISH with both QoS bits set");
      lab.rest();
      lab.receive(wire.publish(lab.version, { topic: "t", qos: 1, packetId: 2 }));
      checkEqual([lab.rest().length, lab.driver.messages.length], [0, 0], "packets and messages after the end");
    },
  },
];

/** Every session case: each rule for the ends and versions it holds for. */
export const sessionCases: readonly SessionCase[] = (["3.1.1", "5.0"] as const).flatMap((version) =>
  RULES.flatMap((rule) => {
    const statements = version === "5.0" ? rule.v5 : rule.v3;
    if (statements === undefined) {
      return [];
    }
    return (rule.ends ?? (["client", "server"] as const)).map(
      (end): SessionCase => ({
        id: `${version}/session-${end}/${rule.id}`,
        title: rule.title,
        version,
        statements: statements.map((number) => `MQTT-${number}`),
        ...(rule.needs === undefined ? {} : { needs: rule.needs }),
        run: (harness) => rule.run(new SessionLab(harness, version, end)),
      }),
    );
  }),
);
