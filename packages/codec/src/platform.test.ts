import { afterEach, expect, test, vi } from "vitest";

afterEach(() => {
  vi.unstubAllGlobals();
  vi.resetModules();
});

test("a platform without Buffer reads text with TextDecoder", async () => {
  vi.stubGlobal("Buffer", undefined);
  vi.resetModules();
  const { fastText } = await import("./platform.ts");
  expect(fastText(Uint8Array.of(0x61, 0x62, 0x63), 1, 3)).toBe("bc");
});
