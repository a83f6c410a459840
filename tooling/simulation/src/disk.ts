import type { InflightStore, Message, SavedInflight } from "@tidewire/session";
import type { Random, VirtualScheduler } from "@tidewire/transport-mock";
import type { Letter } from "./message.ts";

/** What survives a crash. */
export interface Durable {
  readonly outgoing: Map<number, Kept>;
  readonly incoming: Set<number>;
  /** How often the application took each message over, or refused it. */
  readonly taken: Map<number, number>;
  readonly refused: Set<number>;
  /** Messages that the application handed to its session. */
  readonly handed: Set<number>;
  /** The server has a session for the client. */
  hasSession: boolean;
}

export interface Kept {
  readonly sequence: number;
  readonly message: Message | undefined;
  /** The message also after PUBREC, for the books. */
  readonly letter: Letter;
}

type Write = (durable: Durable) => void;

export interface DiskOptions {
  readonly scheduler: VirtualScheduler;
  readonly random: Random;
  readonly commitMs: number;
}

/** One end's storage: what is staged becomes durable together, or is lost in a crash, or stays staged when it fails. */
export class Disk {
  readonly durable: Durable = {
    outgoing: new Map(),
    incoming: new Set(),
    taken: new Map(),
    refused: new Set(),
    handed: new Set(),
    hasSession: false,
  };
  /** The next commit fails. */
  failNext = false;
  readonly #options: DiskOptions;
  #staged: Write[] = [];
  #committing: Write[] | undefined;
  /** Counts lives: what an earlier process still calls has no effect. */
  #life = 0;

  constructor(options: DiskOptions) {
    this.#options = options;
  }

  /** For a process that starts. */
  open(): { readonly store: InflightStore; readonly stage: (write: Write) => void; readonly saved: SavedInflight } {
    this.#life += 1;
    const life = this.#life;
    const stage = (write: Write): void => {
      if (life === this.#life) {
        this.#staged.push(write);
      }
    };
    const store: InflightStore = {
      putOutgoing: (id, sequence, message) =>
        stage(({ outgoing }) => outgoing.set(id, { sequence, message, letter: message as Letter })),
      releaseOutgoing: (id) =>
        stage(({ outgoing }) => outgoing.set(id, { ...(outgoing.get(id) as Kept), message: undefined })),
      deleteOutgoing: (id) => stage(({ outgoing }) => outgoing.delete(id)),
      putIncoming: (id) => stage(({ incoming }) => incoming.add(id)),
      deleteIncoming: (id) => stage(({ incoming }) => incoming.delete(id)),
      clear: () =>
        stage(({ outgoing, incoming }) => {
          outgoing.clear();
          incoming.clear();
        }),
      commit: () => this.#commit(life),
    };
    const outgoing = [...this.durable.outgoing].map(([packetId, entry]) => ({ packetId, ...entry }));
    outgoing.sort((a, b) => a.sequence - b.sequence);
    return { store, stage, saved: { outgoing, incoming: [...this.durable.incoming] } };
  }

  /** The process is gone. What was on its way to the disk may have arrived. */
  crash(): void {
    this.#life += 1;
    if (this.#committing !== undefined && this.#options.random.integer(0, 1) === 0) {
      this.#apply(this.#committing);
    }
    this.#committing = undefined;
    this.#staged = [];
  }

  /** Everything staged becomes durable, in order: the end of a run waits for no commit and no further flush. */
  sync(): void {
    this.#apply(this.#committing ?? []);
    this.#apply(this.#staged);
    this.#committing = undefined;
    this.#staged = [];
  }

  #commit(life: number): Promise<void> | undefined {
    if (life !== this.#life || this.#staged.length === 0) {
      return undefined;
    }
    const writes = this.#staged;
    const { commitMs, scheduler, random } = this.#options;
    if (commitMs === 0 && !this.failNext) {
      this.#staged = [];
      this.#apply(writes);
      return undefined;
    }
    this.#staged = [];
    this.#committing = writes;
    return after(scheduler, random.integer(0, commitMs), () => {
      if (life !== this.#life) {
        return false;
      }
      // Synced meanwhile.
      if (this.#committing !== writes) {
        return true;
      }
      this.#committing = undefined;
      if (!this.failNext) {
        this.#apply(writes);
        return true;
      }
      this.failNext = false;
      this.#staged = [...writes, ...this.#staged];
      return false;
    });
  }

  #apply(writes: readonly Write[]): void {
    for (const write of writes) {
      write(this.durable);
    }
  }
}

export function take(letter: Letter): Write {
  return ({ taken }) => taken.set(letter.number, (taken.get(letter.number) ?? 0) + 1);
}

/**
 * A promise in virtual time: its callbacks run from the scheduler, so that a run needs no promise jobs and is the same
 * every time. It is awaited by `then` once.
 */
function after(scheduler: VirtualScheduler, ms: number, run: () => boolean): Promise<void> {
  const promise = {
    // biome-ignore lint/suspicious/noThenProperty: this is a promise as far as its only user can tell
    then(resolve: () => void, reject: (error: Error) => void): void {
      scheduler.setTimer(() => (run() ? resolve() : reject(new Error("the disk failed"))), ms);
    },
  };
  return promise as unknown as Promise<void>;
}
