import { expect, test } from "vitest";
import { jsonPayload, parseJson, parseText, textPayload, toBytes } from "./payload.ts";
import type { StandardSchema } from "./standard-schema.ts";

const bytes = (text: string) => new TextEncoder().encode(text);

function schema(validate: StandardSchema["~standard"]["validate"]): StandardSchema<unknown, number> {
  return { "~standard": { version: 1, vendor: "test", validate } } as StandardSchema<unknown, number>;
}

test("text is UTF-8, mark and all; other bytes are an error and not replaced", () => {
  expect(parseText(bytes("\uFEFFä"))).toBe("\uFEFFä");
  expect(() => parseText(new Uint8Array([0xc3]))).toThrow(expect.objectContaining({ code: "payload-invalid" }));
  expect(textPayload.decode(toBytes("ä"))).toBe("ä");
});

test("JSON that is none is an error which does not repeat the payload", () => {
  expect(parseJson(bytes('{"a":1}'))).toEqual({ a: 1 });
  const failing = () => parseJson(bytes("secret"));
  expect(failing).toThrow(expect.objectContaining({ code: "payload-invalid" }));
  expect(failing).not.toThrow(/secret/);
});

test("a schema validates both ways, and its issues are the cause", () => {
  const half = schema((value) =>
    typeof value === "number" ? { value: value / 2 } : { issues: [{ message: "no number" }] },
  );
  const codec = jsonPayload(half);
  expect(codec.encode(4)).toBe("2");
  expect(codec.decode(bytes("4"))).toBe(2);
  expect(() => codec.decode(bytes('"4"'))).toThrow(
    expect.objectContaining({ code: "payload-invalid", cause: [{ message: "no number" }] }),
  );
  const slow = jsonPayload(schema(async () => ({ value: 1 })));
  expect(() => slow.decode(bytes("1"))).toThrow(expect.objectContaining({ code: "payload-invalid" }));
});

test("strings, buffers and views of any kind are payloads, and nothing else is", () => {
  const bytes = new Uint8Array([9, 1, 2, 9]);
  expect(toBytes(bytes)).toBe(bytes);
  expect(toBytes(bytes.buffer)).toEqual(bytes);
  expect(toBytes(new DataView(bytes.buffer, 1, 2))).toEqual(new Uint8Array([1, 2]));
  expect(toBytes(new Int8Array(bytes.buffer, 1, 2))).toEqual(new Uint8Array([1, 2]));
  expect(toBytes(new SharedArrayBuffer(2))).toEqual(new Uint8Array(2));
  for (const other of [undefined, null, 7, true, { a: 1 }, ["a"], () => {}]) {
    expect(() => toBytes(other as never)).toThrow(expect.objectContaining({ code: "invalid-argument" }));
  }
});
