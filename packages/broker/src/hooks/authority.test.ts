// biome-ignore-all lint/suspicious/noThenProperty: thenables are what is tried here
import type { SubscriptionRequest } from "@tidewire/codec";
import type { Message } from "@tidewire/session";
import { describe, expect, it } from "vitest";
import type { BrokerError } from "../errors.ts";
import { Deadline } from "../time/index.ts";
import { Authority } from "./authority.ts";
import type { AuthenticationStep, BrokerHooks, ClientInfo, ConnectRequest } from "./hooks.ts";

const client = { clientId: "c" } as ClientInfo;
const message: Message = { topic: "t", payload: new Uint8Array(), qos: 0, retain: false, properties: undefined };
const subscription = { filter: "f" } as SubscriptionRequest;
const request = {} as ConnectRequest;
const step = { reauthentication: false } as AuthenticationStep;

interface Bench {
  readonly authority: Authority;
  readonly failures: BrokerError[];
  /** Time is over for whatever has not answered. */
  expire(): void;
}

function bench(...hooks: object[]): Bench {
  const failures: BrokerError[] = [];
  const due = new Map<Deadline, () => void>();
  const authority = new Authority({
    hooks: hooks as BrokerHooks[],
    timeoutMs: 1000,
    checkRetainedPublisher: true,
    deadlines: {
      after: (_, action) => {
        const deadline = new Deadline(action);
        due.set(deadline, action);
        return deadline;
      },
      cancel: (deadline) => due.delete(deadline),
    },
    onFailure: (error) => failures.push(error),
  });
  return {
    authority,
    failures,
    expire: () => {
      for (const action of due.values()) {
        action();
      }
    },
  };
}

type Ask = (authority: Authority) => unknown;
const questions: readonly [hook: string, ask: Ask, allowed: unknown, refused: (answer: unknown) => boolean][] = [
  ["authenticate", (a) => a.authenticate(request), {}, (x) => (x as { reasonCode?: number }).reasonCode !== undefined],
  ["authorizePublish", (a) => a.publish(client, message), 0, (x) => (x as number) >= 0x80],
  ["authorizeSubscribe", (a) => a.subscribe(client, subscription), 2, (x) => (x as number) >= 0x80],
  ["authorizeDelivery", (a) => a.deliver(client, message), true, (x) => x === false],
];

/** What none of these hooks may answer; `{ then }` with a callback that allows comes apart from these. */
const wrong: readonly unknown[] = [
  undefined,
  null,
  0,
  1,
  "",
  "yes",
  "true",
  Symbol("yes"),
  1n,
  {},
  [],
  [true],
  new Boolean(true),
  new Map(),
  { ok: true },
  { allowed: true },
  { username: 7 },
  { username: "x", allowed: false },
  { reasonCode: undefined },
  { reasonCode: 0 },
  { reasonCode: "0" },
  { reasonCode: 0x10 },
  { reasonCode: 0x100 },
  { reasonCode: 0x99 + 0.5 },
  { reasonCode: 0x82, reasonString: 7 },
  { qos: 3 },
  { qos: "1" },
  { qos: 1, username: "x" },
  () => true,
  new Error("returned, not thrown"),
];

