import { check, checkEqual } from "../failure.ts";
import type { Peer } from "../peer.ts";
import * as wire from "../wire/index.ts";
import { Type } from "../wire/index.ts";
import { type BrokerCase, rule } from "./define.ts";
import type { Lab } from "./lab.ts";
import { text } from "./messages.ts";

/** Shared subscriptions (MQTT 5.0, 4.8.2). */
export const sharedCases: readonly BrokerCase[] = [
  rule({
    id: "shared/one-of-the-group",
    title: "delivers each message to one member of the group",
    v5: ["4.8.2-1", "4.8.2-2"],
    needs: ["shared"],
    run: async (lab) => {
      const topic = lab.topic();
      const members = await group(lab, topic, [1, 1, 1]);
      const publisher = await lab.connect({ label: "publisher" });
      for (let index = 0; index < 9; index += 1) {
        await publisher.publish({ topic, qos: 1, payload: `${index}` });
      }
      const found = await collect(lab, members, 9);
      checkEqual(found.sort(), ["0", "1", "2", "3", "4", "5", "6", "7", "8"], "messages over all members");
    },
  }),
  rule({
    id: "shared/besides-plain",
    title: "treats groups and plain subscriptions as separate subscriptions",
    v5: ["4.8.2-1", "4.5.0-1"],
    needs: ["shared"],
    run: async (lab) => {
      const topic = lab.topic();
      const [first] = await group(lab, topic, [1], "one");
      const [second] = await group(lab, topic, [1], "two");
      const { subscriber, publisher } = await lab.pair(topic, 1);
      await publisher.publish({ topic, qos: 1, payload: "all" });
      for (const peer of [first, second, subscriber]) {
        checkEqual(peer && text(await peer.message()), "all", "payload");
      }
    },
  }),
  rule({
    id: "shared/granted-qos",
    title: "delivers at the QoS granted to the member it chose",
    v5: ["4.8.2-3"],
    needs: ["shared"],
    run: async (lab) => {
      const topic = lab.topic();
      const members = await group(lab, topic, [0, 1, 2]);
      const publisher = await lab.connect({ label: "publisher" });
      for (let index = 0; index < 9; index += 1) {
        await publisher.publish({ topic, qos: 2, payload: `${index}` });
      }
      await collect(lab, members, 9);
      for (const [qos, member] of members.entries()) {
        for (const packet of publishes(member)) {
          checkEqual(packet.qos, qos, `QoS at the member with QoS ${qos}`);
        }
      }
    },
  }),
  rule({
    id: "shared/qos-2-same-member",
    title: "completes a QoS 2 delivery with the same member after a reconnection",
    v5: ["4.8.2-4"],
    needs: ["shared"],
    run: async (lab) => {
      const topic = lab.topic();
      const options = [lab.persistent(lab.clientId("a")), lab.persistent(lab.clientId("b"))];
      const members = await Promise.all(
        options.map(async (option) => {
          const peer = await lab.connect(option);
          await peer.subscribe(`$share/group/${topic}`, 2);
          return peer;
        }),
      );
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 2, payload: "mine" });
      const chosen = await firstWithMessage(lab, members);
      const packetId = publishes(members[chosen])[0]?.packetId ?? 0;
      members[chosen]?.drop();
      const other = members[1 - chosen];
      await other?.quiet("a QoS 2 message begun with another member");
      const again = await lab.connect(options[chosen]);
      const repeated = await again.message();
      checkEqual([repeated.packetId, text(repeated)], [packetId, "mine"], "repeated delivery");
    },
  }),
  rule({
    id: "shared/qos-2-session-ends",
    title: "gives a QoS 2 message it has begun to deliver to no other member when the session ends",
    v5: ["4.8.2-5"],
    needs: ["shared"],
    run: async (lab) => {
      const topic = lab.topic();
      const members = await group(lab, topic, [2, 2]);
      const publisher = await lab.connect({ label: "publisher" });
      await publisher.publish({ topic, qos: 2, payload: "lost" });
      const chosen = await firstWithMessage(lab, members);
      members[chosen]?.disconnect();
      await members[1 - chosen]?.quiet("a QoS 2 message begun with a member whose session ended");
    },
  }),
  rule({
    id: "shared/refused",
    title: "offers a message that a member refused to no other member",
    v5: ["4.8.2-6"],
    needs: ["shared"],
    run: async (lab) => {
      const topic = lab.topic();
      const members = await group(lab, topic, [2, 2]);
      const publisher = await lab.connect({ label: "publisher" });
      for (const qos of [1, 2]) {
        await publisher.publish({ topic, qos, payload: `refused ${qos}` });
        const chosen = await firstWithMessage(lab, members, qos);
        const packet = publishes(members[chosen]).find((candidate) => candidate.qos === qos);
        check(packet !== undefined, "expected the message at the member it was given to");
        await members[chosen]?.take("PUBLISH");
        members[chosen]?.send(wire.ack(qos === 1 ? Type.PUBACK : Type.PUBREC, packet.packetId, 0x83));
        for (const member of members) {
          await member.quiet("a message that another member refused");
        }
      }
    },
  }),
].flat();

async function group(lab: Lab, topic: string, qos: readonly number[], name = "group"): Promise<Peer[]> {
  return await Promise.all(
    qos.map(async (requested, index) => {
      const peer = await lab.connect({ label: `${name} ${index}` });
      await peer.subscribe(`$share/${name}/${topic}`, requested);
      return peer;
    }),
  );
}

/** Acknowledges at all members until `count` messages have come, and none more. */
async function collect(lab: Lab, members: readonly Peer[], count: number): Promise<string[]> {
  const found: string[] = [];
  // Each ends with a failure, once nothing more comes: settled from the start, so that none is left unhandled.
  const reading = Promise.allSettled(
    members.map(async (member) => {
      for (;;) {
        found.push(text(await member.message()));
      }
    }),
  );
  const deadline = performance.now() + 4_000;
  while (found.length < count && performance.now() < deadline) {
    await lab.wait(20);
  }
  await lab.wait(lab.quietMs);
  for (const member of members) {
    member.drop();
  }
  await reading;
  return found;
}

/** Index of the member that received a message (of that QoS). */
async function firstWithMessage(lab: Lab, members: readonly Peer[], qos = 2): Promise<number> {
  const deadline = performance.now() + 4_000;
  while (performance.now() < deadline) {
    const index = members.findIndex((member) => publishes(member).some((packet) => packet.qos === qos));
    if (index >= 0) {
      return index;
    }
    await lab.wait(10);
  }
  check(false, "expected one member of the group to receive the message");
}

function publishes(peer: Peer | undefined): readonly Peer["received"][number][] {
  return peer?.received.filter(({ type }) => type === Type.PUBLISH) ?? [];
}
