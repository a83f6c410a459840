import { type Properties, type QoS, validateTopicFilter, validateTopicName } from "@tidewire/codec";
import { ADMINISTRATIVE_ACTION, SERVER_SHUTTING_DOWN } from "@tidewire/codec/codes";
import type { Scheduler } from "@tidewire/link";
import { nodeScheduler } from "@tidewire/link/node";
import type { Connection, Listen, Listener } from "@tidewire/transport";
import { type ClusterBackend, local } from "./cluster/index.ts";
import { BrokerError } from "./errors.ts";
import type { BrokerEvents, BrokerHooks } from "./hooks/index.ts";
import { type BrokerLimits, CLOSE_TIMEOUT_MS, DEFAULT_LIMITS, SYS_INTERVAL_MS } from "./limits.ts";
import { type BrokerLogger, guardedLogger, silentLogger } from "./logger.ts";
import { Encodings, IncomingPublication } from "./messages/index.ts";
import type { BrokerMetrics } from "./metrics/index.ts";
import { Parts } from "./parts.ts";
import {
  type LocalMessageHandler,
  LocalSubscriber,
  type LocalSubscription,
  Refused,
  SysTopics,
} from "./publishing/index.ts";
import { type BrokerStore, memoryStore, type Publication } from "./storage/index.ts";

export interface BrokerOptions {
  /** Time and turns; Node's by default, a virtual one in tests. */
  readonly scheduler?: Scheduler;
  /** Where state is kept; in memory by default. */
  readonly store?: BrokerStore;
  /** Where the application decides; of several, see `BrokerHooks` for who decides what. */
  readonly hooks?: BrokerHooks | readonly BrokerHooks[];
  /**
   * Whether a session belongs to the user who began it, where a hook authenticates: nobody else gets it or ends it by
   * taking its client identifier (0x85), clients without a name being one user. Default true; false for applications whose
   * user names change from one connection to the next, and whose `authenticate` looks at client identifiers itself.
   */
  readonly sessionsHaveOwners?: boolean;
  /**
   * Whether a retained message is only sent for as long as its publisher may publish it, as `authorizePublish` says at that
   * moment (of a client that may be gone: by its client identifier and user name). Default false: what was published when it
   * was allowed stays. Asked for each retained message that is sent to a new subscription.
   */
  readonly checkRetainedPublisher?: boolean;
  readonly limits?: Partial<BrokerLimits>;
  /** Milliseconds since 1970: where time begins with a store that keeps none of its own. */
  readonly wallClock?: () => number;
  readonly logger?: BrokerLogger;
  /** What connects this broker to others; none by default. */
  readonly cluster?: ClusterBackend;
  /** Milliseconds between two publications of `$SYS` topics; 0 for none. Default 10,000. */
  readonly sysIntervalMs?: number;
}

export interface PublishOptions {
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly properties?: Properties;
}

export interface CloseOptions {
  /** For the DISCONNECT that MQTT 5 clients get. Default 0x8B Server shutting down. */
  readonly reasonCode?: number;
  /** How long connections may take to drain before they are cut. Default 5000. */
  readonly timeoutMs?: number;
}

export interface Broker {
  /** Opens the store and takes up what it holds; rejects when it cannot. Before it nothing is accepted. */
  start(): Promise<void>;
  /** Serves one connection of any transport; to be passed as a `Listen`'s callback. */
  handle(connection: Connection): void;
  /** Listens with `handle`; `close` ends it. Resolves with what `listen` opened. */
  listen<Opened extends Listener>(listen: Listen<Opened>): Promise<Opened>;
  /**
   * Text goes out as UTF-8. Throws `MqttError` on an invalid topic, and `BrokerError` when the broker is not running
   * (`not-running`), has no room for another retained message (`retained-full`) or cannot keep messages at the moment
   * (`store-unavailable`).
   */
  publish(topic: string, payload: Uint8Array | string, options?: PublishOptions): void;
  /** Retained messages that match come first, at the end of this turn. Throws `MqttError` on an invalid filter. */
  subscribe(filter: string, handler: LocalMessageHandler): LocalSubscription;
  metrics(): BrokerMetrics;
  /** Returns what removes the listener. */
  on<Name extends keyof BrokerEvents>(name: Name, listener: (event: BrokerEvents[Name]) => void): () => void;
  /**
   * Ends one client's connection; its session stays. False when it is not connected. `why` is a sentence for the log, such
   * as "Its password has changed.".
   */
  disconnect(clientId: string, reasonCode?: number, why?: string): boolean;
  /** Ends a session for good, with its connection if it has one (0x98), its subscriptions and all that waits. False: none. */
  deleteSession(clientId: string): boolean;
  /** Stops listening, tells the clients, sends what is on its way, closes the store. */
  close(options?: CloseOptions): Promise<void>;
}

export function createBroker(options: BrokerOptions = {}): Broker {
  return new BrokerCore(options);
}

class BrokerCore implements Broker {
  readonly #parts: Parts;
  readonly #sysTopics: SysTopics | undefined;
  readonly #listeners: Listener[] = [];
  #state: "new" | "running" | "closed" = "new";
  #closing: Promise<void> | undefined = undefined;

