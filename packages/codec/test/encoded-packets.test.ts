import { createDecoder, createPacketWriter, encode, type PublishPacket, packetIdOffset } from "@tidewire/codec";
import { expect, test } from "vitest";

test.each([
  ["small", "t", 10],
  ["with a large payload", "t", 2000],
  ["with a long topic", "t".repeat(600), 3],
])("one encoding goes out under many packet ids, %s", (_name, topic, size) => {
  const packet: PublishPacket = {
    type: 3,
    topic,
    payload: new Uint8Array(size).fill(7),
    qos: 1,
    retain: false,
    dup: false,
    packetId: 1,
    properties: undefined,
  };
  const bytes = encode(packet, 4);
  const before = Uint8Array.from(bytes);
  const writer = createPacketWriter();
  const ids = [1, 256, 65_535, 777];
  for (const packetId of ids) {
    writer.write({ type: 0, bytes, packetIdOffset: packetIdOffset(bytes), packetId });
  }
  expect(writer.pendingBytes).toBe(ids.length * bytes.length);
  const decoder = createDecoder();
  for (const chunk of writer.take()) {
    decoder.push(chunk);
  }
  for (const packetId of ids) {
    expect(decoder.next()).toEqual({ ...packet, packetId });
  }
  expect(decoder.next()).toBeNull();
  expect(bytes).toEqual(before);
});
