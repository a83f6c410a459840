/// <reference lib="esnext.disposable" preserve="true" />

import type { OperationOptions } from "../calls/index.ts";
import type { ClientEvents, Status } from "../events/index.ts";
import type { AsyncPayload, Message, Payload } from "../messages/index.ts";
import type { PublishOptions, PublishResult } from "../publishing/index.ts";
import type { SubscribeOptions, Subscription } from "../subscribing/index.ts";

/** One MQTT client: the same session over as many connections as it takes. */
export interface Client extends AsyncDisposable {
  /** As given, assigned by the server, or made up at random when neither did. */
  readonly clientId: string;
  /** The same as `status === "connected"`. */
  readonly connected: boolean;
  readonly status: Status;
  /** The present status, then every change, until `closed`. A slow reader is given the latest ones only. */
  statusUpdates(): AsyncIterableIterator<Status>;
  /**
   * Adds a listener; returns what removes it. A listener that throws is reported and breaks nothing.
   *
   * @example
   * const stop = client.on("error", (error) => console.error(error.code, error.message));
   */
  on<Event extends keyof ClientEvents>(event: Event, listener: ClientEvents[Event]): () => void;

  /**
   * Sends a message, or queues it while there is no connection. Settles when the QoS contract is fulfilled: QoS 0 when
   * the bytes are handed over, QoS 1 at PUBACK, QoS 2 at PUBCOMP. Rejects with a `ClientError`: a refusal by the server
   * (`publish-refused`), what CONNACK rules out (`not-supported-by-server`), or a full queue (`queue-full`). The bytes
   * of the payload may not be changed before that. A `Blob` is read first, and its place in the order is where that is done.
   * When nobody holds the promise, its error goes to `on("error")`.
   *
   * @example
   * const { reasonCode } = await client.publish("devices/lamp/commands", "on", { qos: 1 });
   */
  publish(topic: string, payload: Payload | AsyncPayload, options?: PublishOptions): Promise<PublishResult>;
  /**
   * Subscribes; resolves at SUBACK with at least one filter granted. Messages are taken with `for await`, or with
   * `onMessage`. Waits for a connection when there is none, until `timeoutMs`.
   *
   * @example
   * for await (const message of await client.subscribe("alerts/#", { qos: 2 })) {
   *   console.log(message.topic, message.json());
   * }
   */
  subscribe(filters: string | readonly string[], options?: SubscribeOptions): Promise<Subscription>;
  /**
   * Publishes with a response topic and correlation data, and resolves with the response (MQTT 5).
   *
   * @example
   * const answer = await client.request("devices/7/ask", "uptime", { timeoutMs: 5_000 });
   */
  request(topic: string, payload: Payload | AsyncPayload, options?: RequestOptions): Promise<Message>;
  /** Runs the enhanced authentication anew on the present connection (MQTT 5); needs the `authenticator` option. */
  reauthenticate(options?: OperationOptions): Promise<void>;
  /**
   * Asks whether the server is there: resolves when it answers; when it does not within `timeoutMs` (3 s), rejects with
   * `connection-lost`, and another connection is made. In browsers this happens by itself when the page is shown again or
   * the network is back; programs that learn of such things in other ways call it.
   *
   * @example
   * appState.on("active", () => client.checkConnection().catch(() => {}));
   */
  checkConnection(options?: OperationOptions): Promise<void>;
  /** Connects anew now: gives up the present connection, or the wait for the next attempt. */
  reconnect(): void;
  /** Resolves when everything published so far is stored durably (at once with the memory store). */
  persisted(): Promise<void>;
  /**
   * Resolves when nothing is queued, in flight or unanswered, as a Kafka producer's `flush` does. The client stays open:
   * `close()` ends it.
   *
   * @example
   * await client.flush({ timeoutMs: 5_000 });
   * await client.close();
   */
  flush(options?: OperationOptions): Promise<void>;
  /** Ends the connection in order and the client for good; what is still waiting rejects with `closed`. */
  close(options?: CloseOptions): Promise<void>;
}

/** Options of `request`. */
export interface RequestOptions extends PublishOptions {
  /** Default 30,000. */
  readonly timeoutMs?: number;
  /**
   * Rejects at once with `publish-refused` when the server says that nobody subscribes to the topic (0x10); needs a QoS of
   * 1 or 2, and a server that says so. Default false.
   */
  readonly requireReceiver?: boolean;
}

/** Options of `close`. */
export interface CloseOptions {
  /** 0x00, or 0x04 to have the will published (MQTT 5). */
  readonly reasonCode?: number;
  /** Replaces the Session Expiry Interval of the connection, in seconds (MQTT 5). */
  readonly sessionExpiryInterval?: number;
  /** What the connection is given to end in order before it is cut. Default 5,000. */
  readonly timeoutMs?: number;
}
