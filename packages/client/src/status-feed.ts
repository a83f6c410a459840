import type { Client, Status } from "./interfaces.ts";

/** One reader of the status: the present one, then every change, until `closed`. */
export class StatusFeed implements AsyncIterableIterator<Status, undefined> {
  readonly #limit: number;
  readonly #onReturn: (feed: StatusFeed) => void;
  #pending: Status[];
  #waiting: ((result: IteratorResult<Status, undefined>) => void)[] = [];
  #done: boolean;

  /** A feed of what a client's status listeners are told. */
  static of(client: Pick<Client, "on">, present: Status, limit: number): StatusFeed {
    let last = present;
    const stop = client.on("status", (next) => {
      if (next !== last) feed.push(next);
      last = next;
    });
    const feed = new StatusFeed(present, limit, stop);
    return feed;
  }

  constructor(present: Status, limit: number, onReturn: (feed: StatusFeed) => void) {
    this.#limit = limit;
    this.#onReturn = onReturn;
    this.#pending = [present];
    this.#done = present === "closed";
  }

  push(status: Status): void {
    const waiting = this.#waiting.shift();
    if (waiting !== undefined) waiting({ done: false, value: status });
    else this.#pending = [...this.#pending, status].slice(-this.#limit);
    if (status === "closed") this.#end();
  }

  next(): Promise<IteratorResult<Status, undefined>> {
    const status = this.#pending.shift();
    if (status !== undefined) return Promise.resolve({ done: false, value: status });
    if (this.#done) return Promise.resolve({ done: true, value: undefined });
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  return(): Promise<IteratorResult<Status, undefined>> {
    this.#pending = [];
    this.#end();
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #end(): void {
    this.#done = true;
    this.#onReturn(this);
    for (const resolve of this.#waiting.splice(0)) resolve({ done: true, value: undefined });
  }
}
