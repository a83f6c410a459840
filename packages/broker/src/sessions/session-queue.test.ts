import { describe, expect, it } from "vitest";
import { type BrokerLimits, DEFAULT_LIMITS } from "../limits.ts";
import { Delivery, IncomingPublication } from "../messages/index.ts";
import { MetricsRecorder } from "../metrics/index.ts";
import { memoryStore } from "../storage/index.ts";
import { SessionQueue } from "./session-queue.ts";

function setUp(limits: Partial<BrokerLimits>): {
  queue: SessionQueue;
  metrics: MetricsRecorder;
  push: (payload: string, qos: 0 | 1) => boolean;
  content: () => string[];
} {
  const metrics = new MetricsRecorder();
  const receiver = { version: 5 as const, maybeSentBelow: undefined, nowMs: () => 0 };
  const store = memoryStore();
  const queue = new SessionQueue({
    clientId: "c",
    receiver,
    store,
    storesInflight: false,
    limits: { ...DEFAULT_LIMITS, ...limits },
    metrics,
    memory: { countQueued: () => undefined, refuses: () => false },
  });
  let sequence = 0;
  return {
    queue,
    metrics,
    push: (text, qos) => {
      const publication = new IncomingPublication(
        "t",
        new TextEncoder().encode(text),
        qos,
        false,
        undefined,
        undefined,
        0,
      );
      sequence += 1;
      return queue.push(new Delivery(receiver, sequence, publication, qos, false, undefined, undefined));
    },
    content: () => {
      const texts: string[] = [];
      for (const qos of [0, 1] as const) {
        for (let next = queue.peek(qos); next !== undefined; next = queue.peek(qos)) {
          texts.push(new TextDecoder().decode(next.payload));
          queue.drop(next);
        }
      }
      return texts;
    },
  };
}

describe("SessionQueue", () => {
  it("drops QoS 0 first, to make room for QoS 1", () => {
    const { push, content, metrics } = setUp({ queueCount: 3 });
    for (const [text, qos] of [
      ["a0", 0],
      ["b1", 1],
      ["c0", 0],
      ["d1", 1],
      ["e1", 1],
    ] as const) {
      expect(push(text, qos)).toBe(true);
    }
    expect(metrics).toMatchObject({ droppedQoS0: 2, droppedQueueFull: 0, queued: 3 });
    expect(content()).toEqual(["b1", "d1", "e1"]);
    expect(metrics).toMatchObject({ queued: 0, queuedBytes: 0 });
  });

  it.each([
    ["drop-newest", ["1", "2"], true],
    ["drop-oldest", ["2", "3"], true],
    ["disconnect", ["1", "2"], false],
  ] as const)("with %s keeps %j", (queuePolicy, kept, connected) => {
    const { push, content, metrics } = setUp({ queueCount: 2, queuePolicy });
    push("1", 1);
    push("2", 1);
    expect(push("3", 1)).toBe(connected);
    expect(metrics.droppedQueueFull).toBe(1);
    expect(content()).toEqual(kept);
  });

  it("counts bytes, too, and takes nothing larger than all its room", () => {
    const { push, content, metrics } = setUp({ queueBytes: 10, queuePolicy: "drop-oldest" });
    push("12345", 1);
    push("67890", 1);
    push("abc", 1);
    push("x".repeat(11), 1);
    expect(metrics.droppedQueueFull).toBe(2);
    expect(content()).toEqual(["67890", "abc"]);
  });

  it("reads long queues back in pages, in order", () => {
    const { push, content } = setUp({ queueCount: 5000 });
    const texts = Array.from({ length: 1000 }, (_, index) => String(index));
    for (const text of texts) {
      push(text, 1);
    }
    expect(content()).toEqual(texts);
  });
});
