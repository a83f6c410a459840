import type { QoS } from "@tidewire/codec";
import { describe, expect, it } from "vitest";
import { Encodings, IncomingPublication } from "../messages/index.ts";
import { MetricsRecorder } from "../metrics/index.ts";
import { Publisher, type PublisherNeeds, Refused } from "./publisher.ts";

describe("publish", () => {
  it("keeps what is retained before it routes, then tells other nodes and hooks", () => {
    const { publish, done, metrics } = setUp({});
    expect(publish(1, true)).toBe(3);
    expect(done).toEqual(["retain", "count", "commit soon", "cluster retain", "route", "cluster publish", "hook"]);
    expect(metrics.retainedRefused).toBe(0);
  });

  it("only routes what is not retained, whatever the retained messages say", () => {
    const { publish, done } = setUp({ retainedFull: true });
    expect(publish(1, false)).toBe(3);
    expect(done).toEqual(["route", "cluster publish", "hook"]);
  });

  it("does nothing with a retained message for which there is no room, and counts it", () => {
    const { publish, done, metrics } = setUp({ retainedFull: true });
    expect(publish(0, true)).toBe(Refused.RETAINED_FULL);
    expect(done).toEqual([]);
    expect(metrics.retainedRefused).toBe(1);
  });

  it.each<[QoS, boolean, boolean]>([
    [0, false, true],
    [0, true, false],
    [1, false, false],
    [2, false, false],
    [2, true, false],
  ])("while the store fails, QoS %i with RETAIN %s is taken: %s", (qos, retain, taken) => {
    const { publish, done } = setUp({ storeFailed: true });
    expect(publish(qos, retain)).toBe(taken ? 3 : Refused.STORE_UNAVAILABLE);
    expect(done.length > 0).toBe(taken);
  });
});

function setUp({ retainedFull = false, storeFailed = false }: { retainedFull?: boolean; storeFailed?: boolean }): {
  publish(qos: QoS, retain: boolean): number;
  done: string[];
  metrics: MetricsRecorder;
} {
  const done: string[] = [];
  const note = (what: string) => () => {
    done.push(what);
  };
  const metrics = new MetricsRecorder();
  const needs: PublisherNeeds = {
    authority: { published: note("hook") },
    cluster: { published: note("cluster publish"), retained: note("cluster retain") },
    metrics,
    retained: { accepts: () => !retainedFull, set: note("retain") },
    router: {
      publish: () => {
        done.push("route");
        return 3;
      },
    },
    storage: { commitSoon: note("commit soon"), count: note("count"), mayAccept: () => !storeFailed },
  };
  const publisher = new Publisher(needs);
  return {
    done,
    metrics,
    publish: (qos, retain) => {
      const publication = new IncomingPublication("t", new Uint8Array(1), qos, retain, undefined, undefined, 0);
      return publisher.publish(publication, new Encodings(publication), undefined);
    },
  };
}
