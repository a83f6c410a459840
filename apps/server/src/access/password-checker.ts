import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { HASHES_AT_ONCE, HASHES_WAITING } from "./limits.ts";
import { DECOY, isPassword, type PasswordHash } from "./password-hash.ts";

/** `busy`: more clients want to be let in than passwords can be checked. */
export type PasswordVerdict = "right" | "wrong" | "busy";

/**
 * Checks passwords beside the event loop, a few at a time. A password that was right once is remembered for as long as
 * its hash is in use, as a digest under a key that no file has: devices that come back need no second hash, and stay
 * able to when somebody keeps the checker busy with wrong guesses.
 */
export class PasswordChecker {
  readonly #digestKey = randomBytes(32);
  readonly #right = new WeakMap<PasswordHash, Buffer>();
  readonly #waiting: (() => void)[] = [];
  readonly #isPassword: typeof isPassword;
  #running = 0;

  constructor(hashAndCompare: typeof isPassword = isPassword) {
    this.#isPassword = hashAndCompare;
  }

  /** `hash` is undefined for an unknown user: that takes as long as a wrong password. */
  async check(password: Uint8Array, hash: PasswordHash = DECOY): Promise<PasswordVerdict> {
    const digest = createHmac("sha256", this.#digestKey).update(password).digest();
    const right = this.#right.get(hash);
    if (right !== undefined && timingSafeEqual(digest, right)) {
      return "right";
    }
    if (this.#waiting.length >= HASHES_WAITING) {
      return "busy";
    }
    await this.#turn();
    try {
      if (!(await this.#isPassword(password, hash))) {
        return "wrong";
      }
      this.#right.set(hash, digest);
      return "right";
    } finally {
      this.#pass();
    }
  }

  #turn(): Promise<void> | undefined {
    if (this.#running >= HASHES_AT_ONCE) {
      return new Promise((resolve) => this.#waiting.push(resolve));
    }
    this.#running += 1;
    return undefined;
  }

  /** Whose turn is next takes the place over. */
  #pass(): void {
    const next = this.#waiting.shift();
    if (next === undefined) {
      this.#running -= 1;
    } else {
      next();
    }
  }
}
