import { check, checkEqual } from "../failure.ts";
import { withFlags } from "../malformed/index.ts";
import * as wire from "../wire/index.ts";
import { bytes, numberProperty, property, Type } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";

/** Keep Alive, PINGREQ, DISCONNECT and the end of a connection (3.1.2.10, 3.12, 3.14, 4.8, 4.13). */
export const lifetimeCases: readonly BrokerCase[] = [
  rule({
    id: "lifetime/pingreq",
    title: "answers PINGREQ with PINGRESP",
    v3: ["3.12.4-1"],
    v5: ["3.12.4-1"],
    run: async (lab) => {
      const peer = await lab.connect();
      peer.send(wire.pingreq());
      await peer.next("PINGRESP");
    },
  }),
  rule({
    id: "lifetime/keep-alive-expires",
    title: "closes after one and a half times the Keep Alive without a packet, and publishes the will",
    v3: ["3.1.2-24"],
    v5: ["3.1.2-22", "3.2.2-22"],
    run: async (lab) => {
      const topic = lab.topic("will");
      const watcher = await lab.connect({ label: "watcher" });
      await watcher.subscribe(topic);
      const started = performance.now();
      const { peer, connack } = await lab.connectWith({ keepAlive: 1, will: { topic, payload: "will" } });
      const seconds = numberProperty(connack, "serverKeepAlive", 1);
      await peer.closes("Keep Alive has passed one and a half times", seconds * 1_500 + 8_000);
      const waited = performance.now() - started;
      check(
        waited > seconds * 1_000,
        `expected the connection to outlive its Keep Alive, it lasted ${Math.round(waited)} ms`,
      );
      await watcher.message();
    },
  }),
  rule({
    id: "lifetime/keep-alive-kept",
    title: "keeps a connection open whose packets come within the Keep Alive",
    v3: ["3.1.2-24"],
    v5: ["3.1.2-22"],
    run: async (lab) => {
      const topic = lab.topic();
      const peer = await lab.connect({ keepAlive: 2 });
      for (let round = 0; round < 5; round += 1) {
        await lab.wait(800);
        // Any packet counts, not PINGREQ alone.
        if (round % 2 === 0) {
          peer.send(wire.publish(lab.version, { topic }));
        } else {
          await peer.ping();
        }
      }
      await peer.alive("it sent packets in time");
    },
  }),
  rule({
    id: "lifetime/keep-alive-off",
    title: "does not close an idle connection whose Keep Alive is 0",
    v3: ["3.1.2-24"],
    v5: ["3.1.2-22"],
    run: async (lab) => {
      const peer = await lab.connect({ keepAlive: 0 });
      await lab.wait(3_000);
      await peer.alive("Keep Alive is off");
    },
  }),
  rule({
    id: "lifetime/disconnect-is-the-end",
    title: "closes the connection of a client that goes on after its DISCONNECT",
    v3: ["3.14.4-2", "4.8.0-1"],
    v5: ["3.14.4-1"],
    run: async (lab) => {
      const peer = await lab.connect();
      peer.send(wire.disconnect());
      peer.send(wire.publish(lab.version, { topic: lab.topic(), payload: "too late" }));
      await peer.closes("DISCONNECT");
    },
  }),
  rule({
    id: "lifetime/disconnect-reserved-bits",
    title: "answers a DISCONNECT with reserved bits by DISCONNECT 0x81",
    v5: ["3.14.1-1", "3.14.4-2", "3.14.4-1"],
    run: async (lab) => {
      const peer = await lab.connect();
      peer.send(withFlags(wire.disconnect(), 0x01));
      const disconnect = await peer.take("DISCONNECT");
      checkEqual(disconnect.reasonCode, 0x81, "reason code");
      await peer.closes("the server sent DISCONNECT");
      checkEqual(peer.received.at(-1)?.type, Type.DISCONNECT, "type of the server's last packet");
    },
  }),
  rule({
    id: "lifetime/violation-closes-only-its-connection",
    title: "closes the connection that broke the protocol and no other",
    v3: ["4.8.0-1"],
    v5: ["4.13.1-1", "4.13.2-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const { subscriber, publisher } = await lab.pair(topic);
      const bad = await lab.connect({ label: "bad" });
      bad.send(bytes(0x00, 0x00));
      await bad.closes("reserved packet type");
      await publisher.publish({ topic });
      await subscriber.message();
    },
  }),
  rule({
    id: "lifetime/server-disconnect",
    title: "ends its side after a DISCONNECT, which carries an error and no Session Expiry Interval",
    v5: ["3.14.4-1", "3.14.4-2", "3.14.2-2", "3.14.2-1", "4.13.2-1"],
    run: async (lab) => {
      const violations = [
        wire.packet(0x36, bytes(0, 1, 0x61, 0, 1, 0)),
        lab.connectBytes(),
        wire.subscribe("5.0", 1, [[lab.topic(), 3]]),
        bytes(0x00, 0x00),
        wire.publish("5.0", { topic: "", properties: [["topicAlias", 1]] }),
      ];
      await Promise.all(
        violations.map(async (violation, index) => {
          const peer = await lab.connect({ label: `violation ${index}`, properties: [["sessionExpiryInterval", 5]] });
          peer.send(violation);
          await peer.closes("protocol violation");
          const at = peer.received.findIndex(({ type }) => type === Type.DISCONNECT);
          if (at < 0) {
            return;
          }
          const disconnect = peer.received[at];
          checkEqual(at, peer.received.length - 1, "place of DISCONNECT among the packets received");
          check(SERVER_REASONS.includes(disconnect?.reasonCode ?? 0), "expected a reason code that a server may send");
          check(
            disconnect !== undefined && property(disconnect, "sessionExpiryInterval") === undefined,
            "expected no Session Expiry Interval in a server's DISCONNECT",
          );
        }),
      );
    },
  }),
  rule({
    id: "lifetime/no-disconnect-without-connack",
    title: "sends no DISCONNECT on a connection that it has not accepted",
    v5: ["3.14.0-1"],
    run: async (lab) => {
      const first = [
        wire.pingreq(),
        bytes(0x00, 0x00),
        lab.connectBytes({ protocolLevel: 99 }),
        lab.connectBytes({ flags: 0x03 }),
        lab.connectBytes({ properties: [["receiveMaximum", 0]] }),
        lab.connectBytes({ properties: [["authenticationMethod", "no such method"]] }),
      ];
      await Promise.all(
        first.map(async (packet, index) => {
          const peer = await lab.open(`refused ${index}`);
          peer.send(packet);
          await peer.closes("no good CONNECT");
          const disconnects = peer.received.filter(({ type }) => type === Type.DISCONNECT).length;
          checkEqual(disconnects, 0, "DISCONNECT packets before an accepting CONNACK");
        }),
      );
    },
  }),
].flat();

/** Reason codes of a DISCONNECT that a server may send as an error (MQTT 5.0, 3.14.2.1). */
const SERVER_REASONS: readonly number[] = [
  0x80, 0x81, 0x82, 0x83, 0x87, 0x89, 0x8b, 0x8d, 0x8e, 0x8f, 0x90, 0x93, 0x94, 0x95, 0x96, 0x97, 0x98, 0x99, 0x9a,
  0x9b, 0x9c, 0x9d, 0x9e, 0x9f, 0xa0, 0xa1, 0xa2,
];
