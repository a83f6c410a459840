import type { EncodedPacket } from "@tidewire/codec";
import fc from "fast-check";
import { expect, test } from "vitest";
import type { OutgoingPublish } from "./publish-writer.ts";
import { outgoingTopicAliases } from "./topic-aliases.ts";

test("the alias least recently used gives way, as in a list kept in order", () => {
  const topic = fc.integer({ min: 0, max: 9 }).map((n) => `topic/${n}`);
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 5 }), fc.array(topic, { maxLength: 200 }), (maximum, topics) => {
      const write = written(maximum, 5);
      /** Topic and alias, oldest first. */
      let model: (readonly [topic: string, alias: number])[] = [];
      for (const next of topics) {
        const known = model.find(([topic]) => topic === next);
        const alias = known?.[1] ?? (model.length < maximum ? model.length + 1 : (model[0]?.[1] as number));
        expect(write(next)).toEqual([known === undefined ? next : "", alias]);
        model = [...model.filter(([, taken]) => taken !== alias), [next, alias]];
      }
    }),
  );
});

test("short topics get none, nor does any when one side has no room", () => {
  expect(written(5, 5)("abc")).toEqual(["abc", undefined]);
  expect(written(0, 5)("a/long/topic")).toEqual(["a/long/topic", undefined]);
  expect(written(5, 0)("a/long/topic")).toEqual(["a/long/topic", undefined]);
});

test("what is encoded already goes out as it is", () => {
  const encoded: EncodedPacket = { type: 0, bytes: new Uint8Array(4), packetIdOffset: 0, packetId: 0 };
  const seen: unknown[] = [];
  outgoingTopicAliases()({ write: (packet) => seen.push(packet) }, 5).write(encoded);
  expect(seen).toEqual([encoded]);
});

/** Writes a message; returns its topic and its alias as they leave. */
function written(maximum: number, topicAliasMaximum: number): (topic: string) => [string, number | undefined] {
  let last: [string, number | undefined] = ["", undefined];
  const below = {
    write(packet: OutgoingPublish | EncodedPacket) {
      if (packet.type === 3) {
        last = [packet.topic, packet.properties?.topicAlias];
      }
    },
  };
  const writer = outgoingTopicAliases(maximum)(below, topicAliasMaximum);
  return (topic) => {
    const payload = new Uint8Array();
    writer.write({ type: 3, topic, payload, qos: 0, retain: false, dup: false, packetId: 0, properties: undefined });
    return last;
  };
}
