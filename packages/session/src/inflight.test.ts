import fc from "fast-check";
import { expect, test } from "vitest";
import { InflightState, RELEASED } from "./inflight.ts";
import type { Message } from "./message.ts";

const message: Message = { topic: "t", payload: new Uint8Array(0), qos: 1, retain: false, properties: undefined };

function take(state: InflightState): number {
  const packetId = state.nextPacketId();
  if (packetId !== 0) {
    state.outgoing.set(packetId, message);
  }
  return packetId;
}

test("never gives out packet identifier 0 or one in use, and all 65,535 of them", () => {
  const state = new InflightState(new Map(), new Set());
  state.requests.set(3, { answer: 9, count: 1 });
  const taken = new Set<number>();
  for (let i = 0; i < 65_534; i += 1) {
    taken.add(take(state));
  }
  expect(taken.size).toBe(65_534);
  expect(taken.has(0) || taken.has(3)).toBe(false);
  expect(state.freePacketIds).toBe(0);
  expect(state.nextPacketId()).toBe(0);
  state.outgoing.delete(40_000);
  expect(take(state)).toBe(40_000);
});

test("lets a packet identifier rest until all others had their turn, also over a restart", () => {
  const state = new InflightState(new Map([[65_534, message]]), new Set());
  const ids = Array.from({ length: 4 }, () => {
    const packetId = take(state);
    state.outgoing.delete(packetId);
    return packetId;
  });
  expect(ids).toEqual([65_535, 1, 2, 3]);
});

test("agrees with a set, whatever is taken and given back", () => {
  const step = fc.oneof(fc.constant("take" as const), fc.nat(200));
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 65_535 }), fc.array(step, { maxLength: 300 }), (first, steps) => {
      const state = new InflightState(new Map([[first, RELEASED]]), new Set());
      const model = new Set([first]);
      for (const next of steps) {
        if (next === "take") {
          const packetId = take(state);
          expect(model.has(packetId)).toBe(false);
          model.add(packetId);
        } else {
          const packetId = [...model][next] ?? next;
          state.outgoing.delete(packetId);
          model.delete(packetId);
        }
        expect(state.freePacketIds).toBe(65_535 - model.size);
      }
    }),
  );
});

test("takes back a message that was sent, and no other that has its identifier by now", () => {
  const state = new InflightState(new Map(), new Set());
  const other = { ...message };
  state.outgoing.set(7, message);
  state.outgoing.set(8, RELEASED);
  expect(state.unreceived()).toEqual([{ packetId: 7, message }]);
  state.withdraw(7, other);
  state.withdraw(8, message);
  expect(state.outgoingCount).toBe(2);
  state.withdraw(7, message);
  expect(state.outgoingCount).toBe(1);
});
