import { Call, type Calls } from "../calls/index.ts";
import { type Answer, type Result, refusal } from "./answer.ts";
import type { Consumer } from "./consumer.ts";
import type { Subscription } from "./subscription.ts";

/** One call of `subscribe`, and what it was granted so far. */
export class Grant extends Call<Subscription> implements Answer {
  readonly #consumer: Consumer;
  readonly #leave: (filter: string, consumer: Consumer) => void;
  readonly #granted: number[];
  #open: number;

  /** `leave` is called for each filter that is refused. */
  constructor(calls: Calls, consumer: Consumer, leave: (filter: string, consumer: Consumer) => void) {
    super("subscribe", consumer.filters, calls);
    this.#consumer = consumer;
    this.#leave = leave;
    const { filters } = consumer;
    this.#granted = filters.length === 1 ? [0] : filters.map(() => 0);
    this.#open = filters.length;
  }

  /** The server's answer for the filter at `place`. */
  tell(result: Result, place = 0): void {
    const consumer = this.#consumer;
    const granted = this.#granted;
    const error = refusal(result);
    granted[place] = typeof result === "number" ? result : (result.reasonCode ?? 0x80);
    if (error !== undefined) {
      this.#leave(consumer.filters[place]!, consumer);
    }
    this.#open -= 1;
    if (this.#open > 0) {
      return;
    }
    consumer.granted = granted;
    if (error === undefined || granted.some((code) => code < 0x80)) {
      this.resolve(consumer);
    } else {
      this.reject(error);
    }
  }
}
