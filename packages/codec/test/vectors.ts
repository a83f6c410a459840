import { readFileSync } from "node:fs";
import type { Packet, ProtocolVersion } from "@tidewire/codec";

/** A packet as JSON: bytes are `{ "$hex" }`, long runs `{ "$repeat" }` or `{ "$repeatHex" }`, absent fields undefined. */
export interface ValidVector {
  readonly name: string;
  readonly version: ProtocolVersion;
  readonly statements: readonly string[];
  readonly bytes: Uint8Array;
  readonly packet: Packet;
  /** Another spelling of what the encoder writes in its shortest form. */
  readonly decodeOnly: boolean;
}

export interface InvalidBytesVector {
  readonly name: string;
  readonly version: ProtocolVersion;
  readonly statements: readonly string[];
  readonly bytes: Uint8Array;
  readonly sender: "client" | "server" | undefined;
  readonly code: string;
  readonly statement: string | undefined;
}

export interface InvalidPacketVector {
  readonly name: string;
  readonly version: ProtocolVersion;
  readonly statements: readonly string[];
  readonly packet: Packet;
  readonly code: string;
}

export interface TopicVectors {
  readonly names: readonly { topic: string; code?: string; statements?: readonly string[] }[];
  readonly filters: readonly { filter: string; code?: string }[];
  readonly matches: readonly (readonly [filter: string, topic: string, matches: boolean])[];
}

/** Where a packet object has a field that JSON left out. */
const OPTIONAL: Readonly<Record<number, readonly string[]>> = {
  1: ["will", "username", "password", "properties"],
  12: [],
  13: [],
};

export const validVectors: readonly ValidVector[] = load("valid").map((raw) => ({
  name: raw.name,
  version: raw.version,
  statements: raw.statements ?? [],
  bytes: Uint8Array.from(Buffer.concat([Buffer.from(raw.bytes, "hex"), run(raw.then)])),
  packet: toPacket(raw.packet),
  decodeOnly: raw.decodeOnly === true,
}));

export const invalidBytesVectors: readonly InvalidBytesVector[] = load("invalid-bytes").map((raw) => ({
  ...raw,
  statements: raw.statements ?? [],
  bytes: Uint8Array.from(Buffer.from(raw.bytes, "hex")),
}));

export const invalidPacketVectors: readonly InvalidPacketVector[] = load("invalid-packets").map((raw) => ({
  ...raw,
  statements: raw.statements ?? [],
  packet: toPacket(raw.packet),
}));

export const topicVectors: TopicVectors = read("../vectors/topics.json");

// biome-ignore lint/suspicious/noExplicitAny: parsed JSON, whose shape the vectors' own tests show
type Json = any;

function load(name: string): Json[] {
  return read(`../vectors/${name}.json`);
}

function read(path: string): Json {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}

function run(raw: { $repeatHex: string; count: number } | undefined): Uint8Array {
  return raw === undefined ? new Uint8Array(0) : new Uint8Array(raw.count).fill(Number.parseInt(raw.$repeatHex, 16));
}

function toPacket(raw: Json): Packet {
  const packet = revive(raw);
  for (const field of OPTIONAL[packet.type] ?? ["properties"]) {
    packet[field] ??= undefined;
  }
  if (packet.type === 1) {
    packet.bridge ??= false;
  }
  if (packet.will !== undefined) {
    packet.will.properties ??= undefined;
  }
  return packet;
}

function revive(value: Json): Json {
  if (Array.isArray(value)) {
    return value.map(revive);
  }
  if (typeof value !== "object" || value === null) {
    return value;
  }
  if ("$hex" in value) {
    return Uint8Array.from(Buffer.from(value.$hex, "hex"));
  }
  if ("$repeatHex" in value) {
    return run(value);
  }
  if ("$repeat" in value) {
    return value.of === undefined ? new Uint8Array(value.$repeat) : value.of.repeat(value.$repeat);
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, revive(item)]));
}
