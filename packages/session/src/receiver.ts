import { PacketType, type Properties, type PublishPacket, type PubrelPacket, ReasonCode } from "@tidewire/codec";
import { type Answer, Answers, type AnswerType } from "./answers.ts";
import type { Core, OwnLimits } from "./core.ts";
import { misuse } from "./errors.ts";
import { FIRST_FAILURE } from "./limits.ts";
import { ackPacket } from "./scratch.ts";
import { IncomingAliases } from "./topic-aliases.ts";
import * as violations from "./violations.ts";

/** The receiving half of a session: messages come in, and every packet that wants an answer gets it, in order. */
export class Receiver {
  readonly #core: Core;
  readonly #limits: OwnLimits;
  readonly #aliases: IncomingAliases;
  readonly #answers: Answers = new Answers();
  /**
   * Ids of QoS 1 and 2 messages that came on this connection and are unfinished, which is what Receive Maximum counts;
   * true once PUBREC was written.
   */
  readonly #open: Map<number, boolean> = new Map();
  /** Id of the message now at the handler, until it is answered. */
  #unanswered = 0;
  /** Ids of SUBSCRIBE and UNSUBSCRIBE without answer. */
  readonly #requests: Set<number> = new Set();

  constructor(core: Core, limits: OwnLimits) {
    this.#core = core;
    this.#limits = limits;
    this.#aliases = new IncomingAliases(limits.topicAliasMaximum);
  }

  receivePublish(packet: PublishPacket, now: number): void {
    const core = this.#core;
    const limits = this.#limits;
    if (packet.qos > limits.maximumQoS) {
      core.violate(violations.qosNotSupported, now);
      return;
    }
    if (packet.retain && !limits.retainAvailable) {
      core.violate(violations.retainNotSupported, now);
      return;
    }
    if (packet.properties !== undefined) {
      if (packet.properties.subscriptionIdentifiers !== undefined && !limits.subscriptionIdentifiers) {
        core.violate(violations.subscriptionIdentifierFromClient, now);
        return;
      }
      const alias = packet.properties.topicAlias;
      if (alias !== undefined && !this.#resolveAlias(packet, alias, now)) return;
    }
    if (packet.qos === 0) core.handler.onPublish(packet);
    else this.#receiveAcknowledged(packet, now);
  }

  receivePubrel(packet: PubrelPacket, now: number): void {
    const { packetId } = packet;
    const { inflight } = this.#core;
    if (inflight.incoming.has(packetId)) {
      // Its PUBREC was decided on but still waits behind another answer.
      if (this.#open.get(packetId) === false) {
        this.#core.violate(violations.releaseUnexpected, now);
        return;
      }
      inflight.deleteIncoming(packetId);
      this.#open.delete(packetId);
      this.#core.write(ackPacket(PacketType.PUBCOMP, packetId, ReasonCode.Success), now);
      return;
    }
    if (this.#open.has(packetId)) {
      this.#core.violate(violations.releaseUnexpected, now);
      return;
    }
    // Released before: the PUBCOMP was lost with an earlier connection.
    const reasonCode = this.#core.version === 5 ? ReasonCode.PacketIdentifierNotFound : ReasonCode.Success;
    this.#core.write(ackPacket(PacketType.PUBCOMP, packetId, reasonCode), now);
  }

  /** The caller takes a message over, or refuses it. */
  acknowledge(packetId: number, reasonCode: number, now: number, properties: Properties | undefined): void {
    const answer = this.#owed(packetId, false);
    // MQTT 3.x has no negative acknowledgement.
    answer.reasonCode = this.#core.version === 5 ? reasonCode : ReasonCode.Success;
    answer.properties = properties;
    answer.ready = true;
    if (answer.type === PacketType.PUBREC && answer.reasonCode < FIRST_FAILURE) {
      this.#core.inflight.putIncoming(packetId);
    }
    this.#flush(now);
  }

  /** Notes that a SUBSCRIBE or UNSUBSCRIBE wants its answer. False: its id is in use. */
  request(type: AnswerType, packetId: number): boolean {
    if (this.#open.has(packetId) || this.#requests.has(packetId)) return false;
    this.#requests.add(packetId);
    this.#answers.push(type, packetId);
    return true;
  }

  answer(
    type: AnswerType,
    packetId: number,
    reasonCodes: readonly number[],
    now: number,
    properties: Properties | undefined,
  ): void {
    const answer = this.#owed(packetId, true);
    if (answer.type !== type) throw misuse("answer-mismatch", "the packet with this identifier wants another answer");
    answer.reasonCodes = reasonCodes;
    answer.properties = properties;
    answer.ready = true;
    this.#flush(now);
  }

  #receiveAcknowledged(packet: PublishPacket, now: number): void {
    const core = this.#core;
    const { packetId, qos } = packet;
    const received = core.inflight.incoming.has(packetId);
    const answered = this.#open.get(packetId);
    if (answered !== undefined) {
      // A sender that repeats itself on the same connection: the message is held back, PUBREC goes again.
      if (answered && qos === 2) this.#answerNow(packet, ReasonCode.Success, now);
      else core.violate(violations.packetIdInUse, now);
      return;
    }
    if (this.#requests.has(packetId)) {
      core.violate(violations.packetIdInUse, now);
      return;
    }
    if (this.#open.size >= this.#limits.receiveMaximum) {
      core.violate(violations.receiveMaximumExceeded, now);
      return;
    }
    if (received && qos === 1) {
      // The two ends remember different sessions.
      if (core.version !== 5) {
        core.violate(violations.packetIdInUse, now);
        return;
      }
      this.#answerNow(packet, ReasonCode.PacketIdentifierInUse, now);
      return;
    }
    if (received) {
      this.#open.set(packetId, false);
      this.#answerNow(packet, ReasonCode.Success, now);
      return;
    }
    this.#answers.push(qos === 1 ? PacketType.PUBACK : PacketType.PUBREC, packetId);
    // Most messages are answered inside the call: only one that is not has to be remembered here.
    this.#unanswered = packetId;
    core.handler.onPublish(packet);
    if (this.#unanswered === 0) return;
    this.#unanswered = 0;
    this.#open.set(packetId, false);
  }

  #answerNow(packet: PublishPacket, reasonCode: number, now: number): void {
    const answer = this.#answers.push(packet.qos === 1 ? PacketType.PUBACK : PacketType.PUBREC, packet.packetId);
    answer.reasonCode = reasonCode;
    answer.properties = undefined;
    answer.ready = true;
    this.#flush(now);
  }

  #flush(now: number): void {
    for (let answer = this.#answers.ready; answer !== undefined; answer = this.#answers.ready) {
      try {
        this.#write(answer, now);
      } catch (error) {
        // The caller's reason code or properties are invalid: the answer is still owed.
        answer.ready = false;
        throw error;
      }
      answer.properties = undefined;
      this.#answers.shift();
    }
  }

