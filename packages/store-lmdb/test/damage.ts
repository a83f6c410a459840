import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Publication } from "@tidewire/broker";
import { type LmdbStoreError, lmdbStore } from "@tidewire/store-lmdb";
import { expect } from "vitest";

/*
 * Stores that something has happened to. Each of them must be refused with a reason, or have all that it had: never
 * less in silence, and never the end of the process, which is that of the tests.
 */

export const PAGE_BYTES = 4096;
const CLIENTS = ["one", "two", "three", "four"];
const QUEUED = 40;

/** The files of a store, after an orderly end and as a kill leaves them; and what is in it. */
export interface Samples {
  readonly closed: string;
  readonly killed: string;
  readonly contents: Contents;
}

interface Contents {
  readonly sessions: string[];
  readonly messages: string[];
  readonly retained: string[];
}

/** Makes a store with some of everything, in a few transactions, so that there are free pages as well. */
export async function makeSamples(root: string): Promise<Samples> {
  const closed = join(root, "closed");
  const killed = join(root, "killed");
  const store = lmdbStore({ directory: closed });
  await store.open();
  const shared = publication("to/all", 9000);
  for (const [index, clientId] of CLIENTS.entries()) {
    store.putSession(session(clientId));
    store.putSubscription(clientId, { ...SUBSCRIPTION, filter: `of/${clientId}/+` });
    for (let sequence = 1; sequence <= QUEUED; sequence += 1) {
      const body = sequence === 1 ? shared : publication(`${clientId}/${sequence}`, 100 + sequence * 10);
      store.enqueue(clientId, { ...ENTRY, sequence, publication: body });
    }
    const [entry] = store.readQueue(clientId, 2, 1, 1);
    const { topic, payload, qos, retain, properties } = entry!.publication;
    store.inflight(clientId).putOutgoing(7, 1, { topic, payload, qos, retain, properties, entry: entry! } as never);
    store.inflight(clientId).putIncoming(index + 1);
    await store.commit();
  }
  for (let topic = 0; topic < 60; topic += 1) {
    store.putRetained(publication(`kept/${topic}`, topic % 20 === 0 ? 30_000 : 300));
  }
  await store.commit();
  for (let topic = 0; topic < 60; topic += 2) {
    store.deleteRetained(`kept/${topic}`);
    await store.commit();
  }
  cpSync(closed, killed, { recursive: true });
  await store.close();
  return { closed, killed, contents: await readAll(copy(closed, join(root, "read"))) };
}

/** Opens what became of a store and expects one of the two outcomes. Returns the reason, or undefined. */
export async function expectRefusedOrWhole(
  directory: string,
  contents: Contents,
  story: string,
): Promise<string | undefined> {
  let found: Contents;
  try {
    found = await readAll(directory);
  } catch (error) {
    expect((error as LmdbStoreError).code, `${story}: ${error}`).toMatch(/^store-(corrupt|version)$/);
    return (error as Error).message;
  }
  expect(found, story).toEqual(contents);
  return undefined;
}

export function copy(from: string, to: string): string {
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to, { recursive: true });
  cpSync(from, to, { recursive: true });
  return to;
}

export function editData(directory: string, change: (file: Buffer) => void): void {
  const path = join(directory, "data.mdb");
  const file = readFileSync(path);
  change(file);
  writeFileSync(path, file);
}

/** Seeded, so that a failure can be run again. */
export function randomly(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** Everything, read through the store; then one more is written, and it is closed in order. */
export async function readAll(directory: string): Promise<Contents> {
  const store = lmdbStore({ directory });
  try {
    const { sessions, retained } = await store.open();
    const found: Contents = { sessions: [], messages: [], retained: [] };
    for (const { clientId, subscriptions, queuedCount } of sessions) {
      found.sessions.push(`${clientId} ${subscriptions.map(({ filter }) => filter).join()} ${queuedCount}`);
    }
    for (const clientId of CLIENTS) {
      for (const { sequence, publication: body } of store.readQueue(clientId, 0, 1000, 1e9)) {
        found.messages.push(`${clientId} ${sequence} ${describe(body)}`);
      }
      const { outgoing, incoming } = store.loadInflight(clientId);
      for (const { packetId, message } of outgoing) {
        found.messages.push(`${clientId} out ${packetId} ${message && describe(message)}`);
      }
      found.messages.push(`${clientId} in ${incoming.join()}`);
    }
    for (const { topic } of retained) {
      found.retained.push(`${topic} ${describe(store.readRetained(topic)!)}`);
    }
    found.retained.sort();
    store.putRetained(publication("written/afterwards", 2000));
    await store.commit();
    store.deleteRetained("written/afterwards");
    await store.commit();
    return found;
  } finally {
    await store.close();
  }
}

function describe({ topic, payload }: Pick<Publication, "topic" | "payload">): string {
  const isWhole = payload.every((byte, index) => byte === (topic.length + index) % 251);
  return `${topic} ${payload.length} ${isWhole ? "whole" : "changed"}`;
}

function publication(topic: string, bytes: number): Publication {
  const payload = Uint8Array.from({ length: bytes }, (_, index) => (topic.length + index) % 251);
  const rest = { qos: 1, retain: true, properties: undefined, publisher: undefined, storedId: undefined } as const;
  return { topic, payload, receivedAtMs: 0, expiresAtMs: Number.POSITIVE_INFINITY, ...rest };
}

export function session(clientId: string) {
  const none = { username: undefined, will: undefined, willAtMs: undefined, maybeSentBelow: undefined };
  return { clientId, version: 5, sessionExpiryInterval: 3600, disconnectedAtMs: 1, ...none } as const;
}

const ENTRY = { qos: 1, retain: false, subscriptionIdentifiers: undefined } as const;
const SUBSCRIPTION = {
  qos: 1,
  noLocal: false,
  retainAsPublished: false,
  retainHandling: 0,
  subscriptionIdentifier: undefined,
} as const;