describe.each(questions)("%s", (hook, ask, allowed, isRefusal) => {
  it("allows at once, by a promise, and by any thenable", async () => {
    const thenable = { then: (resolve: (value: unknown) => void) => resolve(true) };
    for (const answer of [true, Promise.resolve(true), thenable]) {
      expect(await ask(bench({ [hook]: () => answer }).authority)).toEqual(allowed);
    }
  });

  it("answers at once what the hook answers at once", () => {
    expect(ask(bench({ [hook]: () => true }).authority)).toEqual(allowed);
    expect(isRefusal(ask(bench({ [hook]: () => false }).authority))).toBe(true);
  });

  it.each(wrong.map((answer) => [answer]))(
    "refuses for %s, typed and counted, whether now or later",
    async (answer) => {
      const thenable = { then: (resolve: (value: unknown) => void) => resolve(answer) };
      for (const returned of [answer, Promise.resolve(answer), thenable]) {
        const { authority, failures } = bench({ [hook]: () => returned });
        expect(isRefusal(await ask(authority))).toBe(true);
        expect(failures.map(({ name, code }) => `${name} ${code}`)).toEqual(["BrokerError hook-answer-invalid"]);
        expect(failures[0]?.message).toContain(hook);
      }
    },
  );

  const failing: readonly [string, () => unknown][] = [
    ["throws", () => fail()],
    ["throws what is no Error", () => raise("text")],
    ["throws what cannot be made text", () => raise(Object.create(null))],
    ["rejects", () => Promise.reject(new Error("no"))],
    ["has a then that throws", () => ({ then: fail })],
    ["cannot be asked for its then", () => Object.defineProperty({}, "then", { get: fail })],
    ["has a field that throws", () => Object.defineProperty({}, "reasonCode", { get: fail, enumerable: true })],
    ["is a proxy that throws", () => new Proxy({}, { get: fail, ownKeys: fail, has: fail })],
  ];
  it.each(failing)("refuses when it %s", async (_, call) => {
    const { authority, failures } = bench({ [hook]: call });
    expect(isRefusal(await ask(authority))).toBe(true);
    expect(failures).toHaveLength(1);
  });

  it("takes the first answer of a thenable that calls back twice", async () => {
    const twice = { then: (resolve: (value: unknown) => void) => [false, true].forEach(resolve) };
    expect(isRefusal(await ask(bench({ [hook]: () => twice }).authority))).toBe(true);
  });

  it("refuses when it stays silent, and what it says then changes nothing", async () => {
    let answer!: (value: boolean) => void;
    const { authority, failures, expire } = bench({
      [hook]: () => new Promise<boolean>((resolve) => (answer = resolve)),
    });
    const asked = ask(authority);
    expire();
    answer(true);
    expect(isRefusal(await asked)).toBe(true);
    expect(failures.map(({ code }) => code)).toEqual(["hook-timeout"]);
  });

  it("must be allowed by all that decide on it, in order, whether they answer now or later", async () => {
    const asked: number[] = [];
    const hooks = (answers: readonly unknown[]) =>
      answers.map((answer, index) => ({
        [hook]: () => {
          asked.push(index);
          return answer;
        },
      }));
    if (hook === "authenticate") {
      expect(await ask(bench(...hooks(["next", Promise.resolve("next"), true, false])).authority)).toEqual(allowed);
      expect(isRefusal(await ask(bench(...hooks(["next", Promise.resolve("next")])).authority))).toBe(true);
      return;
    }
    expect(await ask(bench(...hooks([true, Promise.resolve(true), true])).authority)).toEqual(allowed);
    expect(isRefusal(await ask(bench(...hooks([true, Promise.resolve(false), true])).authority))).toBe(true);
    expect(isRefusal(await ask(bench(...hooks([false, true])).authority))).toBe(true);
    expect(asked).toEqual([0, 1, 2, 0, 1, 0]);
  });
});

describe("a retained message", () => {
  it.each([
    ["at once", (allowed: boolean) => allowed],
    ["later", (allowed: boolean) => Promise.resolve(allowed)],
  ])("is delivered while its publisher may publish it and its receiver may have it, answered %s", async (_, answer) => {
    const asked: unknown[] = [];
    const { authority } = bench({
      authorizePublish: (publisher: ClientInfo) => {
        asked.push([publisher.clientId, publisher.username]);
        return answer(publisher.username === "trusted");
      },
      authorizeDelivery: (receiver: ClientInfo) => answer(receiver.clientId === "c"),
    });
    const from = (publisherUser: string) => ({ publisher: "gauge", publisherUser });
    expect(await authority.deliverRetained(client, message, from("trusted"))).toBe(true);
    expect(await authority.deliverRetained({ ...client, clientId: "d" }, message, from("trusted"))).toBe(false);
    expect(await authority.deliverRetained(client, message, from("gone"))).toBe(false);
    expect(asked).toEqual([
      ["gauge", "trusted"],
      ["gauge", "trusted"],
      ["gauge", "gone"],
    ]);
    // The broker's own.
    expect(await authority.deliverRetained(client, message, { publisher: undefined })).toBe(true);
  });
});

