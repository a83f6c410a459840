import type {
  Properties,
  PubackPacket,
  PublishPacket,
  PubrecPacket,
  PubrelPacket,
  SubackPacket,
  UnsubackPacket,
} from "@tidewire/codec";
import {
  FIRST_FAILURE,
  PACKET_IDENTIFIER_IN_USE,
  PACKET_IDENTIFIER_NOT_FOUND,
  PUBACK,
  PUBCOMP,
  PUBREC,
  SUCCESS,
} from "@tidewire/codec/codes";
import { excludedMessage } from "./announced.ts";
import type { Core } from "./core.ts";
import { misuse, type Violation } from "./errors.ts";
import type { InflightState } from "./inflight.ts";
import type { PeerLimits } from "./limits.ts";
import { ackPacket } from "./scratch.ts";
import * as violations from "./violations.ts";

/** What answers one of the peer's packets; a client's SUBSCRIBE and UNSUBSCRIBE wait among its messages. */
export type Answer = PubackPacket | PubrecPacket | SubackPacket | UnsubackPacket;

/** The receiving half of a protocol: messages come in, and every packet that wants an answer gets it, in order. */
export class Receiver {
  readonly #core: Core;
  readonly #inflight: InflightState;
  /** What this side announced. */
  readonly limits: PeerLimits;
  /** Topics by the alias that the peer gave them on this connection [MQTT-3.3.2-7]. */
  readonly #topics: string[] = [];
  /** Ids of QoS 1 and 2 messages that came on this connection and are unfinished: what Receive Maximum counts. */
  protected readonly open: Set<number> = new Set();
  /**
   * Answers owed, in the order in which their packets came, which is the order they leave in [MQTT-4.6.0-2],
   * [MQTT-4.6.0-3]: the type, and from when it is given the packet, which then waits only for those before it.
   */
  protected readonly owed: Map<number, Answer["type"] | Answer> = new Map();
  /** What the peer does that has more open than this side takes. */
  protected readonly tooMany: Violation = BY_SERVER;
  /** The message now at the handler. Nearly all are answered there: only one that is not is to be remembered. */
  #atHandler: PublishPacket | undefined = undefined;

  constructor(core: Core, inflight: InflightState, limits: PeerLimits) {
    this.#core = core;
    this.#inflight = inflight;
    this.limits = limits;
  }

  receivePublish(packet: PublishPacket, now: number): Violation | undefined {
    const excluded = excludedMessage(this.limits, packet) ?? this.#resolveAlias(packet);
    if (excluded !== undefined) {
      return excluded;
    }
    if (packet.qos > 0) {
      return this.#receiveAcknowledged(packet, now);
    }
    this.#core.handler.onPublish(packet);
    return undefined;
  }

  receivePubrel({ packetId }: PubrelPacket, now: number): Violation | undefined {
    // Its PUBREC may be decided on, and wait behind another answer.
    if (this.owed.has(packetId)) {
      return violations.releaseUnexpected;
    }
    this.open.delete(packetId);
    // What is not known was released before: the PUBCOMP was lost with an earlier connection.
    const known = this.#inflight.incoming.delete(packetId) || this.#core.version !== 5;
    this.#core.write(ackPacket(PUBCOMP, packetId, known ? SUCCESS : PACKET_IDENTIFIER_NOT_FOUND), now);
    return undefined;
  }

