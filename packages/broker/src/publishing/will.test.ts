import type { Will } from "@tidewire/codec";
import { NOT_AUTHORIZED } from "@tidewire/codec/codes";
import { describe, expect, it } from "vitest";
import type { ClientInfo } from "../hooks/index.ts";
import type { IncomingPublication } from "../messages/index.ts";
import { MetricsRecorder } from "../metrics/index.ts";
import { Publisher } from "./publisher.ts";
import { publishWill } from "./will.ts";

const CLIENT: ClientInfo = {
  clientId: "c",
  version: 5,
  username: undefined,
  connection: {
    transport: "mock",
    remoteAddress: undefined,
    localAddress: undefined,
    secure: false,
    protocol: undefined,
  },
};

describe("a will", () => {
  it("is published as its client would have, without the delay, which is for the server alone", () => {
    const { publish, routed, metrics } = setUp({});
    publish({ properties: { willDelayInterval: 5, contentType: "text/plain" } });
    expect(routed).toHaveLength(1);
    expect(routed[0]).toMatchObject({ topic: "gone", qos: 1, retain: true, publisher: "c", receivedAtMs: 1000 });
    expect(routed[0]?.properties).toEqual({ contentType: "text/plain" });
    expect(metrics).toMatchObject({ willsPublished: 1, publishRefused: 0 });
  });

  it("keeps its properties where there is no delay", () => {
    const { publish, routed } = setUp({});
    const properties = { contentType: "text/plain" };
    publish({ properties });
    publish({ properties: undefined });
    expect(routed[0]?.properties).toBe(properties);
    expect(routed[1]?.properties).toBeUndefined();
  });

  /* A client may not get past a limit by dying. */
  it.each([
    ["the retained messages are at their limit", { retainedFull: true }],
    ["the store can keep nothing", { storeFailed: true }],
    ["its client may not publish there", { verdict: NOT_AUTHORIZED }],
    ["its client may not publish there, as the hook says later", { verdict: Promise.resolve(NOT_AUTHORIZED) }],
  ])("is not published, and counted, when %s", async (_, conditions) => {
    const { publish, routed, metrics } = setUp(conditions);
    publish({});
    await new Promise((resolve) => setImmediate(resolve));
    expect(routed).toEqual([]);
    expect(metrics).toMatchObject({ willsPublished: 0, publishRefused: 1 });
  });

  it("waits for a hook that takes its time", async () => {
    const { publish, routed, metrics } = setUp({ verdict: Promise.resolve(0) });
    publish({});
    expect(routed).toEqual([]);
    await new Promise((resolve) => setImmediate(resolve));
    expect(routed).toHaveLength(1);
    expect(metrics).toMatchObject({ willsPublished: 1, publishRefused: 0 });
  });

  it("tells of what fails after the hook has answered: nobody else would", async () => {
    const failure = new Error("The routes are broken.");
    const { publish, failures } = setUp({ verdict: Promise.resolve(0), failure });
    publish({});
    await new Promise((resolve) => setImmediate(resolve));
    expect(failures).toEqual([failure]);
  });
});

interface Conditions {
  readonly retainedFull?: boolean;
  readonly storeFailed?: boolean;
  readonly verdict?: number | Promise<number>;
  readonly failure?: Error;
}

/** With a real publisher: what it refuses has to count for wills, too. */
function setUp({ retainedFull = false, storeFailed = false, verdict = 0, failure }: Conditions): {
  publish(will: Partial<Will>): void;
  routed: IncomingPublication[];
  failures: unknown[];
  metrics: MetricsRecorder;
} {
  const routed: IncomingPublication[] = [];
  const failures: unknown[] = [];
  const metrics = new MetricsRecorder();
  const publisher = new Publisher({
    authority: { published() {} },
    cluster: { published() {}, retained() {} },
    metrics,
    retained: { accepts: () => !retainedFull, set() {} },
    router: {
      publish: (publication) => {
        if (failure !== undefined) {
          throw failure;
        }
        routed.push(publication);
        return 0;
      },
    },
    storage: { commitSoon() {}, count() {}, mayAccept: () => !storeFailed },
  });
  const needs = {
    authority: { publish: () => verdict },
    clock: { nowMs: () => 1000 },
    metrics,
    publisher,
    onFailure: (error: unknown) => failures.push(error),
  };
  const will: Will = { topic: "gone", payload: new Uint8Array(1), qos: 1, retain: true, properties: undefined };
  return { publish: (changes) => publishWill(needs, { ...will, ...changes }, CLIENT), routed, failures, metrics };
}
