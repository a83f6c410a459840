import { SHORTEST_ALIASED_TOPIC } from "./limits.ts";

/** Aliases for what this side sends: automatic, and the one least recently used gives way. */
export class OutgoingAliases {
  readonly #maximum: number;
  readonly #aliases: Map<string, number> = new Map();
  readonly #topics: string[] = [""];
  /** Neighbours in the order of use, a ring through entry 0: `#newer[0]` is the oldest, `#older[0]` the newest. */
  readonly #newer: number[] = [0];
  readonly #older: number[] = [0];

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The alias that the peer knows for `topic`, 0 when there is none. */
  find(topic: string): number {
    const alias = this.#aliases.get(topic);
    if (alias === undefined) return 0;
    if (alias !== this.#older[0]) {
      this.#unlink(alias);
      this.#append(alias);
    }
    return alias;
  }

  /** The alias to give `topic` with the next packet, 0 for none. Nothing changes before `assign`. */
  candidate(topic: string): number {
    if (this.#maximum === 0 || topic.length < SHORTEST_ALIASED_TOPIC) return 0;
    return this.#topics.length <= this.#maximum ? this.#topics.length : (this.#newer[0] as number);
  }

  /** The peer was told. */
  assign(alias: number, topic: string): void {
    if (alias < this.#topics.length) {
      this.#aliases.delete(this.#topics[alias] as string);
      this.#unlink(alias);
    }
    this.#topics[alias] = topic;
    this.#aliases.set(topic, alias);
    this.#append(alias);
  }

  #append(alias: number): void {
    const newest = this.#older[0] as number;
    this.#newer[newest] = alias;
    this.#older[alias] = newest;
    this.#newer[alias] = 0;
    this.#older[0] = alias;
  }

  #unlink(alias: number): void {
    const older = this.#older[alias] as number;
    const newer = this.#newer[alias] as number;
    this.#newer[older] = newer;
    this.#older[newer] = older;
  }
}

/** Aliases that the peer gave its topics on this connection [MQTT-3.3.2-7]. */
export class IncomingAliases {
  readonly maximum: number;
  readonly #topics: string[] = [];

  constructor(maximum: number) {
    this.maximum = maximum;
  }

  /** The topic meant, having noted a new one; undefined when the alias has none. */
  resolve(alias: number, topic: string): string | undefined {
    if (topic === "") return this.#topics[alias];
    this.#topics[alias] = topic;
    return topic;
  }
}
