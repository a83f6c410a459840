import {
  MqttError,
  type Packet,
  PacketType,
  type PacketWriter,
  type Properties,
  type ProtocolVersion,
  type QoS,
  ReasonCode,
} from "@tidewire/codec";
import type { Core } from "./core.ts";
import { misuse, SessionError, type Violation, violationError } from "./errors.ts";
import type { InflightState } from "./inflight.ts";
import type {
  EncodedPublish,
  Message,
  PeerLimits,
  Session,
  SessionEnd,
  SessionHandler,
  SessionLimits,
  SessionRequests,
} from "./interfaces.ts";
import { defaultLimits, defaultPeerLimits } from "./limits.ts";
import type { Receiver } from "./receiver.ts";
import type { Sender } from "./sender.ts";

/** What client and server have in common: one connection's life, and the way from requests and packets to the halves. */
export abstract class SessionBase<Handler extends SessionHandler> implements Core, Session, SessionRequests {
  readonly writer: PacketWriter;
  readonly handler: Handler;
  peer: PeerLimits = defaultPeerLimits;
  end: SessionEnd | undefined = undefined;
  promised = false;
  protected readonly limits: SessionLimits;
  /** Both exist once connected. */
  protected sender: Sender | undefined = undefined;
  protected receiver: Receiver | undefined = undefined;
  /** Time of the last packet that came and that went, or of what restarted the clock. */
  protected lastReceived = 0;
  protected lastSent = 0;
  /** This side does not read at the moment. */
  protected held = false;

  constructor(writer: PacketWriter, handler: Handler, limits: Partial<SessionLimits> | undefined) {
    this.writer = writer;
    this.handler = handler;
    this.limits = limits === undefined ? defaultLimits : { ...defaultLimits, ...limits };
  }

  abstract get version(): ProtocolVersion;
  abstract get inflight(): InflightState;
  abstract receive(packet: Packet, now: number): void;
  abstract tick(now: number): void;
  abstract nextDeadline(): number;
  abstract disconnect(reasonCode: number, now: number, properties?: Properties): void;

  get ended(): boolean {
    return this.end !== undefined;
  }

  get sendQuota(): number {
    return this.end === undefined && this.sender !== undefined ? this.sender.quota : 0;
  }

  publish(message: Message, now: number, encoded?: EncodedPublish): number {
    return this.connected(this.sender).publish(message, now, encoded);
  }

  acknowledge(packetId: number, reasonCode: number, now: number, properties?: Properties): boolean {
    if (this.end !== undefined) return false;
    this.connected(this.receiver).acknowledge(packetId, reasonCode, now, properties);
    return true;
  }

  receiveError(error: MqttError, now: number): void {
    if (this.end === undefined) this.breakOff("violation", error, error.reasonCode, now);
  }

  receiveEnd(_now: number, error?: Error): void {
    if (this.end !== undefined) return;
    const lost =
      error ?? new SessionError("link", "connection-lost", ReasonCode.UnspecifiedError, "the connection ended");
    this.finish({ kind: "lost", reasonCode: ReasonCode.UnspecifiedError, error: lost, flush: false });
  }

  holdInput(held: boolean, now: number): void {
    if (this.held && !held) this.lastReceived = now;
    this.held = held;
  }

  fail(error: Error, now: number): void {
    if (this.end === undefined) this.breakOff("local", error, ReasonCode.ImplementationSpecificError, now);
  }

  violate(violation: Violation, now: number): void {
    this.breakOff("violation", violationError(violation, this.version), violation.reasonCode, now);
  }

  write(packet: Packet, now: number): void {
    this.lastSent = now;
    if (packet.type !== PacketType.PINGREQ && packet.type !== PacketType.PINGRESP) this.promised = true;
    if (!this.wantsProblemInformation(packet.type)) {
      this.writer.write(this.#withoutProblemInformation(packet));
      return;
    }
    try {
      this.writer.write(packet);
    } catch (error) {
      // What only explains is left out where it makes the packet too large [MQTT-3.4.2-2], [MQTT-3.14.2-3].
      if (!(error instanceof MqttError) || error.reasonCode !== ReasonCode.PacketTooLarge) throw error;
      this.writer.write(this.#withoutProblemInformation(packet));
    }
  }

  sent(qos: QoS, now: number): void {
    this.lastSent = now;
    if (qos >= this.lowestPromise) this.promised = true;
  }

  /** The peer's limits are known. */
  protected meet(properties: Properties | undefined): void {
    this.peer = peerLimits(properties);
    if (this.peer.maximumPacketSize !== Number.POSITIVE_INFINITY) {
      this.writer.maximumPacketSize = this.peer.maximumPacketSize;
    }
  }

  /** The lowest QoS of messages that leave only when the store has what was staged. */
  protected get lowestPromise(): QoS {
    return 0;
  }

  /** Ends with an error, having told the peer where version and state allow. */
  protected abstract breakOff(
    kind: SessionEnd["kind"],
    error: SessionEnd["error"],
    reasonCode: number,
    now: number,
  ): void;

  /** The end, once: the last thing that happens. */
  protected finish(end: SessionEnd): void {
    this.end = end;
    this.handler.onEnd(end);
  }

  protected connected<T>(half: T | undefined): T {
    if (this.end !== undefined || half === undefined) throw misuse("not-connected", "the session is not connected");
    return half;
  }

  /** DISCONNECT as the answer to a failure. It has no code for a version that is not supported. */
  protected writeDisconnect(reasonCode: number, now: number): void {
    const code = reasonCode === ReasonCode.UnsupportedProtocolVersion ? ReasonCode.ProtocolError : reasonCode;
    this.write({ type: PacketType.DISCONNECT, reasonCode: code, properties: undefined }, now);
  }

  /** Does the peer want reason string and user properties in packets of this type? */
  protected wantsProblemInformation(_type: PacketType): boolean {
    return true;
  }

  /** The packet without what only explains. */
  #withoutProblemInformation(packet: Packet): Packet {
    if (!("properties" in packet) || packet.properties === undefined) return packet;
    const { reasonString: _, userProperties: __, ...properties } = packet.properties;
    return { ...packet, properties };
  }
}

/** The limits in the peer's CONNECT or CONNACK. */
function peerLimits(properties: Properties | undefined): PeerLimits {
  if (properties === undefined) return defaultPeerLimits;
  return {
    receiveMaximum: properties.receiveMaximum ?? defaultPeerLimits.receiveMaximum,
    maximumPacketSize: properties.maximumPacketSize ?? defaultPeerLimits.maximumPacketSize,
    topicAliasMaximum: properties.topicAliasMaximum ?? defaultPeerLimits.topicAliasMaximum,
    maximumQoS: properties.maximumQoS ?? defaultPeerLimits.maximumQoS,
    retainAvailable: properties.retainAvailable ?? defaultPeerLimits.retainAvailable,
    wildcardSubscriptionAvailable:
      properties.wildcardSubscriptionAvailable ?? defaultPeerLimits.wildcardSubscriptionAvailable,
    subscriptionIdentifierAvailable:
      properties.subscriptionIdentifierAvailable ?? defaultPeerLimits.subscriptionIdentifierAvailable,
    sharedSubscriptionAvailable:
      properties.sharedSubscriptionAvailable ?? defaultPeerLimits.sharedSubscriptionAvailable,
  };
}
