import { describe, expect, test } from "vitest";
import { hex } from "../failure.ts";
import { bytes, concat, varint } from "./bytes.ts";
import { decodePacket, PacketSplitter } from "./decode.ts";
import * as wire from "./encode.ts";
import type { Property } from "./properties.ts";
import { describePacket, Transcript } from "./transcript.ts";
import { Type } from "./types.ts";

describe("varint", () => {
  test.each([
    [0, "00"],
    [127, "7f"],
    [128, "8001"],
    [16_383, "ff7f"],
    [2_097_152, "80808001"],
    [268_435_455, "ffffff7f"],
  ])("writes %i in the shortest form", (value, expected) => {
    expect(hex(varint(value))).toBe(expected);
  });

  test("writes more bytes than needed when told to", () => {
    expect(hex(varint(1, 3))).toBe("818000");
  });
});

describe("packets", () => {
  test("are written as the specification's examples have them", () => {
    expect(hex(wire.connect("3.1.1", { clientId: "c", keepAlive: 10 }))).toBe("100d00044d5154540402000a000163");
    expect(hex(wire.publish("3.1.1", { topic: "a/b", qos: 1, packetId: 10, payload: "x" }))).toBe(
      "32080003612f62000a78",
    );
    expect(hex(wire.subscribe("5.0", 10, [["a/b", 1]]))).toBe("8209000a000003612f6201");
    expect(hex(wire.disconnect(4, [["reasonString", "x"]]))).toBe("e00604041f000178");
  });

  test("are read back with all their fields", () => {
    const properties: Property[] = [
      ["topicAlias", 3],
      ["userProperty", "a", "b"],
      ["correlationData", bytes(1, 2)],
    ];
    const publish = wire.publish("5.0", { topic: "t", qos: 2, packetId: 7, dup: true, payload: "p", properties });
    expect(decodePacket(publish, "5.0")).toMatchObject({
      type: Type.PUBLISH,
      topic: "t",
      qos: 2,
      packetId: 7,
      dup: true,
      retain: false,
      properties,
      problem: undefined,
    });
    const connect = wire.connect("5.0", { clientId: "c", will: { topic: "w", qos: 1 }, username: "u", password: "p" });
    expect(decodePacket(connect, "5.0").connect).toMatchObject({ clientId: "c", willTopic: "w", username: "u" });
  });

  test("that cannot be read keep what could be, and say why", () => {
    const cut = decodePacket(bytes(0x32, 0x04, 0x00, 0x01, 0x61, 0x00), "3.1.1");
    expect(cut).toMatchObject({ topic: "a", qos: 1 });
    expect(cut.problem).toContain("past the end of its packet");
    expect(decodePacket(bytes(0xd0, 0x01, 0x00), "3.1.1").problem).toContain("1 bytes too many");
    expect(decodePacket(bytes(0xd0, 0x80, 0x00), "3.1.1").shortestLength).toBe(false);
  });
});

describe("PacketSplitter", () => {
  const stream = concat(
    wire.connack("5.0"),
    wire.publish("5.0", { topic: "t", payload: new Uint8Array(300) }),
    wire.pingresp(),
  );

  test.each([1, 2, 7, 1_000])("finds the same packets in pieces of %i bytes", (size) => {
    const splitter = new PacketSplitter("5.0");
    const types: number[] = [];
    for (let at = 0; at < stream.length; at += size) {
      types.push(...splitter.push(stream.subarray(at, at + size)).map(({ type }) => type));
    }
    expect(types).toEqual([Type.CONNACK, Type.PUBLISH, Type.PINGRESP]);
    expect(splitter.pending).toHaveLength(0);
  });

  test("gives up a length of five bytes, and one beyond all measure", () => {
    expect(() => new PacketSplitter("5.0").push(bytes(0x30, 0x80, 0x80, 0x80, 0x80, 0x01))).toThrow(
      expect.objectContaining({ code: "bytes-malformed" }),
    );
    expect(() => new PacketSplitter("5.0").push(bytes(0x30, 0xff, 0xff, 0xff, 0x7f))).toThrow("268435460 bytes");
  });
});

describe("transcript", () => {
  test("shows a packet a line, bytes that are none, and who said what", () => {
    const transcript = new Transcript();
    transcript.sent("client", concat(wire.pingreq(), bytes(0x30, 0x05)), "5.0");
    transcript.received("client", decodePacket(wire.connack("5.0", 0x87), "5.0"));
    expect(transcript.toString().replaceAll(/^ *\d+ ms/gm, "")).toBe(
      "  client       -> PINGREQ\n  client       -> bytes 3005\n  client       <- CONNACK sessionPresent=false 0x87",
    );
  });

  test("names what is wrong with a packet", () => {
    const text = describePacket(decodePacket(bytes(0x20, 0x01, 0x00), "3.1.1"));
    expect(text).toContain("unreadable");
  });

  test("is bounded", () => {
    const transcript = new Transcript();
    for (let line = 0; line < 250; line += 1) {
      transcript.note("client", "x".repeat(500));
    }
    const lines = transcript.toString().split("\n");
    expect(lines).toHaveLength(201);
    expect(lines.at(-1)).toBe("(and 50 more)");
  });
});
