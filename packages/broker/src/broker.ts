import { type Properties, type QoS, validateTopicFilter, validateTopicName } from "@tidewire/codec";
import { ADMINISTRATIVE_ACTION, SERVER_SHUTTING_DOWN } from "@tidewire/codec/codes";
import type { Scheduler } from "@tidewire/link";
import { nodeScheduler } from "@tidewire/link/node";
import type { Connection, Listen, Listener } from "@tidewire/transport";
import { Acceptor } from "./acceptor.ts";
import { type ClusterBackend, local } from "./cluster.ts";
import { BrokerContext } from "./context.ts";
import { Encodings } from "./encodings.ts";
import type { BrokerEvents } from "./events.ts";
import type { BrokerHooks } from "./hooks.ts";
import { type BrokerLimits, CLOSE_TIMEOUT_MS, DEFAULT_LIMITS, SYS_INTERVAL_MS } from "./limits.ts";
import { type LocalMessageHandler, LocalSubscriber, type LocalSubscription } from "./local-subscriber.ts";
import { type BrokerLogger, silentLogger } from "./logger.ts";
import { memoryStore } from "./memory-store.ts";
import type { BrokerMetrics } from "./metrics.ts";
import { IncomingPublication } from "./publication.ts";
import type { BrokerStore, Publication } from "./store.ts";
import { SysTopics } from "./sys-topics.ts";

export interface BrokerOptions {
  /** Time and turns; Node's by default, a virtual one in tests. */
  readonly scheduler?: Scheduler;
  /** Where state is kept; in memory by default. */
  readonly store?: BrokerStore;
  readonly hooks?: BrokerHooks;
  readonly limits?: Partial<BrokerLimits>;
  /** Milliseconds since 1970, for what has to mean the same after a restart. */
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
  /** Throws `MqttError` on an invalid topic. Text goes out as UTF-8. */
  publish(topic: string, payload: Uint8Array | string, options?: PublishOptions): void;
  /** Retained messages that match come first, at the end of this turn. Throws `MqttError` on an invalid filter. */
  subscribe(filter: string, handler: LocalMessageHandler): LocalSubscription;
  metrics(): BrokerMetrics;
  /** Returns what removes the listener. */
  on<Name extends keyof BrokerEvents>(name: Name, listener: (event: BrokerEvents[Name]) => void): () => void;
  /** Ends one client's connection; its session stays. False when it is not connected. */
  disconnect(clientId: string, reasonCode?: number): boolean;
  /** Stops listening, tells the clients, sends what is on its way, closes the store. */
  close(options?: CloseOptions): Promise<void>;
}

export function createBroker(options: BrokerOptions = {}): Broker {
  return new BrokerCore(options);
}

class BrokerCore implements Broker {
  readonly #context: BrokerContext;
  readonly #acceptor: Acceptor;
  readonly #sysTopics: SysTopics | undefined;
  readonly #listeners: Listener[] = [];
  #state: "new" | "running" | "closed" = "new";
  #closing: Promise<void> | undefined = undefined;

  constructor(options: BrokerOptions) {
    this.#context = new BrokerContext({
      scheduler: options.scheduler ?? nodeScheduler(),
      store: options.store ?? memoryStore(),
      hooks: options.hooks ?? {},
      limits: { ...DEFAULT_LIMITS, ...options.limits },
      wallClock: options.wallClock ?? Date.now,
      logger: options.logger ?? silentLogger,
      cluster: options.cluster ?? local(),
    });
    this.#acceptor = new Acceptor(this.#context);
    const sysIntervalMs = options.sysIntervalMs ?? SYS_INTERVAL_MS;
    this.#sysTopics = sysIntervalMs > 0 ? new SysTopics(this.#context, sysIntervalMs) : undefined;
  }

  async start(): Promise<void> {
    if (this.#state !== "new") {
      throw new Error("a broker is started once");
    }
    const { storage, retained, sessions, cluster, clock, metrics } = this.#context;
    const loaded = await storage.durable.open();
    metrics.startedAtMs = clock.nowMs();
    retained.load(loaded.retained);
    sessions.load(loaded.sessions);
    await cluster.start({
      deliver: (publication) => this.#deliver(publication),
      retain: (publication) => this.#context.retained.set(this.#copy(publication)),
      release: (clientId) => this.#context.sessions.release(clientId),
    });
    this.#state = "running";
    this.#sysTopics?.start();
  }

  handle(connection: Connection): void {
    if (this.#state === "running") {
      this.#acceptor.accept(connection);
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
    const nowMs = this.#context.clock.nowMs();
    const publication = new IncomingPublication(topic, bytes, qos, retain, properties, undefined, nowMs);
    this.#context.publisher.publish(publication, new Encodings(publication), undefined);
  }

  subscribe(filter: string, handler: LocalMessageHandler): LocalSubscription {
    validateTopicFilter(filter);
    const subscriber = new LocalSubscriber(this.#context, filter, handler);
    this.#context.scheduler.defer(() => subscriber.sendRetained());
    return subscriber;
  }

  metrics(): BrokerMetrics {
    const { metrics, router, clock } = this.#context;
    metrics.subscriptions = router.subscriptionCount;
    metrics.sharedGroups = router.groupCount;
    metrics.uptimeMs = this.#state === "new" ? 0 : clock.nowMs() - metrics.startedAtMs;
    return metrics.snapshot();
  }

  on<Name extends keyof BrokerEvents>(name: Name, listener: (event: BrokerEvents[Name]) => void): () => void {
    return this.#context.events.on(name, listener);
  }

  disconnect(clientId: string, reasonCode: number = ADMINISTRATIVE_ACTION): boolean {
    const connection = this.#context.sessions.get(clientId)?.connection;
    connection?.disconnect(reasonCode);
    return connection !== undefined;
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
    const { deadlines, cluster, storage } = this.#context;
    const closed = this.#listeners.map((listener) => listener.close());
    await this.#acceptor.close(reasonCode, timeoutMs);
    await Promise.all(closed);
    this.#sysTopics?.stop();
    deadlines.clear();
    await cluster.stop();
    await storage.close();
  }

  /** What another node accepted. */
  #deliver(publication: Publication): void {
    const copy = this.#copy(publication);
    this.#context.router.publish(copy, new Encodings(copy));
  }

  #copy({ topic, payload, qos, retain, properties, publisher, receivedAtMs }: Publication): IncomingPublication {
    return new IncomingPublication(topic, payload, qos, retain, properties, publisher, receivedAtMs);
  }

  #assertRunning(): void {
    if (this.#state !== "running") {
      throw new Error("the broker is not running");
    }
  }
}
