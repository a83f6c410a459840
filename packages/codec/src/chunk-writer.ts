import type { PacketWriter, PacketWriterOptions } from "./interfaces.ts";
import { COPY_LIMIT, FIRST_SLAB_SIZE, MAXIMUM_PACKET_SIZE } from "./limits.ts";
import type { Packet, ProtocolVersion } from "./packets.ts";
import { fail, packetTooLarge, packetUnexpected } from "./rules.ts";
import { Sink } from "./sink.ts";

/** Writes a packet into the sink, or throws and leaves what the sink holds as it was. */
export type PacketEncoder<P extends Packet = Packet> = (sink: Sink, packet: P) => void;

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
  #own: Sink | undefined;
  /** The stretch of small packets that is still growing. */
  #bytes: Uint8Array | undefined;
  #from = 0;
  #to = 0;

  constructor(encoders: PacketEncoders, options: PacketWriterOptions | undefined) {
    this.version = options?.version ?? 4;
    this.maximumPacketSize = options?.maximumPacketSize ?? MAXIMUM_PACKET_SIZE;
    this.#encoders = encoders;
  }

  write(packet: Packet): void {
    const sink = this.#sink();
    encodeInto(sink, this.#encoders[packet.type], packet, this.version);
    if (sink.length > this.maximumPacketSize) fail(packetTooLarge, this);
    // CONNECT decides the version of all that follows it.
    this.version = sink.version;
    this.#keep(sink);
  }

  writeRaw(bytes: Uint8Array, packetIdOffset = 0, packetId = 0): void {
    if (bytes.length <= COPY_LIMIT) {
      this.#copy(bytes, packetIdOffset, packetId);
      return;
    }
    const copied = packetIdOffset === 0 ? 0 : packetIdOffset + 2;
    if (copied > 0) this.#copy(bytes.subarray(0, copied), packetIdOffset, packetId);
    this.#reference(copied > 0 ? bytes.subarray(copied) : bytes);
  }

  take(): readonly Uint8Array[] {
    this.#closeStretch();
    const chunks = this.#chunks;
    this.#chunks = [];
    this.#own = undefined;
    this.pendingBytes = 0;
    return chunks;
  }

  /** Where the next packet goes: behind this writer's last one, or wherever when there is none. */
  #sink(): Sink {
    if (this.#own !== undefined) return this.#own;
    if (this.#bytes === undefined || (this.#bytes === shared.bytes && this.#to === shared.start)) return shared;
    this.#own = new Sink(FIRST_SLAB_SIZE);
    return this.#own;
  }

  #keep(sink: Sink): void {
    const from = sink.start;
    const payload = sink.payload;
    if (this.#bytes !== sink.bytes || this.#to !== from) {
      this.#closeStretch();
      this.#bytes = sink.bytes;
      this.#from = from;
    }
    this.#to = sink.pos;
    this.pendingBytes += sink.pos - from;
    sink.start = sink.pos;
    if (payload !== undefined) this.#reference(payload);
  }

  #copy(bytes: Uint8Array, packetIdOffset: number, packetId: number): void {
    const sink = this.#sink();
    sink.raw(bytes);
    if (packetIdOffset > 0) {
      const at = sink.pos - bytes.length + packetIdOffset;
      sink.bytes[at] = packetId >> 8;
      sink.bytes[at + 1] = packetId;
    }
    this.#keep(sink);
  }

  #reference(bytes: Uint8Array): void {
    this.#closeStretch();
    this.#chunks.push(bytes);
    this.pendingBytes += bytes.length;
  }

  #closeStretch(): void {
    const bytes = this.#bytes;
    if (bytes === undefined) return;
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
  encodeInto(shared, encoder, packet, version);
  const head = shared.bytes.subarray(shared.start, shared.pos);
  const bytes = new Uint8Array(shared.length);
  bytes.set(head);
  if (shared.payload !== undefined) bytes.set(shared.payload, head.length);
  return bytes;
}

/** The length `encodeAlone` would give; its large payloads are not touched. */
export function measure(encoder: PacketEncoder | undefined, packet: Packet, version: ProtocolVersion): number {
  encodeInto(shared, encoder, packet, version);
  return shared.length;
}

function encodeInto<P extends Packet>(
  sink: Sink,
  encoder: PacketEncoder<P> | undefined,
  packet: P,
  version: ProtocolVersion,
): void {
  if (encoder === undefined) fail(packetUnexpected, { version });
  sink.version = version;
  encoder(sink, packet);
}
