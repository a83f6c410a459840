/*
 * WebSocket as an attacker needs it: frames of any shape, right or wrong, and of what the server sends just enough to get
 * at the bytes of MQTT.
 */

export const OPCODES = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

export interface FrameShape {
  readonly opcode?: number;
  readonly final?: boolean;
  /** Clients must mask; a hostile one does not. */
  readonly masked?: boolean;
  /** RSV1 to RSV3, as 4, 2 and 1. */
  readonly reserved?: number;
  /** The length that is declared, where it is not that of the payload. */
  readonly declaredLength?: number | bigint;
}

export function frame(payload: Uint8Array, shape: FrameShape = {}): Buffer {
  const { opcode = OPCODES.binary, final = true, masked = true, reserved = 0 } = shape;
  const length = BigInt(shape.declaredLength ?? payload.length);
  const first = (final ? 0x80 : 0) | (reserved << 4) | opcode;
  const maskBit = masked ? 0x80 : 0;
  const key = masked ? MASK : Buffer.alloc(0);
  const body = masked ? payload.map((byte, index) => byte ^ MASK[index % 4]!) : payload;
  return Buffer.concat([Buffer.from([first]), lengthBytes(length, maskBit), key, body]);
}

/** The request that opens a WebSocket; `headers` replace or, when undefined, remove the usual ones. */
export function upgradeRequest(path: string, headers: Readonly<Record<string, string | undefined>> = {}): string {
  const all = {
    Host: "127.0.0.1",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "mqtt",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

export interface ReceivedFrame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** Takes the whole frames off the front of what came from the server. */
export function takeFrames(bytes: Buffer): { readonly frames: readonly ReceivedFrame[]; readonly rest: Buffer } {
  const frames: ReceivedFrame[] = [];
  let rest = bytes;
  for (;;) {
    const start = headerLength(rest);
    if (rest.length < start) {
      return { frames, rest };
    }
    const end = start + payloadLength(rest);
    if (rest.length < end) {
      return { frames, rest };
    }
    frames.push({ opcode: rest[0]! & 0x0f, payload: rest.subarray(start, end) });
    rest = rest.subarray(end);
  }
}

const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

function lengthBytes(length: bigint, maskBit: number): Buffer {
  if (length < 126n) {
    return Buffer.from([maskBit | Number(length)]);
  }
  if (length < 65_536n) {
    const bytes = Buffer.from([maskBit | 126, 0, 0]);
    bytes.writeUInt16BE(Number(length), 1);
    return bytes;
  }
  const bytes = Buffer.alloc(9);
  bytes[0] = maskBit | 127;
  bytes.writeBigUInt64BE(length, 1);
  return bytes;
}

function headerLength(bytes: Buffer): number {
  const marker = (bytes[1] ?? 0) & 0x7f;
  return marker === 126 ? 4 : marker === 127 ? 10 : 2;
}

function payloadLength(bytes: Buffer): number {
  const marker = bytes[1]! & 0x7f;
  return marker === 126 ? bytes.readUInt16BE(2) : marker === 127 ? Number(bytes.readBigUInt64BE(2)) : marker;
}
