import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { beforeEach, expect, it } from "vitest";
import { HASHES_AT_ONCE, HASHES_WAITING } from "./limits.ts";
import { PasswordChecker } from "./password-checker.ts";
import { DECOY, type PasswordHash } from "./password-hash.ts";

const SECRET = Buffer.from("secret");
const GUESS = Buffer.from("guess");
const ALICE: PasswordHash = { ...DECOY, key: randomBytes(32) };

/** Hashes that were begun, in order, to be ended by the test. */
let begun: { readonly hash: PasswordHash; end(result: boolean | Error): void }[];
let checker: PasswordChecker;

beforeEach(() => {
  begun = [];
  checker = new PasswordChecker((_password, hash) => {
    return new Promise((resolve, reject) => {
      begun.push({ hash, end: (result) => (result instanceof Error ? reject(result) : resolve(result)) });
    });
  });
});

/** Lets hash number `index` end, once it has begun. */
async function end(index: number, result: boolean | Error): Promise<void> {
  await setImmediate();
  begun[index]?.end(result);
  await setImmediate();
}

it("hashes for an unknown user as for a known one", async () => {
  const verdict = checker.check(GUESS, undefined);
  await end(0, false);
  expect(begun.map(({ hash }) => hash)).toEqual([DECOY]);
  expect(await verdict).toBe("wrong");
});

it("remembers what was right for as long as the hash is in use, and nothing that was wrong", async () => {
  const first = checker.check(SECRET, ALICE);
  await end(0, true);
  expect(await first).toBe("right");
  expect(await checker.check(SECRET, ALICE)).toBe("right");
  expect(begun).toHaveLength(1);

  for (const [password, hash] of [
    [GUESS, ALICE],
    [GUESS, ALICE],
    [SECRET, { ...ALICE }],
  ] as const) {
    const verdict = checker.check(password, hash);
    await end(begun.length, false);
    expect(await verdict).toBe("wrong");
  }
  expect(begun).toHaveLength(4);
});

it("hashes a few at a time in the order they came, and says when it is too busy", async () => {
  const first = checker.check(SECRET, ALICE);
  await end(0, true);
  await first;
  begun = [];

  const verdicts = Array.from({ length: HASHES_AT_ONCE + HASHES_WAITING }, () => checker.check(GUESS, ALICE));
  await setImmediate();
  expect(begun).toHaveLength(HASHES_AT_ONCE);
  expect(await checker.check(GUESS, ALICE)).toBe("busy");
  // Whoever has been here before does not have to wait behind those who guess.
  expect(await checker.check(SECRET, ALICE)).toBe("right");

  for (let ended = 0; ended < verdicts.length; ended += 1) {
    await end(ended, false);
    expect(begun).toHaveLength(Math.min(ended + 1 + HASHES_AT_ONCE, verdicts.length));
  }
  expect(new Set(await Promise.all(verdicts))).toEqual(new Set(["wrong"]));
});

it("goes on when a hash fails", async () => {
  const failing = Array.from({ length: HASHES_AT_ONCE }, () => checker.check(GUESS, ALICE));
  const next = checker.check(SECRET, ALICE);
  const failures = Promise.all(failing.map((verdict) => expect(verdict).rejects.toThrow("no memory")));
  for (const index of failing.keys()) {
    await end(index, new Error("no memory"));
  }
  await failures;
  await end(HASHES_AT_ONCE, true);
  expect(await next).toBe("right");
});
