import type { MqttVersion } from "../case.ts";
import { ConformanceError } from "../failure.ts";
import { MAXIMUM_RECEIVED_PACKET } from "../limits.ts";
import { ByteReader, concat } from "./bytes.ts";
import { decodeProperties, type Property } from "./properties.ts";
import { Type } from "./types.ts";

/**
 * A packet as it was received, read leniently: what can be read is there, and `problem` says what could not be.
 * Fields that the packet type does not have keep their empty values.
 */
export interface WirePacket {
  readonly bytes: Uint8Array;
  readonly type: number;
  /** Low half of the first byte. */
  readonly flags: number;
  /** Remaining Length was in its shortest form. */
  readonly shortestLength: boolean;
  readonly packetId: number;
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly sessionPresent: boolean;
  /** CONNACK's Connect Acknowledge Flags. */
  readonly acknowledgeFlags: number;
  readonly reasonCode: number;
  readonly reasonCodes: readonly number[];
  /** SUBSCRIBE and UNSUBSCRIBE. */
  readonly filters: readonly string[];
  readonly options: readonly number[];
  readonly connect: ConnectFields | undefined;
  readonly properties: readonly Property[];
  readonly problem: string | undefined;
}

/** What a CONNECT says. */
export interface ConnectFields {
  readonly protocolName: string;
  readonly protocolLevel: number;
  readonly flags: number;
  readonly keepAlive: number;
  readonly clientId: string;
  readonly willProperties: readonly Property[];
  readonly willTopic: string | undefined;
  readonly willPayload: Uint8Array | undefined;
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
}

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

/** Cuts a byte stream into packets. */
export class PacketSplitter {
  version: MqttVersion;
  #buffer: Uint8Array = new Uint8Array(0);

  constructor(version: MqttVersion) {
    this.version = version;
  }

  /** Bytes of a packet that has not ended yet. */
  get pending(): Uint8Array {
    return this.#buffer;
  }

