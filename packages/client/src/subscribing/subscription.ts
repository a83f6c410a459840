/// <reference lib="esnext.disposable" preserve="true" />
import type { QoS } from "@tidewire/codec";
import type { OperationOptions } from "../calls/index.ts";
import type { Message } from "../messages/index.ts";

/** Options of `subscribe`. */
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
