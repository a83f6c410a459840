import { isIPv6 } from "node:net";

/**
 * Whom an address counts as. A network has as many IPv6 addresses as it likes: all of one /64 are one. The port is left
 * out. Takes `192.0.2.1:4711`, `[2001:db8::1]:4711` and the same without port.
 */
export function addressKey(address: string | undefined): string {
  if (address === undefined) {
    return "";
  }
  const [, bracketed] = /^\[([^\]]*)\](?::\d+)?$/.exec(address) ?? [];
  const host = bracketed ?? (isIPv6(address) ? address : address.replace(/:\d+$/, ""));
  const [, mapped] = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(host) ?? [];
  if (mapped !== undefined) {
    return mapped;
  }
  const plain = host.split("%", 1)[0] ?? "";
  return isIPv6(plain) ? `${groups(plain).slice(0, 4).join(":")}::/64` : host;
}

/** All eight groups, without leading zeros. */
function groups(address: string): string[] {
  const [head = "", tail] = address.split("::");
  const left = head === "" ? [] : head.split(":");
  const right = tail === undefined || tail === "" ? [] : tail.split(":");
  const zeros =
    tail === undefined ? [] : Array.from({ length: Math.max(0, 8 - left.length - right.length) }, () => "0");
  return [...left, ...zeros, ...right].map((group) => group.replace(/^0+(?=.)/, "").toLowerCase());
}
