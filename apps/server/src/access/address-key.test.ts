import { expect, it } from "vitest";
import { addressKey } from "./address-key.ts";

it.each([
  ["192.0.2.1:4711", "192.0.2.1"],
  ["192.0.2.1", "192.0.2.1"],
  ["[2001:db8:0:7::1]:4711", "2001:db8:0:7::/64"],
  ["2001:0DB8::7:1:2:3:4", "2001:db8:0:7::/64"],
  ["2001:db8:0:7:ffff:ffff:ffff:ffff", "2001:db8:0:7::/64"],
  ["[2001:db8:0:8::1]:4711", "2001:db8:0:8::/64"],
  ["::ffff:192.0.2.1", "192.0.2.1"],
  ["[::ffff:192.0.2.1]:80", "192.0.2.1"],
  ["[fe80::1%eth0]:80", "fe80:0:0:0::/64"],
  ["::1", "0:0:0:0::/64"],
  [undefined, ""],
  ["unix", "unix"],
])("counts %s as %s", (address, key) => {
  expect(addressKey(address)).toBe(key);
});
