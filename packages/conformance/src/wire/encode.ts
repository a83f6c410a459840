import type { MqttVersion } from "../case.ts";
import { bytes, concat, field, type Text, uint16, varint } from "./bytes.ts";
import { encodeProperties, type Property } from "./properties.ts";
import { Type } from "./types.ts";

/**
 * Packets as bytes, exactly as asked for. Defaults make a correct packet; every field can be given a forbidden value,
 * and `packet` takes anything at all.
 */

export interface WillOptions {
  readonly topic: Text;
  readonly payload?: Text;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly properties?: readonly Property[];
}

export interface ConnectOptions {
  readonly clientId?: Text;
  /** Clean Start, in 3.1.1 Clean Session. Default true. */
  readonly clean?: boolean;
  /** Seconds. Default 0: the suite's connections are never ended by keep-alive unless a case asks for it. */
  readonly keepAlive?: number;
  readonly will?: WillOptions;
  readonly username?: Text;
  readonly password?: Text;
  readonly properties?: readonly Property[];
  readonly protocolName?: Text;
  readonly protocolLevel?: number;
  /** Connect flags instead of those that follow from the other options. */
  readonly flags?: number;
}

export interface PublishOptions {
  readonly topic: Text;
  readonly payload?: Text;
  readonly qos?: number;
  readonly retain?: boolean;
  readonly dup?: boolean;
  readonly packetId?: number;
  readonly properties?: readonly Property[];
}

/** A topic filter and its options byte, in 3.1.1 the requested QoS. */
export type Subscription = readonly [filter: Text, options: number];

/** Any packet: first byte, then Remaining Length, then the body. */
export function packet(firstByte: number, ...body: readonly Uint8Array[]): Uint8Array {
  const content = concat(...body);
  return concat(bytes(firstByte), varint(content.length), content);
}

export function connect(version: MqttVersion, options: ConnectOptions = {}): Uint8Array {
  const { will, username, password } = options;
  const five = version === "5.0";
  const parts = [
    field(options.protocolName ?? "MQTT"),
    bytes(options.protocolLevel ?? (five ? 5 : 4), options.flags ?? connectFlags(options)),
    uint16(options.keepAlive ?? 0),
  ];
  if (five) {
    parts.push(encodeProperties(options.properties ?? []));
  }
  parts.push(field(options.clientId ?? ""));
  if (will !== undefined) {
    if (five) {
      parts.push(encodeProperties(will.properties ?? []));
    }
    parts.push(field(will.topic), field(will.payload ?? ""));
  }
  if (username !== undefined) {
    parts.push(field(username));
  }
  if (password !== undefined) {
    parts.push(field(password));
  }
  return packet(Type.CONNECT << 4, ...parts);
}

export function connectFlags(options: ConnectOptions): number {
  const { will } = options;
  let flags = options.clean === false ? 0 : 0x02;
  if (will !== undefined) {
    flags |= 0x04 | ((will.qos ?? 0) << 3) | (will.retain === true ? 0x20 : 0);
  }
  if (options.password !== undefined) {
    flags |= 0x40;
  }
  if (options.username !== undefined) {
    flags |= 0x80;
  }
  return flags;
}

export function connack(
  version: MqttVersion,
  reasonCode = 0,
  sessionPresent = false,
  properties: readonly Property[] = [],
): Uint8Array {
  const head = bytes(sessionPresent ? 1 : 0, reasonCode);
  return version === "5.0"
    ? packet(Type.CONNACK << 4, head, encodeProperties(properties))
    : packet(Type.CONNACK << 4, head);
}

export function publish(version: MqttVersion, options: PublishOptions): Uint8Array {
  const qos = options.qos ?? 0;
  const flags = (options.dup === true ? 8 : 0) | (qos << 1) | (options.retain === true ? 1 : 0);
  const parts = [field(options.topic)];
  if (options.packetId !== undefined) {
    parts.push(uint16(options.packetId));
  }
  if (version === "5.0") {
    parts.push(encodeProperties(options.properties ?? []));
  }
  parts.push(
    typeof options.payload === "string" ? new TextEncoder().encode(options.payload) : (options.payload ?? bytes()),
  );
  return packet((Type.PUBLISH << 4) | flags, ...parts);
}

/** PUBACK, PUBREC, PUBREL or PUBCOMP; reason code and properties are left out when not given, as both versions allow. */
export function ack(
  type: typeof Type.PUBACK | typeof Type.PUBREC | typeof Type.PUBREL | typeof Type.PUBCOMP,
  packetId: number,
  reasonCode?: number,
  properties?: readonly Property[],
): Uint8Array {
  const parts = [uint16(packetId)];
  if (reasonCode !== undefined) {
    parts.push(bytes(reasonCode));
  }
  if (properties !== undefined) {
    parts.push(encodeProperties(properties));
  }
  return packet((type << 4) | (type === Type.PUBREL ? 2 : 0), ...parts);
}

export function subscribe(
  version: MqttVersion,
  packetId: number,
  subscriptions: readonly Subscription[],
  properties: readonly Property[] = [],
): Uint8Array {
  const parts = [uint16(packetId)];
  if (version === "5.0") {
    parts.push(encodeProperties(properties));
  }
  for (const [filter, options] of subscriptions) {
    parts.push(field(filter), bytes(options));
  }
  return packet((Type.SUBSCRIBE << 4) | 2, ...parts);
}

export function suback(version: MqttVersion, packetId: number, reasonCodes: readonly number[]): Uint8Array {
  const properties = version === "5.0" ? encodeProperties([]) : bytes();
  return packet(Type.SUBACK << 4, uint16(packetId), properties, bytes(...reasonCodes));
}

export function unsubscribe(
  version: MqttVersion,
  packetId: number,
  filters: readonly Text[],
  properties: readonly Property[] = [],
): Uint8Array {
  const parts = [uint16(packetId)];
  if (version === "5.0") {
    parts.push(encodeProperties(properties));
  }
  return packet((Type.UNSUBSCRIBE << 4) | 2, ...parts, ...filters.map(field));
}

export function unsuback(version: MqttVersion, packetId: number, reasonCodes: readonly number[]): Uint8Array {
  if (version === "3.1.1") {
    return packet(Type.UNSUBACK << 4, uint16(packetId));
  }
  return packet(Type.UNSUBACK << 4, uint16(packetId), encodeProperties([]), bytes(...reasonCodes));
}

export function pingreq(): Uint8Array {
  return packet(Type.PINGREQ << 4);
}

export function pingresp(): Uint8Array {
  return packet(Type.PINGRESP << 4);
}

/** Without arguments the shortest form, which is right in both versions. */
export function disconnect(reasonCode?: number, properties?: readonly Property[]): Uint8Array {
  return reasonAndProperties(Type.DISCONNECT, reasonCode, properties);
}

export function auth(reasonCode?: number, properties?: readonly Property[]): Uint8Array {
  return reasonAndProperties(Type.AUTH, reasonCode, properties);
}

function reasonAndProperties(type: number, reasonCode?: number, properties?: readonly Property[]): Uint8Array {
  const parts: Uint8Array[] = [];
  if (reasonCode !== undefined) {
    parts.push(bytes(reasonCode));
  }
  if (properties !== undefined) {
    parts.push(encodeProperties(properties));
  }
  return packet(type << 4, ...parts);
}
