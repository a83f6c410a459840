import type { AckPacket, Packet, PublishPacket } from "@tidewire/codec";
import { PacketType } from "@tidewire/codec";
import type { Durable } from "./disk.ts";
import { fail } from "./failure.ts";
import { type Letter, numberOf } from "./message.ts";
import type { Side } from "./schedule.ts";

/** What is known of one side's sending over all connections. */
export class SenderRecord {
  /** Messages whose PUBREL went out. */
  readonly released: Set<number> = new Set();
  /** The message that each id was used for last. */
  readonly owners: Map<number, number> = new Map();
  /** Ids whose exchange nothing that arrived has ended. */
  readonly unfinished: Set<number> = new Set();
}

export interface WireOptions {
  /** Which connection this is. */
  readonly number: number;
  readonly side: Side;
  readonly record: SenderRecord;
  readonly durable: () => Durable;
  readonly letters: readonly Letter[];
  readonly now: () => number;
  readonly keepAliveMs: () => number;
}

/** What the peer promised to take. */
export interface PeerTerms {
  receiveMaximum: number;
  maximumPacketSize: number;
}

/**
 * Watches one end of one connection, and knows the protocol's rules apart from the sessions': `sent` and `received` get
 * its packets in order.
 */
export class Wire {
  readonly peer: PeerTerms = { receiveMaximum: 65_535, maximumPacketSize: Number.POSITIVE_INFINITY };
  readonly #options: WireOptions;
  /** Exchanges of this side's messages that it began or resumed here. */
  readonly #open = new Set<number>();
  readonly #requests = new Set<number>();
  /** Ids received here that want an answer, per type of answer in order. */
  readonly #owed: Record<number, number[]> = { 4: [], 5: [], 7: [], 9: [], 11: [] };
  /** Letters received here, by packet id. */
  readonly #incoming = new Map<number, number>();
  #packets = 0;
  #live = false;
  #lastResent = -1;
  #disconnected = false;
  #lastSentAt = 0;
  #lastReceivedAt = 0;
  /** When a silence as long as keep-alive was last broken, in either direction. */
  #silentUntil = Number.NEGATIVE_INFINITY;

  constructor(options: WireOptions) {
    this.#options = options;
    this.#lastSentAt = this.#lastReceivedAt = options.now();
  }

  sent(packet: Packet, size: number): void {
    if (this.#disconnected) {
      this.#fail("sent something after DISCONNECT [MQTT-3.14.4-1]");
    }
    const first = this.#options.side === "client" ? PacketType.CONNECT : PacketType.CONNACK;
    if (this.#packets === 0 && packet.type !== first) {
      this.#fail("began with another packet [MQTT-3.1.0-1]");
    }
    this.#packets += 1;
    if (size > this.peer.maximumPacketSize) {
      this.#fail("exceeded Maximum Packet Size [MQTT-3.2.2-15]");
    }
    switch (packet.type) {
      case PacketType.PUBLISH:
        if (packet.qos > 0) {
          this.#sentPublish(packet);
        }
        break;
      case PacketType.PUBREL:
        this.#sentPubrel(packet);
        break;
      case PacketType.SUBSCRIBE:
      case PacketType.UNSUBSCRIBE:
        this.#checkId(packet.packetId, undefined);
        this.#requests.add(packet.packetId);
        break;
      case PacketType.PUBACK:
      case PacketType.PUBREC:
      case PacketType.PUBCOMP:
      case PacketType.SUBACK:
      case PacketType.UNSUBACK:
        this.#sentAnswer(packet);
        break;
      case PacketType.PINGREQ:
        this.#sentPing();
        break;
      case PacketType.CONNACK:
        if (!packet.sessionPresent) {
          this.#options.record.unfinished.clear();
        }
        break;
      case PacketType.CONNECT:
        if (packet.cleanStart) {
          this.#options.record.unfinished.clear();
        }
        break;
      case PacketType.DISCONNECT:
        this.#disconnected = true;
        break;
    }
    this.#lastSentAt = this.#passed(this.#lastSentAt);
  }

  received(packet: Packet): void {
    this.#lastReceivedAt = this.#passed(this.#lastReceivedAt);
    switch (packet.type) {
      case PacketType.PUBLISH:
        if (packet.qos === 0) {
          break;
        }
        this.#incoming.set(packet.packetId, numberOf(packet.payload));
        this.#owed[packet.qos === 1 ? 4 : 5]?.push(packet.packetId);
        break;
      case PacketType.PUBREL:
        this.#owed[7]?.push(packet.packetId);
        break;
      case PacketType.SUBSCRIBE:
        this.#owed[9]?.push(packet.packetId);
        break;
      case PacketType.UNSUBSCRIBE:
        this.#owed[11]?.push(packet.packetId);
        break;
      case PacketType.SUBACK:
      case PacketType.UNSUBACK:
        this.#requests.delete(packet.packetId);
        break;
      case PacketType.PUBREC:
        if (packet.reasonCode < 0x80) {
          break;
        }
        this.#finish(packet);
        break;
      case PacketType.PUBACK:
      case PacketType.PUBCOMP:
        this.#finish(packet);
        break;
      case PacketType.CONNACK:
        if (!packet.sessionPresent) {
          this.#options.record.unfinished.clear();
        }
        break;
    }
  }

