import { Feed, finished } from "./feed.ts";
import type { Client, Status } from "./interfaces.ts";

/** The present status, then every change, until `closed`; the latest ones only when the reader is slow. */
export function statusFeed(client: Pick<Client, "on" | "status">, limit: number): AsyncIterableIterator<Status> {
  const feed = new Feed<Status>();
  let last: Status | undefined;
  const push = (status: Status): void => {
    if (status === last) {
      return;
    }
    last = status;
    feed.push(status);
    if (feed.size > limit) {
      feed.shift();
    }
    if (status === "closed") {
      end();
    }
  };
  const end = (): void => {
    stop();
    feed.end();
  };
  const stop = client.on("status", push);
  push(client.status);
  return {
    next: () => feed.next(),
    async return() {
      end();
      while (feed.size > 0) {
        feed.shift();
      }
      return finished;
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
