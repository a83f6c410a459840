import type { Properties, PublishPacket } from "@tidewire/codec";
import type { ClientError } from "../errors/index.ts";
import type { Status } from "../events/index.ts";
import type { ConnectOptions, ReconnectOptions } from "../handshake/index.ts";
import type { Payload } from "../messages/index.ts";
import type { PublishOptions, PublishResult } from "../publishing/index.ts";
import type { SocketOptions } from "../socket/index.ts";
import type { SubscribeOptions } from "../subscribing/index.ts";

/** A `ws:` or `wss:` URL, or a function that is asked for it at every attempt (for example to sign it anew). */
export type LiteTarget = string | URL | (() => string | URL | Promise<string | URL>);

/** Options of the whole client, with the same meaning and defaults, and what a lite client tells by callbacks. */
export interface LiteOptions
  extends SocketOptions,
    Pick<
      ConnectOptions,
      | "clientId"
      | "cleanStart"
      | "sessionExpiryInterval"
      | "keepAlive"
      | "username"
      | "password"
      | "credentials"
      | "will"
      | "scheduler"
    > {
  /** 5 (default), or 4 for MQTT 3.1.1. */
  readonly protocolVersion?: 4 | 5;
  /** Further CONNECT properties (MQTT 5), under their specification names. */
  readonly properties?: Omit<Properties, "topicAliasMaximum" | "authenticationMethod" | "authenticationData">;
  /** `false`: the first failure, or the end of the first connection, closes the client. */
  readonly reconnect?: Omit<ReconnectOptions, "maxAttempts" | "isFatal"> | false;
  /** After every change of `status` and every failed attempt, of which `error` tells why. */
  readonly onStatus?: (status: Status, error?: ClientError) => void;
  /** Every message received, whichever subscription it is for. */
  readonly onMessage?: (message: LiteMessage) => void;
  /** What no call can tell: a callback that threw, a subscription refused when it was made again. Default: the console. */
  readonly onError?: (error: ClientError) => void;
  /** Messages that may wait to be sent; more are rejected with `queue-full`. Default 1,000. */
  readonly maximumQueued?: number;
}

/** One MQTT client: the same session over as many connections as it takes. A part of what the whole `Client` can do. */
export interface LiteClient {
  /** As given, assigned by the server, or made up at random when neither did. */
  readonly clientId: string;
  readonly status: Status;
  /**
   * Sends a message, or queues it while there is no connection. Settles when the QoS contract is fulfilled: QoS 0 when the
   * bytes are handed over, QoS 1 at PUBACK, QoS 2 at PUBCOMP. The payload may not be changed before that.
   */
  publish(topic: string, payload: Payload, options?: LitePublishOptions): Promise<PublishResult>;
  /** Subscribes; resolves when the server has granted it. One subscription for each filter at a time. */
  subscribe(filter: string, options: LiteSubscribeOptions): Promise<LiteSubscription>;
  /** Ends the connection in order and the client for good; what is still waiting rejects with `closed`. */
  close(): Promise<void>;
}

export type LitePublishOptions = Pick<PublishOptions, "qos" | "retain" | "properties">;

export interface LiteSubscribeOptions
  extends Pick<SubscribeOptions, "qos" | "noLocal" | "retainAsPublished" | "retainHandling"> {
  /** Called for every message in order, which is acknowledged afterwards. What it throws goes to `onError`. */
  readonly onMessage: (message: LiteMessage) => void;
}

export interface LiteSubscription {
  /** The granted QoS. */
  readonly granted: readonly number[];
  /** Ends it here at once and at the server; resolves at UNSUBACK. */
  unsubscribe(): Promise<void>;
}

/** A message received. The payload is a view that stays valid for as long as it is kept. */
export type LiteMessage = Pick<PublishPacket, "topic" | "payload" | "qos" | "retain" | "dup" | "properties">;
