import { cpSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { BrokerStore } from "@tidewire/broker";
import { lmdbStore } from "@tidewire/store-lmdb";
import { afterAll, expect, test } from "vitest";
import { temporaryDirectory } from "./harness.ts";

/*
 * A store is cut off at every step of a commit: written, forced, marked. Each time its files, as they are then, become
 * the next store. That one must be at a commit that is not before the last acknowledged, and wholly so.
 */

const KILLS = 30;
const TOPICS = 60;
const root = temporaryDirectory();

afterAll(() => rmSync(root, { recursive: true }));

test("a store that is killed again and again goes on from a whole commit, and loses none that was acknowledged", async () => {
  let directory = join(root, "0");
  let acknowledged = -1;
  let rolledBack = 0;
  for (let kill = 1; kill <= KILLS; kill += 1) {
    const store = lmdbStore({ directory });
    await store.open();
    const values = topics().map((topic) => read(store, topic));
    const last = Math.max(...values);
    expect(last, `kill ${kill}`).toBeGreaterThanOrEqual(acknowledged);
    expect(values, `kill ${kill}`).toEqual(topics().map((topic) => lastWrite(topic, last)));

    const target = last + 1 + (kill % 5);
    for (let commit = last + 1; commit < target; commit += 1) {
      write(store, commit);
      await store.commit();
    }
    acknowledged = target - 1;
    write(store, target);
    const cutOff = store.commit()!.then(() => {
      acknowledged = target;
    });
    for (let step = 0; step < kill % 4; step += 1) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    const before = acknowledged;
    const next = join(root, `${kill}`);
    cpSync(directory, next, { recursive: true });
    if (before < target) {
      rolledBack += 1;
    }
    await cutOff;
    await store.close();
    rmSync(directory, { recursive: true });
    directory = next;
    acknowledged = before;
  }
  expect(rolledBack, "commits that were cut off").toBeGreaterThan(0);
});

function topics(): number[] {
  return Array.from({ length: TOPICS }, (_, topic) => topic);
}

/** Every commit writes a third of the topics, so that all of them tell which commits there were. */
function isWritten(topic: number, commit: number): boolean {
  return topic % 3 === commit % 3;
}

function lastWrite(topic: number, last: number): number {
  for (let commit = last; commit >= 0; commit -= 1) {
    if (isWritten(topic, commit)) {
      return commit;
    }
  }
  return -1;
}

function write(store: BrokerStore, commit: number): void {
  for (const topic of topics().filter((one) => isWritten(one, commit))) {
    const payload = new Uint8Array(200 + (commit % 7) * 300);
    new DataView(payload.buffer).setInt32(0, commit);
    const rest = { qos: 1, retain: true, properties: undefined, publisher: undefined, storedId: undefined } as const;
    store.putRetained({ topic: `${topic}`, payload, receivedAtMs: 0, expiresAtMs: Number.POSITIVE_INFINITY, ...rest });
  }
}

function read(store: BrokerStore, topic: number): number {
  const payload = store.readRetained(`${topic}`)?.payload;
  return payload === undefined ? -1 : new DataView(payload.buffer, payload.byteOffset).getInt32(0);
}
