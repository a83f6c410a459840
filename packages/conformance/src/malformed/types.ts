import type { MqttVersion } from "../case.ts";

/** Names that a malformed packet may carry, so that it is wrong in one way only. */
export interface Names {
  readonly topic: string;
  readonly clientId: string;
}

export interface MalformedVariant {
  readonly name: string;
  readonly bytes: Uint8Array;
}

/**
 * Packets that break one rule of the format. One list serves every target: a broker or client that gets one closes the
 * connection, a codec that gets one refuses to decode it.
 */
export interface MalformedPacket {
  /** Packet and fault, such as `publish-qos-3`. */
  readonly id: string;
  /** What is wrong, to stand after "a packet with". */
  readonly fault: string;
  readonly v3?: readonly string[];
  readonly v5?: readonly string[];
  /** It is the sender's first packet, CONNECT or CONNACK; else it comes on an accepted connection. */
  readonly isFirst?: true;
  /** Only the receiver's state shows that it is wrong: a codec alone may decode it. */
  readonly needsState?: true;
  /** A server may refuse the subscription in its SUBACK instead of ending the connection. */
  readonly mayRefuse?: true;
  variants(version: MqttVersion, names: Names): readonly MalformedVariant[];
}

/** The variants of a packet that is wrong in a single way. */
export function only(bytes: Uint8Array): readonly MalformedVariant[] {
  return [{ name: "", bytes }];
}
