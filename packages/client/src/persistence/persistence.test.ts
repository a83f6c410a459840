import { mockNetwork } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import type { ClientError } from "../errors/index.ts";
import type { ClientStore } from "./client-store.ts";
import { Persistence } from "./persistence.ts";

function setUp(commit: () => Promise<void> | undefined) {
  const reported: ClientError[] = [];
  const failed: ClientError[] = [];
  const store = {
    open: async () => ({ inflight: { outgoing: [], incoming: [] }, queued: [] }),
    commit,
    close: () => Promise.resolve(),
  } as unknown as ClientStore;
  const persistence = new Persistence(
    {
      options: { store },
      limits: { endsAtOneThing: 3 },
      scheduler: mockNetwork().scheduler,
      report: (error) => reported.push(error),
      fail: (error) => failed.push(error),
    },
    "c",
    () => {},
  );
  return { store, persistence, reported, failed };
}

test("a store that fails is told of once, and ends the client when it goes on failing", async () => {
  let fails = true;
  const { persistence, reported, failed } = setUp(() =>
    fails ? Promise.reject(new Error("full")) : Promise.resolve(),
  );
  await persistence.opened;
  const commit = () =>
    expect(persistence.barrier()).rejects.toMatchObject({ code: "store-failed", cause: { message: "full" } });
  await commit();
  await commit();
  fails = false;
  await persistence.barrier();
  fails = true;
  await commit();
  await commit();
  expect([reported.length, failed.length]).toEqual([2, 0]);
  await commit();
  expect([reported.length, failed.length]).toEqual([2, 1]);
});

test("what has nothing to wait for does not wait, and what the store tells is reported", async () => {
  const { store, persistence, reported } = setUp(() => undefined);
  await persistence.opened;
  expect(persistence.barrier()).toBeUndefined();
  store.onError!(new Error("gone on in memory"));
  expect(reported).toMatchObject([{ code: "store-failed", cause: { message: "gone on in memory" } }]);
});
