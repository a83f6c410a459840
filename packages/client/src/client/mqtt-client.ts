import type { ConnectPacket, Properties } from "@tidewire/codec";
import { UNSUPPORTED_PROTOCOL_VERSION } from "@tidewire/codec/codes";
import { createClientLinkLoop, type Link, type LinkLoop, type Scheduler } from "@tidewire/link";
import { type ClientProtocol, createClientProtocol, outgoingTopicAliases } from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import { Calls, type OperationOptions, onAbort, rejected, watch } from "../calls/index.ts";
import { type Attempt, Connector } from "../connection/index.ts";
import { ClientError, callError, closedError, endError, handshakeError, invalidArgument } from "../errors/index.ts";
import { type ClientEvents, Events, type Status, type StatusDetail, statusFeed } from "../events/index.ts";
import { type ConnectOptions, connectPacket, isTransient, randomClientId, type Target } from "../handshake/index.ts";
import { defaultLimits } from "../limits.ts";
import { type AsyncPayload, isAsync, type Message, type Payload } from "../messages/index.ts";
import { Persistence } from "../persistence/index.ts";
import { Publisher, type PublishOptions, type PublishResult } from "../publishing/index.ts";
import {
  Consumer,
  type ConsumerHost,
  Incoming,
  Pressure,
  type SubscribeOptions,
  Subscriber,
  type Subscription,
} from "../subscribing/index.ts";
import type { Client, CloseOptions, RequestOptions } from "./client.ts";
import type { Core } from "./core.ts";
import { Requests } from "./requests.ts";
import { onWake } from "./wake.ts";

/**
 * A client: its parts and how they hang together, what each is told when a connection comes or goes, and the status
 * that follows from it.
 */
export class MqttClient implements Client {
  clientId: string;
  status: Status = "connecting";
  readonly #core: Core;
  readonly #loop: LinkLoop;
  readonly #events = new Events();
  /** Calls that end with something other than an answer to a packet of their own. */
  readonly #flushes: Calls;
  readonly #reauthentications: Calls;
  readonly #checks: Calls;
  readonly #persistence: Persistence;
  readonly #publisher: Publisher;
  readonly #subscriber: Subscriber;
  readonly #incoming: Incoming;
  readonly #pressure: Pressure;
  readonly #requests: Requests;
  readonly #connector: Connector;
  readonly #consumers: ConsumerHost;
  /** A session of this client has begun: from now on connections resume it. */
  #began = false;
  #onDisconnected: () => void = () => {};
  #stopWaking: () => void = () => {};
  #closed: Promise<void> | undefined;
  readonly #stopSignal: (() => void) | undefined;
  readonly #release: (() => void) | undefined;

