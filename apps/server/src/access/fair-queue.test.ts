import { expect, it } from "vitest";
import { FairQueue } from "./fair-queue.ts";

function drain(queue: FairQueue<string>): string {
  const all: string[] = [];
  for (let item = queue.shift(); item !== undefined; item = queue.shift()) {
    all.push(item);
  }
  expect(queue.size).toBe(0);
  return all.join(" ");
}

it("gives everybody a turn before anybody a second one", () => {
  const queue = new FairQueue<string>(100, 10);
  for (const item of ["a1", "a2", "a3", "b1", "c1", "c2"]) {
    expect(queue.push(item[0] ?? "", item)).toBeUndefined();
  }
  expect(queue.size).toBe(6);
  expect(drain(queue)).toBe("a1 b1 c1 a2 c2 a3");
});

it("takes the newest and the oldest in turn where many of one key wait", () => {
  const queue = new FairQueue<string>(100, 2);
  for (const item of ["1", "2", "3", "4", "5"]) {
    queue.push("a", item);
  }
  expect(drain(queue)).toBe("5 1 4 2 3");
});

it("lets the oldest of the heaviest key go when it is full", () => {
  const queue = new FairQueue<string>(3, 10);
  for (const item of ["a1", "a2", "b1"]) {
    queue.push(item[0] ?? "", item);
  }
  expect(queue.push("c", "c1")).toBe("a1");
  // Now all are as heavy: who is new is turned away, who waits already is turned away for his own newest.
  expect(queue.push("d", "d1")).toBe("d1");
  expect(queue.push("b", "b2")).toBe("b1");
  expect(queue.size).toBe(3);
  expect(drain(queue)).toBe("a2 b2 c1");
});

it("forgets who waits no more", () => {
  const queue = new FairQueue<string>(10, 10);
  queue.push("a", "a1");
  queue.push("a", "a2");
  queue.push("b", "b1");
  queue.remove("a", "a1");
  queue.remove("a", "a1");
  queue.remove("b", "b1");
  queue.remove("c", "c1");
  expect(queue.size).toBe(1);
  expect(drain(queue)).toBe("a2");
});
