import { createHash } from "node:crypto";
import { TEXT_KEY_BYTES } from "./limits.ts";

/*
 * Keys are bytes in the order of reading: a session's number, then what lies within it. Numbers are big-endian, so that
 * a range of keys is a range of numbers. Each function fills its own array again and again: a key is used at once, and
 * the database copies it.
 */

/** Of a session's record, and the front of all its other keys. */
export function sessionKey(session: number): Uint8Array {
  return writeU48(SESSION, 0, session);
}

/** The session number at the front of a key. */
export function sessionOf(key: Uint8Array): number {
  return readU48(key, 0);
}

/** Of a queue entry: session and sequence. */
export function queueKey(session: number, sequence: number): Uint8Array {
  writeU48(QUEUE, 0, session);
  return writeU48(QUEUE, U48_BYTES, sequence);
}

export function sequenceOf(key: Uint8Array): number {
  return readU48(key, U48_BYTES);
}

/** Of an in-flight exchange: session and packet id. */
export function packetKey(session: number, packetId: number): Uint8Array {
  writeU48(PACKET, 0, session);
  PACKET[U48_BYTES] = packetId >> 8;
  PACKET[U48_BYTES + 1] = packetId & 0xff;
  return PACKET;
}

export function packetIdOf(key: Uint8Array): number {
  return (key[U48_BYTES]! << 8) | key[U48_BYTES + 1]!;
}

/** Of a publication that several records refer to. */
export function bodyKey(bodyId: number): Uint8Array {
  return writeU48(BODY, 0, bodyId);
}

export function bodyIdOf(key: Uint8Array): number {
  return readU48(key, 0);
}

/** Of a subscription: session and topic filter. */
export function subscriptionKey(session: number, filter: string): Uint8Array {
  return Buffer.concat([sessionKey(session), topicKey(filter)]);
}

/**
 * Of a topic or topic filter. MQTT allows 65,535 bytes, the database far fewer: a longer text is cut and ends in its
 * hash. 0xFF between them never occurs in UTF-8, so that no short text can be taken for a long one.
 */
export function topicKey(text: string): Uint8Array {
  const bytes = Buffer.from(text);
  if (bytes.length <= TEXT_KEY_BYTES) {
    return bytes;
  }
  const hash = createHash("sha256").update(bytes).digest();
  return Buffer.concat([bytes.subarray(0, TEXT_KEY_BYTES - hash.length - 1), Buffer.of(0xff), hash]);
}

/** Everything of one session, in any table whose keys begin with its number. */
export function sessionRange(session: number): { readonly start: Uint8Array; readonly end: Uint8Array } {
  return { start: Buffer.from(sessionKey(session)), end: Buffer.from(sessionKey(session + 1)) };
}

function writeU48(key: Uint8Array, offset: number, value: number): Uint8Array {
  const high = Math.floor(value / 0x100000000);
  key[offset] = high >> 8;
  key[offset + 1] = high & 0xff;
  key[offset + 2] = value >>> 24;
  key[offset + 3] = (value >>> 16) & 0xff;
  key[offset + 4] = (value >>> 8) & 0xff;
  key[offset + 5] = value & 0xff;
  return key;
}

function readU48(key: Uint8Array, offset: number): number {
  const high = (key[offset]! << 8) | key[offset + 1]!;
  const low = key[offset + 2]! * 0x1000000 + ((key[offset + 3]! << 16) | (key[offset + 4]! << 8) | key[offset + 5]!);
  return high * 0x100000000 + low;
}

const U48_BYTES = 6;
const SESSION = new Uint8Array(U48_BYTES);
const QUEUE = new Uint8Array(2 * U48_BYTES);
const PACKET = new Uint8Array(U48_BYTES + 2);
const BODY = new Uint8Array(U48_BYTES);
