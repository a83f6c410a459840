import { FIRST_SLAB_SIZE, MAXIMUM_PACKET_SIZE } from "./limits.ts";
import type { PacketWriter, PacketWriterOptions } from "./packet-writer.ts";
import type { EncodedPacket, Packet, ProtocolVersion } from "./packets.ts";
import { fail, packetTooLarge } from "./rules.ts";
import { Sink } from "./sink.ts";

/** Writes a packet into the sink, or throws and leaves what the sink holds as it was. */
export type PacketEncoder<P extends Packet | EncodedPacket = Packet | EncodedPacket> = (sink: Sink, packet: P) => void;

/** Packet encoders by packet type; a type without one is not for this side to send. */
export type PacketEncoders = readonly (PacketEncoder | undefined)[];

/**
 * All writers start out in one slab, so that those without work own no memory. Only one whose packets would lie
 * scattered there, between those of others, takes a slab of its own until its next `take`.
 */
const shared = /* @__PURE__ */ new Sink(0);

export class ChunkWriter implements PacketWriter {
  version: ProtocolVersion;
  maximumPacketSize: number;
  pendingBytes = 0;
  readonly #encoders: PacketEncoders;
  #chunks: Uint8Array[] = [];
  #sink: Sink = shared;
  /** The stretch of small packets that is still growing. */
  #bytes: Uint8Array | undefined;
  #from = 0;
  #to = 0;

  constructor(encoders: PacketEncoders, options: PacketWriterOptions | undefined) {
    this.version = options?.version ?? 4;
    this.maximumPacketSize = options?.maximumPacketSize ?? MAXIMUM_PACKET_SIZE;
    this.#encoders = encoders;
  }

  write(packet: Packet | EncodedPacket): void {
    if (this.#bytes !== undefined && !this.#continues()) {
      this.#sink = new Sink(FIRST_SLAB_SIZE);
    }
    const sink = this.#sink;
    sink.write(this.#encoders[packet.type], packet, this.version);
    const { length, payload } = sink;
    if (length > this.maximumPacketSize) {
      fail(packetTooLarge, this);
    }
    // The sink may have gone on in other memory.
    if (!this.#continues()) {
      this.#closeStretch();
      this.#bytes = sink.bytes;
      this.#from = sink.start;
    }
    this.#to = sink.pos;
    sink.start = sink.pos;
    this.pendingBytes += length;
    // CONNECT decides the version of all that follows it.
    this.version = sink.version;
    if (payload === undefined) {
      return;
    }
    this.#closeStretch();
    this.#chunks.push(payload);
  }

  take(): readonly Uint8Array[] {
    this.#closeStretch();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#sink = shared;
    this.pendingBytes = 0;
    return chunks;
  }

  /** Whether the stretch ends where the sink goes on: nobody else has written there meanwhile. */
  #continues(): boolean {
    return this.#bytes === this.#sink.bytes && this.#to === this.#sink.start;
  }

  #closeStretch(): void {
    const bytes = this.#bytes;
    if (bytes === undefined) {
      return;
    }
    this.#bytes = undefined;
    this.#chunks.push(new Uint8Array(bytes.buffer, this.#from, this.#to - this.#from));
  }
}

/** The bytes of one packet in memory of their own. */
export function encodeAlone<P extends Packet>(
  encoder: PacketEncoder<P> | undefined,
  packet: P,
  version: ProtocolVersion,
): Uint8Array {
  const bytes = new Uint8Array(measure(encoder, packet, version));
  const head = shared.bytes.subarray(shared.start, shared.pos);
  bytes.set(head);
  if (shared.payload !== undefined) {
    bytes.set(shared.payload, head.length);
  }
  return bytes;
}

/** The length `encodeAlone` would give; its large payloads are not touched. */
export function measure<P extends Packet>(
  encoder: PacketEncoder<P> | undefined,
  packet: P,
  version: ProtocolVersion,
): number {
  shared.write(encoder, packet, version);
  return shared.length;
}
