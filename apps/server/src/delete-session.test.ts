import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { lmdbStore } from "@tidewire/store-lmdb";
import { afterEach, beforeEach, expect, it, vi } from "vitest";
import { deleteSession } from "./delete-session.ts";

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), "tidewire-delete-session-"));
});
afterEach(() => {
  rmSync(directory, { recursive: true, force: true });
  vi.restoreAllMocks();
});

it("ends one session for good, says what it held, and leaves the others", async () => {
  const written: string[] = [];
  vi.spyOn(process.stdout, "write").mockImplementation((text) => written.push(String(text)) > 0);
  const store = lmdbStore({ directory });
  await store.open();
  for (const clientId of ["gauge", "other"]) {
    store.putSession({
      clientId,
      version: 5,
      sessionExpiryInterval: Number.POSITIVE_INFINITY,
      disconnectedAtMs: Date.now(),
      username: "mallory",
      will: undefined,
      willAtMs: undefined,
      maybeSentBelow: undefined,
    });
  }
  await store.commit();
  await store.close();
  await deleteSession({ directory, clientId: "gauge" });
  expect(written.join("")).toBe(
    'deleted the session "gauge" of user "mallory": 0 subscriptions, 0 messages that waited\n',
  );
  await expect(deleteSession({ directory, clientId: "gauge" })).rejects.toThrow(/there is no session "gauge"/);
  const again = lmdbStore({ directory });
  const { sessions } = await again.open();
  expect([...sessions].map(({ clientId }) => clientId)).toEqual(["other"]);
  await again.close();
});

it("says what to do about a directory that is none of ours", async () => {
  await expect(deleteSession({ directory: join(directory, "missing"), clientId: "x" })).rejects.toThrow();
});
