import { Deque } from "../storage/index.ts";

/** Which messages of one queue came by which shared subscription, oldest first: by sequence. */
export class SharedIndex {
  readonly #sequences = new Map<string, Deque<number>>();

  get filters(): Iterable<string> {
    return this.#sequences.keys();
  }

  add(filter: string, sequence: number): void {
    let sequences = this.#sequences.get(filter);
    if (sequences === undefined) {
      sequences = new Deque();
      this.#sequences.set(filter, sequences);
    }
    sequences.push(sequence);
  }

  oldest(filter: string): number | undefined {
    return this.#sequences.get(filter)?.at(0);
  }

  /** Messages leave a queue oldest first; of one that was never added nothing is here. */
  remove(filter: string, sequence: number): void {
    const sequences = this.#sequences.get(filter);
    if (sequences?.at(0) === sequence) {
      sequences.shift();
      if (sequences.size === 0) {
        this.#sequences.delete(filter);
      }
    }
  }
}
