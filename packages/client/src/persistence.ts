import { createInflight, type Inflight } from "@tidewire/session";
import type { Core } from "./core.ts";
import { ClientError } from "./errors.ts";
import type { ClientStore, SavedClient } from "./store.ts";

/** What outlives the page or the process, when there is a store; the exchanges that are in flight in any case. */
export class Persistence {
  inflight: Inflight;
  readonly #core: Core;
  readonly #store: ClientStore | undefined;
  readonly #opened: Promise<void>;
  /** Something may be staged. */
  #loaded = false;
  #scheduled = false;

  /** `onOpened` is given what the store held from before. */
  constructor(core: Core, clientId: string, onOpened: (store: ClientStore, saved: SavedClient) => void) {
    this.#core = core;
    this.#store = core.options.store;
    this.inflight = createInflight(this.#store);
    this.#opened = this.#open(clientId, onOpened);
    // Whoever waits for it is told.
    this.#opened.catch(() => {});
  }

  /** Resolves when everything is loaded. */
  opened(): Promise<void> {
    return this.#opened;
  }

  /** Makes what is staged durable. */
  async commit(): Promise<void> {
    await this.#opened;
    await this.#store?.commit()?.catch(failed("The store failed."));
  }

  /** For what is staged without bytes to send; once a turn. */
  commitSoon(): void {
    if (!this.#loaded || this.#scheduled) return;
    this.#scheduled = true;
    this.#core.scheduler.defer(() => {
      this.#scheduled = false;
      this.commit().catch(this.#core.report);
    });
  }

  async close(): Promise<void> {
    await this.#opened.catch(() => {});
    await this.#store?.close().catch(failed("The store could not be closed.")).catch(this.#core.report);
  }

  async #open(clientId: string, onOpened: (store: ClientStore, saved: SavedClient) => void): Promise<void> {
    if (this.#store === undefined) return;
    const saved = await this.#store.open(clientId).catch(failed("The store could not be opened."));
    this.inflight = createInflight(this.#store, saved.inflight);
    this.#loaded = true;
    onOpened(this.#store, saved);
  }
}

/** Rejects with what the client calls a failure of the store. */
function failed(text: string): (cause: unknown) => never {
  return (cause) => {
    const taken = (cause as { readonly code?: unknown }).code === "client-id-in-use";
    if (taken) throw new ClientError("client-id-in-use", "Somebody else uses this client id.", { cause });
    throw new ClientError("store-failed", text, { cause });
  };
}
