import { misuse } from "./errors.ts";
import type { Inflight } from "./inflight-store.ts";
import { MAXIMUM_PACKET_ID } from "./limits.ts";
import type { Message } from "./message.ts";

/** The unfinished exchanges of one MQTT session, for as long as this process lives. */
export function createInflight<M extends Message = Message>(): Inflight<M> {
  return new InflightState<M>(new Map(), new Set());
}

/** Stand for a message after its PUBREC: PUBREL is owed, the message itself is not needed any more. */
export const RELEASED = 0;
/** Released, and the caller knows the end already: only the peer has to be told. */
export const ABANDONED = 1;
export type Outgoing<M extends Message = Message> = M | typeof RELEASED | typeof ABANDONED;

interface LostMessage<M extends Message> {
  readonly packetId: number;
  readonly message: M;
}

/** What the connections of one client, one after the other, read and change. */
export class InflightState<M extends Message = Message> implements Inflight<M> {
  /** In the order of first sending, which is the order of sending again [MQTT-4.6.0-1]. */
  readonly outgoing: Map<number, Outgoing<M>>;
  /** Ids of QoS 2 messages taken, until their PUBREL [MQTT-4.3.3-10]. */
  readonly incoming: Set<number>;
  /** SUBSCRIBE and UNSUBSCRIBE without answer; they end with their connection. */
  readonly requests: Map<number, PendingRequest> = new Map();
  /** A clean start was asked for, and no CONNACK has come since. */
  cleanStartOwed = false;
  /** Forgotten with the session, and the caller does not know yet. */
  readonly lost: LostMessage<M>[] = [];
  #lastPacketId = 0;

  constructor(outgoing: Map<number, Outgoing<M>>, incoming: Set<number>) {
    this.outgoing = outgoing;
    this.incoming = incoming;
    for (const packetId of outgoing.keys()) {
      this.#lastPacketId = packetId;
    }
  }

  /** The implementation behind an `Inflight` that a caller hands in. */
  static of(inflight: Inflight): InflightState {
    if (inflight instanceof InflightState) {
      return inflight;
    }
    throw misuse(
      "inflight-foreign",
      "`inflight` has to come from createInflight or createStoredInflight of this package.",
    );
  }

  get outgoingCount(): number {
    return this.outgoing.size;
  }

  get incomingCount(): number {
    return this.incoming.size;
  }

  /** How many packet identifiers are free. */
  get freePacketIds(): number {
    return MAXIMUM_PACKET_ID - this.outgoing.size - this.requests.size;
  }

  /** A free packet identifier, the one that has rested longest; 0 when there is none. */
  nextPacketId(): number {
    if (this.freePacketIds === 0) {
      return 0;
    }
    do {
      this.#lastPacketId = (this.#lastPacketId % MAXIMUM_PACKET_ID) + 1;
    } while (this.outgoing.has(this.#lastPacketId) || this.requests.has(this.#lastPacketId));
    return this.#lastPacketId;
  }

  /** The session is gone: as `clear`, but the caller learns of it with the next CONNACK. */
  lose(): void {
    this.lost.push(...this.clear());
  }

  unreceived(): readonly LostMessage<M>[] {
    const messages: LostMessage<M>[] = [];
    for (const [packetId, message] of this.outgoing) {
      if (typeof message === "object") {
        messages.push({ packetId, message });
      }
    }
    return messages;
  }

  withdraw(packetId: number, message: M): void {
    if (this.outgoing.get(packetId) === message) {
      this.outgoing.delete(packetId);
    }
  }

  clear(): readonly LostMessage<M>[] {
    const lost = this.unreceived();
    this.outgoing.clear();
    this.incoming.clear();
    return lost;
  }
}

/** The type of the answer, and how many reason codes it has to have. */
export interface PendingRequest {
  readonly answer: 9 | 11;
  readonly count: number;
}
