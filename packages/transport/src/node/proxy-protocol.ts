import { isIP } from "node:net";
import { TransportError } from "../errors.ts";
import { addressText } from "./address-text.ts";

/** A PROXY protocol header at the start of a connection. */
export interface ProxyHeader {
  /** Bytes that it takes. */
  readonly length: number;
  /** The client's address; undefined when the proxy does not say, or speaks for itself (health checks). */
  readonly source: string | undefined;
}

/**
 * Reads a header of version 1 (text) or 2 (binary).
 *
 * @returns undefined when more bytes are needed
 * @throws TransportError `protocol` for anything else
 */
export function parseProxyHeader(bytes: Buffer): ProxyHeader | undefined {
  const binary = startsAlike(bytes, signatureV2);
  if (!binary && !startsAlike(bytes, signatureV1)) {
    throw invalid();
  }
  return binary ? parseBinary(bytes) : parseText(bytes);
}

function parseText(bytes: Buffer): ProxyHeader | undefined {
  const end = bytes.indexOf("\r\n");
  if (end < 0 ? bytes.length >= longestText : end > longestText - 2) {
    throw invalid();
  }
  if (end < 0) {
    return undefined;
  }
  const length = end + 2;
  const [, family, source, destination, port, destinationPort] = bytes.toString("latin1", 0, end).split(" ");
  if (family === "UNKNOWN") {
    return { length, source: undefined };
  }
  const version = family === "TCP4" ? 4 : family === "TCP6" ? 6 : 0;
  const valid = version !== 0 && isIP(source ?? "") === version && isIP(destination ?? "") === version;
  if (!valid || !isPort(port) || !isPort(destinationPort)) {
    throw invalid();
  }
  return { length, source: addressText(source, Number(port)) };
}

function parseBinary(bytes: Buffer): ProxyHeader | undefined {
  if (bytes.length < 16) {
    return undefined;
  }
  const command = bytes.readUInt8(12);
  const family = bytes.readUInt8(13);
  const length = 16 + bytes.readUInt16BE(14);
  if (command !== 0x20 && command !== 0x21) {
    throw invalid();
  }
  if (length > longestBinary) {
    throw invalid();
  }
  if (bytes.length < length) {
    return undefined;
  }
  if (command === 0x20) {
    return { length, source: undefined };
  }
  const addressBytes = ADDRESS_BYTES[family] ?? 0;
  if (length < 16 + addressBytes || !areExtras(bytes, 16 + addressBytes, length)) {
    throw invalid();
  }
  if (family === 0x11) {
    return { length, source: addressText(bytes.subarray(16, 20).join("."), bytes.readUInt16BE(24)) };
  }
  if (family === 0x21) {
    return { length, source: addressText(ipv6Text(bytes.subarray(16, 32)), bytes.readUInt16BE(48)) };
  }
  // Unix sockets and protocols that this listener does not speak: the header counts, its addresses do not.
  return { length, source: undefined };
}

/** What follows the addresses: type, length in two bytes, and so many bytes, up to the end exactly. */
function areExtras(bytes: Buffer, start: number, end: number): boolean {
  let at = start;
  while (at + 3 <= end) {
    at += 3 + bytes.readUInt16BE(at + 1);
  }
  return at === end;
}

/** The bytes so far are the start of `signature`, or begin with it. */
function startsAlike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.compare(signature, 0, length, 0, length) === 0;
}

function ipv6Text(bytes: Buffer): string {
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return new URL(`http://[${groups.join(":")}]`).hostname.slice(1, -1);
}

function isPort(text: string | undefined): boolean {
  return text !== undefined && /^\d{1,5}$/.test(text) && Number(text) <= 65_535;
}

function invalid(): TransportError {
  return new TransportError("protocol", "Not a valid PROXY header.");
}

/** Of both addresses and ports by family and transport: TCP and UDP over IPv4 and IPv6, Unix sockets. */
const ADDRESS_BYTES: { readonly [family: number]: number } = {
  17: 12,
  18: 12,
  33: 36,
  34: 36,
  49: 216,
  50: 216,
};

const signatureV1 = Buffer.from("PROXY ");
const signatureV2 = Buffer.from("\r\n\r\n\0\r\nQUIT\n", "latin1");

/** The longest line that version 1 allows, with its end. */
const longestText = 107;

/** Addresses and the usual extras of version 2 (TLS details, ids) take a few hundred bytes. */
const longestBinary = 4_096;
