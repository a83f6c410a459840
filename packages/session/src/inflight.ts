import { misuse } from "./errors.ts";
import type { Inflight, InflightStore, Message, SavedInflight } from "./interfaces.ts";
import { PacketIds } from "./packet-ids.ts";

/**
 * The unfinished exchanges of one MQTT session, in memory and, when a store is given, in the store as well. `saved` is
 * what that store held from before.
 */
export function createInflight(store?: InflightStore, saved?: SavedInflight): Inflight {
  return new InflightState(store, saved);
}

/** A message that got its PUBREC: PUBREL is owed, the message itself is not needed any more. */
export const RELEASED = null;

interface LostMessage {
  readonly packetId: number;
  readonly message: Message;
}

/** What the sessions of one client, one after the other, read and change. */
export class InflightState implements Inflight {
  readonly ids: PacketIds = new PacketIds();
  /** In the order of first sending, which is the order of sending again [MQTT-4.6.0-1]. */
  readonly outgoing: Map<number, Message | typeof RELEASED> = new Map();
  /** Ids of QoS 2 messages taken, until their PUBREL [MQTT-4.3.3-10]. */
  readonly incoming: Set<number> = new Set();
  /** Ids in `outgoing` whose end the caller knows already: only the peer has to be told. */
  readonly abandoned: Set<number> = new Set();
  /** A clean start was asked for, and no CONNACK has come since. */
  cleanStartOwed = false;
  /** Forgotten with the session, and the caller does not know yet. */
  #lost: LostMessage[] = [];
  readonly #store: InflightStore | undefined;
  #sequence = 0;

  constructor(store: InflightStore | undefined, saved: SavedInflight | undefined) {
    this.#store = store;
    if (saved === undefined) return;
    for (const { packetId, sequence, message } of saved.outgoing) {
      this.ids.reserve(packetId);
      this.outgoing.set(packetId, message ?? RELEASED);
      this.#sequence = sequence + 1;
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

  /** Keeps a message under an id taken from `ids`. */
  putOutgoing(packetId: number, message: Message): void {
    this.outgoing.set(packetId, message);
    this.#store?.putOutgoing(packetId, this.#sequence++, message);
  }

  releaseOutgoing(packetId: number): void {
    this.outgoing.set(packetId, RELEASED);
    this.#store?.releaseOutgoing(packetId);
  }

  deleteOutgoing(packetId: number): void {
    this.outgoing.delete(packetId);
    this.ids.release(packetId);
    this.#store?.deleteOutgoing(packetId);
  }

  putIncoming(packetId: number): void {
    this.incoming.add(packetId);
    this.#store?.putIncoming(packetId);
  }

  deleteIncoming(packetId: number): void {
    this.incoming.delete(packetId);
    this.#store?.deleteIncoming(packetId);
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
      if (message !== RELEASED) lost.push({ packetId, message });
    }
    this.outgoing.clear();
    this.incoming.clear();
    this.abandoned.clear();
    this.ids.clear();
    this.#store?.clear();
    return lost;
  }
}
