import { describe, expect, it } from "vitest";
import { parseAuthority, pathOf } from "./request-target.ts";

describe("pathOf", () => {
  it.each([
    ["/mqtt", "/mqtt"],
    ["/mqtt/", "/mqtt"],
    ["/mqtt?token=/x/", "/mqtt"],
    ["/", "/"],
    ["//", "/"],
    ["", "/"],
    ["?x", "/"],
  ])("of %j is %j", (url, path) => {
    expect(pathOf(url)).toBe(path);
  });

  it("takes no longer for a flood of slashes", () => {
    expect(pathOf(`${"/".repeat(1_000_000)}x${"/".repeat(1_000_000)}`).length).toBe(1_000_001);
  });
});

describe("parseAuthority", () => {
  it.each([
    ["App.Example", { host: "app.example", port: "" }],
    ["127.0.0.1:80", { host: "127.0.0.1", port: "80" }],
    ["[2001:DB8::1]:8443", { host: "[2001:db8::1]", port: "8443" }],
    ["a_b:", { host: "a_b", port: "" }],
    ["user@host", undefined],
    ["a b", undefined],
    ["a,b", undefined],
    ["::1", undefined],
    ["host:port", undefined],
    ["", undefined],
  ])("of %j is %j", (text, authority) => {
    expect(parseAuthority(text)).toEqual(authority);
  });
});
