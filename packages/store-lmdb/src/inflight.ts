import type { BrokerStore, OutgoingMessage } from "@tidewire/broker";
import type { StagedBodies } from "./bodies.ts";
import type { CommittedInflight, SessionChanges, SessionState } from "./session-state.ts";

type InflightStore = ReturnType<BrokerStore["inflight"]>;

/** Where a session's changes are staged. */
export interface InflightHost {
  readonly bodies: StagedBodies;
  change(state: SessionState): SessionChanges;
  committedInflight(state: SessionState): CommittedInflight;
}

/** Stages the in-flight changes of one session. Void once the session is deleted. */
export class SessionInflight implements InflightStore {
  readonly #host: InflightHost;
  readonly #state: SessionState;
  readonly commit: () => Promise<void> | undefined;

  constructor(host: InflightHost, state: SessionState, commit: () => Promise<void> | undefined) {
    this.#host = host;
    this.#state = state;
    this.commit = commit;
  }

  putOutgoing(packetId: number, order: number, { entry }: OutgoingMessage): void {
    if (this.#state.deleted) {
      return;
    }
    const { outgoing, queue } = this.#change();
    this.#withdraw(packetId);
    this.#host.bodies.refer(entry.publication);
    const queued = queue.get(entry.sequence);
    if (queued !== undefined) {
      queue.delete(entry.sequence);
      this.#host.bodies.withdraw(queued.publication);
    } else if (this.#state.queued > 0) {
      queue.set(entry.sequence, undefined);
    }
    outgoing.set(packetId, { order, entry });
  }

  releaseOutgoing(packetId: number): void {
    const order = this.#orderOf(packetId);
    if (this.#state.deleted || order === undefined) {
      return;
    }
    const { outgoing } = this.#change();
    this.#withdraw(packetId);
    outgoing.set(packetId, { order, entry: undefined });
  }

  deleteOutgoing(packetId: number): void {
    if (this.#state.deleted) {
      return;
    }
    const { outgoing } = this.#change();
    this.#withdraw(packetId);
    if (this.#committed.outgoing.has(packetId)) {
      outgoing.set(packetId, undefined);
    } else {
      outgoing.delete(packetId);
    }
  }

  putIncoming(packetId: number): void {
    if (this.#state.deleted) {
      return;
    }
    const { incoming } = this.#change();
    if (this.#committed.incoming.has(packetId)) {
      incoming.delete(packetId);
    } else {
      incoming.set(packetId, true);
    }
  }

  deleteIncoming(packetId: number): void {
    if (this.#state.deleted) {
      return;
    }
    const { incoming } = this.#change();
    if (this.#committed.incoming.has(packetId)) {
      incoming.set(packetId, false);
    } else {
      incoming.delete(packetId);
    }
  }

  clear(): void {
    if (this.#state.deleted) {
      return;
    }
    const { outgoing, incoming } = this.#change();
    for (const packetId of [...outgoing.keys(), ...this.#committed.outgoing.keys()]) {
      this.deleteOutgoing(packetId);
    }
    for (const packetId of [...incoming.keys(), ...this.#committed.incoming]) {
      this.deleteIncoming(packetId);
    }
  }

  /** What was committed before is read first: what changes is told by it. */
  #change(): SessionChanges {
    this.#host.committedInflight(this.#state);
    return this.#host.change(this.#state);
  }

  get #committed(): CommittedInflight {
    return this.#host.committedInflight(this.#state);
  }

  /** Undefined when nothing is in flight with this id. */
  #orderOf(packetId: number): number | undefined {
    const staged = this.#state.changes?.outgoing;
    if (staged?.has(packetId)) {
      return staged.get(packetId)?.order;
    }
    return this.#committed.outgoing.get(packetId)?.order;
  }

  /** Takes back the reference of a message that is staged under this id. */
  #withdraw(packetId: number): void {
    const entry = this.#state.changes?.outgoing.get(packetId)?.entry;
    if (entry !== undefined) {
      this.#host.bodies.withdraw(entry.publication);
    }
  }
}
