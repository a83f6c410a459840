import type { ConnectPacket, ProtocolVersion, PublishPacket } from "@tidewire/codec";
import type { Scheduler } from "@tidewire/link";
import { ClientError, closedError, requestError } from "../errors/index.ts";
import type { Status } from "../events/index.ts";
import { BackOff, checkUrl, connectPacket, isFatal, isTransient, randomClientId } from "../handshake/index.ts";
import type { Payload } from "../messages/index.ts";
import type { PublishResult } from "../publishing/index.ts";
import { announced, type ConnectionHandler, MAXIMUM_QUEUED, PacketIds, SocketConnection } from "../socket/index.ts";
import { Exchanges } from "./exchanges.ts";
import type {
  LiteClient,
  LiteOptions,
  LitePublishOptions,
  LiteSubscribeOptions,
  LiteSubscription,
  LiteTarget,
} from "./lite-client.ts";
import { Subscriptions } from "./subscriptions.ts";

/** One session over as many connections as it takes: makes them, one after the other, and says how it stands. */
export class LiteMqttClient implements LiteClient {
  clientId: string;
  status: Status = "connecting";
  readonly options: LiteOptions;
  readonly version: ProtocolVersion;
  readonly limits: typeof announced = announced;
  readonly #target: LiteTarget;
  readonly #scheduler: Scheduler;
  readonly #backOff: BackOff;
  readonly #ids = new PacketIds();
  readonly #exchanges: Exchanges;
  readonly #subscriptions: Subscriptions;
  #connection: SocketConnection | undefined;
  #retry: unknown;
  /** The server has accepted once: from then on connections resume the session. */
  #began = false;

  constructor(target: LiteTarget, options: LiteOptions, scheduler: Scheduler) {
    this.#target = target;
    this.options = options;
    this.version = options.protocolVersion ?? 5;
    this.clientId = options.clientId ?? randomClientId();
    this.#scheduler = scheduler;
    if (typeof target !== "function") {
      checkUrl(target);
    }
    this.#backOff = new BackOff(options.reconnect || {});
    this.#exchanges = new Exchanges(this.#ids, scheduler, options.maximumQueued ?? MAXIMUM_QUEUED);
    this.#subscriptions = new Subscriptions(this.#report);
    void this.#connect();
  }

  publish(topic: string, payload: Payload, options?: LitePublishOptions): Promise<PublishResult> {
    if (this.status === "closed") {
      return Promise.reject(closedError());
    }
    return this.#exchanges.publish(topic, payload, options);
  }

  subscribe(filter: string, options: LiteSubscribeOptions): Promise<LiteSubscription> {
    if (this.status === "closed") {
      return Promise.reject(closedError());
    }
    return this.#subscriptions.subscribe(filter, options);
  }

  async close(): Promise<void> {
    const error = closedError();
    const connection = this.#connection;
    this.#end(error);
    // A session that nobody asked to be kept is not left behind.
    const ends = this.version === 5 && isTransient(this);
    connection?.end(error, 0, ends ? { sessionExpiryInterval: 0 } : undefined);
    await connection?.closed;
  }

  async #connect(): Promise<void> {
    const target = this.#target;
    let connect: ConnectPacket;
    let url: string | URL;
    try {
      connect = await connectPacket(this, this.clientId, this.#began);
      url = typeof target === "function" ? await target() : target;
    } catch (cause) {
      // What gives credentials or the URL may need the network as well.
      this.#failed(new ClientError("connection-lost", "The connection could not be made.", { cause }));
      return;
    }
    if (this.status === "closed") {
      return;
    }
    try {
      this.#open(url, connect);
    } catch (cause) {
      // Trying again would not help.
      this.#end(requestError(cause));
    }
  }

  #open(url: string | URL, connect: ConnectPacket): void {
    const scheduler = this.#scheduler;
    const { onMessage } = this.options;
    let since = Number.POSITIVE_INFINITY;
    const deliver = (packet: PublishPacket): void => {
      for (const receiver of this.#subscriptions.receivers(packet)) {
        this.#guard(receiver.onMessage, packet);
      }
      if (onMessage) {
        this.#guard(onMessage, packet);
      }
    };
    const handler: ConnectionHandler = {
      onConnack: ({ sessionPresent, properties }) => {
        since = scheduler.now();
        this.#began = true;
        this.clientId = properties?.assignedClientIdentifier ?? this.clientId;
        this.#subscriptions.online(connection, sessionPresent);
        this.#exchanges.online(connection, sessionPresent);
        this.#setStatus("connected");
      },
      onPacket: (packet) => this.#exchanges.receive(packet, deliver),
      onEnd: (error) => {
        this.#backOff.ended(scheduler.now() - since);
        this.#failed(error);
      },
    };
    const connection = new SocketConnection(url, this.options, connect, this.#ids, handler, scheduler);
    this.#connection = connection;
  }

  /** A connection ended, or could not be made. */
  #failed(error: ClientError): void {
    this.#connection = undefined;
    if (this.status === "closed") {
      return;
    }
    if (this.options.reconnect === false || isFatal(error)) {
      this.#end(error);
      return;
    }
    this.#retry = this.#scheduler.setTimer(() => void this.#connect(), this.#backOff.next());
    this.#setStatus(this.#began ? "reconnecting" : "connecting", error);
  }

  #end(error: ClientError): void {
    if (this.status === "closed") {
      return;
    }
    this.#scheduler.clearTimer(this.#retry);
    this.#setStatus("closed", error);
    this.#exchanges.close(error);
    this.#subscriptions.close(error);
  }

  #setStatus(status: Status, error?: ClientError): void {
    this.status = status;
    this.#guard(() => this.options.onStatus?.(status, error));
  }

  /** Calls a function of the caller's, which cannot break anything by throwing. */
  #guard<Value>(callback: (value: Value) => void, value?: Value): void {
    try {
      callback(value as Value);
    } catch (cause) {
      this.#report(new ClientError("handler-failed", "A callback threw.", { cause }));
    }
  }

  readonly #report = (error: ClientError): void => {
    (this.options.onError ?? console.error)(error);
  };
}
