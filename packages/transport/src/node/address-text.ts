/** `127.0.0.1:1883`, or `[::1]:1883`. */
export function addressText(address: string | undefined, port: number | undefined): string | undefined {
  if (address === undefined) {
    return undefined;
  }
  const host = address.includes(":") ? `[${address}]` : address;
  return port === undefined ? host : `${host}:${port}`;
}
