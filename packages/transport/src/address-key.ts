/**
 * What limits for each address count by, from the `remoteAddress` of a connection: an IPv4 address whole, also where it
 * is written as IPv6; an IPv6 address by its first 64 bits, since whoever has one has all the others behind it; never
 * the port. "" for Unix sockets, for connections without an address, and for what is no address.
 */
export function addressKey(remoteAddress: string | undefined): string {
  if (remoteAddress === undefined) {
    return "";
  }
  const host = withoutPort(remoteAddress);
  if (ipv4.test(host)) {
    return host;
  }
  const groups = host.includes(":") ? ipv6Groups(host) : undefined;
  if (groups !== undefined) {
    return groups.slice(0, 5).every((group) => group === 0) && groups[5] === 0xffff
      ? ipv4Text(groups[6]!, groups[7]!)
      : `${groups.slice(0, 4).map(hexadecimal).join(":")}::/64`;
  }
  // A name with a port, as networks for tests have them. What has neither is the path of a Unix socket.
  return host !== remoteAddress && !host.includes("/") ? host : "";
}

function withoutPort(address: string): string {
  if (address.startsWith("[")) {
    return address.slice(1, Math.max(1, address.indexOf("]")));
  }
  const colon = address.indexOf(":");
  // More than one colon without brackets: an IPv6 address, which has no port then.
  return colon < 0 || address.includes(":", colon + 1) ? address : address.slice(0, colon);
}

/** The eight groups of an IPv6 address; undefined for anything else. A zone (`%eth0`) does not count. */
function ipv6Groups(address: string): readonly number[] | undefined {
  const [head, tail, ...more] = address.split("%", 1)[0]!.split("::");
  if (more.length > 0) {
    return undefined;
  }
  const before = groupsOf(head!);
  const after = tail === undefined ? [] : groupsOf(tail);
  const missing = 8 - before.length - after.length;
  const valid = tail === undefined ? missing === 0 : missing > 0;
  const groups = valid ? [...before, ...new Array<number>(missing).fill(0), ...after] : [];
  return groups.length === 8 && groups.every((group) => group >= 0 && group <= 0xffff) ? groups : undefined;
}

/** NaN for each group that is none. */
function groupsOf(text: string): number[] {
  return text === ""
    ? []
    : text.split(":").flatMap((group) => {
        if (ipv4.test(group)) {
          const [a = 0, b = 0, c = 0, d = 0] = group.split(".").map(Number);
          return [(a << 8) | b, (c << 8) | d];
        }
        return /^[\da-f]{1,4}$/i.test(group) ? Number.parseInt(group, 16) : Number.NaN;
      });
}

function ipv4Text(high: number, low: number): string {
  return `${high >> 8}.${high & 0xff}.${low >> 8}.${low & 0xff}`;
}

function hexadecimal(group: number): string {
  return group.toString(16);
}

const ipv4 = /^(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!$)|$)){4}$/;
