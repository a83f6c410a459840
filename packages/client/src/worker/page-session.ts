import type { Client } from "../client/index.ts";
import type { Message } from "../messages/index.ts";
import type { Subscription } from "../subscribing/index.ts";
import { plainDetail, plainError, plainMessage } from "./plain.ts";
import type { Port, RemoteCalls, ToPage, ToWorker } from "./protocol.ts";

type RemoteCall = Extract<ToWorker, { kind: "call" }>;

/** The part of `navigator.locks` that is used. */
interface Locks {
  request(name: string, callback: () => void): Promise<unknown>;
}

/** One page, as the worker with the connection sees it: its calls, its subscriptions, the messages it holds. */
export class PageSession {
  readonly #port: Port;
  readonly #client: Client;
  readonly #running = new Map<number, AbortController>();
  readonly #subscriptions = new Map<number, Subscription>();
  /** Messages that the page has not let go, and what waits for that. */
  readonly #held = new Map<number, { readonly message: Message | undefined; readonly done: () => void }>();
  readonly #stops: (() => void)[] = [];
  #handles = 0;
  #gone = false;

  constructor(port: Port, client: Client) {
    this.#port = port;
    this.#client = client;
    port.addEventListener("message", this.#onMessage);
    port.start?.();
    const tell = (): void => this.#tellStatus(client.status, {});
    tell();
    this.#stops.push(
      client.on("status", (status, detail) => this.#tellStatus(status, detail)),
      client.on("error", (error) => this.#post({ kind: "error", error: plainError(error) })),
    );
  }

  readonly #onMessage = ({ data }: { readonly data: unknown }): void => {
    const told = data as ToWorker;
    switch (told.kind) {
      case "hello":
        this.#watch(told.lock);
        break;
      case "call":
        void this.#answer(told);
        break;
      case "cancel":
        this.#running.get(told.id)?.abort();
        break;
      case "done":
        this.#done(told.handle, told.reasonCode);
        break;
      case "bye":
        this.#leave();
    }
  };

  /** The page holds the lock for as long as it lives: whoever gets it next knows that it is gone. */
  #watch(lock: string | undefined): void {
    const { locks } = (globalThis.navigator ?? {}) as unknown as { readonly locks?: Locks };
    if (lock !== undefined) {
      void locks?.request(lock, () => this.#leave());
    }
  }

  async #answer(call: RemoteCall): Promise<void> {
    const { id } = call;
    const cancel = new AbortController();
    this.#running.set(id, cancel);
    try {
      this.#post({ kind: "answer", id, output: await this.#run(call, cancel.signal) });
    } catch (error) {
      this.#post({ kind: "failure", id, error: plainError(error) });
    } finally {
      this.#running.delete(id);
    }
  }

  async #run(call: RemoteCall, signal: AbortSignal): Promise<RemoteCalls[keyof RemoteCalls]["output"]> {
    const client = this.#client;
    switch (call.name) {
      case "publish":
        return client.publish(call.input.topic, call.input.payload, { ...call.input.options, signal });
      case "request":
        return plainMessage(
          await client.request(call.input.topic, call.input.payload, { ...call.input.options, signal }),
        );
      case "subscribe":
        return this.#subscribe(call.id, call.input, signal);
      case "unsubscribe":
        return this.#unsubscribe(call.input, signal);
      case "flush":
        await client.flush({ signal });
        return undefined;
      case "reauthenticate":
        await client.reauthenticate({ signal });
        return undefined;
      case "checkConnection":
        await client.checkConnection({ signal });
        return undefined;
      case "reconnect":
        client.reconnect();
        return undefined;
      case "persisted":
        await client.persisted();
        return undefined;
      case "listen":
        this.#stops.push(client.on("message", (message) => void this.#hand(undefined, message)));
        return undefined;
    }
  }

  async #subscribe(
    id: number,
    { filters, options }: RemoteCalls["subscribe"]["input"],
    signal: AbortSignal,
  ): Promise<readonly number[]> {
    const subscription = await this.#client.subscribe(filters, {
      ...options,
      signal,
      acknowledge: "manual",
      onMessage: (message) => this.#hand(id, message),
    });
    if (this.#gone) {
      void subscription.unsubscribe().catch(() => {});
    }
    this.#subscriptions.set(id, subscription);
    return subscription.granted;
  }

  async #unsubscribe(id: number, signal: AbortSignal): Promise<undefined> {
    const subscription = this.#subscriptions.get(id);
    this.#subscriptions.delete(id);
    await subscription?.unsubscribe({ signal });
    return undefined;
  }

  /** Gives a message to the page. When the page holds many already, the next one waits until it has let go of this. */
  #hand(id: number | undefined, message: Message): undefined | Promise<void> {
    this.#handles += 1;
    const handle = this.#handles;
    this.#post({ kind: "message", id, handle, message: plainMessage(message) });
    if (id === undefined) {
      return undefined;
    }
    let done: () => void = () => {};
    const waits = this.#held.size < heldPerPage ? undefined : new Promise<void>((resolve) => (done = resolve));
    this.#held.set(handle, { message, done });
    return waits;
  }

  #done(handle: number, reasonCode: number): void {
    const held = this.#held.get(handle);
    this.#held.delete(handle);
    held?.message?.acknowledge(reasonCode);
    held?.done();
  }

  /** The page is gone: nobody waits for its calls, and what it held is let go for the sake of the others. */
  #leave(): void {
    this.#gone = true;
    this.#port.removeEventListener("message", this.#onMessage);
    for (const stop of this.#stops) {
      stop();
    }
    for (const cancel of this.#running.values()) {
      cancel.abort();
    }
    for (const subscription of this.#subscriptions.values()) {
      void subscription.unsubscribe().catch(() => {});
    }
    for (const handle of [...this.#held.keys()]) {
      this.#done(handle, 0);
    }
    this.#port.close?.();
  }

  #tellStatus(status: Client["status"], detail: Parameters<typeof plainDetail>[0]): void {
    this.#post({ kind: "status", status, clientId: this.#client.clientId, detail: plainDetail(detail) });
  }

  #post(message: ToPage): void {
    if (!this.#gone) {
      this.#port.postMessage(message);
    }
  }
}

/** Messages on their way to a page or in its hands before the next one waits: enough to keep it busy. */
const heldPerPage = 256;
