import { describe, expect, it, vi } from "vitest";
import { guard, warn } from "./guard.ts";

const cause = new Error("on purpose");

describe("guard", () => {
  it.each([
    [
      "at once",
      () => {
        throw cause;
      },
    ],
    ["later", () => Promise.reject(cause)],
  ])("hands what is thrown %s to onFailure", async (_when, callback) => {
    const onFailure = vi.fn();
    guard(callback, onFailure);
    await vi.waitFor(() => expect(onFailure).toHaveBeenCalledExactlyOnceWith(cause));
  });
});

describe("warn", () => {
  it("tells the process, once in a minute for each callback", async () => {
    const warnings: Error[] = [];
    const onWarning = (warning: Error): void => void warnings.push(warning);
    process.on("warning", onWarning);
    warn("onTest", cause);
    warn("onTest", cause);
    warn("onOther", "text");
    await vi.waitFor(() => expect(warnings.length).toBe(2));
    process.off("warning", onWarning);
    expect(warnings).toMatchObject([{ code: "TIDEWIRE_CALLBACK_THREW" }, { code: "TIDEWIRE_CALLBACK_THREW" }]);
    expect(warnings[0]?.message).toContain("on purpose");
  });
});
