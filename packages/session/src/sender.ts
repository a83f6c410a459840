import {
  type AckPacket,
  MqttError,
  PacketType,
  type Properties,
  type PubackPacket,
  type PubcompPacket,
  type PubrecPacket,
  ReasonCode,
} from "@tidewire/codec";
import type { Core } from "./core.ts";
import { misuse } from "./errors.ts";
import { IdQueue } from "./id-queue.ts";
import { RELEASED } from "./inflight.ts";
import type { EncodedPublish, Message } from "./interfaces.ts";
import { FIRST_FAILURE } from "./limits.ts";
import { ackPacket, scratchAliasProperties, scratchPublish } from "./scratch.ts";
import { OutgoingAliases } from "./topic-aliases.ts";
import * as violations from "./violations.ts";

/** A message in flight that the peer of this connection cannot take. */
interface Undeliverable {
  readonly packetId: number;
  readonly message: Message;
  readonly reasonCode: number;
}

/** The sending half of a session: messages go out, each until its exchange is complete. */
export class Sender {
  readonly #core: Core;
  readonly #aliases: OutgoingAliases | undefined;
  /** In flight from an earlier connection and not sent again yet, because the peer's window is full. */
  #waiting: IdQueue | undefined = undefined;
  readonly #undeliverable: Undeliverable[] = [];

  constructor(core: Core, topicAliases: number) {
    this.#core = core;
    const maximum = Math.min(topicAliases, core.peer.topicAliasMaximum);
    this.#aliases = maximum > 0 ? new OutgoingAliases(maximum) : undefined;
  }

  /** Zero while resent messages wait: what is live comes after them. */
  get quota(): number {
    return this.#waiting === undefined ? this.#window() : 0;
  }

  publish(message: Message, now: number, encoded: EncodedPublish | undefined): number {
    const reasonCode = this.#refusal(message);
    if (reasonCode !== 0) throw refused(reasonCode);
    if (encoded !== undefined && encoded.bytes.length > this.#core.peer.maximumPacketSize) {
      throw refused(ReasonCode.PacketTooLarge);
    }
    if (message.qos === 0) {
      this.#write(message, 0, false, encoded);
      this.#core.sent(message.qos, now);
      return 0;
    }
    if (this.quota === 0) {
      throw misuse("quota-exhausted", "the peer's Receive Maximum is in flight", ReasonCode.ReceiveMaximumExceeded);
    }
    const { inflight } = this.#core;
    const packetId = inflight.ids.take();
    try {
      this.#write(message, packetId, false, encoded);
    } catch (error) {
      inflight.ids.release(packetId);
      throw error;
    }
    inflight.putOutgoing(packetId, message);
    this.#core.sent(message.qos, now);
    return packetId;
  }

  /**
   * Sends again what is in flight from earlier connections, in its order, PUBLISH with DUP and PUBREL for what was
   * received: all at once, or as much as the peer's window allows [MQTT-4.4.0-1]. Call `report` after it.
   */
  resume(now: number): void {
    for (const [packetId, message] of this.#core.inflight.outgoing) {
      if (message === RELEASED) {
        this.#core.write(ackPacket(PacketType.PUBREL, packetId, ReasonCode.Success), now);
      } else {
        this.#waiting ??= new IdQueue();
        this.#waiting.push(packetId);
      }
    }
    this.#sendWaiting(now);
  }

  /** Gives up what could not be sent again, and tells the handler. */
  report(now: number): void {
    const exhausted = this.quota === 0;
    this.#giveUp(now);
    this.#tellQuota(exhausted);
  }

  receivePuback(packet: PubackPacket, now: number): void {
    const message = this.#sentMessage(packet.packetId);
    if (message === undefined) return;
    if (message === RELEASED || message.qos !== 1) {
      this.#core.violate(violations.acknowledgementMismatch, now);
      return;
    }
    this.#settle(packet, message, packet.reasonCode, now);
  }

  receivePubrec(packet: PubrecPacket, now: number): void {
    const { packetId, reasonCode } = packet;
    const message = this.#sentMessage(packetId);
    if (message === undefined) {
      const notFound = this.#core.version === 5 ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success;
      this.#core.write(ackPacket(PacketType.PUBREL, packetId, notFound), now);
      return;
    }
    if (message !== RELEASED) {
      if (message.qos !== 2) {
        this.#core.violate(violations.acknowledgementMismatch, now);
        return;
      }
      if (reasonCode >= FIRST_FAILURE) {
        this.#settle(packet, message, reasonCode, now);
        return;
      }
      this.#core.inflight.releaseOutgoing(packetId);
    }
    this.#core.write(ackPacket(PacketType.PUBREL, packetId, ReasonCode.Success), now);
  }

  receivePubcomp(packet: PubcompPacket, now: number): void {
    const message = this.#sentMessage(packet.packetId);
    if (message === undefined) return;
    if (message !== RELEASED) {
      this.#core.violate(violations.acknowledgementMismatch, now);
      return;
    }
    // The message was received when PUBREC came. "Not found" means that an earlier PUBREL arrived, its PUBCOMP did not.
    this.#settle(packet, undefined, ReasonCode.Success, now);
  }

  /** Undefined when nothing with this id was sent on this connection. */
  #sentMessage(packetId: number): Message | typeof RELEASED | undefined {
    if (this.#waiting?.has(packetId)) return undefined;
    return this.#core.inflight.outgoing.get(packetId);
  }

