import { expect, test } from "vitest";
import { errorFaults } from "../errors.js";

const faults = (text: string) => errorFaults(text).map(({ fault }) => fault);

const CLASS = `class StoreError extends Error {
  override readonly name = "StoreError";
  readonly code: string;
  constructor(code: string, message: string, options?: ErrorOptions) { super(message, options); this.code = code; }
}`;

test("a class with name, code and cause, and a message that is a sentence", () => {
  expect(faults(`${CLASS} throw new StoreError("not-open", "Call open() before put().");`)).toEqual([]);
  expect(faults('throw new StoreError("not-open", "Call open() first.", { cause });')).toEqual([]);
});

test.each([
  ['throw new Error("broken");', "a plain Error, without a code."],
  ['reject(new TypeError("broken"));', "a plain TypeError, without a code."],
  ["class A extends Error { code = 'a'; constructor(options) { super('A.', options); } }", "A has no name of its own."],
  ["class A extends Error { name = 'A'; }", "A has no code."],
  ["class A extends Error { name = 'A'; code = 'a'; constructor() { super('A.'); } }", "A takes no cause."],
  ['throw new StoreError("not-open", "the store is not open");', '"the store is not open" is no sentence.'],
  ['throw new StoreError("not-open", "The store is not open");', '"The store is not open" is no sentence.'],
])("%s", (text, fault) => {
  expect(faults(text)).toEqual([fault]);
});

test("what was thrown and is no Error may become one, which keeps it", () => {
  expect(faults("const error = new Error(String(cause), { cause });")).toEqual([]);
});
