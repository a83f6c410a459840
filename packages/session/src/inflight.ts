import { misuse } from "./errors.ts";
import type { Inflight, InflightStore, Message, SavedInflight } from "./interfaces.ts";
import { MAXIMUM_PACKET_ID } from "./limits.ts";

/**
 * The unfinished exchanges of one MQTT session, in memory and, when a store is given, in the store as well. `saved` is
 * what that store held from before.
 */
export function createInflight(store?: InflightStore, saved?: SavedInflight): Inflight {
  return new InflightState(store, saved);
}

/** Stand for a message after its PUBREC: PUBREL is owed, the message itself is not needed any more. */
export const RELEASED = 0;
/** Released, and the caller knows the end already: only the peer has to be told. */
export const ABANDONED = 1;
export type Outgoing = Message | typeof RELEASED | typeof ABANDONED;

interface LostMessage {
  readonly packetId: number;
  readonly message: Message;
}

/** What the sessions of one client, one after the other, read and change. */
export class InflightState implements Inflight {
  /** In the order of first sending, which is the order of sending again [MQTT-4.6.0-1]. */
  readonly outgoing: Map<number, Outgoing> = new Map();
  /** Ids of QoS 2 messages taken, until their PUBREL [MQTT-4.3.3-10]. */
  readonly incoming: Set<number> = new Set();
  /** SUBSCRIBE and UNSUBSCRIBE without answer; they end with their connection. */
  readonly requests: Map<number, PendingRequest> = new Map();
  /** A clean start was asked for, and no CONNACK has come since. */
  cleanStartOwed = false;
  /** Forgotten with the session, and the caller does not know yet. */
  #lost: LostMessage[] = [];
  readonly #store: InflightStore | undefined;
  #sequence = 0;
  #lastPacketId = 0;

  constructor(store: InflightStore | undefined, saved: SavedInflight | undefined) {
    this.#store = store;
    if (saved === undefined) return;
    for (const { packetId, sequence, message } of saved.outgoing) {
      this.outgoing.set(packetId, message ?? RELEASED);
      this.#sequence = sequence + 1;
      this.#lastPacketId = packetId;
    }
    for (const packetId of saved.incoming) this.incoming.add(packetId);
  }

  /** The implementation behind an `Inflight` that a caller hands in. */
  static of(inflight: Inflight): InflightState {
    if (inflight instanceof InflightState) return inflight;
    throw misuse("inflight-foreign", "an Inflight comes from createInflight");
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
    if (this.freePacketIds === 0) return 0;
    do {
      this.#lastPacketId = (this.#lastPacketId % MAXIMUM_PACKET_ID) + 1;
    } while (this.outgoing.has(this.#lastPacketId) || this.requests.has(this.#lastPacketId));
    return this.#lastPacketId;
  }

  putOutgoing(packetId: number, message: Message): void {
    this.outgoing.set(packetId, message);
    this.#store?.putOutgoing(packetId, this.#sequence++, message);
  }

  releaseOutgoing(packetId: number, as: typeof RELEASED | typeof ABANDONED): void {
    this.outgoing.set(packetId, as);
    this.#store?.releaseOutgoing(packetId);
  }

  deleteOutgoing(packetId: number): void {
    this.outgoing.delete(packetId);
    this.#store?.deleteOutgoing(packetId);
  }

  putIncoming(packetId: number): void {
    this.incoming.add(packetId);
    this.#store?.putIncoming(packetId);
  }

  /** False: it was not there. */
  deleteIncoming(packetId: number): boolean {
    if (!this.incoming.delete(packetId)) return false;
    this.#store?.deleteIncoming(packetId);
    return true;
  }

  /** The session is gone: as `clear`, but the caller learns of it with the next CONNACK. */
  lose(): void {
    this.#lost.push(...this.clear());
  }

  takeLost(): readonly LostMessage[] {
    const lost = this.#lost;
    this.#lost = [];
    return lost;
  }

  clear(): readonly LostMessage[] {
    const lost: LostMessage[] = [];
    for (const [packetId, message] of this.outgoing) {
      if (typeof message === "object") lost.push({ packetId, message });
    }
    this.outgoing.clear();
    this.incoming.clear();
    this.#store?.clear();
    return lost;
  }
}

/** The type of the answer, and how many reason codes it has to have. */
export interface PendingRequest {
  readonly answer: 9 | 11;
  readonly count: number;
}