  /** Takes received bytes and gives the packets that are complete now. */
  push(chunk: Uint8Array): WirePacket[] {
    this.#buffer = this.#buffer.length === 0 ? chunk : concat(this.#buffer, chunk);
    const packets: WirePacket[] = [];
    for (let size = packetSize(this.#buffer); size !== undefined; size = packetSize(this.#buffer)) {
      // A copy, and a plain array even when the platform delivers a subclass.
      packets.push(decodePacket(concat(this.#buffer.subarray(0, size)), this.version));
      this.#buffer = this.#buffer.subarray(size);
    }
    return packets;
  }
}

/** Size of the packet at the start of `buffer`, or undefined while it is not all there. */
function packetSize(buffer: Uint8Array): number | undefined {
  let length = 0;
  for (let index = 1; index < buffer.length; index += 1) {
    const digit = buffer[index] ?? 0;
    length += (digit & 0x7f) * 128 ** (index - 1);
    if (digit < 0x80) {
      const size = length + index + 1;
      if (size > MAXIMUM_RECEIVED_PACKET) {
        throw new ConformanceError("bytes-malformed", `A packet of ${size} bytes was announced.`);
      }
      return buffer.length < size ? undefined : size;
    }
    if (index === 4) {
      throw new ConformanceError("bytes-malformed", "Remaining Length has more than four bytes.");
    }
  }
  return undefined;
}

/** Reads one whole packet. */
export function decodePacket(bytes: Uint8Array, version: MqttVersion): WirePacket {
  const first = bytes[0] ?? 0;
  const lengthSize = lengthFieldSize(bytes);
  const body = bytes.subarray(1 + lengthSize);
  const type = first >>> 4;
  const flags = first & 0x0f;
  const packet: Mutable<WirePacket> = {
    bytes,
    type,
    flags,
    shortestLength: lengthSize === 1 || body.length >= 128 ** (lengthSize - 1),
    packetId: 0,
    topic: "",
    payload: new Uint8Array(0),
    qos: type === Type.PUBLISH ? (flags >>> 1) & 3 : 0,
    retain: type === Type.PUBLISH && (flags & 1) === 1,
    dup: type === Type.PUBLISH && (flags & 8) === 8,
    sessionPresent: false,
    acknowledgeFlags: 0,
    reasonCode: 0,
    reasonCodes: [],
    filters: [],
    options: [],
    connect: undefined,
    properties: [],
    problem: undefined,
  };
  try {
    const reader = new ByteReader(body);
    readBody(packet, reader, version === "5.0");
    if (reader.left > 0) {
      packet.problem = `${reader.left} bytes too many`;
    }
  } catch (error) {
    packet.problem = error instanceof Error ? error.message : String(error);
  }
  return packet;
}

function lengthFieldSize(bytes: Uint8Array): number {
  let size = 1;
  while (size < 4 && (bytes[size] ?? 0) >= 0x80) {
    size += 1;
  }
  return size;
}

function readBody(packet: Mutable<WirePacket>, reader: ByteReader, five: boolean): void {
  const properties = (): Property[] => decodeProperties(reader);
  switch (packet.type) {
    case Type.CONNECT:
      readConnect(packet, reader);
      return;
    case Type.CONNACK:
      packet.acknowledgeFlags = reader.uint8();
      packet.sessionPresent = (packet.acknowledgeFlags & 1) === 1;
      packet.reasonCode = reader.uint8();
      if (five) {
        packet.properties = properties();
      }
      return;
    case Type.PUBLISH:
      packet.topic = reader.string();
      if (packet.qos > 0) {
        packet.packetId = reader.uint16();
      }
      if (five) {
        packet.properties = properties();
      }
      packet.payload = reader.rest();
      return;
    case Type.PUBACK:
    case Type.PUBREC:
    case Type.PUBREL:
    case Type.PUBCOMP:
      packet.packetId = reader.uint16();
      if (five && reader.left > 0) {
        packet.reasonCode = reader.uint8();
      }
      if (five && reader.left > 0) {
        packet.properties = properties();
      }
      return;
    case Type.SUBSCRIBE:
    case Type.UNSUBSCRIBE:
      packet.packetId = reader.uint16();
      if (five) {
        packet.properties = properties();
      }
      readFilters(packet, reader);
      return;
    case Type.SUBACK:
    case Type.UNSUBACK:
      packet.packetId = reader.uint16();
      if (five) {
        packet.properties = properties();
      }
      packet.reasonCodes = [...reader.rest()];
      return;
    case Type.DISCONNECT:
    case Type.AUTH:
      if (five && reader.left > 0) {
        packet.reasonCode = reader.uint8();
      }
      if (five && reader.left > 0) {
        packet.properties = properties();
      }
      return;
    default:
      return;
  }
}

function readConnect(packet: Mutable<WirePacket>, reader: ByteReader): void {
  const protocolName = reader.string();
  const protocolLevel = reader.uint8();
  const flags = reader.uint8();
  const keepAlive = reader.uint16();
  const properties = (): Property[] => (protocolLevel === 5 ? decodeProperties(reader) : []);
  packet.properties = properties();
  const clientId = reader.string();
  const hasWill = (flags & 0x04) !== 0;
  packet.connect = {
    protocolName,
    protocolLevel,
    flags,
    keepAlive,
    clientId,
    willProperties: hasWill ? properties() : [],
    willTopic: hasWill ? reader.string() : undefined,
    willPayload: hasWill ? reader.binary() : undefined,
    username: (flags & 0x80) === 0 ? undefined : reader.string(),
    password: (flags & 0x40) === 0 ? undefined : reader.binary(),
  };
}

function readFilters(packet: Mutable<WirePacket>, reader: ByteReader): void {
  const filters: string[] = [];
  const options: number[] = [];
  while (reader.left > 0) {
    filters.push(reader.string());
    if (packet.type === Type.SUBSCRIBE) {
      options.push(reader.uint8());
    }
  }
  packet.filters = filters;
  packet.options = options;
}

/** The first value of a property, if the packet has it. */
export function property(packet: { properties: readonly Property[] }, name: Property[0]): Property[1] | undefined {
  return packet.properties.find(([candidate]) => candidate === name)?.[1];
}

/** Every value of a property, in order. */
export function allOf(packet: { properties: readonly Property[] }, name: Property[0]): Property[] {
  return packet.properties.filter(([candidate]) => candidate === name);
}

/** A property's number, or `otherwise` when the packet does not have it. */
export function numberProperty(
  packet: { properties: readonly Property[] },
  name: Property[0],
  otherwise: number,
): number {
  const value = property(packet, name);
  return typeof value === "number" ? value : otherwise;
}
