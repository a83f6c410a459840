import { RateLimit } from "./rate-limit.ts";

/** Bounds for one network address; see `BrokerLimits`. */
export interface AddressLimits {
  readonly connectsPerSecondPerAddress: number;
  readonly failuresPerMinutePerAddress: number;
}

/** What is known of one network address: its connections, and how fast it came and failed lately. */
export class Address<Member> {
  readonly key: string;
  /** All of its connections. */
  count = 0;
  /** Those that have not sent their CONNECT yet, oldest first. */
  readonly silent: Set<Member> = new Set();
  readonly connects: RateLimit;
  readonly failures: RateLimit;

  constructor(key: string, limits: AddressLimits) {
    this.key = key;
    this.connects = new RateLimit(limits.connectsPerSecondPerAddress);
    this.failures = new RateLimit(limits.failuresPerMinutePerAddress / 60, limits.failuresPerMinutePerAddress);
  }
}

/**
 * Network addresses with their connections. Which address has the most silent ones is known at any time without a search:
 * under attack it is asked for with every connection that comes.
 */
export class Addresses<Member> {
  readonly #limits: AddressLimits;
  readonly #byKey = new Map<string, Address<Member>>();
  /** Addresses by how many silent connections they have; the first place is not used. */
  readonly #bySilent: Set<Address<Member>>[] = [];
  #silent = 0;

  constructor(limits: AddressLimits) {
    this.#limits = limits;
  }

  /** Silent connections of all addresses. */
  get silent(): number {
    return this.#silent;
  }

  get size(): number {
    return this.#byKey.size;
  }

  /** Notes a connection that has sent nothing yet. */
  add(key: string, member: Member): Address<Member> {
    let address = this.#byKey.get(key);
    if (address === undefined) {
      address = new Address(key, this.#limits);
      this.#byKey.set(key, address);
    }
    address.count += 1;
    address.silent.add(member);
    this.#silent += 1;
    this.#move(address, address.silent.size - 1);
    return address;
  }

  /** Its CONNECT has come. */
  speaks(address: Address<Member>, member: Member): void {
    if (address.silent.delete(member)) {
      this.#silent -= 1;
      this.#move(address, address.silent.size + 1);
    }
  }

  remove(address: Address<Member>, member: Member): void {
    this.speaks(address, member);
    address.count -= 1;
  }

  /** The oldest silent connection of the address that has the most of them. */
  heaviest(): Member | undefined {
    const [address] = this.#bySilent.at(-1) ?? [];
    const [member] = address?.silent ?? [];
    return member;
  }

  /** Forgets addresses without connections whose rates have recovered. To be called from time to time. */
  sweep(now: number): void {
    for (const [key, address] of this.#byKey) {
      if (address.count === 0 && address.connects.isFull(now) && address.failures.isFull(now)) {
        this.#byKey.delete(key);
      }
    }
  }

  /** Puts an address where its present number of silent connections belongs. */
  #move(address: Address<Member>, before: number): void {
    this.#bySilent[before]?.delete(address);
    const place = address.silent.size;
    if (place > 0) {
      this.#bySilent[place] ??= new Set();
      this.#bySilent[place].add(address);
    }
    while (this.#bySilent.length > 0 && (this.#bySilent.at(-1)?.size ?? 0) === 0) {
      this.#bySilent.pop();
    }
  }
}
