import { BlockList, isIP } from "node:net";
import { TransportError } from "../errors.ts";

/** Addresses that are believed, such as those of proxies: single ones and blocks (`10.0.0.0/8`, `fd00::/8`). */
export class AddressList {
  readonly #list = new BlockList();
  /** Most listeners believe nobody, and a check costs some microseconds for each connection. */
  readonly #empty: boolean;

  /** @throws TransportError `address-invalid` for what is neither an address nor a block. */
  constructor(entries: readonly string[]) {
    this.#empty = entries.length === 0;
    for (const entry of entries) {
      this.#add(entry);
    }
  }

  has(address: string | undefined): boolean {
    if (this.#empty) {
      return false;
    }
    const version = isIP(address ?? "");
    return version !== 0 && this.#list.check(address as string, version === 6 ? "ipv6" : "ipv4");
  }

  #add(entry: string): void {
    const [address = "", prefix] = entry.split("/");
    const version = isIP(address);
    const bits = prefix === undefined ? undefined : Number(prefix);
    const valid = bits === undefined || (/^\d+$/.test(prefix ?? "") && bits <= (version === 6 ? 128 : 32));
    if (version === 0 || !valid) {
      throw new TransportError("address-invalid", `Not an address or block: ${entry}`);
    }
    const family = version === 6 ? "ipv6" : "ipv4";
    if (bits === undefined) {
      this.#list.addAddress(address, family);
    } else {
      this.#list.addSubnet(address, bits, family);
    }
  }
}
