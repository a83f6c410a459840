import { platformScheduler } from "#platform";
import { type Call, Calls, type OperationOptions, rejected } from "../calls/index.ts";
import type { Client, RequestOptions } from "../client/index.ts";
import { callError, closedError } from "../errors/index.ts";
import { type ClientEvents, Events, type Status, statusFeed } from "../events/index.ts";
import { defaultLimits } from "../limits.ts";
import type { Message, Payload } from "../messages/index.ts";
import type { PublishOptions, PublishResult } from "../publishing/index.ts";
import { Consumer, type ConsumerHost, type SubscribeOptions, type Subscription } from "../subscribing/index.ts";
import { fromPlainDetail, fromPlainError } from "./plain.ts";
import type { CallName, PlainMessage, Port, RemoteCalls, ToPage, ToWorker } from "./protocol.ts";
import { RemoteMessage } from "./remote-message.ts";

/**
 * The client that a worker serves (see `serveClient`), as a page has it: the same interface, over messages to the
 * worker. Resolves when the worker has answered. `close` ends what this page has; the connection stays for other pages.
 *
 * @example
 * const client = await workerClient(new SharedWorker(new URL("./mqtt-worker.js", import.meta.url), { type: "module" }));
 */
export async function workerClient(worker: SharedWorker | Worker | Port): Promise<Client> {
  const client = new WorkerClient("port" in worker ? worker.port : worker);
  await client.greeted;
  return client;
}

class WorkerClient implements Client {
  readonly greeted: Promise<void>;
  clientId = "";
  status: Status = "connecting";
  readonly #port: Port;
  readonly #events = new Events();
  readonly #open = new Calls(platformScheduler(), this.#events.report);
  readonly #calls = new Map<number, Call<unknown>>();
  readonly #consumers = new Map<number, Consumer>();
  readonly #ids = new Map<Consumer, number>();
  readonly #host: ConsumerHost;
  #count = 0;
  #listening = false;
  #greet: () => void = () => {};
  #releaseLock: () => void = () => {};

  constructor(port: Port) {
    this.#port = port;
    this.#host = {
      unsubscribe: (consumer, options) => this.#unsubscribe(consumer, options),
      report: this.#events.report,
      onPressure: () => {},
    };
    this.greeted = new Promise((resolve) => {
      this.#greet = resolve;
    });
    port.addEventListener("message", this.#onMessage);
    port.start?.();
    void this.#hello();
  }

  get connected(): boolean {
    return this.status === "connected";
  }

  statusUpdates(): AsyncIterableIterator<Status> {
    return statusFeed(this, defaultLimits.statusBuffer);
  }

  on<Event extends keyof ClientEvents>(event: Event, listener: ClientEvents[Event]): () => void {
    if (event === "message" && !this.#listening) {
      this.#listening = true;
      this.#call("listen", undefined).catch(this.#events.report);
    }
    return this.#events.on(event, listener);
  }

  publish(topic: string, payload: Payload, options: PublishOptions = {}): Promise<PublishResult> {
    const { signal: _, timeoutMs: __, ...plain } = options;
    return this.#call("publish", { topic, payload, options: plain }, options);
  }

