import fc from "fast-check";
import { expect, test } from "vitest";
import { MessageQueue } from "./message-queue.ts";
import { OutgoingMessage } from "./outgoing-message.ts";

function message(size: number): OutgoingMessage {
  const payload = new Uint8Array(size);
  return new OutgoingMessage({ topic: "t", payload, qos: 0, retain: false, properties: undefined }, 0);
}

test("order, number and bytes are right whatever is pushed, taken and withdrawn from the middle", () => {
  const step = fc.oneof(
    { weight: 3, arbitrary: fc.record({ push: fc.nat(9) }) },
    { weight: 2, arbitrary: fc.record({ take: fc.constant(true) }) },
    { weight: 2, arbitrary: fc.record({ remove: fc.nat() }) },
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
      const queue = new MessageQueue();
      const model: OutgoingMessage[] = [];
      for (const action of steps) {
        if ("push" in action) {
          const added = message(action.push);
          queue.push(added);
          model.push(added);
        } else if (model.length > 0) {
          const [gone] = "take" in action ? model.splice(0, 1) : model.splice(action.remove % model.length, 1);
          queue.remove(gone!);
        }
        expect(queue.peek()).toBe(model[0]);
        expect(queue.size).toBe(model.length);
        expect(queue.bytes).toBe(model.reduce((sum, { bytes }) => sum + bytes, 0));
      }
      expect(queue.takeAll()).toEqual(model);
      expect([queue.size, queue.bytes, queue.peek()]).toEqual([0, 0, undefined]);
    }),
    { seed: 20_262, numRuns: 200 },
  );
});

test("clearing away used places skips nothing", () => {
  const queue = new MessageQueue();
  const all = Array.from({ length: 3_000 }, () => message(1));
  for (const each of all) {
    queue.push(each);
  }
  queue.peek();
  // From both ends and from the middle, so that it is cleared away while some places are used and some are not.
  const kept = all.filter((each, i) => {
    if (i % 3 === 0 || i < 500) {
      queue.remove(each);
      return false;
    }
    return true;
  });
  const taken: OutgoingMessage[] = [];
  for (let next = queue.peek(); next !== undefined; next = queue.peek()) {
    queue.remove(next);
    taken.push(next);
  }
  expect(taken).toEqual(kept);
});
