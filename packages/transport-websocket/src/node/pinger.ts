import { afterReading } from "@tidewire/transport/node";

/** What can be asked for a sign of life. */
export interface Pingable {
  /** Sends a ping; gives up on a peer that gave no sign of life since the one before. */
  ping(): void;
}

/**
 * Pings every connection once in an interval: proxies cut what is silent, and a peer that vanished sends no end. Not all
 * of them at once: the interval has turns, and each connection its own.
 */
export class Pinger {
  readonly #turns: readonly Set<Pingable>[] = Array.from({ length: TURNS }, () => new Set<Pingable>());
  readonly #intervalMs: number;
  #timer: NodeJS.Timeout | undefined;
  #size = 0;
  #turn = 0;
  #next = 0;

  /** 0: never. */
  constructor(intervalMs: number) {
    this.#intervalMs = intervalMs;
  }

  /** Returns what ends it. */
  add(connection: Pingable): () => void {
    if (this.#intervalMs <= 0) {
      return () => {};
    }
    const turn = this.#turns[this.#next]!;
    this.#next = (this.#next + 1) % TURNS;
    turn.add(connection);
    this.#size += 1;
    this.#timer ??= setInterval(() => this.#tick(), Math.max(1, this.#intervalMs / TURNS)).unref();
    return () => {
      if (turn.delete(connection)) {
        this.#size -= 1;
      }
      if (this.#size === 0) {
        clearInterval(this.#timer);
        this.#timer = undefined;
      }
    };
  }

  #tick(): void {
    const turn = this.#turns[this.#turn]!;
    this.#turn = (this.#turn + 1) % TURNS;
    if (turn.size === 0) {
      return;
    }
    // A process that was stopped finds the answers unread.
    afterReading(() => {
      for (const connection of turn) {
        connection.ping();
      }
    });
  }
}

/** So many parts of an interval: 10,000 connections at 30 s are 160 pings every half second. */
const TURNS = 64;