  #write(answer: Answer, now: number): void {
    const { type, packetId, reasonCode, properties } = answer;
    if (type === PacketType.SUBACK || type === PacketType.UNSUBACK) {
      this.#core.write({ type, packetId, reasonCodes: answer.reasonCodes, properties }, now);
      this.#requests.delete(packetId);
      return;
    }
    this.#core.write(ackPacket(type, packetId, reasonCode, properties), now);
    if (type === PacketType.PUBREC && reasonCode < FIRST_FAILURE) this.#open.set(packetId, true);
    else if (this.#unanswered !== packetId) this.#open.delete(packetId);
    if (this.#unanswered === packetId) this.#unanswered = 0;
  }

  #owed(packetId: number, request: boolean): Answer {
    const answer = this.#answers.find(packetId);
    if (answer !== undefined) {
      const isRequest = answer.type === PacketType.SUBACK || answer.type === PacketType.UNSUBACK;
      if (isRequest === request) return answer;
    }
    throw misuse("answer-not-owed", "no packet with this identifier waits for this answer");
  }

  #resolveAlias(packet: PublishPacket, alias: number, now: number): boolean {
    if (alias > this.#aliases.maximum) {
      this.#core.violate(violations.topicAliasInvalid, now);
      return false;
    }
    const topic = this.#aliases.resolve(alias, packet.topic);
    if (topic === undefined) {
      this.#core.violate(violations.topicAliasUnknown, now);
      return false;
    }
    // The packet was made for this session alone.
    (packet as { topic: string }).topic = topic;
    return true;
  }
}
