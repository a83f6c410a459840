import { createDecoder, decode, encode, MqttError, type Packet } from "@tidewire/codec";
import { describe, expect, test } from "vitest";

// Failures seen in other codecs (mqtt-packet 9, u8-mqtt-packet 0.4, opifex, NanoMQ, Netty), one test each.

const publish = {
  type: 3,
  topic: "a",
  payload: new Uint8Array(0),
  qos: 0,
  retain: false,
  dup: false,
  packetId: 0,
} as const;
const hex = (text: string): Uint8Array => Uint8Array.from(Buffer.from(text.replaceAll(" ", ""), "hex"));
const refused = (bytes: string, version: 3 | 4 | 5, code: string): void => {
  expect(() => decode(hex(bytes), version)).toThrow(expect.objectContaining({ name: "MqttError", code }));
};

describe("framing", () => {
  test("buffers a 64 MiB packet before looking at any limit", () => {
    const decoder = createDecoder({ maximumPacketSize: 1_000_000 });
    decoder.push(hex("30 80 80 80 20"));
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: "packet-too-large" }));
    expect(decoder.bufferedBytes).toBe(0);
  });

  test("quadratic joins when bytes arrive one at a time", () => {
    // A join for each byte would copy half a terabyte here, and time out.
    const bytes = encode({ ...publish, payload: new Uint8Array(1_000_000).fill(1), properties: undefined }, 4);
    const decoder = createDecoder();
    let packet: Packet | null = null;
    for (let at = 0; at < bytes.length; at += 1) {
      decoder.push(bytes.subarray(at, at + 1));
      packet = decoder.next();
    }
    expect(packet).toMatchObject({ type: 3, topic: "a" });
  });

  test("a frame shorter than the packet's Remaining Length (CVE-2026-25627) waits for the rest, or ends in an error", () => {
    const decoder = createDecoder();
    decoder.push(hex("30 7f 00 01 61"));
    expect(decoder.next()).toBeNull();
    expect(() => decoder.end()).toThrow(MqttError);
  });

  test("a 5-byte length (CVE-2026-21888), a 4-byte length written in 5, a length not in its shortest form", () => {
    refused("30 ff ff ff ff 7f", 4, "length-malformed");
    refused("30 83 80 80 80 00", 4, "length-malformed");
    refused("30 83 00 00 01 61", 5, "length-malformed");
  });

  test("properties parsed before the size check (CVE-2026-44248)", () => {
    const decoder = createDecoder({ version: 5, maximumPacketSize: 8 });
    // The properties are broken, but the size is found first.
    decoder.push(hex("30 10 00 01 61 ff ff ff ff ff"));
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: "packet-too-large" }));
  });
});

describe("fields", () => {
  test("accepts packet id 0, or gives -1 for a missing one", () => {
    refused("40 02 00 00", 4, "packet-id-invalid");
    refused("32 05 00 01 61 00 00", 4, "packet-id-invalid");
    refused("40 00", 4, "packet-truncated");
    refused("32 03 00 01 61", 4, "packet-truncated");
  });

  test("reads past the end of a truncated field into the next packet", () => {
    refused("30 04 00 05 61 62 c0 00 c0 00", 4, "packet-truncated");
  });

  test("accepts invalid UTF-8, surrogates, U+0000 and wildcards in a topic name", () => {
    refused("30 03 00 01 ff", 4, "string-malformed");
    refused("30 05 00 03 ed a0 80", 4, "string-malformed");
    refused("30 03 00 01 00", 4, "string-has-null");
    refused("30 03 00 01 23", 4, "topic-has-wildcard");
  });
});

describe("properties", () => {
  test("accepts a repeated single-use property, one of another packet, a value out of range", () => {
    refused("30 08 00 01 61 04 01 00 01 00", 5, "property-repeated");
    refused("30 07 00 01 61 03 21 00 01", 5, "property-misplaced");
    refused("30 06 00 01 61 02 01 02", 5, "property-invalid");
  });

  test("uint32 0xFFFFFFFF becomes -1", () => {
    const packet: Packet = { ...publish, properties: { messageExpiryInterval: 0xffff_ffff } };
    expect(decode(encode(packet, 5), 5)).toEqual(packet);
  });

  test("user properties lose order or duplicates; only the last subscription identifier survives", () => {
    const userProperties = [
      ["b", "1"],
      ["a", "2"],
      ["b", "1"],
    ] as const;
    const packet: Packet = { ...publish, properties: { userProperties, subscriptionIdentifiers: [3, 1, 3] } };
    expect(decode(encode(packet, 5), 5)).toEqual(packet);
  });

  test("retain handling bits shifted wrongly", () => {
    const packet = decode(hex("82 07 00 01 00 00 01 61 2d"), 5);
    const subscription = { filter: "a", qos: 1, noLocal: true, retainAsPublished: true, retainHandling: 2 };
    expect(packet).toMatchObject({ subscriptions: [subscription] });
    expect(encode(packet, 5)).toEqual(hex("82 07 00 01 00 00 01 61 2d"));
  });
});

// Attack 23: a hundred thousand user properties are one packet's worth of bytes and forty milliseconds' worth of work.
test("user properties are bounded in number: 10,000 are taken, one more is 0x95", () => {
  const packet = (count: number): Uint8Array => {
    const property = [0x26, 0, 1, 0x61, 0, 0];
    const length = count * property.length;
    const lengthBytes = [(length & 0x7f) | 0x80, ((length >> 7) & 0x7f) | 0x80, length >> 14];
    const remaining = 3 + lengthBytes.length + length;
    const head = [0x30, (remaining & 0x7f) | 0x80, ((remaining >> 7) & 0x7f) | 0x80, remaining >> 14, 0, 1, 0x74];
    return Uint8Array.from([...head, ...lengthBytes, ...Array.from({ length: count }, () => property).flat()]);
  };
  expect(decode(packet(10_000), 5)).toMatchObject({ type: 3 });
  expect(() => decode(packet(10_001), 5)).toThrow(expect.objectContaining({ reasonCode: 0x95 }));
});

// Attack 38: 260,000 filters of one character are 1 MiB, and a tenth of a second's work before any limit is asked.
test("topic filters are bounded in number: 10,000 are taken, one more is 0x95", () => {
  const topic = (index: number): string => `${index}`;
  const subscribe = (count: number): Uint8Array =>
    encode(
      {
        type: 8,
        packetId: 1,
        subscriptions: Array.from({ length: count }, (_, index) => ({
          filter: topic(index),
          qos: 0,
          noLocal: false,
          retainAsPublished: false,
          retainHandling: 0,
        })),
        properties: undefined,
      },
      5,
    );
  const unsubscribe = (count: number): Uint8Array =>
    encode(
      {
        type: 10,
        packetId: 1,
        filters: Array.from({ length: count }, (_, index) => topic(index)),
        properties: undefined,
      },
      5,
    );
  for (const packet of [subscribe, unsubscribe]) {
    expect(decode(packet(10_000), 5)).toMatchObject({ packetId: 1 });
    expect(() => decode(packet(10_001), 5)).toThrow(expect.objectContaining({ reasonCode: 0x95 }));
  }
});