  #settle(packet: AckPacket, message: Message | undefined, reasonCode: number, now: number): void {
    const { packetId, properties } = packet;
    const core = this.#core;
    const exhausted = this.quota === 0;
    const reported = core.inflight.abandoned.delete(packetId);
    core.inflight.deleteOutgoing(packetId);
    this.#sendWaiting(now);
    if (!reported) core.handler.onSettled(packetId, message, reasonCode, properties);
    this.#giveUp(now);
    this.#tellQuota(exhausted);
  }

  #tellQuota(wasExhausted: boolean): void {
    if (wasExhausted && !this.#core.ended && this.quota > 0) this.#core.handler.onSendQuota();
  }

  /** How many more messages the peer takes. */
  #window(): number {
    const { inflight, peer } = this.#core;
    const sent = inflight.outgoing.size - (this.#waiting?.size ?? 0);
    return Math.max(0, Math.min(peer.receiveMaximum - sent, inflight.ids.available));
  }

  #sendWaiting(now: number): void {
    const waiting = this.#waiting;
    if (waiting === undefined) return;
    while (waiting.size > 0 && this.#window() > 0) {
      const packetId = waiting.shift();
      this.#sendAgain(packetId, this.#core.inflight.outgoing.get(packetId) as Message, now);
    }
    if (waiting.size === 0) this.#waiting = undefined;
  }

  #sendAgain(packetId: number, message: Message, now: number): void {
    let reasonCode = this.#refusal(message);
    try {
      if (reasonCode === 0) {
        this.#write(message, packetId, true, undefined);
        this.#core.sent(message.qos, now);
        return;
      }
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      reasonCode = ReasonCode.PacketTooLarge;
    }
    this.#undeliverable.push({ packetId, message, reasonCode });
  }

  /** The ids of what is given up are in use until the handler knows. */
  #giveUp(now: number): void {
    while (this.#undeliverable.length > 0 && !this.#core.ended) {
      const { packetId, message, reasonCode } = this.#undeliverable.shift() as Undeliverable;
      this.#abandon(packetId, message, now);
      this.#sendWaiting(now);
      this.#core.handler.onSettled(packetId, message, reasonCode, undefined);
    }
  }

  /**
   * Gives up a message that an earlier connection may have carried. A QoS 2 receiver may remember its id: PUBREL takes
   * that back, or the next message with the id would pass for a duplicate.
   */
  #abandon(packetId: number, message: Message, now: number): void {
    const { inflight } = this.#core;
    if (message.qos === 1) {
      inflight.deleteOutgoing(packetId);
      return;
    }
    inflight.releaseOutgoing(packetId);
    inflight.abandoned.add(packetId);
    this.#core.write(ackPacket(PacketType.PUBREL, packetId, ReasonCode.Success), now);
  }

  /** Reason code for what the peer does not take, 0 when it does. Its size shows when it is written. */
  #refusal(message: Message): number {
    const { peer } = this.#core;
    if (message.qos > peer.maximumQoS) return ReasonCode.QoSNotSupported;
    return message.retain && !peer.retainAvailable ? ReasonCode.RetainNotSupported : 0;
  }

  #write(message: Message, packetId: number, dup: boolean, encoded: EncodedPublish | undefined): void {
    const { writer } = this.#core;
    if (encoded !== undefined) {
      if (packetId === 0) writer.writeRaw(encoded.bytes);
      else writer.writeRaw(encoded.bytes, encoded.packetIdOffset, packetId);
      return;
    }
    const packet = fill(message, packetId, dup);
    if (this.#aliases !== undefined) this.#writeAliased(packet, this.#aliases);
    else writer.write(packet);
  }

  #writeAliased(packet: typeof scratchPublish, aliases: OutgoingAliases): void {
    const { writer } = this.#core;
    const { topic, properties } = packet;
    const known = aliases.find(topic);
    if (known > 0) {
      packet.topic = "";
      packet.properties = withAlias(properties, known);
      writer.write(packet);
      return;
    }
    const alias = aliases.candidate(topic);
    if (alias > 0) {
      packet.properties = withAlias(properties, alias);
      try {
        writer.write(packet);
        aliases.assign(alias, topic);
        return;
      } catch (error) {
        // Naming an alias makes the packet longer: it may fit without.
        if (!isTooLarge(error)) throw error;
        packet.properties = properties;
      }
    }
    writer.write(packet);
  }
}

function fill(message: Message, packetId: number, dup: boolean): typeof scratchPublish {
  scratchPublish.topic = message.topic;
  scratchPublish.payload = message.payload;
  scratchPublish.qos = message.qos;
  scratchPublish.retain = message.retain;
  scratchPublish.dup = dup || message.maybeSent === true;
  scratchPublish.packetId = packetId;
  scratchPublish.properties = withoutAlias(message.properties);
  return scratchPublish;
}

/** An alias belongs to one connection: that of a received packet means nothing on the next. */
function withoutAlias(properties: Properties | undefined): Properties | undefined {
  if (properties?.topicAlias === undefined) return properties;
  const { topicAlias: _, ...rest } = properties;
  return rest;
}

function withAlias(properties: Properties | undefined, topicAlias: number): Properties {
  if (properties !== undefined) return { ...properties, topicAlias };
  scratchAliasProperties.topicAlias = topicAlias;
  return scratchAliasProperties;
}

function isTooLarge(error: unknown): boolean {
  return error instanceof MqttError && error.reasonCode === ReasonCode.PacketTooLarge;
}

function refused(reasonCode: number): Error {
  switch (reasonCode) {
    case ReasonCode.QoSNotSupported:
      return misuse("qos-not-supported", "QoS above the peer's Maximum QoS", reasonCode);
    case ReasonCode.RetainNotSupported:
      return misuse("retain-not-supported", "the peer keeps no retained messages", reasonCode);
    default:
      return misuse("packet-too-large", "packet above the peer's Maximum Packet Size", reasonCode);
  }
}
