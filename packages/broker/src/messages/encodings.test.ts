import {
  createDecoder,
  encodePublish,
  type Packet,
  PacketType,
  type Properties,
  type ProtocolVersion,
  type QoS,
} from "@tidewire/codec";
import { expect, it } from "vitest";
import { Encodings } from "./encodings.ts";
import { IncomingPublication } from "./publication.ts";

const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5];
const QOS: readonly QoS[] = [0, 1, 2];
const PROPERTIES: Properties = { contentType: "text/plain" };

it.each(VERSIONS)("encodes each shape for version %i as its receiver reads it", (version) => {
  for (const published of QOS) {
    const encodings = new Encodings(publication(published));
    for (const qos of QOS) {
      for (const retain of [false, true]) {
        const { bytes } = encodings.get(version, qos, retain);
        expect(decode(bytes, version)).toMatchObject({
          type: PacketType.PUBLISH,
          topic: "a/b",
          qos,
          retain,
          dup: false,
          payload: new Uint8Array([1, 2, 3]),
          properties: version === 5 ? PROPERTIES : undefined,
        });
      }
    }
  }
});

it("encodes each shape once, and none for another", () => {
  const encodings = new Encodings(publication(2));
  const all = new Set<unknown>();
  for (const version of [4, 5] as const) {
    for (const qos of QOS) {
      for (const retain of [false, true]) {
        const encoded = encodings.get(version, qos, retain);
        expect(encodings.get(version, qos, retain)).toBe(encoded);
        all.add(encoded);
      }
    }
  }
  expect(all.size).toBe(12);
  // MQTT 3.1 and 3.1.1 have the same PUBLISH.
  expect(encodings.get(3, 1, false)).toBe(encodings.get(4, 1, false));
});

it("says where the packet identifier stands, so that each receiver gets one of its own", () => {
  const encodings = new Encodings(publication(1));
  const encoded = encodings.get(5, 1, false);
  const bytes = encoded.bytes.slice();
  new DataView(bytes.buffer).setUint16(encoded.packetIdOffset, 0xabcd);
  expect(decode(bytes, 5)).toMatchObject({ packetId: 0xabcd, topic: "a/b", payload: new Uint8Array([1, 2, 3]) });
});

it.each(QOS)("sends the received bytes on where that shape goes out, and no other (QoS %i)", (qos) => {
  const one = publication(qos);
  const received = encodePublish({ type: PacketType.PUBLISH, ...one, dup: false, packetId: qos && 77 }, 5);
  const encodings = new Encodings(one, received, 5);
  const same = encodings.get(5, qos, true);
  expect(same).toBe(encodings);
  expect(same.bytes).toBe(received);
  if (qos > 0) {
    expect(new DataView(received.buffer, received.byteOffset).getUint16(same.packetIdOffset)).toBe(77);
  }
  expect(encodings.get(5, qos, false).bytes).not.toBe(received);
  expect(decode(encodings.get(4, qos, true).bytes, 4)).toMatchObject({ topic: "a/b", properties: undefined });
});

function publication(qos: QoS): IncomingPublication {
  return new IncomingPublication("a/b", new Uint8Array([1, 2, 3]), qos, true, PROPERTIES, undefined, 0);
}

function decode(bytes: Uint8Array, version: ProtocolVersion): Packet | null {
  const decoder = createDecoder({ version });
  decoder.push(bytes);
  return decoder.next();
}
