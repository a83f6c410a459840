/// <reference lib="esnext.disposable" preserve="true" />
import type { Properties, QoS } from "@tidewire/codec";
import type { ClientError } from "./errors.ts";
import type { SchemaOutput, StandardSchema } from "./standard-schema.ts";

/**
 * `connecting` until the first CONNACK, `connected`, `reconnecting` after a connection was lost, `closed` for good:
 * after `close()` or a refusal that trying again cannot cure.
 */
export type Status = "connecting" | "connected" | "reconnecting" | "closed";

/** What is known about a change of status. */
export interface StatusDetail {
  /** Why the connection was lost or the attempt failed; why the client closed, when not by `close()`. */
  readonly error?: ClientError;
  /** With `connected`: the server still had the session. */
  readonly sessionPresent?: boolean;
  /** With `connecting` and `reconnecting`: attempts since the last connection that was stable. */
  readonly attempt?: number;
  /** With `connecting` and `reconnecting`: when the next attempt starts, in milliseconds from now. */
  readonly retryInMs?: number;
}

/** Listeners by event name. */
export interface ClientEvents {
  /** After every change of `status`, and after every failed attempt. */
  status: (status: Status, detail: StatusDetail) => void;
  /** Every message received, whichever subscription it is for. */
  message: (message: Message) => void;
  /** What no call can report: lost connections, handlers that threw, discarded messages. */
  error: (error: ClientError) => void;
}

/** One MQTT client: the same session over as many connections as it takes. */
export interface Client extends AsyncDisposable {
  /** As given, assigned by the server, or made up at random when neither did. */
  readonly clientId: string;
  /** The same as `status === "connected"`. */
  readonly connected: boolean;
  readonly status: Status;
  /** The present status, then every change, until `closed`. A slow reader is given the latest ones only. */
  statusUpdates(): AsyncIterableIterator<Status>;
  /** Adds a listener; returns what removes it. A listener that throws is reported and breaks nothing. */
  on<Event extends keyof ClientEvents>(event: Event, listener: ClientEvents[Event]): () => void;

  /**
   * Sends a message, or queues it while there is no connection. Settles when the QoS contract is fulfilled: QoS 0 when
   * the bytes are handed over, QoS 1 at PUBACK, QoS 2 at PUBCOMP. Rejects with a `ClientError`: a refusal by the server
   * (`publish-refused`), what CONNACK rules out (`not-supported-by-server`), or a full queue (`queue-full`). The bytes
   * of the payload may not be changed before that.
   */
  publish(topic: string, payload: string | Uint8Array, options?: PublishOptions): Promise<PublishResult>;
  /**
   * Subscribes; resolves at SUBACK with at least one filter granted. Messages are taken with `for await`, or with
   * `onMessage`. Waits for a connection when there is none, until `timeoutMs`.
   */
  subscribe(filters: string | readonly string[], options?: SubscribeOptions): Promise<Subscription>;
  /** Publishes with a response topic and correlation data, and resolves with the response (MQTT 5). */
  request(topic: string, payload: string | Uint8Array, options?: RequestOptions): Promise<Message>;
  /** Runs the enhanced authentication anew on the present connection (MQTT 5); needs the `authenticator` option. */
  reauthenticate(options?: OperationOptions): Promise<void>;
  /** Resolves when everything published so far is stored durably (at once with the memory store). */
  persisted(): Promise<void>;
  /** Resolves when nothing is queued, in flight or unanswered. */
  drain(options?: OperationOptions): Promise<void>;
  /** Ends the connection in order and the client for good; what is still waiting rejects with `closed`. */
  close(options?: CloseOptions): Promise<void>;
}

/** Both may be given on every call. */
export interface OperationOptions {
  /** Rejects with `aborted`; what was not sent yet is withdrawn. */
  readonly signal?: AbortSignal;
  /** Rejects with `timeout`; what was not sent yet is withdrawn. */
  readonly timeoutMs?: number;
}

export interface PublishOptions extends OperationOptions {
  /** Default 0. */
  readonly qos?: QoS;
  /** Default false. */
  readonly retain?: boolean;
  /** MQTT 5 properties, under their specification names; ignored in 3.1.1. */
  readonly properties?: Properties;
}

export interface PublishResult {
  /** Of PUBACK, PUBREC or PUBCOMP, such as 0x10 No matching subscribers; 0 with QoS 0 and in 3.1.1. */
  readonly reasonCode: number;
  readonly properties: Properties | undefined;
  /** Present when the queue's policy discarded the message instead of sending it. */
  readonly dropped?: true;
}

export interface SubscribeOptions extends OperationOptions {
  /** Highest QoS wanted. Default 1. */
  readonly qos?: QoS;
  /** Not what this client itself published (MQTT 5). Default false. */
  readonly noLocal?: boolean;
  /** Keep the RETAIN flag as it was published (MQTT 5). Default false. */
  readonly retainAsPublished?: boolean;
  /** 0 send retained messages, 1 only for a new subscription, 2 never (MQTT 5). Default 0. */
  readonly retainHandling?: 0 | 1 | 2;
  /**
   * Called for every message in order, instead of iterating. When it returns a promise, the next message waits for it.
   * What it throws is reported as `handler-failed`.
   */
  readonly onMessage?: (message: Message) => void | Promise<void>;
  /** Messages held for a slow consumer before the connection is paused. Default 1,000. */
  readonly bufferSize?: number;
  /**
   * `auto`: acknowledged when `onMessage` is done with the message, or the iteration comes back for the next one or
   * ends; `manual`: by `message.acknowledge()`. Default `auto`.
   */
  readonly acknowledge?: "auto" | "manual";
}

/** One call of `subscribe`. Iterate it, or give it an `onMessage`; `await using` ends it at the end of the block. */
export interface Subscription extends AsyncIterableIterator<Message>, AsyncDisposable {
  readonly filters: readonly string[];
  /** One for each filter: granted QoS, or the reason code of its refusal (from 0x80). */
  readonly granted: readonly number[];
  /** Ends it here at once (iteration finishes) and at the server; resolves at UNSUBACK. */
  unsubscribe(options?: OperationOptions): Promise<void>;
}

/** A message received. The payload is a view that stays valid for as long as it is kept. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: Properties | undefined;
  /** The payload as UTF-8; throws `payload-invalid` when it is not. */
  text(): string;
  /** The payload parsed as JSON; throws `payload-invalid` when it is not. */
  json(): unknown;
  /** The payload parsed as JSON and validated by any Standard Schema validator that answers synchronously. */
  json<Schema extends StandardSchema>(schema: Schema): SchemaOutput<Schema>;
  /** Takes responsibility for the message (manual acknowledgement; QoS 1 and 2). From 0x80 on it is refused (MQTT 5). */
  acknowledge(reasonCode?: number): void;
}

export interface RequestOptions extends PublishOptions {
  /** Default 30,000. */
  readonly timeoutMs?: number;
}

export interface CloseOptions {
  /** 0x00, or 0x04 to have the will published (MQTT 5). */
  readonly reasonCode?: number;
  /** Replaces the Session Expiry Interval of the connection, in seconds (MQTT 5). */
  readonly sessionExpiryInterval?: number;
  /** What the connection is given to end in order before it is cut. Default 5,000. */
  readonly timeoutMs?: number;
}
