import { createDecoder, encode, type Packet } from "@tidewire/codec";
import { expect, test } from "vitest";

// Found by the session simulation: a chunk pushed right after the current one was used up overtook those in the queue.
test("chunks pushed while others wait are read in the order of pushing", () => {
  const packets: Packet[] = Array.from({ length: 4 }, (_, index) => ({
    type: 6,
    packetId: index + 1,
    reasonCode: 0,
    properties: undefined,
  }));
  const decoder = createDecoder();
  const [first, second, third, fourth] = packets.map((packet) => encode(packet, 4)) as [
    Uint8Array,
    Uint8Array,
    Uint8Array,
    Uint8Array,
  ];
  decoder.push(first);
  decoder.push(second);
  decoder.push(third);
  expect(decoder.next()).toMatchObject({ packetId: 1 });
  decoder.push(fourth);
  expect(
    [decoder.next(), decoder.next(), decoder.next()].map((packet) => packet && "packetId" in packet && packet.packetId),
  ).toEqual([2, 3, 4]);
  expect(decoder.next()).toBeNull();
});
