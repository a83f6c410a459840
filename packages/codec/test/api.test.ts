import * as codec from "@tidewire/codec";
import {
  createClientDecoder,
  createClientPacketWriter,
  createDecoder,
  createPacketWriter,
  MqttError,
} from "@tidewire/codec";
import { describe, expect, test } from "vitest";
import { validVectors } from "./vectors.ts";

const publish = (payload: Uint8Array): codec.PublishPacket => ({
  type: 3,
  topic: "a",
  payload,
  qos: 0,
  retain: false,
  dup: false,
  packetId: 0,
  properties: undefined,
});
const KIB = 1024;

describe("decoder", () => {
  // mqtt-packet buffers 64 MiB before it looks at any limit.
  test("the size limit acts when the fixed header is complete", () => {
    const decoder = createDecoder({ maximumPacketSize: 1000 });
    decoder.push(Uint8Array.of(0x30, 0xe5));
    expect(decoder.next()).toBeNull();
    decoder.push(Uint8Array.of(0x07));
    // 997 + 3 bytes are allowed, 998 + 3 are not.
    expect(decoder.next()).toBeNull();
    const strict = createDecoder({ maximumPacketSize: 1000 });
    strict.push(Uint8Array.of(0x30, 0xe6, 0x07));
    expect(() => strict.next()).toThrow(expect.objectContaining({ code: "packet-too-large", reasonCode: 0x95 }));
    expect(strict.next()).toBeNull();
  });

  test("memory runs at most 64 KiB ahead of the bytes", () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 20 }, () => createDecoder());
    for (const decoder of decoders) {
      // The largest packet there is, announced with one byte of body.
      decoder.push(Uint8Array.of(0x30, 0xff, 0xff, 0xff, 0x7f, 0));
      expect(decoder.next()).toBeNull();
      expect(decoder.bufferedBytes).toBe(6);
    }
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(20 * 64 * KIB);
  });

  test("a long packet in small pieces is put together once", () => {
    const packet = publish(Uint8Array.from({ length: 700 * KIB }, (_, i) => i));
    const bytes = codec.encode(packet, 4);
    for (const size of [1000, 70_000, 300_000]) {
      const decoder = createDecoder();
      let got: codec.Packet | null = null;
      for (let at = 0; at < bytes.length; at += size) {
        expect(got).toBeNull();
        decoder.push(bytes.subarray(at, at + size));
        got = decoder.next();
      }
      expect(Buffer.compare((got as codec.PublishPacket).payload, packet.payload)).toBe(0);
    }
  });

  test("payloads are views of the chunk", () => {
    const chunk = codec.encode(publish(Uint8Array.of(1, 2, 3)), 4);
    const decoder = createDecoder();
    decoder.push(chunk);
    expect((decoder.next() as codec.PublishPacket).payload.buffer).toBe(chunk.buffer);
    expect(decoder.lastPacketBytes().buffer).toBe(chunk.buffer);
    expect(decoder.next()).toBeNull();
    // And nothing pins it once all was read.
    expect(decoder.lastPacketBytes().length).toBe(0);
  });

  test("the version follows CONNECT inside one chunk", () => {
    const connect = {
      bridge: false,
      clientId: "c",
      cleanStart: true,
      keepAlive: 0,
      will: undefined,
      username: undefined,
    } as const;
    const decoder = createDecoder({ sender: "client" });
    const writer = createClientPacketWriter();
    writer.write({ type: 1, version: 5, ...connect, password: undefined, properties: undefined });
    writer.write({ ...publish(Uint8Array.of(9)), properties: { contentType: "t" } });
    expect(writer.version).toBe(5);
    for (const chunk of writer.take()) {
      decoder.push(chunk);
    }
    expect(decoder.next()).toMatchObject({ type: 1, version: 5 });
    expect(decoder.version).toBe(5);
    expect(decoder.next()).toMatchObject({ properties: { contentType: "t" } });
  });

  test("the end of the stream inside a packet is an error, between packets none", () => {
    const decoder = createDecoder();
    decoder.end();
    decoder.push(Uint8Array.of(0xc0));
    expect(decoder.next()).toBeNull();
    expect(() => decoder.end()).toThrow(expect.objectContaining({ code: "packet-truncated" }));
  });

  test("decode takes exactly one packet", () => {
    expect(() => codec.decode(Uint8Array.of(0xc0), 4)).toThrow(expect.objectContaining({ code: "packet-truncated" }));
    expect(() => codec.decode(Uint8Array.of(0xc0, 0, 0xd0), 4)).toThrow(
      expect.objectContaining({ code: "packet-overlong" }),
    );
  });
});

