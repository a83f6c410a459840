// How long a broker takes to start on a store with many messages waiting.

import { lmdbStore } from "@tidewire/store-lmdb";
import { residentBytes } from "../broker/servers.js";
import { startTidewire } from "./servers.js";

const BATCHES = 100;
const PAYLOAD = Buffer.alloc(64, 0x61);

/** Writes so many queued messages, spread over sessions. */
export function fillQueues(directory, count) {
  return fill(directory, (store, batch) => {
    const clientId = `waiting-${batch}`;
    store.putSession({
      clientId,
      version: 4,
      sessionExpiryInterval: Number.POSITIVE_INFINITY,
      disconnectedAtMs: Date.now(),
      username: undefined,
      will: undefined,
      willAtMs: undefined,
      maybeSentBelow: undefined,
    });
    for (let sequence = 0; sequence < count / BATCHES; sequence += 1) {
      store.enqueue(clientId, entry(sequence));
    }
  });
}

/** Writes so many retained messages. */
export function fillRetained(directory, count) {
  return fill(directory, (store, batch) => {
    for (let index = 0; index < count / BATCHES; index += 1) {
      store.putRetained(publication(`bench/${batch}/${index}`));
    }
  });
}

async function fill(directory, write) {
  const store = lmdbStore({ directory, fsync: "os" });
  await store.open();
  for (let batch = 0; batch < BATCHES; batch += 1) {
    write(store, batch);
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
  const message = publication("bench/topic/0001");
  return { sequence, publication: message, qos: 1, retain: false, subscriptionIdentifiers: undefined };
}

function publication(topic) {
  return {
    topic,
    payload: PAYLOAD,
    qos: 1,
    retain: false,
    properties: undefined,
    receivedAtMs: Date.now(),
    expiresAtMs: Number.POSITIVE_INFINITY,
    publisher: "publisher",
    storedId: undefined,
  };
}
