import { expect, test } from "vitest";
import { Committer } from "./committer.ts";

test("one transaction at a time, each after the one before, whatever became of that", async () => {
  const ends: ((error?: Error) => void)[] = [];
  let running = 0;
  const committer = new Committer(async () => {
    running += 1;
    expect(running).toBe(1);
    try {
      await new Promise<void>((resolve, reject) => ends.push((error) => (error ? reject(error) : resolve())));
    } finally {
      running -= 1;
    }
  });
  const first = committer.request();
  await turns(3);
  expect(ends).toHaveLength(1);
  const second = committer.request();
  expect(committer.request()).toBe(second);
  expect(committer.pending).toBe(second);
  await turns(5);
  expect(ends).toHaveLength(1);
  ends[0]!(new Error("no"));
  await expect(first).rejects.toThrow("no");
  await turns(3);
  expect(ends).toHaveLength(2);
  expect(committer.pending).toBe(second);
  ends[1]!();
  await second;
  expect(committer.pending).toBeUndefined();
});

async function turns(count: number): Promise<void> {
  for (let turn = 0; turn < count; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}
