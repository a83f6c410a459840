import { check, checkEqual } from "../failure.ts";
import type { Peer } from "../peer.ts";
import * as wire from "../wire/index.ts";
import { concat } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import type { Lab } from "./lab.ts";

/** CONNECT and CONNACK (3.1, 3.2). */
export const connectCases: readonly BrokerCase[] = [
  rule({
    id: "connect/accepted",
    title: "answers a good CONNECT with CONNACK 0 and Session Present 0",
    v3: ["3.1.4-4", "3.2.2-1"],
    v5: ["3.1.4-5", "3.2.2-2", "3.2.2-1", "3.2.2-8"],
    run: async (lab) => {
      const { connack } = await lab.connectWith();
      checkEqual(connack.sessionPresent, false, "Session Present");
      checkEqual(connack.acknowledgeFlags & 0xfe, 0, "reserved acknowledge flags");
    },
  }),
  rule({
    id: "connect/all-fields",
    title: "reads client id, will, user name and password in this order",
    v3: ["3.1.3-1", "3.1.2-9", "3.1.3-3"],
    v5: ["3.1.3-1", "3.1.2-9", "3.1.3-3"],
    needs: ["anonymous"],
    run: async (lab) => {
      const topic = lab.topic("will");
      const watcher = await lab.connect({ label: "watcher" });
      await watcher.subscribe(topic);
      const peer = await lab.connect({ will: { topic, payload: "gone" }, username: "user", password: "password" });
      peer.drop();
      checkEqual((await watcher.message()).payload, new TextEncoder().encode("gone"), "will payload");
    },
  }),
  rule({
    id: "connect/first-packet",
    title: "closes the connection when the first packet is not CONNECT",
    v3: ["3.1.0-1"],
    v5: ["3.1.0-1"],
    run: async (lab) => {
      const packets: [string, Uint8Array][] = [
        ["PINGREQ first", wire.pingreq()],
        ["SUBSCRIBE first", wire.subscribe(lab.version, 1, [[lab.topic(), 0]])],
        ["PUBLISH first", wire.publish(lab.version, { topic: lab.topic() })],
      ];
      await Promise.all(
        packets.map(async ([label, packet]) => {
          const peer = await lab.open(label);
          peer.send(packet);
          await peer.closes(label);
          checkEqual(peer.received.length, 0, "packets sent before CONNECT");
        }),
      );
    },
  }),
  rule({
    id: "connect/second-connect",
    title: "closes the connection on a second CONNECT",
    v3: ["3.1.0-2"],
    v5: ["3.1.0-2", "3.2.0-2"],
    run: async (lab) => {
      const clientId = lab.clientId();
      const peer = await lab.connect({ clientId });
      peer.send(lab.connectBytes({ clientId }));
      await peer.closes("second CONNECT");
      checkEqual(peer.received.filter(({ type }) => type === 2).length, 1, "number of CONNACK packets");
    },
  }),
  rule({
    id: "connect/protocol-name",
    title: "does not serve a CONNECT with another protocol name",
    v3: ["3.1.2-1"],
    v5: ["3.1.2-1"],
    run: async (lab) => {
      await Promise.all(
        ["MQTt", "mqtt", "MQTTX", ""].map((protocolName) => refused(lab, `name "${protocolName}"`, { protocolName })),
      );
    },
  }),
  rule({
    id: "connect/protocol-level",
    title: "refuses a protocol level it does not know: CONNACK (3.1.1: code 1) and close",
    v3: ["3.1.2-2", "3.2.2-4", "3.2.2-5"],
    v5: ["3.1.2-2", "3.2.2-6", "3.2.2-7"],
    run: async (lab) => {
      // A later version's client may be answered in the form of MQTT 5.
      for (const protocolLevel of lab.five ? [2, 6, 99] : [2]) {
        const peer = await refused(lab, `level ${protocolLevel}`, { protocolLevel });
        const connack = peer.received[0];
        if (lab.five) {
          check(
            connack === undefined || connack.reasonCode >= 0x80 || connack.reasonCode === 1,
            "an error code in CONNACK",
          );
        } else {
          checkEqual(connack?.reasonCode, 1, "CONNACK code");
        }
        checkEqual(connack?.sessionPresent ?? false, false, "Session Present");
      }
    },
  }),
  rule({
    id: "connect/client-id-characters",
    title: "accepts a client id of 23 letters and digits",
    v3: ["3.1.3-5"],
    v5: ["3.1.3-5"],
    run: async (lab) => {
      const start = lab.clientId("");
      const ids = ["0123456789abcdefghijklm", "nopqrstuvwxyzABCDEFGHIJ", "KLMNOPQRSTUVWXYZ0123456"];
      await Promise.all(ids.map((id) => lab.connect({ clientId: (start + id).slice(0, 23) })));
      await lab.connect({ clientId: start.slice(0, 1) });
    },
  }),
  rule({
    id: "connect/client-id-empty",
    title: "gives a client without id a unique one",
    v3: ["3.1.3-6"],
    v5: ["3.1.3-6", "3.1.3-7", "3.2.2-16"],
    needs: ["empty-client-id"],
    run: async (lab) => {
      const first = await lab.connectWith({ clientId: "" });
      const second = await lab.connectWith({ clientId: "" });
      await first.peer.alive("another client without id connected");
      await second.peer.alive("both have ids of their own");
      if (!lab.five) {
        return;
      }
      const assigned = [first, second].map(
        ({ connack }) => connack.properties.find(([name]) => name === "assignedClientIdentifier")?.[1],
      );
      for (const id of assigned) {
        check(typeof id === "string" && id !== "", "an Assigned Client Identifier in CONNACK");
      }
      check(assigned[0] !== assigned[1], "two different Assigned Client Identifiers");
    },
  }),
  rule({
    id: "connect/assigned-client-id-is-the-key",
    title: "treats the assigned client id as though the client had sent it",
    v5: ["3.1.3-7"],
    needs: ["empty-client-id"],
    run: async (lab) => {
      const { peer, connack } = await lab.connectWith({ clientId: "", properties: [["sessionExpiryInterval", 60]] });
      const assigned = connack.properties.find(([name]) => name === "assignedClientIdentifier")?.[1];
      check(typeof assigned === "string", "an Assigned Client Identifier in CONNACK");
      await peer.subscribe(lab.topic());
      peer.drop();
      const again = await lab.connectWith(lab.persistent(assigned));
      checkEqual(again.connack.sessionPresent, true, "Session Present on return with the assigned id");
    },
  }),
  rule({
    id: "connect/client-id-refused",
    title: "refuses an empty client id with Clean Session 0: CONNACK 2 and close",
    v3: ["3.1.3-8", "3.1.3-9", "3.1.3-7", "3.2.2-4", "3.2.2-5"],
    run: async (lab) => {
      const peer = await refused(lab, "empty client id and Clean Session 0", { clientId: "", clean: false });
      checkEqual(peer.received[0]?.reasonCode, 2, "CONNACK code");
      checkEqual(peer.received[0]?.sessionPresent, false, "Session Present");
    },
  }),
  rule({
    id: "connect/client-id-very-long",
    title: "serves a client id of 65,535 bytes, or refuses it and closes",
    v3: ["3.1.3-9"],
    v5: ["3.1.3-8"],
    run: async (lab) => {
      const clientId = lab.clientId().padEnd(65_535, "x");
      const peer = await lab.open();
      peer.send(lab.connectBytes({ clientId }));
      const connack = await peer.take("CONNACK").catch(() => undefined);
      if (connack?.reasonCode === 0) {
        return;
      }
      if (connack !== undefined && !lab.five) {
        checkEqual(connack.reasonCode, 2, "CONNACK code");
      }
      await peer.closes("refused client id");
    },
  }),
  rule({
    id: "connect/password-without-user-name",
    title: "accepts a password without a user name",
    v5: ["3.1.2-19", "3.1.2-16"],
    needs: ["anonymous"],
    run: async (lab) => {
      await lab.connect({ password: "password" });
    },
  }),
  rule({
    id: "connect/nothing-after-refusal",
    title: "does nothing with packets behind a refused CONNECT",
    v3: ["3.1.4-5"],
    v5: ["3.1.4-6", "3.14.0-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const watcher = await lab.connect({ label: "watcher" });
      await watcher.subscribe(topic);
      const peer = await lab.open();
      const refusedConnect = lab.connectBytes({ protocolLevel: 99 });
      peer.send(concat(refusedConnect, wire.publish(lab.version, { topic, payload: "must not arrive" })));
      await peer.closes("refused CONNECT");
      await watcher.quiet("a PUBLISH behind a refused CONNECT must have no effect");
      const disconnects = peer.received.filter(({ type }) => type === 14);
      checkEqual(disconnects.length, 0, "DISCONNECT packets without an accepting CONNACK");
    },
  }),
  rule({
    id: "connect/connack-first",
    title: "sends CONNACK before anything else",
    v3: ["3.2.0-1"],
    v5: ["3.2.0-1"],
    run: async (lab) => {
      const { version } = lab;
      const topic = lab.topic();
      const peer = await lab.open();
      peer.send(
        concat(
          lab.connectBytes(),
          wire.subscribe(version, 1, [[topic, 1]]),
          wire.publish(version, { topic, qos: 1, packetId: 2 }),
          wire.pingreq(),
        ),
      );
      await peer.next("CONNACK");
      await peer.take("SUBACK");
      await peer.take("PUBLISH");
    },
  }),
  rule({
    id: "connect/connack-first-on-resume",
    title: "sends CONNACK before the messages that waited for the session",
    v3: ["3.2.0-1"],
    v5: ["3.2.0-1"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = lab.persistent(lab.clientId());
      const peer = await lab.connect(options);
      await peer.subscribe(topic, 1);
      peer.drop();
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, payload: "waiting", qos: 1 });
      const again = await lab.connect(options);
      await again.message();
    },
  }),
  rule({
    id: "connect/takeover",
    title: "ends the older connection when its client id connects again (5.0: DISCONNECT 0x8E)",
    v3: ["3.1.4-2"],
    v5: ["3.1.4-3"],
    run: async (lab) => {
      const clientId = lab.clientId();
      const older = await lab.connect({ clientId, label: "older" });
      const newer = await lab.connect({ clientId, label: "newer" });
      await older.closes("its client id connected again");
      await newer.alive("it is the newer connection");
      if (lab.five) {
        const disconnect = older.received.find(({ type }) => type === 14);
        checkEqual(disconnect?.reasonCode, 0x8e, "reason of the DISCONNECT on the older connection");
      }
    },
  }),
  rule({
    id: "connect/one-connack",
    title: "sends CONNACK once",
    v5: ["3.2.0-2"],
    run: async (lab) => {
      const peer = await lab.connect();
      await peer.ping();
      await peer.ping();
      await peer.quiet("a second CONNACK", ["CONNACK"]);
    },
  }),
  rule({
    id: "connect/bytes-one-at-a-time",
    title: "reads packets that arrive in pieces, and several that arrive together",
    v3: ["7.1.1-1"],
    v5: ["4.2.0-1"],
    run: async (lab) => {
      const peer = await lab.open();
      const together = concat(lab.connectBytes(), wire.pingreq(), wire.pingreq());
      for (const byte of together) {
        peer.send(Uint8Array.of(byte));
      }
      await peer.connack();
      await peer.take("PINGRESP");
      await peer.take("PINGRESP");
      peer.send(concat(...Array.from({ length: 50 }, () => wire.pingreq())));
      for (let count = 0; count < 50; count += 1) {
        await peer.take("PINGRESP");
      }
    },
  }),
].flat();

/** Sends the CONNECT and requires the end of the connection, without having been accepted. */
async function refused(lab: Lab, why: string, options: wire.ConnectOptions): Promise<Peer> {
  const peer = await lab.open(why);
  peer.send(lab.connectBytes(options));
  await peer.closes(why);
  check(
    !peer.received.some(({ type, reasonCode }) => type === 2 && reasonCode === 0),
    `expected no acceptance: ${why}`,
  );
  return peer;
}
