import type {
  DisconnectPacket,
  EncodedPacket,
  MqttError,
  Packet,
  PacketType,
  PacketWriter,
  Properties,
  ProtocolError,
  ProtocolVersion,
  QoS,
} from "@tidewire/codec";
import {
  IMPLEMENTATION_SPECIFIC_ERROR,
  PACKET_TOO_LARGE,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  UNSPECIFIED_ERROR,
} from "@tidewire/codec/codes";
import { announcedLimits } from "./announced.ts";
import type { Core } from "./core.ts";
import { isTooLarge, misuse, SessionError, type Violation, violationError } from "./errors.ts";
import type { InflightState } from "./inflight.ts";
import type { PeerLimits } from "./limits.ts";
import { defaultPeerLimits, MAXIMUM_PACKET_ID } from "./limits.ts";
import type { Message } from "./message.ts";
import type { Protocol, ProtocolEnd, ProtocolHandler, ProtocolOptions, ProtocolRequests } from "./protocol.ts";
import type { TopicAliases } from "./publish-writer.ts";
import type { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import type { Transitions, TransitionTable } from "./transitions.ts";
import * as violations from "./violations.ts";

/** What client and server have in common: one connection's life, and the way from requests and packets to the halves. */
export abstract class ProtocolBase<State extends string, Request extends string, Handler extends ProtocolHandler>
  implements Core, Protocol, ProtocolRequests
{
  readonly writer: PacketWriter;
  readonly handler: Handler;
  version: ProtocolVersion = 4;
  state: State;
  peer: PeerLimits = defaultPeerLimits;
  end: ProtocolEnd | undefined = undefined;
  promised = false;
  /** Both are there while connected. */
  protected sender: Sender | undefined = undefined;
  protected receiver: Receiver | undefined = undefined;
  sendMaximum: number = MAXIMUM_PACKET_ID;
  /** Time of the last packet that came and that went, or of what restarted the clock. */
  protected lastReceived = 0;
  protected lastSent = 0;
  /** This side does not read at the moment. */
  protected held = false;
  readonly #topicAliases: TopicAliases | undefined;
  readonly #states: TransitionTable<State, Request>;
  /** Of the present state. */
  #transitions: Transitions<State, Request>;

  constructor(
    states: TransitionTable<State, Request>,
    state: State,
    { writer, handler, topicAliases }: ProtocolOptions<Handler>,
  ) {
    this.#states = states;
    this.#transitions = states[state];
    this.state = state;
    this.writer = writer;
    this.handler = handler;
    this.#topicAliases = topicAliases;
  }

  abstract tick(now: number): void;
  abstract nextDeadline(): number;
  abstract disconnect(reasonCode: number, now: number, properties?: Properties): void;

  get sendQuota(): number {
    return this.sender?.quota ?? 0;
  }

  publish(message: Message, now: number, encoded?: EncodedPacket): number {
    return this.connected(this.sender).publish(message, now, encoded);
  }

  acknowledge(packetId: number, reasonCode: number, now: number, properties?: Properties): boolean {
    if (this.end !== undefined) {
      return false;
    }
    return this.connected(this.receiver).acknowledge(packetId, reasonCode, now, properties);
  }

  receive(packet: Packet, now: number): void {
    if (this.end !== undefined) {
      return;
    }
    this.lastReceived = now;
    const violation = this.unexpected(packet) ?? this.#take(packet, now);
    if (violation !== undefined) {
      this.receiveError(violationError("violation", violation, this.version), now, packet.type);
    }
  }

  receiveError(error: ProtocolError, now: number, _packetType?: PacketType): void {
    this.breakOff("violation", error, error.reasonCode, now);
  }

  receiveEnd(_now: number, error?: Error): void {
    // Before an error is made, which costs a look at the stack: after DISCONNECT the end is no news.
    if (this.end !== undefined) {
      return;
    }
    const lost = error ?? new SessionError("link", "connection-lost", UNSPECIFIED_ERROR);
    this.finish("lost", UNSPECIFIED_ERROR, lost, false);
  }

  holdInput(held: boolean, now: number): void {
    if (this.held && !held) {
      this.lastReceived = now;
    }
    this.held = held;
  }

  fail(error: Error, now: number): void {
    this.breakOff("local", error, IMPLEMENTATION_SPECIFIC_ERROR, now);
  }

  write(packet: Packet, now: number): boolean {
    const error = this.put(packet, now);
    if (error !== undefined) {
      // With the peer's limit there is no going on [MQTT-3.1.2-24], [MQTT-3.2.2-15].
      this.breakOff("local", this.unsendable(error, packet.type), PACKET_TOO_LARGE, now);
    }
    return error === undefined;
  }

  sent(_qos: QoS, now: number): void {
    this.lastSent = now;
    this.promised = true;
  }

  /**
   * Writes a packet that may as well be left out, being the last, or that the caller asked for. Returns the error of one
   * that is larger than the peer takes, even without what only explains [MQTT-3.4.2-2], [MQTT-3.14.2-3].
   */
  protected put(packet: Packet, now: number): MqttError | undefined {
    try {
      this.writer.write(packet);
    } catch (error) {
      if (!isTooLarge(error)) {
        throw error;
      }
      const shorter = withoutProblemInformation(packet);
      return shorter === packet ? error : this.put(shorter, now);
    }
    this.lastSent = now;
    if (packet.type !== PINGREQ && packet.type !== PINGRESP) {
      this.promised = true;
    }
    return undefined;
  }

  /** What is told of a packet that the peer does not take. */
  protected unsendable(error: MqttError, _packetType: PacketType): Error {
    return error;
  }

  /** Takes a packet that only this end gets. Returns the rule that it breaks. */
  protected abstract receiveOwn(packet: Packet, now: number): Violation | undefined;

  /** Tells the peer of a failure, where version and state allow. Returns whether what is written should still leave. */
  protected abstract tell(reasonCode: number, now: number): boolean;

  /** Whether a packet may not come now, whatever it says. */
  protected unexpected(packet: Packet): Violation | undefined {
    return this.allows(packet.type) ? undefined : violations.packetUnexpected;
  }

  protected allows(input: PacketType | Request): boolean {
    return this.#transitions[input] !== undefined;
  }

  protected move(input: PacketType | Request | "end"): void {
    this.state = this.#transitions[input] as State;
    this.#transitions = this.#states[this.state];
  }

  /** The peer's limits are known. */
  protected meet(properties: Properties | undefined): void {
    this.peer = announcedLimits(properties);
    this.writer.maximumPacketSize = Math.min(this.writer.maximumPacketSize, this.peer.maximumPacketSize);
  }

  /** Messages may flow. */
  protected start(inflight: InflightState, receiver: Receiver): Sender {
    this.receiver = receiver;
    const writer = this.#topicAliases?.(this.writer, this.peer.topicAliasMaximum) ?? this.writer;
    this.sender = new Sender(this, inflight, writer);
    return this.sender;
  }

  protected connected<T>(half: T | undefined): T {
    if (half === undefined) {
      throw misuse("not-connected", `Not possible while ${this.state}: wait until the connection is accepted.`);
    }
    return half;
  }

  /** The end, once: the last thing that happens. `disconnect` is the peer's, which keeps the rules. */
  protected finish(
    kind: ProtocolEnd["kind"],
    reasonCode: number,
    error?: ProtocolEnd["error"],
    flush = true,
    disconnect?: DisconnectPacket,
  ): void {
    const end = { kind, reasonCode, error, flush };
    this.move("end");
    this.end = end;
    this.sender = undefined;
    this.receiver = undefined;
    try {
      if (disconnect !== undefined) {
        this.handler.onDisconnect(disconnect);
      }
    } finally {
      this.handler.onEnd(end);
    }
  }

  /** Ends with an error, having told the peer. */
  protected breakOff(kind: ProtocolEnd["kind"], error: Error, reasonCode: number, now: number): void {
    if (this.end === undefined) {
      this.finish(kind, reasonCode, error, this.tell(reasonCode, now));
    }
  }

  #take(packet: Packet, now: number): Violation | undefined {
    switch (packet.type) {
      case PUBLISH:
        return this.connected(this.receiver).receivePublish(packet, now);
      case PUBREL:
        return this.connected(this.receiver).receivePubrel(packet, now);
      case PUBACK:
      case PUBREC:
      case PUBCOMP:
        return this.connected(this.sender).receive(packet, now);
      default:
        return this.receiveOwn(packet, now);
    }
  }
}

/** The packet without what only explains; itself when it has nothing of that kind. */
export function withoutProblemInformation(packet: Packet): Packet {
  const { reasonString, userProperties, ...properties } = ("properties" in packet && packet.properties) || {};
  return reasonString === undefined && userProperties === undefined ? packet : ({ ...packet, properties } as Packet);
}