  #sentPublish(packet: PublishPacket): void {
    const { record, durable, letters, side } = this.#options;
    const { packetId, dup } = packet;
    const letter = numberOf(packet.payload);
    // Whether the earlier connection carried it nobody can know: what counts is that it was to.
    const resent = letters[letter]?.handedOn !== this.#options.number;
    const maybeSent = letters[letter]?.maybeSent === true;
    // Given up meanwhile on a newer connection: the bytes follow the old one into nowhere.
    const givenUp = letters[letter]?.excused === true;
    const promised = side === "client" || packet.qos === 2;
    if (record.released.has(letter) && !givenUp) {
      this.#fail(`sent message ${letter} after its PUBREL [MQTT-4.3.3-6]`);
    }
    if (dup !== (resent || maybeSent)) {
      this.#fail(`sent message ${letter} with DUP ${dup} [MQTT-3.3.1-1]`);
    }
    this.#checkId(packetId, letter);
    if (resent) {
      if (this.#live) {
        this.#fail(`sent message ${letter} again after a live one [MQTT-4.4.0-1]`);
      }
      if (letter < this.#lastResent) {
        this.#fail(`sent message ${letter} again out of order [MQTT-4.6.0-1]`);
      }
      this.#lastResent = letter;
    } else {
      this.#live = true;
    }
    this.#open.add(packetId);
    record.owners.set(packetId, letter);
    record.unfinished.add(packetId);
    if (this.#open.size > this.peer.receiveMaximum) {
      this.#fail("exceeded Receive Maximum [MQTT-3.3.4-7]");
    }
    if (promised && !givenUp && !durable().outgoing.has(packetId)) {
      this.#fail(`sent message ${letter} before it was durable`);
    }
  }

  #sentPubrel(packet: AckPacket): void {
    if (packet.reasonCode !== 0) {
      return;
    }
    const { record, durable } = this.#options;
    const entry = durable().outgoing.get(packet.packetId);
    if (entry === undefined || entry.message !== undefined) {
      this.#fail("sent PUBREL before that was durable");
    }
    record.released.add(entry.letter.number);
  }

  #sentAnswer(packet: { readonly type: number; readonly packetId: number; readonly reasonCode?: number }): void {
    const { durable, letters } = this.#options;
    const id = this.#owed[packet.type]?.shift();
    if (id !== packet.packetId) {
      this.#fail(`answered id ${packet.packetId} with type ${packet.type}, not ${id} [MQTT-4.6.0-2]`);
    }
    const refused = (packet.reasonCode ?? 0) >= 0x80;
    const letter = letters[this.#incoming.get(id) ?? -1];
    if (letter === undefined) {
      return;
    }
    const { taken, refused: refusals, incoming } = durable();
    if (packet.type === PacketType.PUBACK || packet.type === PacketType.PUBREC) {
      const known = refused || letter.refused ? refusals.has(letter.number) : taken.has(letter.number);
      if (!known) {
        this.#fail(`acknowledged message ${letter.number} before it was durable`);
      }
    }
    if (packet.type === PacketType.PUBCOMP && incoming.has(id)) {
      this.#fail("sent PUBCOMP before that was durable");
    }
  }

  #sentPing(): void {
    this.#passed(Math.min(this.#lastSentAt, this.#lastReceivedAt));
    const lateMs = this.#options.now() - this.#silentUntil;
    if (lateMs > SLACK_MS) {
      this.#fail(`sent PINGREQ without need, ${lateMs} ms after the last silence`);
    }
  }

  /** Now, having noted whether that ends a silence since `before`. */
  #passed(before: number): number {
    const now = this.#options.now();
    if (now - before >= this.#options.keepAliveMs() - SLACK_MS) {
      this.#silentUntil = now;
    }
    return now;
  }

  #checkId(packetId: number, letter: number | undefined): void {
    const { record, letters } = this.#options;
    const owner = record.owners.get(packetId);
    const others = record.unfinished.has(packetId) && owner !== letter && letters[owner ?? -1]?.excused === false;
    const inUse = this.#requests.has(packetId) || this.#open.has(packetId) || others;
    if (inUse) {
      this.#fail(`used packet id ${packetId} twice [MQTT-2.2.1-3]`);
    }
  }

  #finish({ packetId }: { readonly packetId: number }): void {
    this.#open.delete(packetId);
    this.#options.record.unfinished.delete(packetId);
  }

  #fail(message: string): never {
    fail(`${this.#options.side} ${message}`);
  }
}

/** A packet is written a little before it leaves: its barrier lies between. */
const SLACK_MS = 100;
