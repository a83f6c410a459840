import type { ConnectPacket, Properties } from "@tidewire/codec";
import { createClientLinkLoop, type Link, type LinkLoop, type Scheduler } from "@tidewire/link";
import {
  type ClientSession,
  type ClientSessionHandler,
  createClientSession,
  createInflight,
  type Inflight,
} from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import { connectPacket } from "./connect-packet.ts";
import { type Attempt, Connector } from "./connector.ts";
import { Dispatcher } from "./dispatcher.ts";
import { ClientError } from "./errors.ts";
import { Events } from "./events.ts";
import { FilterIndex } from "./filter-index.ts";
import type { CloseOptions, OperationOptions, Status, StatusDetail } from "./interfaces.ts";
import { type ClientLimits, defaultLimits } from "./limits.ts";
import type { ConnectOptions, Target } from "./options.ts";
import { PendingCalls } from "./pending-calls.ts";
import { Pressure } from "./pressure.ts";
import { Publisher } from "./publisher.ts";
import { Reauthentication } from "./reauthentication.ts";
import { endError } from "./session-errors.ts";
import type { ClientStore } from "./store.ts";
import { type FilterEntry, Subscriber } from "./subscriber.ts";
import { Unclaimed } from "./unclaimed.ts";

/** Of browsers and workers, which say here that the network is back; Node has no such events. */
const networkEvents = globalThis as unknown as Partial<Pick<EventTarget, "addEventListener" | "removeEventListener">>;

/**
 * The parts of a client and how they hang together: which connection is in force, what each part is told when one
 * comes or goes, and the status that follows from it.
 */
export class Engine {
  readonly limits: ClientLimits;
  readonly scheduler: Scheduler;
  readonly events: Events = new Events();
  readonly calls: PendingCalls;
  readonly publisher: Publisher;
  readonly subscriber: Subscriber;
  readonly pressure: Pressure;
  readonly unclaimed: Unclaimed;
  readonly store: ClientStore | undefined;
  clientId: string;
  status: Status = "connecting";
  /** Called when what is unfinished has changed. */
  onChange: () => void = () => {};
  readonly #options: ConnectOptions;
  readonly #index = new FilterIndex<FilterEntry>();
  readonly #dispatcher: Dispatcher;
  readonly #reauthentication: Reauthentication;
  readonly #connector: Connector;
  readonly #loop: LinkLoop;
  #inflight: Inflight;
  readonly #opened: Promise<void>;
  #link: Link<ClientSession> | undefined;
  #onClosed: (() => void) | undefined;
  /** A session of this client has begun: from now on connections resume it. */
  #began = false;
  #commitScheduled = false;

