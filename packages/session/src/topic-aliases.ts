import { SHORTEST_ALIASED_TOPIC } from "./limits.ts";

/** Aliases for what this side sends: automatic, and the one least recently used gives way. */
export class OutgoingAliases {
  readonly #maximum: number;
  readonly #aliases: Map<string, number> = new Map();
  /** By alias; there is no alias 0. */
  readonly #topics: string[] = [""];
  readonly #lastUses: number[] = [0];
  #uses = 0;

  constructor(maximum: number) {
    this.#maximum = maximum;
  }

  /** The alias that the peer knows for `topic`, 0 when there is none. */
  find(topic: string): number {
    const alias = this.#aliases.get(topic);
    if (alias === undefined) return 0;
    this.#lastUses[alias] = this.#uses++;
    return alias;
  }

  /** The alias to give `topic` with the next packet, 0 for none. Nothing changes before `assign`. */
  candidate(topic: string): number {
    if (this.#maximum === 0 || topic.length < SHORTEST_ALIASED_TOPIC) return 0;
    if (this.#topics.length <= this.#maximum) return this.#topics.length;
    let oldest = 1;
    for (let alias = 2; alias <= this.#maximum; alias++) {
      if (this.#lastUse(alias) < this.#lastUse(oldest)) oldest = alias;
    }
    return oldest;
  }

  /** The peer was told. */
  assign(alias: number, topic: string): void {
    this.#aliases.delete(this.#topics[alias] ?? "");
    this.#aliases.set(topic, alias);
    this.#topics[alias] = topic;
    this.#lastUses[alias] = this.#uses++;
  }

  #lastUse(alias: number): number {
    return this.#lastUses[alias] as number;
  }
}
