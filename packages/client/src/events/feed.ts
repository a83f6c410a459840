interface Reader<Value> {
  readonly resolve: (result: IteratorResult<Value, undefined>) => void;
  readonly reject: (error: Error) => void;
}

/** Values for one reader, who asks for the next: what it has not asked for yet is kept. */
export class Feed<Value> {
  #kept: Value[] = [];
  /** Place of the oldest. */
  #first = 0;
  /** Made for the first reader: most subscriptions have a callback instead. */
  #readers: Reader<Value>[] | undefined;
  #ended = false;
  /** What the reader is told instead of the end, once. */
  #error: Error | undefined;

  /** How many values are kept. */
  get size(): number {
    return this.#kept.length - this.#first;
  }

  /** The reader waits for the next value. */
  get awaited(): boolean {
    return this.#readers !== undefined && this.#readers.length > 0;
  }

  push(value: Value): void {
    const reader = this.#readers?.shift();
    if (reader !== undefined) {
      reader.resolve({ done: false, value });
    } else {
      this.#kept.push(value);
    }
  }

  /** Takes the oldest value that is kept. */
  shift(): Value | undefined {
    if (this.size === 0) {
      return undefined;
    }
    const value = this.#kept[this.#first];
    this.#first += 1;
    // Moves the rest down rarely enough to cost nothing per value.
    if (this.#first * 2 >= this.#kept.length) {
      this.#kept.splice(0, this.#first);
      this.#first = 0;
    }
    return value;
  }

  next(): Promise<IteratorResult<Value, undefined>> {
    if (this.size > 0) {
      return Promise.resolve({ done: false, value: this.shift()! });
    }
    if (this.#ended) {
      const error = this.#error;
      this.#error = undefined;
      return error === undefined ? Promise.resolve(finished) : Promise.reject(error);
    }
    this.#readers ??= [];
    return new Promise((resolve, reject) => this.#readers!.push({ resolve, reject }));
  }

  /** Nothing comes after what is kept but, once, the error. */
  end(error?: Error): void {
    if (this.#ended) {
      return;
    }
    this.#ended = true;
    this.#error = error;
    for (const reader of this.#readers?.splice(0) ?? []) {
      this.next().then(reader.resolve, reader.reject);
    }
  }
}

export const finished: IteratorReturnResult<undefined> = { done: true, value: undefined };
