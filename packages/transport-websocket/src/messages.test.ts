import { describe, expect, it } from "vitest";
import { messagesOf } from "./messages.ts";

function sizes(chunks: readonly number[], limit: number): number[] {
  const bytes = chunks.map((size) => new Uint8Array(size));
  return Array.from(messagesOf(bytes, limit), ({ length }) => length);
}

describe("messagesOf", () => {
  it("makes one message of what fits", () => {
    expect(sizes([3, 0, 4], 10)).toEqual([7]);
    expect(sizes([10], 10)).toEqual([10]);
  });

  it("cuts where the limit falls", () => {
    expect(sizes([25], 10)).toEqual([10, 10, 5]);
    expect(sizes([7, 7, 7], 10)).toEqual([10, 10, 1]);
    expect(sizes([10, 10], 10)).toEqual([10, 10]);
  });

  it("makes none of nothing", () => {
    expect(sizes([], 10)).toEqual([]);
    expect(sizes([0, 0], 10)).toEqual([]);
  });

  it("copies a single chunk only when it has to", () => {
    const chunk = Uint8Array.of(1, 2, 3);
    expect([...messagesOf([chunk], 3)][0]).toBe(chunk);
  });

  it("keeps the bytes in order", () => {
    const chunks = [Uint8Array.of(1, 2, 3), Uint8Array.of(4), Uint8Array.of(5, 6, 7, 8)];
    expect(Array.from(messagesOf(chunks, 3)).flatMap((message) => [...message])).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
  });
});
