/**
 * How many filters a packet may have. A server may end the connection at a SUBSCRIBE, without a word: because of one of its
 * filters, or because they are too many (AWS IoT takes eight). So after such an end packets are half as large and go one
 * at a time, until it is known what works, which is remembered.
 */
export class BatchSize {
  readonly #maximum: number;
  #limit: number;
  /** The most that no connection has ended at. */
  #ceiling: number;
  /** The most that was answered. */
  #proven = 1;
  /** One packet at a time: it has to be known at which one a connection ends. */
  careful = false;

  constructor(maximum: number) {
    this.#maximum = this.#limit = this.#ceiling = maximum;
  }

  get limit(): number {
    return this.#limit;
  }

  /** A packet of this size was answered. */
  answered(size: number): void {
    this.#proven = Math.max(this.#proven, size);
    if (this.careful && size >= this.#limit) {
      this.#limit = this.#middle();
    }
  }

  /** A connection ended before a packet of this size was answered. */
  ended(size: number): void {
    this.careful = true;
    if (size > 1) {
      this.#ceiling = size - 1;
      // What was answered before may be so no longer.
      this.#proven = Math.min(this.#proven, size >> 1);
      this.#limit = this.#middle();
    }
  }

  /** All is answered: what worked is kept to. */
  done(): void {
    if (this.careful) {
      this.careful = false;
      this.#limit = this.#proven;
    }
  }

  /** One filter is to blame, not their number. */
  foundCulprit(): void {
    this.#ceiling = this.#maximum;
    this.#limit = this.#middle();
  }

  #middle(): number {
    return Math.ceil((this.#proven + this.#ceiling) / 2);
  }
}