describe("reason codes", () => {
  it("are those that the packet may carry", async () => {
    const refusing = (reasonCode: number) => ({
      authenticate: () => ({ reasonCode }),
      authorizePublish: () => ({ reasonCode }),
      authorizeSubscribe: () => ({ reasonCode }),
    });
    // Banned goes with CONNACK alone, Topic Name invalid not with SUBACK.
    const { authority } = bench(refusing(0x8a));
    expect([authority.authenticate(request), authority.publish(client, message)]).toEqual([{ reasonCode: 0x8a }, 0x87]);
    expect(bench(refusing(0x90)).authority.publish(client, message)).toBe(0x90);
    expect(bench(refusing(0x90)).authority.subscribe(client, subscription)).toBe(0x87);
  });

  it("of a lower QoS: the lowest that was granted counts", async () => {
    const grants = (...all: unknown[]) => bench(...all.map((answer) => ({ authorizeSubscribe: () => answer })));
    expect(grants({ qos: 1 }, true).authority.subscribe(client, subscription)).toBe(1);
    expect(await grants(true, Promise.resolve({ qos: 1 }), { qos: 0 }).authority.subscribe(client, subscription)).toBe(
      0,
    );
  });
});

describe("authenticateStep", () => {
  it.each([
    [undefined],
    [true],
    [{}],
    [{ outcome: "yes" }],
    [{ outcome: "success", data: "text" }],
    [{ outcome: "success", username: 7 }],
    [{ outcome: "success", accepted: true }],
    [{ outcome: "refuse" }],
    [{ outcome: "refuse", reasonCode: 0x18 }],
  ])("refuses for %j", async (answer) => {
    const { authority, failures } = bench({ authenticateStep: () => answer });
    expect(await authority.authenticateStep(step)).toMatchObject({ outcome: "refuse", reasonCode: 0x80 });
    expect(failures).toHaveLength(1);
  });

  it("is answered by the first that knows the method", async () => {
    const data = new Uint8Array([1]);
    const { authority } = bench(
      { authenticateStep: () => "next" },
      { authenticateStep: async () => ({ outcome: "continue", data }) },
    );
    expect(await authority.authenticateStep(step)).toEqual({ outcome: "continue", data });
    expect(bench({ authenticateStep: () => "next" }).authority.authenticateStep(step)).toMatchObject({
      outcome: "refuse",
    });
  });
});

describe("hooks that decide nothing", () => {
  it("all hear, whatever the others do", async () => {
    const heard: string[] = [];
    const hooks = (["a", "b"] as const).map((name) => {
      const hear = (): never => {
        heard.push(name);
        return fail();
      };
      return { onConnected: hear, onDisconnected: async () => hear(), onPublished: hear };
    });
    const { authority, failures } = bench(...hooks);
    authority.connected(client, false);
    authority.disconnected(client, 0);
    authority.published(client, message);
    await new Promise((resolve) => setImmediate(resolve));
    expect(heard).toEqual(["a", "b", "a", "b", "a", "b"]);
    expect(failures.map(({ code }) => code)).toEqual(Array(6).fill("hook-failed"));
  });

  it("know a user unless all of them say that there is none", () => {
    const knows = (...answers: unknown[]) =>
      bench(...answers.map((answer) => ({ knowsUser: () => (answer === "throws" ? fail() : answer) })));
    expect(knows().authority.knowsUser("x")).toBe(true);
    expect(knows(false, true).authority.knowsUser("x")).toBe(true);
    expect(knows(false, undefined).authority.knowsUser("x")).toBe(true);
    expect(knows("throws").authority.knowsUser("x")).toBe(true);
    expect(knows(false, false).authority.knowsUser("x")).toBe(false);
  });
});

function fail(): never {
  throw new Error("on purpose");
}

function raise(what: unknown): never {
  throw what;
}
