import { matches } from "@tidewire/codec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ROUTE_CHANGES_KEPT } from "../limits.ts";
import { type Route, RouteCache } from "./route-cache.ts";

const ROUTE: Route = { targets: [], groups: [] };
/** What a route without receivers counts. */
const SIZE = 8;

describe("RouteCache", () => {
  it("evicts the oldest routes, and never holds more than it may", () => {
    const cache = new RouteCache(3 * SIZE);
    for (let index = 0; index < 1000; index += 1) {
      cache.put(`t/${index}`, ROUTE);
      expect(cache.size).toBe(Math.min(index + 1, 3) * SIZE);
    }
    expect(cache.get("t/996")).toBeUndefined();
    expect([997, 998, 999].map((index) => cache.get(`t/${index}`))).not.toContain(undefined);
    // Built again it is the newest.
    cache.put("t/997", ROUTE);
    cache.put("new", ROUTE);
    expect(cache.get("t/997")).toBeDefined();
    expect(cache.get("t/998")).toBeUndefined();
    expect(cache.size).toBe(3 * SIZE);
  });

  it("keeps no route that is larger than all of it, and none of a topic that is very long", () => {
    const cache = new RouteCache(SIZE - 1);
    cache.put("t", ROUTE);
    expect([cache.get("t"), cache.size]).toEqual([undefined, 0]);
    const large = new RouteCache(1000);
    large.put("t".repeat(1000), ROUTE);
    expect(large.size).toBe(0);
  });

  it("drops the routes that a changed filter matches, and no others", () => {
    const cache = new RouteCache(1000);
    for (const topic of ["a/1", "a/2", "b/1"]) {
      cache.put(topic, ROUTE);
    }
    cache.forget("b/+");
    cache.forget("c/#");
    cache.forget("a/2");
    expect(["a/1", "a/2", "b/1"].map((topic) => cache.get(topic) !== undefined)).toEqual([true, false, false]);
  });

  it("has no route that a change matched, however many changes there were", () => {
    const filter = fc.constantFrom("a/+", "+/1", "b/#", "#", "a/1", "c/+");
    const topic = fc.constantFrom("a/1", "b/1", "c", "c/2");
    fc.assert(
      fc.property(
        fc.array(fc.oneof(filter, topic), { maxLength: 4 * ROUTE_CHANGES_KEPT }),
        fc.integer({ min: 1, max: 5 }),
        (changes, every) => {
          const cache = new RouteCache(1000);
          const valid = new Set<string>();
          for (const [index, change] of changes.entries()) {
            if (index % every === 0) {
              cache.put("a/1", ROUTE);
              valid.add("a/1");
            }
            cache.forget(change);
            for (const known of valid) {
              if (matches(change, known)) {
                valid.delete(known);
              }
            }
            if (cache.get("a/1") !== undefined) {
              expect(valid).toContain("a/1");
            }
          }
        },
      ),
    );
  });

  it("keeps a route that is in use through any number of changes elsewhere", () => {
    const cache = new RouteCache(1000);
    cache.put("a", ROUTE);
    for (let index = 0; index < 10 * ROUTE_CHANGES_KEPT; index += 1) {
      cache.forget(`b/${index}/+`);
      expect(cache.get("a")).toBeDefined();
    }
  });
});
