import type { Decoder, MqttError, Packet, PacketWriter } from "@tidewire/codec";
import type { Protocol } from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import type { LinkLimits } from "./limits.ts";

/** What an input needs of its link. */
export interface InputHost {
  readonly protocol: Protocol;
  readonly now: number;
  /** The input goes on in a later turn, by `LinkInput.readOn`. */
  readLater(): void;
  /** Something was read: there may be answers and new deadlines. */
  touch(): void;
  /** A handler threw. */
  fail(error: unknown): void;
}

/**
 * What comes into a link: chunks become packets, and those reach the protocol, no more of them in one turn than this link's
 * share, none while somebody holds them back, and none while answers pile up.
 */
export class LinkInput {
  readonly #host: InputHost;
  readonly #decoder: Decoder;
  readonly #connection: Connection;
  readonly #writer: PacketWriter;
  readonly #limits: LinkLimits;
  #pauses = 0;
  /** Packets are being read, or will be in a later turn. */
  #reading = false;
  /** The decoder may hold whole packets. */
  #unread = false;
  #connectionPaused = false;
  /** The connection is gone: what is read is read for its own sake, and answers go nowhere. */
  #connectionClosed = false;
  /** Written while reading, and since then the transport always was full. */
  #answerBytes = 0;

  constructor(host: InputHost, decoder: Decoder, writer: PacketWriter, connection: Connection, limits: LinkLimits) {
    this.#host = host;
    this.#decoder = decoder;
    this.#connection = connection;
    this.#writer = writer;
    this.#limits = limits;
  }

  get paused(): boolean {
    return this.#pauses > 0;
  }

  /** Whether packets are here that have not been read. */
  get unread(): boolean {
    return this.#unread;
  }

  /** Whether a later turn goes on reading, or this one is at it. */
  get reading(): boolean {
    return this.#reading;
  }

  /** Bytes that came and have not reached the protocol. */
  get bytes(): number {
    return this.#decoder.bufferedBytes;
  }

  limitPackets(maximumPacketSize: number): void {
    this.#decoder.maximumPacketSize = maximumPacketSize;
  }

  lastPacketBytes(): Uint8Array {
    return this.#decoder.lastPacketBytes();
  }

  push(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    this.#unread = true;
    this.read();
    if (this.#unread && !this.#connectionPaused && !this.#readsAhead) {
      this.#connectionPaused = true;
      this.#connection.pause();
    }
  }

  pause(): void {
    this.#pauses += 1;
  }

  /** False when nothing was paused. */
  resume(): boolean {
    if (this.#pauses === 0) {
      return false;
    }
    this.#pauses -= 1;
    // Not at once: the caller may be in a handler of another packet. `read` itself just goes on.
    if (this.#pauses === 0 && this.#unread && !this.#reading) {
      this.#reading = true;
      this.#host.readLater();
    }
    return true;
  }

  /** The transport takes what answers there are. */
  answersLeft(): void {
    this.#answerBytes = 0;
  }

  /** Nothing more is wanted of it. */
  stop(): void {
    this.#unread = false;
  }

  /** What came before the end of the connection is still read. */
  end(): void {
    this.#connectionClosed = true;
    this.read();
  }

  /** Goes on reading in this later turn. */
  readOn(): void {
    this.#reading = false;
    this.read();
  }

  /** Hands packets to the protocol: until none is left, this turn's share is used up, or something holds it back. */
  read(): void {
    if (this.#reading) {
      return;
    }
    this.#reading = true;
    const { protocol, now } = this.#host;
    const { packetsPerTurn, bytesPerTurn } = this.#limits;
    const decoder = this.#decoder;
    const writer = this.#writer;
    const otherBytes = writer.pendingBytes - this.#answerBytes;
    const enough = decoder.bufferedBytes - bytesPerTurn;
    let packets = 0;
    while (this.#unread && this.#open && protocol.end === undefined) {
      if (packets === packetsPerTurn || decoder.bufferedBytes < enough) {
        this.#host.readLater();
        this.#host.touch();
        return;
      }
      packets += 1;
      this.#readPacket(protocol, now);
      this.#answerBytes = writer.pendingBytes - otherBytes;
    }
    this.#reading = false;
    if (protocol.end !== undefined || decoder.bufferedBytes === 0) {
      this.#unread = false;
    }
    if (!this.#unread && this.#connectionPaused) {
      this.#connectionPaused = false;
      this.#connection.resume();
    }
    if (packets > 0) {
      this.#host.touch();
    }
  }

  #readPacket(protocol: Protocol, now: number): void {
    let packet: Packet | null | undefined;
    try {
      packet = this.#decoder.next();
      if (packet === null) {
        this.#unread = false;
      } else {
        protocol.receive(packet, now);
      }
    } catch (error) {
      if (packet === undefined) {
        this.#refuse(error);
      } else {
        this.#host.fail(error);
      }
    }
  }

  /** The bytes are no packet. A decoder throws nothing else. */
  #refuse(error: unknown): void {
    try {
      this.#host.protocol.receiveError(error as MqttError, this.#host.now);
    } catch (second) {
      this.#host.fail(second);
    }
  }

  /** While somebody holds packets back and few bytes wait, the connection is read on: a peer that hangs up is noticed. */
  get #readsAhead(): boolean {
    return this.#pauses > 0 && this.#decoder.bufferedBytes <= this.#limits.readAheadBytes;
  }

  /**
   * May packets reach the protocol? Not while answers pile up; a full transport alone does not matter: two ends that are
   * full of messages for each other would wait for ever. Once the connection is gone, answers go nowhere.
   */
  get #open(): boolean {
    if (this.#pauses > 0) {
      return false;
    }
    return this.#connectionClosed || this.#answerBytes <= this.#limits.pauseInputAboveBytes;
  }
}
