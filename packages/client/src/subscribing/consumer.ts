import type { OperationOptions } from "../calls/index.ts";
import { ClientError } from "../errors/index.ts";
import { Feed, finished } from "../events/index.ts";
import type { HeldMessage, Message } from "../messages/index.ts";
import type { SubscribeOptions, Subscription } from "./subscription.ts";

/** What a consumer needs of the client around it. */
export interface ConsumerHost {
  unsubscribe(consumer: Consumer, options: OperationOptions | undefined): Promise<void>;
  report(error: ClientError): void;
  /** The buffer has passed a mark: pause or resume the connection. */
  onPressure(consumer: Consumer): void;
}

/** The receiving end of one `subscribe` call: a buffer between the connection and a callback or an iteration. */
export class Consumer implements Subscription {
  readonly filters: readonly string[];
  readonly options: SubscribeOptions;
  granted: readonly number[] = nothing;
  /** From a full buffer until it is half empty again. */
  full = false;
  readonly #host: ConsumerHost;
  readonly #onMessage: SubscribeOptions["onMessage"];
  readonly #manual: boolean;
  readonly #bufferSize: number;
  /** Made for the first message that has to wait: most consumers have a callback that keeps up. */
  #feed: Feed<HeldMessage> | undefined;
  /** Handed to the iteration; acknowledged when it comes back. */
  #taken: readonly HeldMessage[] = nothing;
  #busy = false;
  /** Reported once for each time that the buffer is full. */
  #overflowed = false;
  #ended = false;
  #unsubscribed: Promise<void> | undefined;

  constructor(filters: string | readonly string[], options: SubscribeOptions, bufferSize: number, host: ConsumerHost) {
    this.filters = typeof filters === "string" ? [filters] : [...new Set(filters)];
    this.options = options;
    this.#host = host;
    this.#onMessage = options.onMessage;
    this.#manual = options.acknowledge === "manual";
    this.#bufferSize = options.bufferSize ?? bufferSize;
  }

  get buffered(): number {
    return this.#feed?.size ?? 0;
  }

  deliver(message: HeldMessage): void {
    if (this.#ended) {
      return;
    }
    message.hold(this.#manual);
    if (this.#onMessage !== undefined && !this.#busy && this.buffered === 0) {
      this.#call(message);
    } else if (this.#feed?.awaited === true) {
      this.#taken = [...this.#taken, message];
      this.#feed.push(message);
    } else if (this.full && message.qos === 0 && this.buffered >= this.#bufferSize) {
      // The connection is read on although the buffer is full, for the sake of an answer: see Pressure.
      this.#overflow();
    } else {
      this.#waiting.push(message);
      if (this.full || this.buffered < this.#bufferSize) {
        return;
      }
      this.full = true;
      this.#host.onPressure(this);
    }
  }

  next(): Promise<IteratorResult<Message, undefined>> {
    if (this.#onMessage !== undefined) {
      return Promise.reject(
        new ClientError("invalid-argument", "A subscription with onMessage cannot be iterated: leave onMessage out."),
      );
    }
    this.#releaseTaken();
    const value = this.#shift();
    if (value === undefined) {
      return this.#waiting.next();
    }
    this.#taken = [value];
    return Promise.resolve({ done: false, value });
  }

  async return(): Promise<IteratorResult<Message, undefined>> {
    await this.unsubscribe();
    return finished;
  }

  unsubscribe(options?: OperationOptions): Promise<void> {
    this.#unsubscribed ??= this.#host.unsubscribe(this, options);
    return this.#unsubscribed;
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.unsubscribe();
  }

  /** No more messages: what is buffered is let go, the iteration finishes; with `error` it throws. */
  end(error?: ClientError): void {
    this.#ended = true;
    this.#releaseTaken();
    for (let message = this.#shift(); message !== undefined; message = this.#shift()) {
      this.#release(message);
    }
    this.#waiting.end(error);
  }

  get #waiting(): Feed<HeldMessage> {
    this.#feed ??= new Feed();
    return this.#feed;
  }

  #call(message: HeldMessage): void {
    try {
      const result = this.#onMessage!(message);
      if (result instanceof Promise) {
        this.#busy = true;
        result.catch((error: unknown) => this.#failed(error)).then(() => this.#called(message));
        return;
      }
    } catch (error) {
      this.#failed(error);
    }
    this.#release(message);
  }

  /** An asynchronous callback is done: hands on what has gathered meanwhile. */
  #called(message: HeldMessage): void {
    this.#busy = false;
    this.#release(message);
    while (!this.#busy) {
      const next = this.#shift();
      if (next === undefined) {
        return;
      }
      this.#call(next);
    }
  }

  #overflow(): void {
    if (this.#overflowed) {
      return;
    }
    this.#overflowed = true;
    this.#host.report(
      new ClientError(
        "buffer-overflow",
        `The buffer of the subscription to ${this.filters} is full (bufferSize ${this.#bufferSize}): QoS 0 messages are discarded.`,
      ),
    );
  }

  #failed(cause: unknown): void {
    this.#host.report(
      new ClientError("handler-failed", `onMessage of the subscription to ${this.filters} threw; \`cause\` is what.`, {
        cause,
      }),
    );
  }

  #release(message: HeldMessage): void {
    if (!this.#manual) {
      message.release();
    }
  }

  #releaseTaken(): void {
    const taken = this.#taken;
    this.#taken = nothing;
    for (const message of taken) {
      this.#release(message);
    }
  }

  #shift(): HeldMessage | undefined {
    const message = this.#feed?.shift();
    if (this.full && this.buffered * 2 <= this.#bufferSize) {
      this.full = this.#overflowed = false;
      this.#host.onPressure(this);
    }
    return message;
  }
}

const nothing: readonly never[] = [];