  async subscribe(filters: string | readonly string[], options: SubscribeOptions = {}): Promise<Subscription> {
    const { signal: _, timeoutMs: __, onMessage: ___, ...plain } = options;
    // The buffer that is bounded is the worker's, which holds back what this page cannot take.
    const consumer = new Consumer(filters, { ...options, bufferSize: Number.POSITIVE_INFINITY }, 0, this.#host);
    const id = this.#count + 1;
    this.#consumers.set(id, consumer);
    this.#ids.set(consumer, id);
    try {
      consumer.granted = await this.#call("subscribe", { filters: consumer.filters, options: plain }, options);
      return consumer;
    } catch (error) {
      this.#forget(consumer);
      throw error;
    }
  }

  async request(topic: string, payload: Payload, options: RequestOptions = {}): Promise<Message> {
    const { signal: _, timeoutMs: __, ...plain } = options;
    const limits = { timeoutMs: defaultLimits.answerTimeoutMs, ...options };
    return this.#message(await this.#call("request", { topic, payload, options: plain }, limits), 0);
  }

  flush(options?: OperationOptions): Promise<void> {
    return this.#call("flush", undefined, options);
  }

  reauthenticate(options?: OperationOptions): Promise<void> {
    return this.#call("reauthenticate", undefined, options);
  }

  checkConnection(options?: OperationOptions): Promise<void> {
    return this.#call("checkConnection", undefined, options);
  }

  reconnect(): void {
    this.#call("reconnect", undefined).catch(() => {});
  }

  persisted(): Promise<void> {
    return this.#call("persisted", undefined);
  }

  async close(): Promise<void> {
    if (this.status === "closed") {
      return;
    }
    this.status = "closed";
    const error = closedError();
    for (const consumer of this.#consumers.values()) {
      consumer.end();
    }
    this.#post({ kind: "bye" });
    this.#open.rejectAll(error);
    this.#port.removeEventListener("message", this.#onMessage);
    this.#port.close?.();
    this.#releaseLock();
    this.#events.emit("status", "closed", {});
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  readonly #onMessage = ({ data }: { readonly data: unknown }): void => {
    const told = data as ToPage;
    switch (told.kind) {
      case "status":
        this.clientId = told.clientId;
        this.status = told.status;
        this.#greet();
        this.#events.emit("status", told.status, fromPlainDetail(told.detail));
        break;
      case "answer":
        this.#take(told.id)?.resolve(told.output);
        break;
      case "failure":
        this.#take(told.id)?.reject(fromPlainError(told.error));
        break;
      case "message":
        this.#deliver(told.id, told.handle, told.message);
        break;
      case "error":
        this.#events.report(fromPlainError(told.error));
    }
  };

  /** Tells the worker how it will learn that this page is gone: a lock that only the end of the page lets go. */
  async #hello(): Promise<void> {
    const { locks } = (globalThis.navigator ?? {}) as Partial<Navigator>;
    const lock = locks && `tidewire:page:${crypto.randomUUID()}`;
    if (locks !== undefined && lock !== undefined) {
      await new Promise<void>((held) => {
        const hold = new Promise<void>((release) => {
          this.#releaseLock = release;
        });
        void locks.request(lock, () => {
          held();
          return hold;
        });
      });
    }
    this.#post({ kind: "hello", lock });
  }

  #call<Name extends CallName>(
    name: Name,
    input: RemoteCalls[Name]["input"],
    options?: OperationOptions,
  ): Promise<RemoteCalls[Name]["output"]> {
    if (this.status === "closed") {
      return rejected(callError(name, undefined, closedError()), this.#events.report);
    }
    this.#count += 1;
    const id = this.#count;
    const start = (call: Call<RemoteCalls[Name]["output"]>) => {
      this.#calls.set(id, call as Call<unknown>);
      this.#post({ kind: "call", id, name, input } as ToWorker);
    };
    return this.#open.run(name, undefined, options, start, () => {
      this.#calls.delete(id);
      this.#post({ kind: "cancel", id });
    });
  }

  #take(id: number): Call<unknown> | undefined {
    const call = this.#calls.get(id);
    this.#calls.delete(id);
    return call;
  }

  #deliver(id: number | undefined, handle: number, plain: PlainMessage): void {
    const message = this.#message(plain, handle);
    if (id === undefined) {
      this.#events.emit("message", message);
      return;
    }
    const consumer = this.#consumers.get(id);
    if (consumer === undefined) {
      message.acknowledge();
    } else {
      consumer.deliver(message);
    }
  }

  #message(plain: PlainMessage, handle: number): RemoteMessage {
    return new RemoteMessage(plain, (reasonCode) => this.#post({ kind: "done", handle, reasonCode }));
  }

  #unsubscribe(consumer: Consumer, options: OperationOptions | undefined): Promise<void> {
    const id = this.#ids.get(consumer);
    consumer.end();
    this.#forget(consumer);
    return id === undefined || this.status === "closed" ? Promise.resolve() : this.#call("unsubscribe", id, options);
  }

  #forget(consumer: Consumer): void {
    this.#consumers.delete(this.#ids.get(consumer) ?? 0);
    this.#ids.delete(consumer);
  }

  #post(message: ToWorker): void {
    this.#port.postMessage(message);
  }
}
