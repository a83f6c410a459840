/** The latest points of one metric, oldest first, in the shape that uPlot draws. */
export class TimeSeries {
  /** Seconds since 1970. */
  readonly times: number[] = [];
  readonly values: number[] = [];
  readonly #capacity: number;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  get last(): number | undefined {
    return this.values.at(-1);
  }

  push(timeSeconds: number, value: number): void {
    this.times.push(timeSeconds);
    this.values.push(value);
    if (this.times.length > this.#capacity) {
      this.times.shift();
      this.values.shift();
    }
  }
}
