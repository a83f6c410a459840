import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { addressKey } from "@tidewire/transport";
import { FairQueue } from "./fair-queue.ts";
import { CALM_CHECKS, HASHES_WAITING, hashesAtOnce } from "./limits.ts";
import { isPassword, type PasswordHash } from "./password-hash.ts";

/**
 * `busy`: more clients want to be let in than passwords can be checked. `cancelled`: whoever asked is gone, or the
 * checker is closed.
 */
export type PasswordVerdict = "right" | "wrong" | "busy" | "cancelled";

/** Whose password it is. */
export interface PasswordSource {
  /** With or without port; all that come from one address wait for each other. */
  readonly address: string | undefined;
  /** Aborted when the client goes: nobody hashes for it then. */
  readonly signal?: AbortSignal | undefined;
}

/**
 * Checks passwords beside the event loop, a few at a time. A password that was right once is remembered for as long as
 * its hash is in use, as a digest under a key that no file has: devices that come back need no second hash, and stay
 * able to when somebody keeps the checker busy with wrong guesses.
 */
export class PasswordChecker {
  readonly #digestKey = randomBytes(32);
  readonly #right = new WeakMap<PasswordHash, Buffer>();
  readonly #waiting = new FairQueue<Waiter>(HASHES_WAITING, CALM_CHECKS);
  readonly #everyone = new Set<Waiter>();
  readonly #isPassword: typeof isPassword;
  readonly #atOnce: number;
  #running = 0;
  #closed = false;

  constructor(hashAndCompare: typeof isPassword = isPassword, atOnce: number = hashesAtOnce()) {
    this.#isPassword = hashAndCompare;
    this.#atOnce = atOnce;
  }

  /** How many wait for their turn. */
  get waiting(): number {
    return this.#waiting.size;
  }

  /** For an unknown user `hash` has to be a decoy, so that it takes as long as a wrong password. Rejects as a hash does. */
  async check(password: Uint8Array, hash: PasswordHash, source: PasswordSource): Promise<PasswordVerdict> {
    const digest = createHmac("sha256", this.#digestKey).update(password).digest();
    const right = this.#right.get(hash);
    if (right !== undefined && timingSafeEqual(digest, right)) {
      return "right";
    }
    const turn = await this.#turn(source);
    if (turn !== "go") {
      return turn;
    }
    try {
      if (!(await this.#isPassword(password, hash))) {
        return "wrong";
      }
      this.#right.set(hash, digest);
      return "right";
    } finally {
      this.#running -= 1;
      this.#next();
    }
  }

  /** Begins no further hash; who waits gets `cancelled` at once. */
  close(): void {
    this.#closed = true;
    for (const waiter of [...this.#everyone]) {
      this.#settle(waiter, "cancelled");
    }
  }

  #turn(source: PasswordSource): Turn | Promise<Turn> {
    if (this.#closed) {
      return "cancelled";
    }
    if (this.#running < this.#atOnce) {
      this.#running += 1;
      return "go";
    }
    const { address, signal } = source;
    if (signal?.aborted === true) {
      return "cancelled";
    }
    return new Promise((resolve) => {
      const key = addressKey(address);
      const onAbort = (): void => this.#settle(waiter, "cancelled");
      const waiter: Waiter = { key, resolve, release: () => signal?.removeEventListener("abort", onAbort) };
      signal?.addEventListener("abort", onAbort, { once: true });
      this.#everyone.add(waiter);
      const surplus = this.#waiting.push(key, waiter);
      if (surplus !== undefined) {
        this.#settle(surplus, "busy");
      }
    });
  }

  #next(): void {
    if (this.#running >= this.#atOnce) {
      return;
    }
    const waiter = this.#waiting.shift();
    if (waiter !== undefined) {
      this.#running += 1;
      this.#settle(waiter, "go");
    }
  }

  #settle(waiter: Waiter, turn: Turn): void {
    this.#waiting.remove(waiter.key, waiter);
    this.#everyone.delete(waiter);
    waiter.release();
    waiter.resolve(turn);
  }
}

type Turn = "go" | "busy" | "cancelled";

interface Waiter {
  readonly key: string;
  readonly resolve: (turn: Turn) => void;
  /** A signal that lives on must not keep who waited for it. */
  readonly release: () => void;
}
