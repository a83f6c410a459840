import { Feed, finished } from "./feed.ts";
import type { Status } from "./status.ts";

/** What tells a status and its changes. */
export interface StatusSource {
  readonly status: Status;
  on(event: "status", listener: (status: Status) => void): () => void;
}

/** The present status, then every change, until `closed`; the latest ones only when the reader is slow. */
export function statusFeed(client: StatusSource, limit: number): AsyncIterableIterator<Status> {
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
