import { expect, it } from "vitest";
import { limits } from "./limits.ts";
import { payloadText } from "./payload-text.ts";

const utf8 = new TextEncoder();

it.each([
  [utf8.encode("21.5"), "21.5"],
  [utf8.encode("Grüße 🌊"), "Grüße 🌊"],
  [new Uint8Array(), "(empty)"],
  [Uint8Array.of(0xff, 0x00, 0x1a), "ff 00 1a"],
])("shows %j", (payload, text) => {
  expect(payloadText(payload)).toBe(text);
});

it("cuts a long payload and says how long it is", () => {
  const payload = utf8.encode("🌊".repeat(100_000));
  const text = payloadText(payload);
  expect(text.length).toBeLessThan(limits.shownPayload + 40);
  expect(text).toMatch(/^🌊+.* … \(400000 bytes\)$/u);
});
