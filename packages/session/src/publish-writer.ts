import type { EncodedPacket, PublishPacket } from "@tidewire/codec";

/** Puts aliases into what goes to `writer`. */
export type TopicAliases = (writer: PublishWriter, topicAliasMaximum: number) => PublishWriter;

/** The part of a `PacketWriter` that takes messages. */
export interface PublishWriter {
  write(packet: OutgoingPublish | EncodedPacket): void;
}

/** Filled anew for each message, and free to be changed on the way. */
export type OutgoingPublish = { -readonly [Key in keyof PublishPacket]: PublishPacket[Key] };
