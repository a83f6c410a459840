import type { AckPacket, EncodedPacket, Properties, PubackPacket, PubcompPacket, PubrecPacket } from "@tidewire/codec";
import {
  FIRST_FAILURE,
  PACKET_IDENTIFIER_NOT_FOUND,
  PACKET_TOO_LARGE,
  PUBACK,
  PUBCOMP,
  PUBREC,
  PUBREL,
  SUCCESS,
} from "@tidewire/codec/codes";
import { excludedMessage } from "./announced.ts";
import type { Core } from "./core.ts";
import { isTooLarge, misuse, refuse, type Violation } from "./errors.ts";
import { ABANDONED, type InflightState, type Outgoing, RELEASED } from "./inflight.ts";
import type { Message } from "./message.ts";
import type { OutgoingPublish, PublishWriter } from "./publish-writer.ts";
import { ackPacket, scratchPublish } from "./scratch.ts";
import * as violations from "./violations.ts";

/** The sending half of a protocol: messages go out, each until its exchange is complete. */
export class Sender {
  readonly #core: Core;
  readonly #inflight: InflightState;
  readonly #writer: PublishWriter;
  /** Ids in flight from an earlier connection and not sent again yet: the peer's window is full, or it cannot take them. */
  #waiting: Set<number> = NONE;

  constructor(core: Core, inflight: InflightState, writer: PublishWriter) {
    this.#core = core;
    this.#inflight = inflight;
    this.#writer = writer;
  }

  /** Zero while resent messages wait: what is live comes after them. */
  get quota(): number {
    return this.#waiting.size > 0 ? 0 : this.#window();
  }

  publish(message: Message, now: number, encoded: EncodedPacket | undefined): number {
    refuse(excludedMessage(this.#core.peer, message), this.#core.version);
    let packetId = 0;
    if (message.qos > 0) {
      if (this.quota === 0) {
        throw misuse("quota-exhausted", "The peer takes no more unacknowledged messages now: wait for onSendQuota.");
      }
      packetId = this.#inflight.nextPacketId();
    }
    this.#write(encoded ?? fill(message, message.maybeSent === true), packetId, message, now);
    if (packetId !== 0) {
      this.#inflight.outgoing.set(packetId, message);
    }
    return packetId;
  }

  /**
   * Sends again what is in flight from earlier connections, in its order, PUBLISH with DUP and PUBREL for what was
   * received: all at once, or as much as the peer's window allows [MQTT-4.4.0-1]. Call `report` after it.
   */
  resume(now: number): void {
    this.#waiting = new Set();
    for (const [packetId, message] of this.#inflight.outgoing) {
      if (typeof message === "object") {
        this.#waiting.add(packetId);
      } else if (!this.#core.write(ackPacket(PUBREL, packetId), now)) {
        return;
      }
    }
    this.#sendWaiting(now, false);
  }

  /** Tells the handler what could not be sent again. */
  report(now: number): void {
    this.#goOn(this.quota === 0, now);
  }

  receive(packet: PubackPacket | PubrecPacket | PubcompPacket, now: number): Violation | undefined {
    const { type, packetId, reasonCode } = packet;
    const message = this.#waiting.has(packetId) ? undefined : this.#inflight.outgoing.get(packetId);
    if (message === undefined) {
      // Nothing of this id was sent on this connection: the peer may remember more than this side.
      const notFound = this.#core.version === 5 ? PACKET_IDENTIFIER_NOT_FOUND : SUCCESS;
      // A PUBREC that refuses ends its exchange: nothing is owed (MQTT 5.0, 4.3.3).
      if (type === PUBREC && reasonCode < FIRST_FAILURE) {
        this.#core.write(ackPacket(PUBREL, packetId, notFound), now);
      }
      return undefined;
    }
    const awaited = typeof message === "number" ? PUBCOMP : message.qos === 1 ? PUBACK : PUBREC;
    const repeated = type === PUBREC && awaited === PUBCOMP;
    if (type !== awaited && !repeated) {
      return violations.acknowledgementMismatch;
    }
    if (type === PUBREC && reasonCode < FIRST_FAILURE) {
      if (!repeated) {
        this.#inflight.outgoing.set(packetId, RELEASED);
      }
      this.#core.write(ackPacket(PUBREL, packetId), now);
    } else {
      this.#settle(packet, message, now);
    }
    return undefined;
  }

  #settle({ packetId, reasonCode, properties }: AckPacket, message: Outgoing, now: number): void {
    const { handler } = this.#core;
    const wasExhausted = this.quota === 0;
    this.#inflight.outgoing.delete(packetId);
    // A released message was received. "Not found" means that an earlier PUBREL arrived, its PUBCOMP did not.
    if (message === RELEASED) {
      handler.onSettled(packetId, undefined, SUCCESS, properties);
    } else if (message !== ABANDONED) {
      handler.onSettled(packetId, message, reasonCode, properties);
    }
    this.#goOn(wasExhausted, now);
  }

  #goOn(wasExhausted: boolean, now: number): void {
    if (this.#waiting.size > 0) {
      this.#sendWaiting(now, true);
    }
    if (wasExhausted && this.#core.end === undefined && this.quota > 0) {
      this.#core.handler.onSendQuota();
    }
  }

