import type { Engine } from "./engine.ts";
import { ClientError } from "./errors.ts";
import type {
  Client,
  ClientEvents,
  CloseOptions,
  Message,
  OperationOptions,
  PublishOptions,
  PublishResult,
  RequestOptions,
  Status,
  SubscribeOptions,
  Subscription,
} from "./interfaces.ts";
import { PendingCalls } from "./pending-calls.ts";
import { Requests } from "./requests.ts";
import { StatusFeed } from "./status-feed.ts";
import { Consumer, type ConsumerHost } from "./subscription.ts";

/** The public face of an engine: each call goes to the part whose work it is. */
export class EngineClient implements Client {
  readonly #engine: Engine;
  readonly #requests: Requests | undefined;
  readonly #drains: PendingCalls;
  readonly #drained = new Set<() => void>();
  readonly #host: ConsumerHost;
  #closed: Promise<void> | undefined;

  /** `responseTopic` undefined: this client cannot make requests. */
  constructor(engine: Engine, responseTopic: (() => string) | undefined) {
    this.#engine = engine;
    this.#drains = new PendingCalls(engine.scheduler, () => {});
    engine.onChange = () => {
      if (this.#drained.size > 0 && engine.unfinished === 0) for (const resolve of [...this.#drained]) resolve();
    };
    this.#host = {
      unsubscribe: (consumer, options) => engine.subscriber.unsubscribe(consumer, options),
      report: engine.events.error,
      onPressure: engine.pressure.changed,
    };
    this.#requests =
      responseTopic &&
      new Requests({
        limits: engine.limits,
        calls: engine.calls,
        responseTopic,
        publish: (topic, payload, options) => this.publish(topic, payload, options),
        subscribe: (topic, onMessage) => this.subscribe(topic, { onMessage }),
      });
  }

  get clientId(): string {
    return this.#engine.clientId;
  }

  get connected(): boolean {
    return this.status === "connected";
  }

  get status(): Status {
    return this.#engine.status;
  }

  statusUpdates(): AsyncIterableIterator<Status> {
    return StatusFeed.of(this, this.status, this.#engine.limits.statusBuffer);
  }

  on<Event extends keyof ClientEvents>(event: Event, listener: ClientEvents[Event]): () => void {
    const { events, unclaimed } = this.#engine;
    return events.on(event, listener, unclaimed.messages);
  }

  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<PublishResult> {
    if (this.status === "closed") return Promise.reject(closedError());
    const { subscriber, publisher } = this.#engine;
    subscriber.flush();
    return publisher.publish(topic, payload, options);
  }

  async subscribe(filters: string | readonly string[], options: SubscribeOptions = {}): Promise<Subscription> {
    if (this.status === "closed") throw closedError();
    const { subscriber, unclaimed, limits } = this.#engine;
    const list = typeof filters === "string" ? [filters] : [...new Set(filters)];
    const consumer = new Consumer(list, options, limits.subscriptionBuffer, this.#host);
    const granted = subscriber.subscribe(consumer, options);
    unclaimed.claim();
    await granted;
    return consumer;
  }

  request(topic: string, payload: string | Uint8Array, options?: RequestOptions): Promise<Message> {
    if (this.status === "closed") return Promise.reject(closedError());
    if (this.#requests !== undefined) return this.#requests.request(topic, payload, options);
    return Promise.reject(new ClientError("needs-mqtt-5", "Request and response need MQTT 5."));
  }

  reauthenticate(options?: OperationOptions): Promise<void> {
    return this.#engine.reauthenticate(options);
  }

  persisted(): Promise<void> {
    return this.#engine.commit();
  }

  drain(options?: OperationOptions): Promise<void> {
    return this.#drains.run(options, ({ resolve }) => {
      const drained = () => {
        this.#drained.delete(drained);
        resolve();
      };
      this.#drained.add(drained);
      this.#engine.onChange();
      return () => this.#drained.delete(drained);
    });
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#engine.shutDown(closedError(), options, {}).finally(() => this.#drains.close(closedError()));
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

function closedError(): ClientError {
  return new ClientError("closed", "The client is closed.");
}
