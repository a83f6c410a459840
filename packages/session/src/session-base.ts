import type {
  DisconnectPacket,
  EncodedPacket,
  MqttError,
  Packet,
  PacketType,
  PacketWriter,
  Properties,
  ProtocolVersion,
  QoS,
} from "@tidewire/codec";
import { announcedLimits } from "./announced.ts";
import {
  IMPLEMENTATION_SPECIFIC_ERROR,
  PINGREQ,
  PINGRESP,
  PUBACK,
  PUBCOMP,
  PUBLISH,
  PUBREC,
  PUBREL,
  UNSPECIFIED_ERROR,
} from "./codes.ts";
import type { Core } from "./core.ts";
import { isTooLarge, misuse, SessionError, type Violation, violationError } from "./errors.ts";
import type { InflightState } from "./inflight.ts";
import type {
  Message,
  PeerLimits,
  Session,
  SessionEnd,
  SessionHandler,
  SessionLimits,
  SessionOptions,
  SessionRequests,
  TopicAliases,
} from "./interfaces.ts";
import { defaultLimits, defaultPeerLimits } from "./limits.ts";
import { Receiver } from "./receiver.ts";
import { Sender } from "./sender.ts";
import type { Transitions, TransitionTable } from "./transitions.ts";
import * as violations from "./violations.ts";

/** What client and server have in common: one connection's life, and the way from requests and packets to the halves. */
export abstract class SessionBase<State extends string, Request extends string, Handler extends SessionHandler>
  implements Core, Session, SessionRequests
{
  readonly writer: PacketWriter;
  readonly handler: Handler;
  version: ProtocolVersion = 4;
  state: State;
  peer: PeerLimits = defaultPeerLimits;
  end: SessionEnd | undefined = undefined;
  promised = false;
  protected readonly limits: SessionLimits;
  /** Both are there once connected. */
  protected sender: Sender | undefined = undefined;
  protected receiver: Receiver | undefined = undefined;
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
    { writer, handler, limits, topicAliases }: SessionOptions<Handler>,
  ) {
    this.#states = states;
    this.#transitions = states[state];
    this.state = state;
    this.writer = writer;
    this.handler = handler;
    this.#topicAliases = topicAliases;
    this.limits = limits === undefined ? defaultLimits : { ...defaultLimits, ...limits };
  }

  abstract tick(now: number): void;
  abstract nextDeadline(): number;
  abstract disconnect(reasonCode: number, now: number, properties?: Properties): void;

  get sendQuota(): number {
    return this.end === undefined && this.sender !== undefined ? this.sender.quota : 0;
  }

  publish(message: Message, now: number, encoded?: EncodedPacket): number {
    return this.connected(this.sender).publish(message, now, encoded);
  }

  acknowledge(packetId: number, reasonCode: number, now: number, properties?: Properties): boolean {
    if (this.end !== undefined) return false;
    this.connected(this.receiver).acknowledge(packetId, reasonCode, now, properties);
    return true;
  }

  receive(packet: Packet, now: number): void {
    if (this.end !== undefined) return;
    this.lastReceived = now;
    const violation = this.unexpected(packet) ?? this.#take(packet, now);
    if (violation === undefined) return;
    this.breakOff("violation", violationError("violation", violation, this.version), violation[1], now);
  }

  receiveError(error: MqttError, now: number): void {
    if (this.end === undefined) this.breakOff("violation", error, error.reasonCode, now);
  }

  receiveEnd(_now: number, error?: Error): void {
    if (this.end !== undefined) return;
    const lost = error ?? new SessionError("link", "connection-lost", UNSPECIFIED_ERROR);
    this.finish("lost", UNSPECIFIED_ERROR, lost, false);
  }

  holdInput(held: boolean, now: number): void {
    if (this.held && !held) this.lastReceived = now;
    this.held = held;
  }

  fail(error: Error, now: number): void {
    if (this.end === undefined) this.breakOff("local", error, IMPLEMENTATION_SPECIFIC_ERROR, now);
  }

  write(packet: Packet, now: number): void {
    this.lastSent = now;
    if (packet.type !== PINGREQ && packet.type !== PINGRESP) this.promised = true;
    try {
      this.writer.write(packet);
    } catch (error) {
      // What only explains is left out where it makes the packet too large [MQTT-3.4.2-2], [MQTT-3.14.2-3].
      if (!isTooLarge(error)) throw error;
      this.writer.write(withoutProblemInformation(packet));
    }
  }

  sent(qos: QoS, now: number): void {
    this.lastSent = now;
    if (qos >= this.lowestPromise) this.promised = true;
  }

  /** The lowest QoS of messages that leave only when the store has what was staged. */
  protected get lowestPromise(): QoS {
    return 0;
  }

  /** Takes a packet that only this end gets. Returns the rule that it breaks. */
  protected abstract receiveOwn(packet: Packet, now: number): Violation | undefined;

  /** Ends with an error, having told the peer where version and state allow. */
  protected abstract breakOff(
    kind: SessionEnd["kind"],
    error: SessionEnd["error"],
    reasonCode: number,
    now: number,
  ): void;

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
    if (this.peer.maximumPacketSize !== Number.POSITIVE_INFINITY) {
      this.writer.maximumPacketSize = this.peer.maximumPacketSize;
    }
  }

  /** Messages may flow. `own` are the properties in which this end announced its limits. */
  protected start(inflight: InflightState, own: Properties | undefined): Sender {
    this.receiver = new Receiver(this, inflight, announcedLimits(own));
    const writer = this.#topicAliases?.(this.writer, this.peer.topicAliasMaximum) ?? this.writer;
    this.sender = new Sender(this, inflight, writer);
    return this.sender;
  }

  protected connected<T>(half: T | undefined): T {
    if (this.end !== undefined || half === undefined) throw misuse("not-connected");
    return half;
  }

  /** The peer's DISCONNECT, which keeps the rules. */
  protected left(packet: DisconnectPacket): void {
    const end = this.close("remote", packet.reasonCode);
    this.handler.onDisconnect(packet);
    this.handler.onEnd(end);
  }

  /** The end, once: the last thing that happens. */
  protected finish(kind: SessionEnd["kind"], reasonCode: number, error?: SessionEnd["error"], flush?: boolean): void {
    this.handler.onEnd(this.close(kind, reasonCode, error, flush));
  }

  /** Over from now on, which the handler is to be told. */
  protected close(kind: SessionEnd["kind"], reasonCode: number, error?: SessionEnd["error"], flush = true): SessionEnd {
    this.move("end");
    this.end = { kind, reasonCode, error, flush };
    return this.end;
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

/** The packet without what only explains. */
export function withoutProblemInformation(packet: Packet): Packet {
  if (!("properties" in packet) || packet.properties === undefined) return packet;
  const { reasonString: _, userProperties: __, ...properties } = packet.properties;
  return { ...packet, properties };
}
