import { randomBytes } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { beforeEach, expect, it } from "vitest";
import { HASHES_WAITING, hashesAtOnce } from "./limits.ts";
import { PasswordChecker } from "./password-checker.ts";
import { DECOY, type PasswordHash } from "./password-hash.ts";

const SECRET = Buffer.from("secret");
const GUESS = Buffer.from("guess");
const HASHES_AT_ONCE = 2;
const HERE = { address: "192.0.2.1:4711" };
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
  }, HASHES_AT_ONCE);
});

/** Lets hash number `index` end, once it has begun. */
async function end(index: number, result: boolean | Error): Promise<void> {
  await setImmediate();
  begun[index]?.end(result);
  await setImmediate();
}

it("remembers what was right for as long as the hash is in use, and nothing that was wrong", async () => {
  const first = checker.check(SECRET, ALICE, HERE);
  await end(0, true);
  expect(await first).toBe("right");
  expect(await checker.check(SECRET, ALICE, HERE)).toBe("right");
  expect(begun).toHaveLength(1);

  for (const [password, hash] of [
    [GUESS, ALICE],
    [GUESS, ALICE],
    [SECRET, { ...ALICE }],
  ] as const) {
    const verdict = checker.check(password, hash, HERE);
    await end(begun.length, false);
    expect(await verdict).toBe("wrong");
  }
  expect(begun).toHaveLength(4);
});

it("hashes a few at a time, and says when it is too busy", async () => {
  const first = checker.check(SECRET, ALICE, HERE);
  await end(0, true);
  await first;
  begun = [];

  const verdicts = Array.from({ length: HASHES_AT_ONCE + HASHES_WAITING }, () => checker.check(GUESS, ALICE, HERE));
  await setImmediate();
  expect(begun).toHaveLength(HASHES_AT_ONCE);
  // One more: of one address, who came first has to go.
  verdicts.push(checker.check(GUESS, ALICE, HERE));
  expect(await verdicts[HASHES_AT_ONCE]).toBe("busy");
  expect(checker.waiting).toBe(HASHES_WAITING);
  // Whoever has been here before does not have to wait behind those who guess.
  expect(await checker.check(SECRET, ALICE, HERE)).toBe("right");

  const hashes = verdicts.length - 1;
  for (let ended = 0; ended < hashes; ended += 1) {
    await end(ended, false);
    expect(begun).toHaveLength(Math.min(ended + 1 + HASHES_AT_ONCE, hashes));
  }
  verdicts.splice(HASHES_AT_ONCE, 1);
  expect(new Set(await Promise.all(verdicts))).toEqual(new Set(["wrong"]));
});

it("goes on when a hash fails", async () => {
  const failing = Array.from({ length: HASHES_AT_ONCE }, () => checker.check(GUESS, ALICE, HERE));
  const next = checker.check(SECRET, ALICE, HERE);
  const failures = Promise.all(failing.map((verdict) => expect(verdict).rejects.toThrow("no memory")));
  for (const index of failing.keys()) {
    await end(index, new Error("no memory"));
  }
  await failures;
  await end(HASHES_AT_ONCE, true);
  expect(await next).toBe("right");
});

it("hashes for nobody who is gone, and keeps nothing of him", async () => {
  const first = [checker.check(GUESS, ALICE, HERE), checker.check(GUESS, ALICE, HERE)];
  const gone = new AbortController();
  const verdict = checker.check(SECRET, ALICE, { ...HERE, signal: gone.signal });
  await setImmediate();
  expect(checker.waiting).toBe(1);
  gone.abort();
  expect(await verdict).toBe("cancelled");
  expect(checker.waiting).toBe(0);
  expect(await checker.check(SECRET, ALICE, { ...HERE, signal: gone.signal })).toBe("cancelled");
  for (const index of first.keys()) {
    await end(index, false);
  }
  await Promise.all(first);
  expect(begun).toHaveLength(2);
});

it("leaves nothing on a signal that lives on", async () => {
  const long = new AbortController();
  let listeners = 0;
  const signal = new Proxy(long.signal, {
    get(target, name) {
      const member = Reflect.get(target, name, target);
      if (typeof member !== "function") {
        return member;
      }
      return (...args: unknown[]) => {
        listeners += name === "addEventListener" ? 1 : name === "removeEventListener" ? -1 : 0;
        return Reflect.apply(member, target, args);
      };
    },
  });
  const verdicts = Array.from({ length: 5 }, () => checker.check(GUESS, ALICE, { ...HERE, signal }));
  await setImmediate();
  expect(listeners).toBe(3);
  for (const index of verdicts.keys()) {
    await end(index, false);
  }
  await Promise.all(verdicts);
  expect(listeners).toBe(0);
});

it("lets everybody go when it is closed, and begins no further hash", async () => {
  const verdicts = Array.from({ length: 100 }, () => checker.check(GUESS, ALICE, HERE));
  await setImmediate();
  checker.close();
  expect(await Promise.all(verdicts.slice(HASHES_AT_ONCE))).toEqual(verdicts.slice(2).map(() => "cancelled"));
  expect(await checker.check(GUESS, ALICE, HERE)).toBe("cancelled");
  await end(0, false);
  await end(1, false);
  expect(await Promise.all(verdicts.slice(0, 2))).toEqual(["wrong", "wrong"]);
  expect(begun).toHaveLength(2);
});

it.each([
  [undefined, 2],
  ["4", 2],
  ["16", 2],
  ["3", 1],
  ["1", 1],
  ["x", 2],
])(
  "with UV_THREADPOOL_SIZE=%s hashes on %i threads: two are left to the disk where there are enough",
  (size, threads) => {
    expect(hashesAtOnce(size)).toBe(threads);
  },
);
