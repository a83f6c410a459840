import { ClientError } from "../errors/index.ts";

/** The packet identifiers of one session. */
export class PacketIds {
  readonly #used = new Set<number>();
  #last = 0;

  /** One that nobody has, of those the one that has rested longest. */
  take(): number {
    if (this.#used.size === MAXIMUM) {
      throw new ClientError("queue-full", "All packet identifiers are in use.");
    }
    do {
      this.#last = (this.#last % MAXIMUM) + 1;
    } while (this.#used.has(this.#last));
    this.#used.add(this.#last);
    return this.#last;
  }

  free(packetId: number): void {
    this.#used.delete(packetId);
  }
}

const MAXIMUM = 65_535;
