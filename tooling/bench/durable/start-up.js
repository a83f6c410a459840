// How long a broker takes to start on a store with many messages waiting.

import { lmdbStore } from "@tidewire/store-lmdb";
import { residentBytes } from "../broker/servers.js";
import { startTidewire } from "./servers.js";

const SESSIONS = 100;
const PAYLOAD = Buffer.alloc(64, 0x61);

/** Writes so many queued messages, spread over sessions. */
export async function fillStore(directory, count) {
  const store = lmdbStore({ directory, fsync: "os" });
  await store.open();
  for (let session = 0; session < SESSIONS; session++) {
    const clientId = `waiting-${session}`;
    store.putSession({
      clientId,
      version: 4,
      sessionExpiryInterval: Number.POSITIVE_INFINITY,
      disconnectedAtMs: Date.now(),
      username: undefined,
      will: undefined,
      willAtMs: undefined,
    });
    for (let sequence = 0; sequence < count / SESSIONS; sequence++) store.enqueue(clientId, entry(sequence));
    await store.commit();
  }
  await store.close();
}

export async function startUp(folder, directory) {
  const start = performance.now();
  const server = await startTidewire(folder, { directory });
  const milliseconds = performance.now() - start;
  const result = { milliseconds, residentBytes: residentBytes(server.pid) };
  server.stop();
  return result;
}

function entry(sequence) {
  const publication = {
    topic: "bench/topic/0001",
    payload: PAYLOAD,
    qos: 1,
    retain: false,
    properties: undefined,
    receivedAtMs: Date.now(),
    expiresAtMs: Number.POSITIVE_INFINITY,
    publisher: "publisher",
    storedId: undefined,
  };
  return { sequence, publication, qos: 1, retain: false, subscriptionIdentifiers: undefined };
}
