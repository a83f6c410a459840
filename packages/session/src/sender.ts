import type { AckPacket, Properties, PubackPacket, PubcompPacket, PubrecPacket } from "@tidewire/codec";
import { excludedMessage } from "./announced.ts";
import { FIRST_FAILURE, PACKET_IDENTIFIER_NOT_FOUND, PUBACK, PUBCOMP, PUBREC, PUBREL, SUCCESS } from "./codes.ts";
import type { Core } from "./core.ts";
import { isTooLarge, misuse, refuse, type Violation } from "./errors.ts";
import { ABANDONED, type InflightState, type Outgoing, RELEASED } from "./inflight.ts";
import type { EncodedPublish, Message } from "./interfaces.ts";
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
  readonly #inflight: InflightState;
  readonly #aliases: OutgoingAliases | undefined;
  /** Ids in flight from an earlier connection and not sent again yet, because the peer's window is full. */
  #waiting: Set<number> | undefined = undefined;
  readonly #undeliverable: Undeliverable[] = [];

  constructor(core: Core, inflight: InflightState, topicAliases: number) {
    this.#core = core;
    this.#inflight = inflight;
    const maximum = Math.min(topicAliases, core.peer.topicAliasMaximum);
    this.#aliases = maximum > 0 ? new OutgoingAliases(maximum) : undefined;
  }

  /** Zero while resent messages wait: what is live comes after them. */
  get quota(): number {
    return this.#waiting === undefined ? this.#window() : 0;
  }

  publish(message: Message, now: number, encoded: EncodedPublish | undefined): number {
    const { peer, version } = this.#core;
    refuse(excludedMessage(peer, message.qos, message.retain), version);
    if (encoded !== undefined && encoded.bytes.length > peer.maximumPacketSize) {
      refuse(violations.packetTooLarge, version);
    }
    let packetId = 0;
    if (message.qos > 0) {
      if (this.quota === 0) throw misuse("quota-exhausted", "no send quota left: wait for onSendQuota");
      packetId = this.#inflight.nextPacketId();
    }
    this.#write(message, packetId, false, encoded, now);
    if (packetId !== 0) this.#inflight.putOutgoing(packetId, message);
    return packetId;
  }

  /**
   * Sends again what is in flight from earlier connections, in its order, PUBLISH with DUP and PUBREL for what was
   * received: all at once, or as much as the peer's window allows [MQTT-4.4.0-1]. Call `report` after it.
   */
  resume(now: number): void {
    const waiting = new Set<number>();
    for (const [packetId, message] of this.#inflight.outgoing) {
      if (typeof message === "object") waiting.add(packetId);
      else this.#core.write(ackPacket(PUBREL, packetId), now);
    }
    this.#waiting = waiting;
    this.#sendWaiting(now);
  }

  /** Gives up what could not be sent again, and tells the handler. */
  report(now: number): void {
    const exhausted = this.quota === 0;
    this.#giveUp(now);
    this.#tellQuota(exhausted);
  }

  receive(packet: PubackPacket | PubrecPacket | PubcompPacket, now: number): Violation | undefined {
    const { type, packetId, reasonCode } = packet;
    const message = this.#waiting?.has(packetId) ? undefined : this.#inflight.outgoing.get(packetId);
    if (message === undefined) {
      // Nothing of this id was sent on this connection: the peer may remember more than this side.
      const notFound = this.#core.version === 5 ? PACKET_IDENTIFIER_NOT_FOUND : SUCCESS;
      if (type === PUBREC) this.#core.write(ackPacket(PUBREL, packetId, notFound), now);
      return undefined;
    }
    const released = typeof message === "number";
    const awaited = released ? PUBCOMP : message.qos === 1 ? PUBACK : PUBREC;
    const repeated = released && type === PUBREC;
    if (type !== awaited && !repeated) return violations.acknowledgementMismatch;
    if (repeated || (type === PUBREC && reasonCode < FIRST_FAILURE)) {
      if (!repeated) this.#inflight.releaseOutgoing(packetId, RELEASED);
      this.#core.write(ackPacket(PUBREL, packetId), now);
    } else {
      this.#settle(packet, message, now);
    }
    return undefined;
  }

  #settle(packet: AckPacket, message: Outgoing, now: number): void {
    const { packetId, reasonCode, properties } = packet;
    const { handler } = this.#core;
    const exhausted = this.quota === 0;
    this.#inflight.deleteOutgoing(packetId);
    this.#sendWaiting(now);
    // A released message was received. "Not found" means that an earlier PUBREL arrived, its PUBCOMP did not.
    if (message === RELEASED) handler.onSettled(packetId, undefined, SUCCESS, properties);
    else if (message !== ABANDONED) handler.onSettled(packetId, message, reasonCode, properties);
    this.#giveUp(now);
    this.#tellQuota(exhausted);
  }

  #tellQuota(wasExhausted: boolean): void {
    if (wasExhausted && this.#core.end === undefined && this.quota > 0) this.#core.handler.onSendQuota();
  }

  /** How many more messages the peer takes. */
  #window(): number {
    const sent = this.#inflight.outgoing.size - (this.#waiting?.size ?? 0);
    return Math.max(0, Math.min(this.#core.peer.receiveMaximum - sent, this.#inflight.freePacketIds));
  }

  #sendWaiting(now: number): void {
    if (this.#waiting === undefined) return;
    for (const packetId of this.#waiting) {
      if (this.#window() === 0) return;
      this.#waiting.delete(packetId);
      this.#sendAgain(packetId, this.#inflight.outgoing.get(packetId) as Message, now);
    }
    this.#waiting = undefined;
  }

  #sendAgain(packetId: number, message: Message, now: number): void {
    let excluded = excludedMessage(this.#core.peer, message.qos, message.retain);
    try {
      if (excluded === undefined) {
        this.#write(message, packetId, true, undefined, now);
        return;
      }
    } catch (error) {
      if (!isTooLarge(error)) throw error;
      excluded = violations.packetTooLarge;
    }
    this.#undeliverable.push({ packetId, message, reasonCode: excluded[1] });
  }

  /**
   * Gives up messages that an earlier connection may have carried. Their ids are in use until the handler knows. A QoS 2
   * receiver may remember one: PUBREL takes that back, or the next message with the id would pass for a duplicate.
   */
  #giveUp(now: number): void {
    const { handler } = this.#core;
    while (this.#undeliverable.length > 0 && this.#core.end === undefined) {
      const { packetId, message, reasonCode } = this.#undeliverable.shift() as Undeliverable;
      if (message.qos === 1) {
        this.#inflight.deleteOutgoing(packetId);
      } else {
        this.#inflight.releaseOutgoing(packetId, ABANDONED);
        this.#core.write(ackPacket(PUBREL, packetId), now);
      }
      this.#sendWaiting(now);
      handler.onSettled(packetId, message, reasonCode, undefined);
    }
  }

  #write(message: Message, packetId: number, dup: boolean, encoded: EncodedPublish | undefined, now: number): void {
    const { writer } = this.#core;
    if (encoded === undefined) this.#writePacket(fill(message, packetId, dup));
    else if (packetId === 0) writer.writeRaw(encoded.bytes);
    else writer.writeRaw(encoded.bytes, encoded.packetIdOffset, packetId);
    this.#core.sent(message.qos, now);
  }

  #writePacket(packet: typeof scratchPublish): void {
    const { writer } = this.#core;
    const { topic, properties } = packet;
    const known = this.#aliases?.find(topic) ?? 0;
    const alias = known > 0 ? known : (this.#aliases?.candidate(topic) ?? 0);
    if (alias > 0) {
      if (known > 0) packet.topic = "";
      packet.properties = withAlias(properties, alias);
      try {
        writer.write(packet);
        if (known === 0) this.#aliases?.assign(alias, topic);
        return;
      } catch (error) {
        // Naming an alias makes the packet longer: it may fit without.
        if (known > 0 || !isTooLarge(error)) throw error;
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
