import { NO_MATCHING_SUBSCRIBERS } from "@tidewire/codec/codes";
import { type Call, rejected } from "../calls/index.ts";
import { ClientError, callError } from "../errors/index.ts";
import type { AsyncPayload, Message, Payload } from "../messages/index.ts";
import type { Subscription } from "../subscribing/index.ts";
import type { Client, RequestOptions } from "./client.ts";
import type { Core } from "./core.ts";

/** Request and response over publish and subscribe (MQTT 5.0, 4.10). */
export class Requests {
  readonly #core: Core;
  readonly #client: Client;
  /** By correlation data. */
  readonly #waiting = new Map<string, Call<Message>>();
  #subscribed: Promise<Subscription> | undefined;
  #count = 0;

  constructor(core: Core, client: Client) {
    this.#core = core;
    this.#client = client;
  }

  request(topic: string, payload: Payload | AsyncPayload, options: RequestOptions = {}): Promise<Message> {
    const { limits, calls } = this.#core;
    if (this.#waiting.size >= limits.pendingRequests) {
      const text = `${this.#waiting.size} requests wait for their response: wait for some, or raise limits.pendingRequests.`;
      return rejected(callError("request", topic, new ClientError("queue-full", text)), calls.report);
    }
    // The start is random, so that a late response to an earlier life of this client id is not taken for one to this.
    const correlation = `${prefix}${this.#count.toString(36)}`;
    this.#count += 1;
    const end = () => this.#waiting.delete(correlation);
    const start = (call: Call<Message>) => {
      this.#waiting.set(correlation, call);
      this.#send(topic, payload, options, correlation).catch((error: ClientError) => {
        end();
        call.reject(error);
      });
    };
    return calls.run(
      "request",
      topic,
      { ...options, timeoutMs: options.timeoutMs ?? limits.answerTimeoutMs },
      start,
      end,
    );
  }

  async #send(
    topic: string,
    payload: Payload | AsyncPayload,
    { timeoutMs: _, requireReceiver, ...options }: RequestOptions,
    correlation: string,
  ): Promise<void> {
    const responseTopic = this.#core.options.responseTopic ?? `tidewire/responses/${this.#client.clientId}`;
    this.#subscribed ??= this.#client.subscribe(responseTopic, { onMessage: this.#onResponse });
    try {
      await this.#subscribed;
    } catch (error) {
      this.#subscribed = undefined;
      throw error;
    }
    if (!this.#waiting.has(correlation)) {
      return;
    }
    const correlationData = new TextEncoder().encode(correlation);
    const { reasonCode } = await this.#client.publish(topic, payload, {
      ...options,
      properties: { ...options.properties, responseTopic, correlationData },
    });
    if (requireReceiver && reasonCode === NO_MATCHING_SUBSCRIBERS) {
      throw new ClientError("publish-refused", "Nobody subscribes to the topic.", { reasonCode });
    }
  }

  readonly #onResponse = (message: Message): void => {
    const correlation = new TextDecoder().decode(message.properties?.correlationData);
    const call = this.#waiting.get(correlation);
    this.#waiting.delete(correlation);
    call?.resolve(message);
  };
}

const prefix = /* @__PURE__ */ Math.random().toString(36).slice(2, 10);
