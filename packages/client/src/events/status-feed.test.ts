import { expect, test } from "vitest";
import type { Status } from "./status.ts";
import { statusFeed } from "./status-feed.ts";

function source() {
  const listeners = new Set<(status: Status) => void>();
  return {
    status: "connecting" as Status,
    listeners,
    on(_: "status", listener: (status: Status) => void) {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    set(status: Status) {
      this.status = status;
      for (const listener of listeners) {
        listener(status);
      }
    },
  };
}

test("the present status, every change once, and the end at closed", async () => {
  const client = source();
  const feed = statusFeed(client, 10);
  client.set("connected");
  client.set("reconnecting");
  client.set("reconnecting");
  client.set("closed");
  const seen: Status[] = [];
  for await (const status of feed) {
    seen.push(status);
  }
  expect(seen).toEqual(["connecting", "connected", "reconnecting", "closed"]);
  expect(client.listeners.size).toBe(0);
});

test("a slow reader gets the latest ones only", async () => {
  const client = source();
  const feed = statusFeed(client, 2);
  client.set("connected");
  client.set("reconnecting");
  client.set("connected");
  expect([(await feed.next()).value, (await feed.next()).value]).toEqual(["reconnecting", "connected"]);
});

test("leaving the loop takes the listener off and ends the feed", async () => {
  const client = source();
  for await (const _ of statusFeed(client, 2)) {
    break;
  }
  expect(client.listeners.size).toBe(0);
  const feed = statusFeed(client, 2);
  await feed.return!();
  expect(await feed.next()).toEqual({ done: true, value: undefined });
});