  constructor(options: BrokerOptions) {
    const { hooks = [], sysIntervalMs = SYS_INTERVAL_MS } = options;
    this.#parts = new Parts({
      scheduler: options.scheduler ?? nodeScheduler(),
      store: options.store ?? memoryStore(),
      hooks: Array.isArray(hooks) ? hooks : [hooks],
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      wallClock: options.wallClock ?? Date.now,
      logger: guardedLogger(options.logger ?? silentLogger),
      cluster: options.cluster ?? local(),
      sessionsHaveOwners: options.sessionsHaveOwners ?? true,
      checkRetainedPublisher: options.checkRetainedPublisher ?? false,
    });
    this.#sysTopics = sysIntervalMs > 0 ? new SysTopics(this.#parts, sysIntervalMs) : undefined;
  }

  async start(): Promise<void> {
    if (this.#state !== "new") {
      const message = "broker.start() was called a second time; make another broker to begin again";
      throw new BrokerError("already-started", message);
    }
    const { storage, retained, sessions, cluster, clock, metrics } = this.#parts;
    const loaded = await storage.open();
    clock.goOnFrom(loaded.time?.nowMs);
    metrics.startedAtMs = clock.nowMs();
    retained.load(loaded.retained);
    sessions.load(loaded.sessions);
    await cluster.start({
      deliver: (publication) => this.#deliver(publication),
      retain: (publication) => this.#parts.retained.set(copyOf(publication)),
      release: (clientId) => this.#parts.sessions.release(clientId),
    });
    this.#state = "running";
    this.#sysTopics?.start();
  }

  handle(connection: Connection): void {
    if (this.#state === "running") {
      this.#parts.acceptor.accept(connection);
    } else {
      connection.abort();
    }
  }

  async listen<Opened extends Listener>(listen: Listen<Opened>): Promise<Opened> {
    const listener = await listen((connection) => this.handle(connection));
    this.#listeners.push(listener);
    return listener;
  }

  publish(topic: string, payload: Uint8Array | string, options: PublishOptions = {}): void {
    validateTopicName(topic);
    this.#assertRunning();
    const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
    const { qos = 0, retain = false, properties } = options;
    const nowMs = this.#parts.clock.nowMs();
    const publication = new IncomingPublication(topic, bytes, qos, retain, properties, undefined, nowMs);
    const receivers = this.#parts.publisher.publish(publication, new Encodings(publication), undefined);
    if (receivers === Refused.RETAINED_FULL) {
      const message = `broker.publish("${topic}") with retain: the retained messages are at their limit; raise retainedCount or retainedBytes, or delete some`;
      throw new BrokerError("retained-full", message);
    }
    if (receivers === Refused.STORE_UNAVAILABLE) {
      const message = `broker.publish("${topic}"): the store cannot keep messages at the moment, see its failure in the log; try again later`;
      throw new BrokerError("store-unavailable", message);
    }
  }

  subscribe(filter: string, handler: LocalMessageHandler): LocalSubscription {
    validateTopicFilter(filter);
    const subscriber = new LocalSubscriber(this.#parts, filter, handler);
    this.#parts.scheduler.defer(() => subscriber.sendRetained());
    return subscriber;
  }

  metrics(): BrokerMetrics {
    const { metrics, router, clock } = this.#parts;
    metrics.subscriptions = router.subscriptionCount;
    metrics.sharedGroups = router.groupCount;
    metrics.uptimeMs = this.#state === "new" ? 0 : clock.nowMs() - metrics.startedAtMs;
    return metrics.snapshot();
  }

  on<Name extends keyof BrokerEvents>(name: Name, listener: (event: BrokerEvents[Name]) => void): () => void {
    return this.#parts.events.on(name, listener);
  }

  disconnect(
    clientId: string,
    reasonCode: number = ADMINISTRATIVE_ACTION,
    why = "The operator ended its connection.",
  ): boolean {
    const connection = this.#parts.sessions.get(clientId)?.connection;
    connection?.disconnect(reasonCode, why);
    return connection !== undefined;
  }

  deleteSession(clientId: string): boolean {
    return this.#parts.sessions.delete(clientId);
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closing ??= this.#close(options);
    return this.#closing;
  }

  async #close(options: CloseOptions): Promise<void> {
    const wasRunning = this.#state === "running";
    this.#state = "closed";
    if (!wasRunning) {
      return;
    }
    const { reasonCode = SERVER_SHUTTING_DOWN, timeoutMs = CLOSE_TIMEOUT_MS } = options;
    const { acceptor, cluster, deadlines, storage } = this.#parts;
    const listeners = this.#listeners.map((listener) => listener.close());
    await acceptor.close(reasonCode, timeoutMs);
    // Whatever fails on the way, the store is closed.
    const closed = await Promise.allSettled(listeners);
    this.#sysTopics?.stop();
    deadlines.clear();
    closed.push(...(await Promise.allSettled([cluster.stop()])));
    await storage.close();
    const failed = closed.find((result) => result.status === "rejected");
    if (failed !== undefined) {
      throw failed.reason;
    }
  }

  /** What another node accepted. */
  #deliver(publication: Publication): void {
    const copy = copyOf(publication);
    this.#parts.router.publish(copy, new Encodings(copy));
  }

  #assertRunning(): void {
    if (this.#state !== "running") {
      const message = `the broker is ${this.#state === "new" ? "not started; await broker.start() first" : "closed"}`;
      throw new BrokerError("not-running", message);
    }
  }
}

function copyOf(publication: Publication): IncomingPublication {
  const { topic, payload, qos, retain, properties, publisher, receivedAtMs, publisherUser } = publication;
  return new IncomingPublication(topic, payload, qos, retain, properties, publisher, receivedAtMs, publisherUser);
}
