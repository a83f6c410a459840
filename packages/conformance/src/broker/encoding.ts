import { check, checkEqual } from "../failure.ts";
import type { WirePacket } from "../wire/index.ts";
import * as wire from "../wire/index.ts";
import { describePacket, expectedFlags, Type } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import type { Lab } from "./lab.ts";

/** The bytes a server sends, over a conversation that makes it send every packet type it has (2.1, 2.2, 1.5). */
export const encodingCases: readonly BrokerCase[] = [
  rule({
    id: "encoding/fixed-header-flags",
    title: "sends the fixed header flags that each packet type has to carry",
    v3: ["2.2.2-1"],
    v5: ["2.1.3-1"],
    run: async (lab) => {
      for (const packet of await conversation(lab)) {
        if (packet.type === Type.PUBLISH) {
          continue;
        }
        checkEqual(packet.flags, expectedFlags(packet.type), `flags of ${describePacket(packet)}`);
      }
    },
  }),
  rule({
    id: "encoding/readable",
    title: "sends packets whose every field is there and well-formed",
    v3: ["2.3.1-1", "3.3.2-1", "1.5.3-1"],
    v5: ["2.2.2-1", "3.3.2-1", "1.5.4-1", "1.5.7-1"],
    run: async (lab) => {
      for (const packet of await conversation(lab)) {
        check(packet.problem === undefined, `expected a well-formed packet, got ${describePacket(packet)}`);
        const hasId = (packet.type === Type.PUBLISH && packet.qos > 0) || [4, 5, 6, 7, 9, 11].includes(packet.type);
        check(!hasId || packet.packetId > 0, `expected a packet identifier in ${describePacket(packet)}`);
      }
    },
  }),
  rule({
    id: "encoding/shortest-length",
    title: "writes lengths in their shortest form",
    v5: ["1.5.5-1"],
    run: async (lab) => {
      for (const packet of await conversation(lab)) {
        check(packet.shortestLength, `expected the shortest Remaining Length in ${describePacket(packet)}`);
      }
    },
  }),
  rule({
    id: "encoding/publish-flags",
    title: "sends PUBLISH with a QoS of 0, 1 or 2 and DUP 0 at QoS 0",
    v3: ["3.3.1-4", "3.3.1-2"],
    v5: ["3.3.1-4", "3.3.1-2"],
    run: async (lab) => {
      const publishes = (await conversation(lab)).filter(({ type }) => type === Type.PUBLISH);
      checkEqual(
        publishes.map(({ qos }) => qos),
        [0, 1, 2],
        "QoS of the messages received",
      );
      check(
        publishes.every(({ dup }) => !dup),
        "expected DUP 0 in every first delivery",
      );
    },
  }),
  rule({
    id: "encoding/topic-name",
    title: "sends topic names without wildcards, not empty, without U+0000",
    v3: ["3.3.2-2", "4.7.1-1", "4.7.3-1", "4.7.3-2"],
    v5: ["3.3.2-2", "4.7.0-1", "4.7.3-1", "4.7.3-2"],
    run: async (lab) => {
      for (const packet of await conversation(lab)) {
        if (packet.type !== Type.PUBLISH) {
          continue;
        }
        check(
          !/[+#\0]/.test(packet.topic) && packet.topic !== "",
          `expected a topic name in ${describePacket(packet)}`,
        );
      }
    },
  }),
].flat();

/** Everything the server sent in a conversation with one of each. */
async function conversation(lab: Lab): Promise<readonly WirePacket[]> {
  const base = lab.topic();
  const peer = await lab.connect();
  await peer.subscribe(`${base}/#`, 2);
  for (const qos of [0, 1, 2]) {
    await peer.publish({ topic: `${base}/\u00e4/${qos}`, qos, payload: new Uint8Array(200) });
    await peer.message();
  }
  await peer.unsubscribe(`${base}/#`);
  await peer.ping();
  peer.send(wire.packet(0x00));
  await peer.closes("reserved packet type");
  return peer.received;
}
