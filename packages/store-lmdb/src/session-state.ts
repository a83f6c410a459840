import type { QueueEntry, StoredSession, StoredSubscription } from "@tidewire/broker";

/** An in-flight message to be written; `entry` undefined: released, its PUBREL is owed. */
export interface StagedOutgoing {
  readonly order: number;
  readonly entry: QueueEntry | undefined;
}

/** An in-flight message in the database. */
export interface CommittedOutgoing {
  readonly order: number;
  /** Of the shared publication it refers to. */
  readonly bodyId: number | undefined;
}

/** What of one session differs from the database. Undefined in a map: to be removed. */
export class SessionChanges {
  session: StoredSession | undefined = undefined;
  readonly subscriptions: Map<string, StoredSubscription | undefined> = new Map();
  /** Additions stand in ascending order. */
  readonly queue: Map<number, QueueEntry | undefined> = new Map();
  readonly outgoing: Map<number, StagedOutgoing | undefined> = new Map();
  /** True: taken; false: done. */
  readonly incoming: Map<number, boolean> = new Map();
  /** Found by the running commit. */
  dequeued = 0;
}

/** The in-flight exchanges that the database has, by packet id. */
export interface CommittedInflight {
  readonly outgoing: Map<number, CommittedOutgoing>;
  readonly incoming: Set<number>;
}

/** What the store knows in memory of one session; the rest is in the database under `number`. */
export interface SessionState {
  /** Never used again by another session, so that leftovers of a deleted one cannot be taken for its own. */
  readonly number: number;
  readonly clientId: string;
  deleted: boolean;
  /** Something of it is in the database. */
  stored: boolean;
  /** Queue entries in the database. */
  queued: number;
  changes: SessionChanges | undefined;
  /** False: the database has no in-flight exchange of it, so that none need be looked for. */
  inflightStored: boolean;
  /** Those of the database: read when first needed, dropped when the client is gone. */
  inflight: CommittedInflight | undefined;
}

export function createSessionState(clientId: string, number: number, stored: boolean): SessionState {
  return {
    number,
    clientId,
    deleted: false,
    stored,
    queued: 0,
    changes: undefined,
    inflightStored: false,
    inflight: undefined,
  };
}
