import type { EncodedPacket, Properties } from "@tidewire/codec";
import { PUBLISH } from "@tidewire/codec/codes";
import { isTooLarge } from "./errors.ts";
import { OUTGOING_TOPIC_ALIASES, SHORTEST_ALIASED_TOPIC } from "./limits.ts";
import type { OutgoingPublish, PublishWriter, TopicAliases } from "./publish-writer.ts";

/**
 * Topic aliases for what one connection sends, for its option `topicAliases`: automatic, up to `maximum` and to what the peer
 * takes, and the one least recently used gives way. A protocol that does without carries none of it.
 */
export function outgoingTopicAliases(maximum: number = OUTGOING_TOPIC_ALIASES): TopicAliases {
  return (writer, topicAliasMaximum) => {
    const usable = Math.min(maximum, topicAliasMaximum);
    return usable > 0 ? new AliasWriter(writer, usable) : writer;
  };
}

class AliasWriter implements PublishWriter {
  readonly #writer: PublishWriter;
  readonly #maximum: number;
  readonly #aliases: Map<string, number> = new Map();
  /** By alias; there is no alias 0. */
  readonly #topics: string[] = [""];
  readonly #lastUses: number[] = [0];
  #uses = 0;

  constructor(writer: PublishWriter, maximum: number) {
    this.#writer = writer;
    this.#maximum = maximum;
  }

  write(packet: OutgoingPublish | EncodedPacket): void {
    const known = packet.type === PUBLISH ? this.#aliases.get(packet.topic) : undefined;
    if (packet.type !== PUBLISH || packet.topic.length < SHORTEST_ALIASED_TOPIC) {
      this.#writer.write(packet);
    } else if (known === undefined) {
      this.#introduce(packet);
    } else {
      packet.topic = "";
      packet.properties = withAlias(packet.properties, known);
      this.#writer.write(packet);
      this.#lastUses[known] = this.#uses;
      this.#uses += 1;
    }
  }

  /** Writes a packet that tells the peer of an alias for its topic. */
  #introduce(packet: OutgoingPublish): void {
    const { topic, properties } = packet;
    const alias = this.#leastUsed();
    packet.properties = withAlias(properties, alias);
    try {
      this.#writer.write(packet);
    } catch (error) {
      if (!isTooLarge(error)) {
        throw error;
      }
      // It may fit without.
      packet.properties = properties;
      this.#writer.write(packet);
      return;
    }
    this.#aliases.delete(this.#topics[alias] ?? "");
    this.#aliases.set(topic, alias);
    this.#topics[alias] = topic;
    this.#lastUses[alias] = this.#uses;
    this.#uses += 1;
  }

  /** An alias that is not given yet, or else the one to give anew. */
  #leastUsed(): number {
    if (this.#topics.length <= this.#maximum) {
      return this.#topics.length;
    }
    let oldest = 1;
    for (let alias = 2; alias <= this.#maximum; alias += 1) {
      if (this.#lastUse(alias) < this.#lastUse(oldest)) {
        oldest = alias;
      }
    }
    return oldest;
  }

  #lastUse(alias: number): number {
    return this.#lastUses[alias] as number;
  }
}

/** For a PUBLISH that has no other property; as packets do (see scratch.ts), it lives no longer than one call. */
const alone: Properties = { topicAlias: 0 };

function withAlias(properties: Properties | undefined, topicAlias: number): Properties {
  if (properties !== undefined) {
    return { ...properties, topicAlias };
  }
  alone.topicAlias = topicAlias;
  return alone;
}
