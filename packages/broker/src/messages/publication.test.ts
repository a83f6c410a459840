import type { Properties } from "@tidewire/codec";
import { describe, expect, it, test } from "vitest";
import { IncomingPublication, isExpired, outgoingProperties } from "./publication.ts";

const NOW = 1_700_000_000_000;

describe("Message Expiry Interval", () => {
  test("a publication expires when its time is over, and without an interval never", () => {
    const short = publication({ properties: { messageExpiryInterval: 2 } });
    expect([isExpired(short, NOW), isExpired(short, NOW + 1999), isExpired(short, NOW + 2000)]).toEqual([
      false,
      false,
      true,
    ]);
    expect(isExpired(publication({ properties: { messageExpiryInterval: 0 } }), NOW)).toBe(true);
    expect(isExpired(publication({}), Number.MAX_SAFE_INTEGER)).toBe(false);
  });

  /*
   * What remains is rounded up: rounded down, a message with two seconds that waited 1.1 s would go out with 0 and be thrown
   * away by the next server, before its time [MQTT-3.3.2-6].
   */
  it.each([
    [2, 0, 2],
    [2, 999, 2],
    [2, 1000, 1],
    [2, 1100, 1],
    [10, 1001, 9],
    [10, 9001, 1],
    [10, 10_000, 0],
    [10, 99_000, 0],
  ])("of %i s, after %i ms, %i s remain", (interval, waitedMs, remains) => {
    const one = publication({ properties: { messageExpiryInterval: interval } });
    expect(outgoingProperties(one, undefined, NOW + waitedMs)?.messageExpiryInterval).toBe(remains);
  });
});

describe("outgoing properties", () => {
  it("are the published ones themselves while there is nothing to change", () => {
    const properties: Properties = { contentType: "text/plain", messageExpiryInterval: 5 };
    expect(outgoingProperties(publication({ properties }), undefined, NOW + 999)).toBe(properties);
    expect(outgoingProperties(publication({}), undefined, NOW + 5000)).toBeUndefined();
  });

  it("carry the identifiers of the receiver's own subscriptions, and leave the published ones as they are", () => {
    const properties: Properties = { contentType: "text/plain" };
    const one = publication({ properties });
    expect(outgoingProperties(one, [3, 4], NOW)).toEqual({
      contentType: "text/plain",
      subscriptionIdentifiers: [3, 4],
    });
    expect(properties).toEqual({ contentType: "text/plain" });
    expect(outgoingProperties(publication({}), [7], NOW)).toEqual({ subscriptionIdentifiers: [7] });
  });
});

describe("keep", () => {
  /* A received payload is a view of its chunk: three bytes that are kept must not keep 64 KiB. */
  it("copies a small payload out of a large chunk", () => {
    const chunk = new Uint8Array(64 * 1024).fill(7);
    const one = publication({ payload: chunk.subarray(100, 103) });
    one.keep();
    expect([...one.payload]).toEqual([7, 7, 7]);
    expect(one.payload.buffer).not.toBe(chunk.buffer);
    expect(one.payload.buffer.byteLength).toBeLessThanOrEqual(8192);
    chunk.fill(0);
    expect([...one.payload]).toEqual([7, 7, 7]);
  });

  it("does not copy what fills half of its chunk or more", () => {
    const chunk = new Uint8Array(64 * 1024);
    const half = chunk.subarray(0, 32 * 1024);
    const one = publication({ payload: half });
    one.keep();
    expect(one.payload).toBe(half);
    const less = publication({ payload: chunk.subarray(0, 32 * 1024 - 1) });
    less.keep();
    expect(less.payload.buffer).not.toBe(chunk.buffer);
  });

  it("does not copy out of a slab as small as Node's pool", () => {
    const slab = new Uint8Array(8192);
    const view = slab.subarray(0, 1);
    const one = publication({ payload: view });
    one.keep();
    expect(one.payload).toBe(view);
  });
});

test("as QoS 0 it keeps everything else", () => {
  const properties: Properties = { responseTopic: "r" };
  const one = publication({ properties });
  expect(one.asQoS0()).toEqual({ topic: "t", payload: one.payload, qos: 0, retain: true, properties });
});

function publication(options: { properties?: Properties; payload?: Uint8Array }): IncomingPublication {
  const payload = options.payload ?? new Uint8Array([1]);
  return new IncomingPublication("t", payload, 2, true, options.properties, "publisher", NOW);
}
