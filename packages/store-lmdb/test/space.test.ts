import { join } from "node:path";
import type { BrokerStore, Publication } from "@tidewire/broker";
import { lmdbStore } from "@tidewire/store-lmdb";
import { afterAll, afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { SmallDisk } from "./harness.ts";

/* "Refusing everything for lack of disk without a word": a store says when it begins, and when it ends. */

const disk = new SmallDisk(24);
const MEBIBYTE = 1024 * 1024;
vi.setConfig({ testTimeout: 120_000 });
let count = 0;
let store: BrokerStore;
let heard: (string | undefined)[];

beforeEach(() => {
  heard = [];
  count += 1;
});

afterEach(async () => {
  await store.close().catch(() => {});
  disk.free();
});

afterAll(() => disk.remove());

describe.skipIf(!disk.available)("on a small disk", () => {
  test("a reserve that is larger than the file system is said at the start, with the room there is", async () => {
    await open(32 * MEBIBYTE);
    expect(heard).toEqual(["store-full"]);
    expect(store.failure?.message).toMatch(
      /the disk of .* has 2\d(\.\d)? MiB free, and 32 MiB are kept in reserve; make room/,
    );
  });

  test("a reserve that is reached is said once, and so is its end", async () => {
    await open(8 * MEBIBYTE);
    expect(heard).toEqual([]);
    disk.fill();
    await until(() => heard.length > 0);
    disk.free();
    await until(() => heard.length > 1);
    expect(heard).toEqual(["store-full", undefined]);
  });

  test("a disk that is full is said once, however often a commit fails, and commits go on at once when there is room", async () => {
    await open(0);
    disk.fill();
    for (let number = 0; number < 30; number += 1) {
      store.putRetained(publication(`${number}`));
      await expect(store.commit()).rejects.toMatchObject({ code: "store-full" });
    }
    expect(heard).toEqual(["store-full"]);
    disk.free();
    await store.commit();
    expect(heard).toEqual(["store-full", undefined]);
  });
});

async function open(reserveBytes: number): Promise<void> {
  store = lmdbStore({ directory: join(disk.path, `${count}`), limits: { reserveBytes } });
  store.onFailureChange = (failure) => heard.push(failure?.code);
  await store.open();
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) {
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

function publication(topic: string): Publication {
  const rest = { qos: 1, retain: true, properties: undefined, publisher: undefined, storedId: undefined } as const;
  const payload = new Uint8Array(200_000);
  return { topic, payload, receivedAtMs: 0, expiresAtMs: Number.POSITIVE_INFINITY, ...rest };
}
