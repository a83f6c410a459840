import { SHORTEST_ALIASED_TOPIC } from "./limits.ts";

/** Aliases for what this side sends: automatic, and the one least recently used gives way. */
export class OutgoingAliases {
  readonly #maximum: number;
  /** In the order of use, the oldest first. */
  readonly #aliases: Map<string, number> = new Map();

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The alias that the peer knows for `topic`, 0 when there is none. */
  find(topic: string): number {
    const alias = this.#aliases.get(topic);
    if (alias === undefined) return 0;
    this.#aliases.delete(topic);
    this.#aliases.set(topic, alias);
    return alias;
  }

  /** The alias to give `topic` with the next packet, 0 for none. Nothing changes before `assign`. */
  candidate(topic: string): number {
    if (this.#maximum === 0 || topic.length < SHORTEST_ALIASED_TOPIC) return 0;
    if (this.#aliases.size < this.#maximum) return this.#aliases.size + 1;
    return this.#aliases.values().next().value as number;
  }

  /** The peer was told. */
  assign(alias: number, topic: string): void {
    if (this.#aliases.size === this.#maximum) this.#aliases.delete(this.#aliases.keys().next().value as string);
    this.#aliases.set(topic, alias);
  }
}
