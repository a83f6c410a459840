import { describe, expect, it } from "vitest";
import { addressKey } from "./address-key.ts";

describe("addressKey", () => {
  it.each([
    ["127.0.0.1:50213", "127.0.0.1"],
    ["192.0.2.7", "192.0.2.7"],
    ["[::ffff:192.0.2.7]:1883", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["[::ffff:c000:207]:1883", "192.0.2.7"],
    ["[2001:db8:1:2:3:4:5:6]:51000", "2001:db8:1:2::/64"],
    ["[2001:DB8:1:2::1]:51000", "2001:db8:1:2::/64"],
    ["2001:db8::7", "2001:db8:0:0::/64"],
    ["[::1]:1883", "0:0:0:0::/64"],
    ["[fe80::1%eth0]:1883", "fe80:0:0:0::/64"],
    ["mock-client:17", "mock-client"],
  ])("of %s is %s", (address, key) => {
    expect(addressKey(address)).toBe(key);
  });

  it.each([
    undefined,
    "",
    "/run/tidewire.sock",
    "tidewire.sock",
    "/tmp/odd:1",
    "\0abstract",
    "@",
    ":::",
    "1:2:3",
    "[",
    "[]:1",
  ])("of %j is empty", (address) => {
    expect(addressKey(address)).toBe("");
  });

  // An attacker who owns a block of addresses is one neighbour, not 2^64 of them.
  it("is the same for all addresses of one block of 64 bits, and another for the next block", () => {
    const keys = new Set(["::1", "::2", "::ffff:1", ":a:b:c:d"].map((end) => addressKey(`[2001:db8:0:7${end}]:1883`)));
    expect([...keys]).toEqual(["2001:db8:0:7::/64"]);
    expect(addressKey("[2001:db8:0:8::1]:1883")).toBe("2001:db8:0:8::/64");
  });
});
