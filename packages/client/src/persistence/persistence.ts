import type { Scheduler } from "@tidewire/link";
import { createInflight, createStoredInflight, type Inflight } from "@tidewire/session";
import { ClientError } from "../errors/index.ts";
import type { ClientLimits } from "../limits.ts";
import type { ClientStore, SavedClient } from "./client-store.ts";

/** What persistence needs of the client around it. */
export interface PersistenceHost {
  readonly options: { readonly store?: ClientStore };
  readonly scheduler: Scheduler;
  readonly limits: Pick<ClientLimits, "endsAtOneThing">;
  /** Ends the client for good: the store fails again and again. */
  readonly fail: (error: ClientError) => void;
  /** For what no call can tell its caller. */
  readonly report: (error: ClientError) => void;
}

/** What outlives the page or the process, when there is a store; the exchanges that are in flight in any case. */
export class Persistence {
  inflight: Inflight;
  /** Resolves when everything is loaded. */
  readonly opened: Promise<void>;
  readonly #host: PersistenceHost;
  readonly #store: ClientStore | undefined;
  /** Something may be staged. */
  #loaded = false;
  #scheduled = false;
  /** Commits in a row that failed. */
  #failures = 0;

  /** `onOpened` is given what the store held from before. */
  constructor(host: PersistenceHost, clientId: string, onOpened: (store: ClientStore, saved: SavedClient) => void) {
    this.#host = host;
    this.#store = host.options.store;
    this.inflight = this.#store === undefined ? createInflight() : createStoredInflight(this.#store);
    this.opened = this.#open(clientId, onOpened);
    // Whoever waits for it is told.
    this.opened.catch(() => {});
  }

  /** Awaited before bytes leave: what they promise is durable then. */
  barrier(): Promise<void> | undefined {
    return this.#store?.commit()?.then(this.#onCommitted, this.#onFailed);
  }

  /** Makes what is staged durable. */
  async commit(): Promise<void> {
    await this.opened;
    await this.barrier();
  }

  /** For what is staged without bytes to send; once a turn. */
  commitSoon(): void {
    if (!this.#loaded || this.#scheduled) {
      return;
    }
    this.#scheduled = true;
    this.#host.scheduler.defer(() => {
      this.#scheduled = false;
      this.commit().catch(() => {});
    });
  }

  async close(): Promise<void> {
    await this.opened.catch(() => {});
    await guard("The store could not be closed.", () => this.#store?.close()).catch(this.#host.report);
  }

  readonly #onCommitted = (): void => {
    this.#failures = 0;
  };

  readonly #onFailed = (cause: unknown): never => {
    const { report, fail, limits } = this.#host;
    const error = new ClientError("store-failed", "The store failed; `cause` is its error.", { cause });
    this.#failures += 1;
    // Told once: each connection meets it again.
    if (this.#failures === 1) {
      report(error);
    } else if (this.#failures >= limits.endsAtOneThing) {
      fail(error);
    }
    throw error;
  };

  async #open(clientId: string, onOpened: (store: ClientStore, saved: SavedClient) => void): Promise<void> {
    const store = this.#store;
    if (store === undefined) {
      return;
    }
    store.onError = (cause) =>
      this.#host.report(new ClientError("store-failed", "The store tells of a loss: see `cause`.", { cause }));
    const saved = await guard("The store could not be opened.", () => store.open(clientId));
    this.inflight = createStoredInflight(store, saved.inflight);
    this.#loaded = true;
    onOpened(store, saved);
  }
}

/** Does the store's part of the work; rejects with what the client calls a failure of it. */
async function guard<Result>(text: string, work: () => Promise<Result> | Result): Promise<Result> {
  try {
    return await work();
  } catch (cause) {
    const taken = (cause as { readonly code?: unknown }).code === "client-id-in-use";
    if (taken) {
      throw new ClientError(
        "client-id-in-use",
        "Another tab of this browser uses this client id: give each its own, or share one client by a worker.",
        {
          cause,
        },
      );
    }
    throw new ClientError("store-failed", text, { cause });
  }
}