  constructor(target: Target, options: ConnectOptions, scheduler: Scheduler) {
    this.#options = options;
    this.scheduler = scheduler;
    this.limits = { ...defaultLimits, ...options.limits };
    this.clientId = options.clientId ?? randomClientId();
    this.store = options.store;
    this.#inflight = createInflight(this.store);
    this.#loop = createClientLinkLoop({
      scheduler,
      barrier: () => this.store?.commit(),
      onError: (cause) => this.events.error(new ClientError("handler-failed", "A handler threw.", { cause })),
    });
    const report = this.events.error;
    const change = () => {
      this.pressure.update();
      this.onChange();
    };
    this.calls = new PendingCalls(scheduler, change);
    this.#reauthentication = new Reauthentication(this.calls);
    const startedAtMs = Date.now() - scheduler.now();
    this.publisher = new Publisher({
      version: options.protocolVersion ?? 5,
      scheduler,
      queue: options.offlineQueue ?? {},
      sessionLost: options.sessionLost ?? "resend",
      // A monotonic clock may stand still while the machine sleeps; messages expire meanwhile. Virtual time has no other.
      wallNow: options.scheduler === undefined ? Date.now : () => startedAtMs + scheduler.now(),
      onStaged: () => this.#scheduleCommit(),
      onChange: change,
    });
    this.pressure = new Pressure(() => this.calls.size > 0 || this.publisher.inFlight > 0);
    this.subscriber = new Subscriber({ scheduler, limits: this.limits, index: this.#index, calls: this.calls, report });
    this.#dispatcher = new Dispatcher({
      index: this.#index,
      onMessage: (message) => this.events.message(message),
      onUnclaimed: (message) => this.unclaimed.add(message),
    });
    this.unclaimed = new Unclaimed({
      scheduler,
      holdMs: this.limits.unclaimedHoldMs,
      heard: () => this.events.has("message"),
      consumersOf: (message) => this.#dispatcher.consumersOf(message),
      report,
    });
    this.#connector = new Connector({
      target,
      scheduler,
      reconnect: options.reconnect ?? {},
      redirect: options.redirect,
      redirects: this.limits.redirects,
      connectTimeoutMs: options.connectTimeoutMs ?? defaultConnectTimeoutMs,
      connectPacket: () => this.#connectPacket(),
      open: (connection, connect, attempt) => this.#open(connection, connect, attempt),
      onRetry: (detail) => this.#setStatus(this.#began ? "reconnecting" : "connecting", detail),
      onGiveUp: (error) => {
        this.events.gaveUp(error);
        void this.shutDown(error, {});
      },
    });
    this.#opened = this.#openStore();
    // Whoever waits for it is told.
    this.#opened.catch(() => {});
  }

  /** QoS 1 and 2 exchanges that are not finished, those of an earlier life included. */
  get unfinished(): number {
    return this.publisher.queued + this.#inflight.outgoingCount + this.calls.size;
  }

  /** Loads what is stored, then connects, again and again. */
  async start(): Promise<void> {
    try {
      await this.#opened;
      if (this.status === "closed") return;
      // With the network back there is nothing to wait for.
      networkEvents.addEventListener?.("online", this.#hurry);
      await this.#connector.run();
    } catch (cause) {
      // The store, or a function among the options, such as `redirect`.
      const error =
        cause instanceof ClientError ? cause : new ClientError("handler-failed", "An option threw.", { cause });
      this.events.gaveUp(error);
      await this.shutDown(error, {});
    }
  }

  reauthenticate(options: OperationOptions | undefined): Promise<void> {
    return this.#reauthentication.begin(this.#link, options);
  }

  /** Makes what is staged durable. */
  async commit(): Promise<void> {
    await this.#opened;
    try {
      await this.store?.commit();
    } catch (cause) {
      throw new ClientError("store-failed", "The store failed.", { cause });
    }
  }

  /** The end for good. `error` is what those who wait are told. */
  async shutDown(error: ClientError, options: CloseOptions, detail: StatusDetail = { error }): Promise<void> {
    if (this.status === "closed") return;
    networkEvents.removeEventListener?.("online", this.#hurry);
    const link = this.#link;
    const closed = this.#disconnect(options);
    this.#connector.stop(error);
    if (link === undefined) this.#offline();
    this.publisher.close(error);
    this.calls.close(error);
    this.unclaimed.close();
    for (const entry of this.#index.values()) for (const consumer of entry.consumers) consumer.end();
    this.#setStatus("closed", detail);
    await closed;
    try {
      await this.#opened.catch(() => {});
      await this.store?.close();
    } catch (cause) {
      this.events.error(new ClientError("store-failed", "The store could not be closed.", { cause }));
    }
  }

  async #openStore(): Promise<void> {
    if (this.store === undefined) return;
    try {
      const saved = await this.store.open(this.clientId);
      this.#inflight = createInflight(this.store, saved.inflight);
      if (this.status !== "closed") this.publisher.load(this.store, saved);
    } catch (cause) {
      const taken = (cause as { readonly code?: unknown }).code === "client-id-in-use";
      throw taken
        ? new ClientError("client-id-in-use", "Somebody else uses this client id.", { cause })
        : new ClientError("store-failed", "The store could not be opened.", { cause });
    }
  }

  /** Sends DISCONNECT; resolves when the connection has ended, or has had its time to. */
  #disconnect({ reasonCode = 0, sessionExpiryInterval, timeoutMs }: CloseOptions): Promise<void> {
    const link = this.#link;
    if (link === undefined) return Promise.resolve();
    // A session that nobody asked to be kept is not left behind.
    const transient = this.#options.sessionExpiryInterval === undefined && this.store === undefined;
    const expiry = sessionExpiryInterval ?? (transient ? 0 : undefined);
    const { scheduler } = this;
    return new Promise((resolve) => {
      const timer = scheduler.setTimer(() => {
        // The link is closing already, which is not enough for a peer that takes no bytes.
        link.connection.abort();
        resolve();
      }, timeoutMs ?? this.limits.closeTimeoutMs);
      this.#onClosed = () => {
        scheduler.clearTimer(timer);
        resolve();
      };
      const properties =
        link.session.version === 5 && expiry !== undefined ? { sessionExpiryInterval: expiry } : undefined;
      link.session.disconnect(reasonCode, this.#loop.now, properties);
      link.touch();
    });
  }

  async #connectPacket(): Promise<ConnectPacket> {
    const { username, password, credentials } = this.#options;
    const given = (await credentials?.()) ?? {
      ...(username !== undefined && { username }),
      ...(password !== undefined && { password }),
    };
    return connectPacket(this.#options, this.limits, {
      clientId: this.clientId,
      cleanStart: this.#cleanStart(),
      credentials: given,
    });
  }

  #cleanStart(): boolean {
    const { protocolVersion, cleanStart, sessionExpiryInterval, store } = this.#options;
    const wanted = cleanStart ?? (sessionExpiryInterval === undefined && store === undefined);
    // In 3.1.1 the flag also says that the session ends with the connection, so it stays the same.
    return protocolVersion === 4 ? wanted : wanted && !this.#began;
  }

  #open(connection: Connection, connect: ConnectPacket, attempt: Attempt): (error: ClientError) => void {
    let properties: Properties | undefined;
    const handler: ClientSessionHandler = {
      onConnack: ({ sessionPresent, properties }, lost) => {
        this.#began = true;
        this.clientId = properties?.assignedClientIdentifier ?? this.clientId;
        attempt.onConnack();
        this.#link = link;
        this.pressure.online(link);
        if (sessionPresent) this.unclaimed.open();
        else {
          this.unclaimed.close();
          this.#dispatcher.forget();
        }
        this.subscriber.online(link, sessionPresent);
        this.publisher.online(link, lost, sessionPresent);
        this.#setStatus("connected", { sessionPresent });
      },
      onPublish: (packet) => this.#dispatcher.receive(packet, link),
      onSettled: (packetId, _message, reasonCode, properties) => {
        this.publisher.settled(packetId, reasonCode, properties);
        this.#scheduleCommit();
      },
      onReauthenticated: () => this.#reauthentication.succeeded(),
      onSendQuota: () => this.publisher.pump(),
      onSuback: (packet) => this.subscriber.answered(packet),
      onUnsuback: (packet) => this.subscriber.answered(packet),
      onDisconnect: (packet) => {
        properties = packet.properties;
      },
      onEnd: (end) => {
        this.#offline();
        this.#reauthentication.lost(endError(end));
        attempt.onEnd(endError(end), properties ?? link.session.connack?.properties);
      },
    };
    const link: Link<ClientSession> = this.#loop.attach(connection, {
      decoder: {
        version: connect.version,
        maximumPacketSize: connect.properties?.maximumPacketSize ?? this.limits.maximumPacketSize,
      },
      createSession: (writer) =>
        createClientSession({
          connect,
          inflight: this.#inflight,
          writer,
          handler,
          ...(this.#options.authenticator && { authenticator: this.#options.authenticator() }),
        }),
      handler: { onWritable: () => this.publisher.pump(), onClosed: () => this.#onClosed?.() },
    });
    link.session.open(this.#loop.now);
    link.touch();
    return (error) => link.abort(error);
  }

  readonly #hurry = (): void => this.#connector.hurry();

  #offline(): void {
    this.#link = undefined;
    this.pressure.offline();
    this.subscriber.offline();
    this.publisher.offline();
  }

  #setStatus(status: Status, detail: StatusDetail): void {
    this.status = status;
    this.events.status(status, detail);
  }

  /** For what is staged without bytes to send; once a turn. */
  #scheduleCommit(): void {
    if (this.store === undefined || this.#commitScheduled) return;
    this.#commitScheduled = true;
    this.scheduler.defer(() => {
      this.#commitScheduled = false;
      this.commit().catch(this.events.error);
    });
  }
}

/** Longer than a slow handshake, shorter than a person waits. */
export const defaultConnectTimeoutMs = 30_000;

function randomClientId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(10));
  // 23 characters of digits and letters are what every server accepts [MQTT-3.1.3-5].
  return `tw${Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("")}`;
}