  /** How many more messages the peer takes. */
  #window(): number {
    const sent = this.#inflight.outgoing.size - this.#waiting.size;
    return Math.max(
      0,
      Math.min(this.#core.peer.receiveMaximum - sent, this.#core.sendMaximum - sent, this.#inflight.freePacketIds),
    );
  }

  /** In order: what this peer cannot take keeps the others back until the handler can be told of it. */
  #sendWaiting(now: number, canTell: boolean): void {
    for (const packetId of this.#waiting) {
      if (this.#window() === 0 || this.#core.end !== undefined) {
        return;
      }
      const message = this.#inflight.outgoing.get(packetId) as Message;
      const failure = this.#sendAgain(packetId, message, now);
      if (failure !== SUCCESS && !canTell) {
        return;
      }
      this.#waiting.delete(packetId);
      if (failure !== SUCCESS) {
        this.#giveUp(packetId, message, failure, now);
      }
    }
  }

  /** Returns the reason code for what this peer cannot take. */
  #sendAgain(packetId: number, message: Message, now: number): number {
    const excluded = excludedMessage(this.#core.peer, message);
    if (excluded !== undefined) {
      return excluded[1];
    }
    try {
      this.#write(fill(message, true), packetId, message, now);
      return SUCCESS;
    } catch (error) {
      if (!isTooLarge(error)) {
        throw error;
      }
      return PACKET_TOO_LARGE;
    }
  }

  /**
   * An earlier connection may have carried the message. A QoS 2 receiver may remember its id: PUBREL takes that back, or
   * the next message with the id would pass for a duplicate.
   */
  #giveUp(packetId: number, message: Message, reasonCode: number, now: number): void {
    if (message.qos === 1) {
      this.#inflight.outgoing.delete(packetId);
    } else if (this.#core.write(ackPacket(PUBREL, packetId), now)) {
      this.#inflight.outgoing.set(packetId, ABANDONED);
    } else {
      return;
    }
    this.#core.handler.onSettled(packetId, message, reasonCode, undefined);
  }

  #write(packet: OutgoingPublish | EncodedPacket, packetId: number, { qos }: Message, now: number): void {
    packet.packetId = packetId;
    this.#writer.write(packet);
    this.#core.sent(qos, now);
  }
}

/** Stands for those that wait, where none ever did. */
const NONE: Set<number> = new Set();

function fill(message: Message, dup: boolean): OutgoingPublish {
  scratchPublish.topic = message.topic;
  scratchPublish.payload = message.payload;
  scratchPublish.qos = message.qos;
  scratchPublish.retain = message.retain;
  scratchPublish.dup = dup;
  scratchPublish.properties = withoutAlias(message.properties);
  return scratchPublish;
}

/** An alias belongs to one connection: that of a received packet means nothing on the next. */
function withoutAlias(properties: Properties | undefined): Properties | undefined {
  if (properties?.topicAlias === undefined) {
    return properties;
  }
  const { topicAlias: _, ...rest } = properties;
  return rest;
}