describe("writer", () => {
  test("copies small payloads and refers to large ones", () => {
    const writer = createPacketWriter({ version: 4 });
    const large = new Uint8Array(513).fill(1);
    const small = new Uint8Array(512).fill(2);
    writer.write(publish(small));
    writer.write(publish(large));
    const bytes = codec.encode(publish(large), 4);
    writer.write({ type: 0, bytes, packetIdOffset: 0, packetId: 0 });
    writer.write({ type: 0, bytes: Uint8Array.of(0xc0, 0), packetIdOffset: 0, packetId: 0 });
    const chunks = writer.take();
    const referred = chunks.map(({ buffer }) => [large.buffer, bytes.buffer].indexOf(buffer as ArrayBuffer));
    expect(referred).toEqual([-1, 0, -1, 1, -1]);
    expect(writer.pendingBytes).toBe(0);
    expect(writer.take()).toEqual([]);
  });

  test("refuses what the peer does not take, before any byte", () => {
    const writer = createPacketWriter({ maximumPacketSize: 10 });
    writer.write(publish(new Uint8Array(5)));
    expect(() => writer.write(publish(new Uint8Array(6)))).toThrow(
      expect.objectContaining({ code: "packet-too-large" }),
    );
    expect(() => writer.write(publish(new Uint8Array(6000)))).toThrow(MqttError);
    expect(writer.pendingBytes).toBe(10);
  });

  // Nothing asks for room while a packet is written; one that ran past the end of the slab is written once more.
  test("what does not fit where it was begun goes whole into fresh memory", () => {
    const packets: codec.PublishPacket[] = Array.from({ length: 150 }, (_, i) => ({
      ...publish(new Uint8Array(3 * i).fill(i)),
      topic: "ü".repeat(1 + 2 * i),
      properties: { userProperties: [["k", "v".repeat(7 * i)]], correlationData: new Uint8Array(i) },
    }));
    // Small ones, so that some end just past the slab.
    for (let i = 0; i < 15_000; i += 1) {
      packets.push(publish(new Uint8Array(i % 7).fill(i)));
    }
    // The longest topic there is takes more than a slab.
    packets.push({ ...publish(new Uint8Array(600)), topic: "€".repeat(21_845) });
    const writer = createPacketWriter({ version: 5 });
    const decoder = createDecoder({ version: 5 });
    for (const packet of packets) {
      writer.write(packet);
    }
    for (const chunk of writer.take()) {
      decoder.push(chunk);
    }
    for (const packet of packets) {
      expect(decoder.next()).toEqual(packet);
    }
    expect(() => writer.write({ ...publish(new Uint8Array(1)), topic: "€".repeat(21_846) })).toThrow(
      expect.objectContaining({ code: "field-too-long" }),
    );
    expect(writer.pendingBytes).toBe(0);
  });

  test("refuses a packet longer than four length bytes can say", () => {
    const huge = { BYTES_PER_ELEMENT: 1, length: 268_435_456 } as unknown as Uint8Array;
    expect(() => codec.encode(publish(huge), 4)).toThrow(expect.objectContaining({ code: "packet-too-large" }));
  });

  test("an undefined property counts as absent", () => {
    const properties = { contentType: undefined } as unknown as codec.Properties;
    expect(codec.encode({ ...publish(new Uint8Array(0)), properties }, 4).length).toBe(5);
    expect(codec.encode({ ...publish(new Uint8Array(0)), properties }, 5).length).toBe(6);
  });
});

