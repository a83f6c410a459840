import "fake-indexeddb/auto";
import { createClient } from "@tidewire/client";
import type { Message } from "@tidewire/session";
import { indexedDbStore } from "@tidewire/store-indexeddb";
import { mockNetwork } from "@tidewire/transport-mock";
import { forceCloseDatabase } from "fake-indexeddb";
import { afterEach, expect, test, vi } from "vitest";

// Field failure: IndexedDB connections closed by the browser (Expensify/App #87864): in the background on iOS, or when the
// user clears the data of a site.

let count = 0;
const unique = (): string => {
  count += 1;
  return `lost-${count}`;
};

const message = (topic: string): Message & { readonly expiresAtMs: number } => ({
  topic,
  payload: new TextEncoder().encode(topic),
  qos: 1,
  retain: false,
  properties: undefined,
  expiresAtMs: Number.POSITIVE_INFINITY,
});

/** The databases that are open, through the door that all of them come through. */
const opened: IDBDatabase[] = [];
const open = IDBFactory.prototype.open;

function watchOpening(refuse: () => boolean = () => false): void {
  vi.spyOn(IDBFactory.prototype, "open").mockImplementation(function (this: IDBFactory, ...args) {
    if (refuse()) {
      throw new DOMException(
        "A mutation operation was attempted on a database that did not allow mutations.",
        "InvalidStateError",
      );
    }
    const request = open.apply(this, args);
    request.addEventListener("success", () => opened.push(request.result));
    return request;
  });
}

const deleteDatabase = (name: string) =>
  new Promise<void>((resolve, reject) => {
    const request = indexedDB.deleteDatabase(name);
    request.onsuccess = () => resolve();
    request.onerror = () => reject(request.error);
  });

afterEach(() => {
  vi.restoreAllMocks();
  opened.length = 0;
});

test.each(["with the event", "without a word"])(
  "a database that the browser closes %s is opened again",
  async (how) => {
    watchOpening();
    const clientId = unique();
    const store = indexedDbStore();
    await store.open(clientId);
    store.putOutgoing(1, 0, message("before"));
    await store.commit();
    if (how === "with the event") {
      forceCloseDatabase(opened[0]! as never);
      await new Promise((resolve) => setTimeout(resolve, 10));
    } else {
      opened[0]!.close();
    }
    store.putOutgoing(2, 1, message("after"));
    await store.commit();
    await store.close();
    const saved = await indexedDbStore().open(clientId);
    expect(saved.inflight.outgoing.map(({ message }) => message?.topic)).toEqual(["before", "after"]);
  },
);

test("what the browser has thrown away is written anew, with what came meanwhile", async () => {
  watchOpening();
  const clientId = unique();
  const store = indexedDbStore();
  await store.open(clientId);
  store.putOutgoing(1, 0, message("in flight"));
  store.putOutgoing(2, 1, message("released"));
  store.releaseOutgoing(2);
  store.putOutgoing(3, 2, message("done"));
  store.putIncoming(7);
  store.putQueued(5, message("queued"));
  await store.commit();
  await deleteDatabase(`tidewire:${clientId}`);
  store.deleteOutgoing(3);
  store.putQueued(6, message("queued later"));
  await store.commit();
  await store.close();
  const saved = await indexedDbStore().open(clientId);
  expect(saved.inflight.outgoing.map(({ packetId, message }) => [packetId, message?.topic])).toEqual([
    [1, "in flight"],
    [2, undefined],
  ]);
  expect(saved.inflight.incoming).toEqual([7]);
  expect(saved.queued.map(({ sequence, message }) => [sequence, message.topic])).toEqual([
    [5, "queued"],
    [6, "queued later"],
  ]);
});

test("what another page left is written anew as well", async () => {
  const clientId = unique();
  const first = indexedDbStore();
  await first.open(clientId);
  first.putOutgoing(1, 0, message("in flight"));
  first.putIncoming(7);
  first.putQueued(5, message("queued"));
  await first.close();
  const second = indexedDbStore();
  await second.open(clientId);
  await deleteDatabase(`tidewire:${clientId}`);
  second.putIncoming(8);
  await second.close();
  const saved = await indexedDbStore().open(clientId);
  expect(saved.inflight.outgoing).toHaveLength(1);
  expect(saved.inflight.incoming).toEqual([7, 8]);
  expect(saved.queued).toHaveLength(1);
});

test("a full disk fails at once, and what was staged is tried again", async () => {
  watchOpening();
  const store = indexedDbStore();
  await store.open(unique());
  const transaction = vi.spyOn(IDBDatabase.prototype, "transaction").mockImplementation(() => {
    throw new DOMException("full", "QuotaExceededError");
  });
  store.putIncoming(1);
  await expect(store.commit()).rejects.toMatchObject({ name: "QuotaExceededError" });
  expect(transaction).toHaveBeenCalledTimes(1);
  transaction.mockRestore();
  await store.commit();
  await store.close();
});

for (const whenLost of ["fail", "memory"] as const) {
  test(`a database that stays away: ${whenLost}`, async () => {
    let refused = false;
    watchOpening(() => refused);
    const network = mockNetwork({ transcript: false });
    void network.listen((connection) =>
      connection.start({
        onData: (chunk) => {
          // CONNECT, or PUBLISH of QoS 1 to "t": the packet identifier follows the topic.
          const answer = chunk[0] === 0x10 ? [0x20, 3, 0, 0, 0] : [0x40, 2, chunk[5]!, chunk[6]!];
          connection.send([new Uint8Array(answer)]);
        },
        onDrain: () => {},
        onClose: () => {},
      }),
    );
    const client = createClient(network.dial, {
      clientId: unique(),
      keepAlive: 0,
      store: indexedDbStore({ whenLost }),
      scheduler: network.scheduler,
      reconnect: { random: () => 0.5 },
    });
    const errors: unknown[] = [];
    client.on("error", (error) => errors.push(error));
    const settle = async () => {
      for (let i = 0; i < 20; i += 1) {
        await network.pass(20_000);
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    await settle();
    expect(client.status).toBe("connected");
    refused = true;
    for (const database of opened) {
      database.close();
    }
    const published = client.publish("t", "x", { qos: 1 }).then(
      () => "published",
      ({ code }) => code,
    );
    await settle();
    // Neither way leaves anybody waiting for ever, and both tell.
    expect(await published).toBe(whenLost === "fail" ? "store-failed" : "published");
    expect(client.status).toBe(whenLost === "fail" ? "closed" : "connected");
    expect(errors[0]).toMatchObject({ code: "store-failed" });
    await Promise.all([client.close(), settle()]);
  });
}
