/**
 * Runs transactions one at a time. A request made while one is under way waits for the next; all that ask meanwhile
 * share it. It begins once the sockets that are readable have been read, so that it takes in what they brought: that is
 * what makes one forced write serve a hundred publishers.
 */
export class Committer {
  readonly #transact: () => Promise<void>;
  #current: Promise<void> | undefined;
  #next: Promise<void> | undefined;

  constructor(transact: () => Promise<void>) {
    this.#transact = transact;
  }

  /** What is under way or about to begin. */
  get pending(): Promise<void> | undefined {
    return this.#next ?? this.#current;
  }

  /** Resolves when a transaction that began after this call is durable. */
  request(): Promise<void> {
    this.#next ??= this.#run(this.#current);
    return this.#next;
  }

  async #run(before: Promise<void> | undefined): Promise<void> {
    // Whoever asked for it hears of its failure.
    await before?.catch(() => {});
    await new Promise((resolve) => setImmediate(resolve));
    this.#current = this.#next;
    this.#next = undefined;
    try {
      await this.#transact();
    } finally {
      this.#current = undefined;
    }
  }
}
