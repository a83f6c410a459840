import { ClientError } from "./errors.ts";
import type { Message, PublishOptions, PublishResult, RequestOptions, Subscription } from "./interfaces.ts";
import type { ClientLimits } from "./limits.ts";
import type { PendingCalls, Settle } from "./pending-calls.ts";

export interface RequestsOptions {
  readonly limits: ClientLimits;
  readonly calls: PendingCalls;
  readonly responseTopic: () => string;
  readonly publish: (topic: string, payload: string | Uint8Array, options: PublishOptions) => Promise<PublishResult>;
  readonly subscribe: (topic: string, onMessage: (message: Message) => void) => Promise<Subscription>;
}

/** Request and response over publish and subscribe (MQTT 5.0, 4.10). */
export class Requests {
  readonly #options: RequestsOptions;
  readonly #waiting = new Map<string, Settle<Message>>();
  #subscribed: Promise<Subscription> | undefined;
  #count = 0;

  constructor(options: RequestsOptions) {
    this.#options = options;
  }

  request(topic: string, payload: string | Uint8Array, options: RequestOptions = {}): Promise<Message> {
    const { limits, calls } = this.#options;
    if (this.#waiting.size >= limits.pendingRequests) {
      return Promise.reject(new ClientError("queue-full", "Too many requests wait for their response."));
    }
    // The start is random, so that a late response to an earlier life of this client id is not taken for one to this.
    const correlation = `${prefix}${(this.#count++).toString(36)}`;
    const timeoutMs = options.timeoutMs ?? limits.answerTimeoutMs;
    return calls.run<Message>({ ...options, timeoutMs }, (settle) => {
      const end = () => this.#waiting.delete(correlation);
      this.#waiting.set(correlation, settle);
      this.#send(topic, payload, options, correlation).catch((error: ClientError) => {
        end();
        settle.reject(error);
      });
      return end;
    });
  }

  async #send(
    topic: string,
    payload: string | Uint8Array,
    options: RequestOptions,
    correlation: string,
  ): Promise<void> {
    const responseTopic = this.#options.responseTopic();
    this.#subscribed ??= this.#options.subscribe(responseTopic, this.#onResponse);
    try {
      await this.#subscribed;
    } catch (error) {
      this.#subscribed = undefined;
      throw error;
    }
    if (!this.#waiting.has(correlation)) return;
    const { timeoutMs: _, ...rest } = options;
    const correlationData = new TextEncoder().encode(correlation);
    await this.#options.publish(topic, payload, {
      ...rest,
      properties: { ...options.properties, responseTopic, correlationData },
    });
  }

  readonly #onResponse = (message: Message): void => {
    const data = message.properties?.correlationData;
    if (data === undefined) return;
    const correlation = new TextDecoder().decode(data);
    const settle = this.#waiting.get(correlation);
    this.#waiting.delete(correlation);
    settle?.resolve(message);
  };
}

const prefix = /* @__PURE__ */ Math.random().toString(36).slice(2, 10);