  /** The caller takes a message over, or refuses it. False: the answer cannot be sent, and the connection has ended. */
  acknowledge(packetId: number, reasonCode: number, now: number, properties: Properties | undefined): boolean {
    const atHandler = this.#atHandler?.packetId === packetId ? this.#atHandler : undefined;
    const type = atHandler === undefined ? this.owed.get(packetId) : answerTo(atHandler);
    if (type !== PUBACK && type !== PUBREC) {
      throw notOwed();
    }
    // MQTT 3.x has no negative acknowledgement.
    const code = this.#core.version === 5 ? reasonCode : SUCCESS;
    if (atHandler === undefined) {
      this.owed.set(packetId, { type, packetId, reasonCode: code, properties });
    } else {
      if (!this.#write(ackPacket(type, packetId, code, properties), now)) {
        return false;
      }
      this.#atHandler = undefined;
    }
    this.flush(now);
    if (this.#core.end !== undefined) {
      return false;
    }
    if (type === PUBREC && code < FIRST_FAILURE) {
      this.#inflight.incoming.add(packetId);
    }
    return true;
  }

  #receiveAcknowledged(packet: PublishPacket, now: number): Violation | undefined {
    const { handler, version } = this.#core;
    const { packetId, qos } = packet;
    const received = this.#inflight.incoming.has(packetId);
    if (this.owed.has(packetId)) {
      return violations.packetIdInUse;
    }
    if (this.open.has(packetId)) {
      if (qos === 1) {
        return violations.packetIdInUse;
      }
      // A sender that repeats itself on the same connection: the message is held back, PUBREC goes again.
      this.#core.write(ackPacket(PUBREC, packetId), now);
      return undefined;
    }
    if (this.open.size >= this.limits.receiveMaximum) {
      return this.tooMany;
    }
    // The two ends remember different sessions; only MQTT 5 has a word for it.
    if (received && qos === 1 && version !== 5) {
      return violations.packetIdInUse;
    }
    this.#atHandler = packet;
    if (this.owed.size > 0) {
      this.#keepUnanswered();
    }
    if (received) {
      this.acknowledge(packetId, qos === 1 ? PACKET_IDENTIFIER_IN_USE : SUCCESS, now, undefined);
    } else {
      handler.onPublish(packet);
    }
    this.#keepUnanswered();
    return undefined;
  }

  #keepUnanswered(): void {
    if (this.#atHandler === undefined) {
      return;
    }
    this.open.add(this.#atHandler.packetId);
    this.owed.set(this.#atHandler.packetId, answerTo(this.#atHandler));
    this.#atHandler = undefined;
  }

  protected flush(now: number): void {
    for (const [packetId, answer] of this.owed) {
      if (typeof answer === "number") {
        return;
      }
      try {
        if (!this.#write(answer, now)) {
          return;
        }
      } catch (error) {
        // The caller's reason code or properties are invalid: the answer is still owed.
        this.owed.set(packetId, answer.type);
        throw error;
      }
      this.owed.delete(packetId);
    }
  }

  #write(answer: Answer, now: number): boolean {
    if (!this.#core.write(answer, now)) {
      return false;
    }
    if (answer.type === PUBREC && answer.reasonCode < FIRST_FAILURE) {
      this.open.add(answer.packetId);
    } else {
      this.open.delete(answer.packetId);
    }
    return true;
  }

  #resolveAlias(packet: PublishPacket): Violation | undefined {
    const alias = packet.properties?.topicAlias;
    if (alias === undefined) {
      return undefined;
    }
    if (alias > this.limits.topicAliasMaximum) {
      return violations.topicAliasInvalid;
    }
    const topic = packet.topic || this.#topics[alias];
    if (topic === undefined) {
      return violations.topicAliasUnknown;
    }
    this.#topics[alias] = topic;
    // The packet was made for this protocol alone.
    (packet as { topic: string }).topic = topic;
    return undefined;
  }
}

function answerTo({ qos }: PublishPacket): typeof PUBACK | typeof PUBREC {
  return qos === 1 ? PUBACK : PUBREC;
}

export function notOwed(): Error {
  return misuse("answer-not-owed", "No packet with this identifier waits for this answer: each is answered once.");
}

const [code, reasonCode] = violations.receiveMaximumExceeded;
/** The rule that binds a server has a number of its own. */
const BY_SERVER: Violation = [code, reasonCode, "3.3.4-9"];