describe("a client's half", () => {
  test("reads what servers send and writes what clients send, nothing else", () => {
    const decoder = createClientDecoder({ version: 5 });
    decoder.push(Uint8Array.of(0x20, 3, 0, 0, 0));
    expect(decoder.next()).toMatchObject({ type: 2 });
    decoder.push(Uint8Array.of(0xc0, 0));
    expect(() => decoder.next()).toThrow(expect.objectContaining({ code: "packet-unexpected" }));
    const writer = createClientPacketWriter();
    writer.write({ type: 12 });
    expect(() => writer.write({ type: 13 })).toThrow(expect.objectContaining({ code: "packet-unexpected" }));
  });

  test("reads the same with a text cache and without", () => {
    const topics = ["some/topic", "some/topic", "an/other", "some/topic", "an/other", "an/other"];
    const bytes = topics.map((topic) => codec.encode({ ...publish(new Uint8Array(1)), topic }, 4));
    for (const options of [{}, { textCache: codec.textCache }]) {
      const decoder = createClientDecoder(options);
      for (const chunk of bytes) {
        decoder.push(chunk);
      }
      expect(topics.map(() => decoder.next())).toMatchObject(topics.map((topic) => ({ topic })));
    }
  });
});

const names = Object.entries(codec.PacketType);

describe.each(names)("functions of %s alone", (name, type) => {
  const suffix = name.charAt(0) + name.slice(1).toLowerCase();
  const functions = codec as unknown as Record<string, (...args: unknown[]) => unknown>;
  test("do what encode and decode do", () => {
    const vectors = validVectors.filter((vector) => vector.packet.type === type && !vector.decodeOnly);
    for (const { bytes, packet, version } of vectors.filter((vector) => vector.bytes.length < 2000)) {
      expect(functions[`encode${suffix}`]?.(packet, version)).toEqual(bytes);
      expect(functions[`decode${suffix}`]?.(bytes, version)).toEqual(packet);
    }
    const other = type === 12 ? Uint8Array.of(0xd0, 0) : Uint8Array.of(0xc0, 0);
    expect(() => functions[`decode${suffix}`]?.(other, 5)).toThrow(
      expect.objectContaining({ code: "packet-unexpected" }),
    );
  });
});

describe("tables", () => {
  test("errors carry code, reason code and statement", () => {
    const error = new MqttError("some-code", 0x82, "message", { statement: "MQTT-1.5.4-1", cause: "why" });
    expect(error).toMatchObject({ name: "MqttError", code: "some-code", reasonCode: 0x82, cause: "why" });
    expect(new MqttError("some-code", 0x82, "message").statement).toBeUndefined();
    expect(() => codec.decode(Uint8Array.of(0x30, 3, 0, 1, 0), 5)).toThrow("string has null [MQTT-1.5.4-2]");
    expect(() => codec.decode(Uint8Array.of(0x40, 0), 5)).toThrow(/^packet truncated$/);
  });

  test("every reason code has a name and is in the table", () => {
    expect(codec.reasonCodeName(0)).toBe("Success");
    expect(codec.reasonCodeName(0x87)).toBe("NotAuthorized");
    expect(codec.reasonCodeName(3)).toBeUndefined();
    const codes = [...new Set(Object.values(codec.ReasonCode))].sort((a, b) => a - b);
    expect(codec.reasonCodes.map(([code]) => code)).toEqual(codes);
  });

  test("a wrong packet identifier offset cannot be had: packets without one give 0", () => {
    expect(codec.packetIdOffset(Uint8Array.of(0xc0, 0))).toBe(0);
    expect(codec.packetIdOffset(codec.encode(publish(new Uint8Array(300)), 4))).toBe(0);
    expect(codec.packetIdOffset(codec.encode({ ...publish(new Uint8Array(300)), qos: 1, packetId: 7 }, 4))).toBe(6);
    expect(codec.packetIdOffset(Uint8Array.of(0x10, 0))).toBe(0);
  });
});
