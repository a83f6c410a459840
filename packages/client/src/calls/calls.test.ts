import { mockNetwork } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import { ClientError } from "../errors/index.ts";
import { type Call, Calls } from "./calls.ts";

function setUp() {
  const network = mockNetwork();
  const changes: number[] = [];
  const reported: ClientError[] = [];
  const calls: Calls = new Calls(
    network.scheduler,
    (error) => reported.push(error),
    () => changes.push(calls.size),
  );
  return { network, calls, changes, reported };
}

test("only the first outcome of a call counts", async () => {
  const { calls } = setUp();
  let call!: Call<number>;
  const promise = calls.run<number>("ask", "t", {}, (started) => {
    call = started;
  });
  call.resolve(1);
  call.resolve(2);
  call.reject(new ClientError("closed", "Too late."));
  expect(await promise).toBe(1);
  expect(calls.size).toBe(0);
});

test("tells when the first call begins to wait and when none is left, not in between", () => {
  const { calls, changes } = setUp();
  const started: Call<void>[] = [];
  for (let i = 0; i < 3; i += 1) {
    void calls.run<void>("ask", i, undefined, (call) => started.push(call));
  }
  expect(changes).toEqual([1]);
  // The one in the middle leaves first: the others keep their places.
  for (const place of [1, 0, 2]) {
    started[place]!.resolve();
  }
  expect(changes).toEqual([1, 0]);
});

test("the error names the call, what it was about, and what ended it", async () => {
  const { network, calls } = setUp();
  let withdrawn = 0;
  const promise = calls.run(
    "subscribe",
    ["a/#", "b"],
    { timeoutMs: 50 },
    () => {},
    () => {
      withdrawn += 1;
    },
  );
  const caught = promise.catch((error: unknown) => error);
  await network.pass(49);
  expect(calls.size).toBe(1);
  await network.pass(1);
  expect(await caught).toMatchObject({
    code: "timeout",
    message: 'subscribe(["a/#","b"]): Not done within 50 ms (timeoutMs).',
  });
  expect(withdrawn).toBe(1);
});

test("an aborted signal ends it before it starts, a later one withdraws it; a settled call no longer listens", async () => {
  const { calls } = setUp();
  const reason = new Error("mine");
  const never = () => expect.unreachable();
  await expect(calls.run("ask", "t", { signal: AbortSignal.abort(reason) }, never)).rejects.toMatchObject({
    code: "aborted",
    cause: reason,
  });
  const controller = new AbortController();
  let withdrawn = 0;
  const withdraw = () => {
    withdrawn += 1;
  };
  const aborted = calls.run("ask", "t", { signal: controller.signal }, () => {}, withdraw);
  const settled = calls.run<void>("ask", "t", { signal: controller.signal }, (call) => call.resolve(), withdraw);
  await settled;
  controller.abort(reason);
  await expect(aborted).rejects.toMatchObject({ code: "aborted", cause: reason });
  expect(withdrawn).toBe(1);
});

test("all of them are settled together", async () => {
  const { calls } = setUp();
  const first = [1, 2, 3].map((i) => calls.run<void>("ask", i, undefined, () => {}));
  calls.resolveAll();
  await Promise.all(first);
  const second = [1, 2, 3].map((i) => calls.run<void>("ask", i, undefined, () => {}));
  calls.rejectAll(new ClientError("closed", "The end."));
  const outcomes = await Promise.allSettled(second);
  expect(outcomes.map((outcome) => (outcome as PromiseRejectedResult).reason.message)).toEqual([
    "ask(1): The end.",
    "ask(2): The end.",
    "ask(3): The end.",
  ]);
});

// Fire and forget: `client.publish(...)` without `await`, then `close()`, ended the process by an unhandled rejection.
test("the failure of a call whose promise nobody holds is reported, and of one that somebody holds is not", async () => {
  const { calls, reported } = setUp();
  void calls.run("forgotten", undefined, undefined, () => {});
  const held = calls.run("held", undefined, undefined, () => {});
  const caught = held.catch((error: ClientError) => error.message);
  const late = calls.run("late", undefined, undefined, () => {});
  calls.rejectAll(new ClientError("closed", "The end."));
  // Within the turn is soon enough, also through an async function and `Promise.all`.
  const all = Promise.all([(async () => await late)()]).catch((error: ClientError) => error.message);
  void calls.run("at once", undefined, { signal: AbortSignal.abort() }, () => {});
  expect([await caught, await all]).toEqual(["held(): The end.", "late(): The end."]);
  await new Promise((resolve) => setTimeout(resolve, 10));
  expect(reported.map(({ message }) => message.split(":")[0])).toEqual(["forgotten()", "at once()"]);
});
