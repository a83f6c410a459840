import { describe, expect, it } from "vitest";
import { UsageError } from "../errors.ts";
import { ClientIdPatterns } from "./client-id-patterns.ts";

const alice = { username: "alice", certificateName: "gauge-7" };
const allows = (patterns: readonly string[], clientId: string, who: object = alice): boolean =>
  new ClientIdPatterns(patterns).allows({ clientId, username: undefined, certificateName: undefined, ...who });

describe("client identifiers", () => {
  it("may be any without a pattern, and have to fit one with them", () => {
    expect(allows([], "anything")).toBe(true);
    expect(allows(["%u", "%u-*"], "alice")).toBe(true);
    expect(allows(["%u", "%u-*"], "alice-phone")).toBe(true);
    expect(allows(["%u", "%u-*"], "alicephone")).toBe(false);
    expect(allows(["%u", "%u-*"], "bob")).toBe(false);
    expect(allows(["%n"], "gauge-7")).toBe(true);
    expect(allows(["site-*-%n"], "site-3-gauge-7")).toBe(true);
    expect(allows(["site-*-%n"], "site-gauge-7")).toBe(false);
    expect(allows(["a*b*c"], "axbxc")).toBe(true);
    expect(allows(["a*b*c"], "abc")).toBe(true);
    expect(allows(["a*b*c"], "acb")).toBe(false);
    expect(allows(["ab*ba"], "aba")).toBe(false);
  });

  // Attack 19: names with the characters of patterns.
  it("are compared as they are: what a name holds is no pattern", () => {
    expect(allows(["%u"], "anything", { username: "*" })).toBe(false);
    expect(allows(["%u"], "*", { username: "*" })).toBe(true);
    expect(allows(["%u"], "gauge-7", { username: "%n", certificateName: "gauge-7" })).toBe(false);
  });

  it("fit nothing where the name is not there", () => {
    expect(allows(["%u"], "", { username: undefined })).toBe(false);
    expect(allows(["%u*"], "x", { username: "" })).toBe(false);
    expect(allows(["%n"], "gauge-7", { certificateName: undefined })).toBe(false);
    expect(allows(["guest-*"], "guest-1", { username: undefined })).toBe(true);
  });

  it("are found out of time that is bounded, whatever the pattern", () => {
    expect(allows([`${"a*".repeat(1000)}b`], "a".repeat(60_000))).toBe(false);
  });

  it.each(["", "%c", "%", "x%x"])("refuse the pattern %j", (pattern) => {
    expect(() => new ClientIdPatterns([pattern])).toThrow(UsageError);
  });
});
