import {
  createDecoder,
  createPacketWriter,
  type Decoder,
  decode,
  encode,
  encodedLength,
  MqttError,
  matches,
  type Packet,
  parseSharedFilter,
  validateTopicFilter,
  validateTopicName,
} from "@tidewire/codec";
import { describe, expect, test } from "vitest";
import { invalidBytesVectors, invalidPacketVectors, topicVectors, validVectors } from "./vectors.ts";

/** Vectors are split everywhere, but the longest at fewer places. */
const splits = (length: number): number => (length > 100_000 ? 5 : 300);

describe("valid bytes", () => {
  for (const { name, version, bytes, packet, decodeOnly } of validVectors) {
    test(name, () => {
      expectEqual(decode(bytes, version), packet);
      if (!decodeOnly) {
        expect(same(encode(packet, version), bytes)).toBe(true);
        expect(encodedLength(packet, version)).toBe(bytes.length);
      }
      const step = Math.max(1, Math.floor(bytes.length / splits(bytes.length)));
      for (let at = 0; at <= bytes.length; at += step) {
        const decoder = createDecoder({ version });
        const got = [...feed(decoder, bytes.subarray(0, at)), ...feed(decoder, bytes.subarray(at))];
        expectOnly(decoder, got, packet, bytes);
      }
      if (bytes.length <= 2000) {
        const decoder = createDecoder({ version });
        const got = Array.from(bytes, (byte) => feed(decoder, Uint8Array.of(byte))).flat();
        expectOnly(decoder, got, packet, bytes);
      }
    });
  }

  test("all in one chunk, and all queued up in small ones before the first is read", () => {
    for (const version of [3, 4, 5] as const) {
      const chosen = validVectors.filter((vector) => vector.version === version && vector.bytes.length < 2000);
      const stream = Buffer.concat(chosen.map(({ bytes }) => bytes));
      const packets = chosen.map(({ packet }) => packet);
      expect(feed(createDecoder({ version }), stream)).toEqual(packets);
      const decoder = createDecoder({ version });
      for (let at = 0; at < stream.length; at += 7) {
        decoder.push(stream.subarray(at, at + 7));
      }
      expect(decoder.bufferedBytes).toBe(stream.length);
      expect(feed(decoder, new Uint8Array(0))).toEqual(packets);
      expect(decoder.bufferedBytes).toBe(0);
    }
  });
});

describe("invalid bytes", () => {
  for (const { name, version, bytes, sender, code, statement } of invalidBytesVectors) {
    test(name, () => {
      const whole = createDecoder(sender === undefined ? { version } : { version, sender });
      const error = caught(() => feed(whole, bytes));
      expect(error?.code).toBe(code);
      if (statement !== undefined) {
        expect(error?.statement).toBe(statement);
      }
      expectFinished(whole, bytes);
      const bytewise = createDecoder(sender === undefined ? { version } : { version, sender });
      expect(caught(() => Array.from(bytes, (byte) => feed(bytewise, Uint8Array.of(byte))))?.code).toBe(code);
      expectFinished(bytewise, bytes);
    });
  }
});

describe("invalid packets", () => {
  for (const { name, version, packet, code } of invalidPacketVectors) {
    test(name, () => {
      expect(caught(() => encode(packet, version))?.code).toBe(code);
      expect(caught(() => encodedLength(packet, version))?.code).toBe(code);
      const writer = createPacketWriter({ version });
      writer.write({ type: 12 });
      expect(caught(() => writer.write(packet))?.code).toBe(code);
      writer.write({ type: 13 });
      // Not a byte of the failed one in between.
      expect(Buffer.concat(writer.take())).toEqual(Buffer.of(0xc0, 0, 0xd0, 0));
    });
  }
});

describe("topics", () => {
  for (const { topic, code } of topicVectors.names) {
    test(`name ${JSON.stringify(topic)}`, () => {
      expect(caught(() => validateTopicName(topic))?.code).toBe(code);
    });
  }
  for (const { filter, code } of topicVectors.filters) {
    test(`filter ${JSON.stringify(filter)}`, () => {
      expect(caught(() => validateTopicFilter(filter))?.code).toBe(code);
    });
  }
  for (const [filter, topic, expected] of topicVectors.matches) {
    test(`${filter} ${expected ? "matches" : "does not match"} ${topic}`, () => {
      expect(matches(filter, topic)).toBe(expected);
    });
  }

  test("a shared filter is taken apart", () => {
    expect(parseSharedFilter("$share/group/a/+/#")).toEqual({ group: "group", filter: "a/+/#" });
    expect(parseSharedFilter("$shared/group/a")).toBeUndefined();
  });

  test("length and depth have limits", () => {
    expect(caught(() => validateTopicName("ü".repeat(32_767)))).toBeUndefined();
    expect(caught(() => validateTopicName("ü".repeat(32_768)))?.code).toBe("topic-too-long");
    expect(caught(() => validateTopicName("😀".repeat(16_384)))?.code).toBe("topic-too-long");
    expect(caught(() => validateTopicName("温".repeat(21_845)))).toBeUndefined();
    expect(caught(() => validateTopicName("abc", { maximumLength: 2 }))?.code).toBe("topic-too-long");
    expect(caught(() => validateTopicFilter("a/".repeat(127)))).toBeUndefined();
    expect(caught(() => validateTopicFilter("a/".repeat(128)))?.code).toBe("topic-too-deep");
    expect(caught(() => validateTopicFilter("a/b/c", { maximumLevels: 2 }))?.code).toBe("topic-too-deep");
  });

  test("thousands of levels are matched without recursion", () => {
    expect(matches(`${"+/".repeat(30_000)}#`, "a/".repeat(30_000))).toBe(true);
  });
});

function feed(decoder: Decoder, chunk: Uint8Array): Packet[] {
  decoder.push(chunk);
  const packets: Packet[] = [];
  for (let packet = decoder.next(); packet !== null; packet = decoder.next()) {
    packets.push(packet);
  }
  return packets;
}

function expectOnly(decoder: Decoder, got: readonly Packet[], packet: Packet, bytes: Uint8Array): void {
  expect(got.length).toBe(1);
  expectEqual(got[0] as Packet, packet);
  expect(decoder.bufferedBytes).toBe(0);
  decoder.end();
  decoder.push(bytes);
  decoder.next();
  expect(same(decoder.lastPacketBytes(), bytes)).toBe(true);
}

/** `toEqual` takes seconds for a payload of megabytes. */
function expectEqual(actual: Packet, expected: Packet): void {
  if (actual.type === 3 && expected.type === 3) {
    expect(same(actual.payload, expected.payload)).toBe(true);
    expect({ ...actual, payload: null }).toEqual({ ...expected, payload: null });
  } else {
    expect(actual).toEqual(expected);
  }
}

function expectFinished(decoder: Decoder, bytes: Uint8Array): void {
  decoder.push(bytes);
  expect(decoder.next()).toBeNull();
  expect(decoder.bufferedBytes).toBe(0);
  decoder.end();
}

function same(a: Uint8Array, b: Uint8Array): boolean {
  return Buffer.compare(a, b) === 0;
}

function caught(action: () => unknown): MqttError | undefined {
  try {
    action();
  } catch (error) {
    if (error instanceof MqttError) {
      return error;
    }
    throw error;
  }
  return undefined;
}
