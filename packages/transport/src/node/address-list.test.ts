import { describe, expect, it } from "vitest";
import { AddressList } from "./address-list.ts";

describe("AddressList", () => {
  const list = new AddressList(["192.0.2.1", "10.0.0.0/8", "fd00::/8", "::1"]);

  it.each(["192.0.2.1", "10.255.0.1", "fd12::7", "::1", "::ffff:10.1.1.1"])("has %s", (address) => {
    expect(list.has(address)).toBe(true);
  });

  it.each(["192.0.2.2", "11.0.0.1", "fe80::1", "", "unknown", "10.0.0.1:80", undefined])("has not %s", (address) => {
    expect(list.has(address)).toBe(false);
  });

  it.each(["", "10.0.0", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/x", "fd00::/129", "proxy.example"])(
    "refuses %j",
    (entry) => {
      expect(() => new AddressList([entry])).toThrow(expect.objectContaining({ code: "address-invalid" }));
    },
  );
});