  constructor(target: Target, options: ConnectOptions, scheduler: Scheduler) {
    const { report } = this.#events;
    const changed = () => this.#changed();
    const startedAtMs = Date.now() - scheduler.now();
    const inflight = () => this.#persistence.inflight;
    const core: Core = {
      options,
      get inflight() {
        return inflight();
      },
      version: options.protocolVersion ?? 5,
      limits: { ...defaultLimits, ...options.limits },
      scheduler,
      calls: new Calls(scheduler, report, changed),
      link: undefined,
      report,
      // A monotonic clock may stand still while the machine sleeps; messages expire meanwhile. Virtual time has no other.
      wallNow: options.scheduler === undefined ? Date.now : () => startedAtMs + scheduler.now(),
      changed,
      staged: () => this.#persistence.commitSoon(),
      fail: (error) => {
        this.#closed ??= this.#shutDown(error, {}, { error });
      },
    };
    this.#core = core;
    this.#release = scheduler.hold?.();
    const { signal } = options;
    this.#stopSignal = signal && onAbort(signal, () => void this.close());
    this.clientId = options.clientId ?? randomClientId();
    this.#loop = createClientLinkLoop({
      scheduler,
      barrier: () => this.#persistence.barrier(),
      onError: (cause) => report(new ClientError("handler-failed", "A handler threw; `cause` is what.", { cause })),
    });
    this.#flushes = new Calls(scheduler, report);
    this.#reauthentications = new Calls(scheduler, report, changed);
    this.#checks = new Calls(scheduler, report, changed);
    this.#publisher = new Publisher(core);
    this.#subscriber = new Subscriber(core);
    this.#incoming = new Incoming(core, this.#events, this.#subscriber.index);
    this.#pressure = new Pressure(core, () => this.#unanswered > 0 || this.#publisher.inFlight > 0);
    this.#requests = new Requests(core, this);
    this.#consumers = {
      unsubscribe: (consumer, options) =>
        this.status === "closed" ? Promise.resolve() : this.#subscriber.unsubscribe(consumer, options),
      report,
      onPressure: this.#pressure.changed,
    };
    this.#connector = new Connector(target, {
      options,
      limits: core.limits,
      scheduler,
      connectPacket: () => connectPacket(core, this.clientId, this.#began),
      open: (connection, connect, attempt) => this.#open(connection, connect, attempt),
      otherVersion: ({ reasonCode }) => {
        const other = reasonCode === UNSUPPORTED_PROTOCOL_VERSION && options.protocolVersion === undefined;
        if (!other || core.version === 4) {
          return false;
        }
        core.version = 4;
        return true;
      },
      onRetry: (detail) => this.#setStatus(this.#began ? "reconnecting" : "connecting", detail),
    });
    this.#persistence = new Persistence(core, this.clientId, (store, saved) => {
      if (this.status !== "closed") {
        this.#publisher.load(store, saved);
      }
    });
  }

  /** Loads what is stored, then connects, again and again. */
  async start(): Promise<void> {
    try {
      await this.#persistence.opened;
      if (this.status === "closed") {
        return;
      }
      this.#stopWaking = onWake(this.#wake);
      await this.#connector.run();
    } catch (cause) {
      // What is no error of this client comes from a function among the options, such as `redirect`.
      const known = cause instanceof ClientError;
      const error = known
        ? cause
        : new ClientError("handler-failed", "A function among the options threw; `cause` is what.", { cause });
      // Listeners for the status are told anyway.
      if (this.#events.has("error") || !this.#events.has("status")) {
        this.#events.report(error);
      }
      this.#closed ??= this.#shutDown(error, {}, { error });
    }
  }

  get connected(): boolean {
    return this.status === "connected";
  }

  statusUpdates(): AsyncIterableIterator<Status> {
    return statusFeed(this, this.#core.limits.statusBuffer);
  }

  on<Event extends keyof ClientEvents>(event: Event, listener: ClientEvents[Event]): () => void {
    const stop = this.#events.on(event, listener);
    if (event === "message") {
      for (const message of this.#incoming.unclaimed) {
        this.#events.tell("message", listener as ClientEvents["message"], message);
      }
    }
    return stop;
  }

  publish(topic: string, payload: Payload | AsyncPayload, options?: PublishOptions): Promise<PublishResult> {
    if (this.status === "closed") {
      return this.#refuse("publish", topic, closedError());
    }
    if (isAsync(payload)) {
      const read = payload.arrayBuffer().then(
        (bytes) => this.publish(topic, bytes, options),
        (cause: unknown) => {
          throw callError("publish", topic, invalidArgument(cause));
        },
      );
      return watch(read, this.#events.report);
    }
    this.#subscriber.flush();
    return this.#publisher.publish(topic, payload, options);
  }

  subscribe(filters: string | readonly string[], options: SubscribeOptions = {}): Promise<Subscription> {
    if (this.status === "closed") {
      return this.#refuse("subscribe", filters, closedError());
    }
    const consumer = new Consumer(filters, options, this.#core.limits.subscriptionBuffer, this.#consumers);
    const granted = this.#subscriber.subscribe(consumer, options);
    this.#incoming.claim();
    return granted;
  }

  request(topic: string, payload: Payload | AsyncPayload, options?: RequestOptions): Promise<Message> {
    if (this.status === "closed") {
      return this.#refuse("request", topic, closedError());
    }
    if (this.#core.version === 5) {
      return this.#requests.request(topic, payload, options);
    }
    return this.#refuse("request", topic, new ClientError("needs-mqtt-5", "It needs protocolVersion 5."));
  }

  reauthenticate(options?: OperationOptions): Promise<void> {
    const { link } = this.#core;
    if (link === undefined) {
      return this.#refuse("reauthenticate", undefined, new ClientError("connection-lost", NO_CONNECTION));
    }
    return this.#reauthentications.run("reauthenticate", undefined, options, (call) => {
      try {
        link.protocol.reauthenticate(link.loop.now);
        link.touch();
      } catch (error) {
        call.reject(invalidArgument(error));
      }
    });
  }

  checkConnection({ timeoutMs = this.#core.limits.checkTimeoutMs, ...options }: OperationOptions = {}): Promise<void> {
    const { link } = this.#core;
    if (link === undefined) {
      this.#connector.hurry();
      return this.#refuse("checkConnection", undefined, new ClientError("connection-lost", NO_CONNECTION));
    }
    return this.#checks.run("checkConnection", undefined, options, () => {
      link.protocol.probe(this.#loop.now, timeoutMs);
      link.touch();
    });
  }

  reconnect(): void {
    this.#connector.again(new ClientError("connection-lost", "reconnect() was called."));
  }

  persisted(): Promise<void> {
    return watch(this.#persistence.commit(), this.#events.report);
  }

  flush(options?: OperationOptions): Promise<void> {
    return this.#flushes.run("flush", undefined, options, () => this.#changed());
  }

  close(options: CloseOptions = {}): Promise<void> {
    this.#closed ??= this.#shutDown(closedError(), options, {});
    return this.#closed;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** A call that fails at once. */
  #refuse(name: string, argument: unknown, error: ClientError): Promise<never> {
    return rejected(callError(name, argument, error), this.#events.report);
  }

  /** Calls that wait for an answer from the server. */
  get #unanswered(): number {
    return this.#core.calls.size + this.#reauthentications.size + this.#checks.size;
  }

  #changed(): void {
    this.#pressure.update();
    if (this.#flushes.size === 0) {
      return;
    }
    const { queued } = this.#publisher;
    if (queued + this.#persistence.inflight.outgoingCount + this.#unanswered === 0) {
      this.#flushes.resolveAll();
    }
  }

  #setStatus(status: Status, detail: StatusDetail): void {
    this.status = status;
    this.#events.emit("status", status, detail);
  }

  #open(connection: Connection, connect: ConnectPacket, attempt: Attempt): (error: ClientError) => void {
    let properties: Properties | undefined;
    let accepted = false;
    const publisher = this.#publisher;
    const subscriber = this.#subscriber;
    const { options, limits } = this.#core;
    const { authenticator } = options;
    const link: Link<ClientProtocol> = this.#loop.attach(connection, {
      decoder: {
        version: connect.version,
        maximumPacketSize: connect.properties?.maximumPacketSize ?? limits.maximumPacketSize,
      },
      createProtocol: (writer) => {
        const protocol = createClientProtocol({
          connect,
          inflight: this.#persistence.inflight,
          writer,
          // Who sets a Receive Maximum means it.
          receiveTolerance: connect.properties?.receiveMaximum === defaultLimits.receiveMaximum ? RECEIVE_TOLERANCE : 0,
          topicAliases: outgoingTopicAliases(limits.outgoingTopicAliases),
          ...(authenticator && { authenticator: authenticator() }),
          handler: {
            onConnack: ({ sessionPresent, properties }, lost) => {
              this.#began = accepted = true;
              this.clientId = properties?.assignedClientIdentifier ?? this.clientId;
              attempt.onConnack();
              this.#core.link = link;
              this.#pressure.update();
              this.#incoming.online(sessionPresent);
              subscriber.online(sessionPresent);
              publisher.online(sessionPresent, lost);
              this.#setStatus("connected", { sessionPresent });
            },
            onPublish: (packet) => this.#incoming.receive(packet, link),
            onSettled: (packetId, _message, reasonCode, properties) =>
              publisher.settled(packetId, reasonCode, properties),
            onPong: () => this.#checks.resolveAll(),
            onReauthenticated: () => this.#reauthentications.resolveAll(),
            onSendQuota: () => publisher.pump(),
            onSuback: (packet) => subscriber.answered(packet),
            onUnsuback: (packet) => subscriber.answered(packet),
            onDisconnect: (packet) => {
              properties = packet.properties;
            },
            onEnd: (end) => {
              const error = accepted ? endError(end) : handshakeError(end, connect.version);
              this.#core.link = undefined;
              subscriber.offline();
              publisher.offline();
              this.#reauthentications.rejectAll(error);
              this.#checks.rejectAll(error);
              attempt.onEnd(error, properties ?? link.protocol.connack?.properties);
            },
          },
        });
        protocol.sendMaximum = publisher.sendMaximum;
        return protocol;
      },
      handler: { onWritable: () => publisher.pump(), onClosed: () => this.#onDisconnected() },
    });
    link.protocol.open(this.#loop.now);
    link.touch();
    return (error) => link.abort(error);
  }

  /** The end for good. `error` is what those who wait are told. */
  async #shutDown(error: ClientError, options: CloseOptions, detail: StatusDetail): Promise<void> {
    if (this.status === "closed") {
      return;
    }
    this.#stopWaking();
    this.#stopSignal?.();
    const disconnected = this.#disconnect(options);
    this.#connector.stop(error);
    this.#publisher.close(error);
    this.#core.calls.rejectAll(error);
    this.#incoming.close();
    for (const { consumers } of this.#subscriber.index.values()) {
      for (const consumer of consumers) {
        consumer.end(detail.error);
      }
    }
    this.#setStatus("closed", detail);
    await disconnected;
    await this.#persistence.close();
    this.#release?.();
    this.#flushes.rejectAll(error);
  }

  /** Sends DISCONNECT; resolves when the connection has ended, or has had its time to. */
  #disconnect({ reasonCode = 0, sessionExpiryInterval, timeoutMs }: CloseOptions): Promise<void> {
    const { link, scheduler, limits, version } = this.#core;
    if (link === undefined) {
      return Promise.resolve();
    }
    // A session that nobody asked to be kept is not left behind.
    const expiry = sessionExpiryInterval ?? (isTransient(this.#core) ? 0 : undefined);
    return new Promise((resolve) => {
      const timer = scheduler.setTimer(() => {
        // The link is closing already, which is not enough for a peer that takes no bytes.
        link.connection.abort();
        resolve();
      }, timeoutMs ?? limits.closeTimeoutMs);
      this.#onDisconnected = () => {
        scheduler.clearTimer(timer);
        resolve();
      };
      const properties = version === 5 && expiry !== undefined ? { sessionExpiryInterval: expiry } : undefined;
      try {
        link.protocol.disconnect(reasonCode, this.#loop.now, properties);
        link.touch();
      } catch (cause) {
        this.#events.report(callError("close", undefined, invalidArgument(cause)));
        link.abort();
      }
    });
  }

  /** The network is back, or the user: whoever waits to connect need not, and a connection may have died meanwhile. */
  readonly #wake = (): void => {
    this.#connector.hurry();
    if (this.connected && this.#checks.size === 0) {
      // Its end is told by the status.
      this.checkConnection().catch(() => {});
    }
  };
}

const NO_CONNECTION = "There is no connection; another is being made.";
/** What a server may send above Receive Maximum, where it is the default: mosquitto 2.0.11 does, to no harm. */
const RECEIVE_TOLERANCE = 4_096;
