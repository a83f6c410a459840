/*
 * Packets by the byte: what the codec would never write.
 */

/** A fixed header with the right length, and the parts of the body. */
export function packet(first: number, ...body: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(body);
  return Buffer.concat([Buffer.from([first]), varint(content.length), content]);
}

export function bytes(...values: readonly number[]): Buffer {
  return Buffer.from(values);
}

export function hex(text: string): Buffer {
  return Buffer.from(text.replaceAll(" ", ""), "hex");
}

export function uint16(value: number): Buffer {
  return Buffer.from([value >> 8, value & 0xff]);
}

export function uint32(value: number): Buffer {
  const result = Buffer.alloc(4);
  result.writeUInt32BE(value);
  return result;
}

/** A length in the shortest form. */
export function varint(value: number): Buffer {
  const result: number[] = [];
  let rest = value;
  do {
    const digit = rest % 128;
    rest = Math.floor(rest / 128);
    result.push(rest > 0 ? digit | 0x80 : digit);
  } while (rest > 0);
  return Buffer.from(result);
}

/** Two bytes of length, then the text or whatever bytes. */
export function string(content: string | Uint8Array): Buffer {
  const body = Buffer.from(content);
  return Buffer.concat([uint16(body.length), body]);
}

/** A property list: its length, then the properties. */
export function propertyList(...properties: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(properties);
  return Buffer.concat([varint(content.length), content]);
}

/** A property list in MQTT 5, nothing before. */
export function none(version: number): Buffer {
  return version === 5 ? bytes(0) : bytes();
}

export interface ConnectShape {
  readonly name?: string | Uint8Array;
  readonly level?: number;
  readonly flags?: number;
  readonly keepAlive?: number;
  readonly properties?: readonly Uint8Array[];
  readonly clientId?: string | Uint8Array;
  /** What comes after the client identifier. */
  readonly rest?: readonly Uint8Array[];
}

/** A CONNECT of any shape; level 5 unless told. */
export function connect(shape: ConnectShape = {}): Buffer {
  const { name = "MQTT", level = 5, flags = 0x02, keepAlive = 60, properties = [], clientId = "", rest = [] } = shape;
  const list = level === 5 ? [propertyList(...properties)] : [];
  return packet(0x10, string(name), bytes(level, flags), uint16(keepAlive), ...list, string(clientId), ...rest);
}

/** A PUBLISH of any shape. */
export function publish(
  version: number,
  topic: string | Uint8Array,
  payload: string | Uint8Array = "x",
  shape: { readonly first?: number; readonly packetId?: number; readonly properties?: readonly Uint8Array[] } = {},
): Buffer {
  const { first = 0x30, packetId, properties = [] } = shape;
  const id = packetId === undefined ? [] : [uint16(packetId)];
  const list = version === 5 ? [propertyList(...properties)] : [];
  return packet(first, string(topic), ...id, ...list, Buffer.from(payload));
}

/** A SUBSCRIBE of any shape. */
export function subscribe(
  version: number,
  filters: readonly (string | Uint8Array)[],
  shape: { readonly packetId?: number; readonly options?: number; readonly properties?: readonly Uint8Array[] } = {},
): Buffer {
  const { packetId = 1, options = 1, properties = [] } = shape;
  const list = version === 5 ? [propertyList(...properties)] : [];
  return packet(0x82, uint16(packetId), ...list, ...filters.flatMap((filter) => [string(filter), bytes(options)]));
}

export const PINGREQ = bytes(0xc0, 0x00);
