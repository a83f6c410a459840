import {
  type AuthPacket,
  type ConnackPacket,
  type ConnectPacket,
  type DisconnectPacket,
  type Packet,
  PacketType,
  type Properties,
  type ProtocolVersion,
  type PublishPacket,
  ReasonCode,
  type SubackPacket,
  type SubscriptionRequest,
  type UnsubackPacket,
} from "@tidewire/codec";
import { ClientAuthentication } from "./client-authentication.ts";
import { misuse, SessionError } from "./errors.ts";
import { hasWildcard, isShared } from "./filters.ts";
import { InflightState } from "./inflight.ts";
import type {
  ClientSession,
  ClientSessionHandler,
  ClientSessionOptions,
  ClientState,
  SessionEnd,
} from "./interfaces.ts";
import { KeepAlive } from "./keep-alive.ts";
import { Receiver } from "./receiver.ts";
import { reasonCodeFor } from "./return-codes.ts";
import { Sender } from "./sender.ts";
import { SessionBase } from "./session-base.ts";
import { type ClientInput, clientPackets, clientStates } from "./states.ts";
import * as violations from "./violations.ts";

/** The client's end of one connection. */
export function createClientSession(options: ClientSessionOptions): ClientSession {
  return new ClientEngine(options);
}

class ClientEngine extends SessionBase<ClientSessionHandler> implements ClientSession {
  state: ClientState = "idle";
  connack: ConnackPacket | undefined = undefined;
  keepAlive: number;
  readonly inflight: InflightState;
  #connect: ConnectPacket;
  readonly #authentication: ClientAuthentication | undefined;
  #packets: readonly boolean[] = clientPackets.idle;
  #openedAt = 0;
  #pings: KeepAlive | undefined = undefined;
  /** SUBSCRIBE and UNSUBSCRIBE without answer: how many filters each has. */
  readonly #requests: Map<number, PendingRequest> = new Map();

  constructor(options: ClientSessionOptions) {
    super(options.writer, options.handler, options.limits);
    this.inflight = InflightState.of(options.inflight);
    this.#connect = options.connect;
    this.keepAlive = options.connect.keepAlive;
    const { authenticator } = options;
    this.#authentication =
      authenticator && new ClientAuthentication(authenticator, (packet, now) => this.#writeAuth(packet, now));
  }

  get version(): ProtocolVersion {
    return this.#connect.version;
  }

  open(now: number): void {
    if (clientStates[this.state].open === undefined) throw misuse("already-open", "open is called once");
    // A clean start that no CONNACK has confirmed yet is still owed: the server may remember what is forgotten here.
    const cleanStart = this.#connect.cleanStart || this.inflight.cleanStartOwed;
    this.#connect = { ...(this.#authentication?.begin(this.#connect) ?? this.#connect), cleanStart };
    this.write(this.#connect, now);
    // [MQTT-3.1.2-4]
    if (cleanStart) this.inflight.lose();
    this.inflight.cleanStartOwed = cleanStart;
    this.#openedAt = now;
    this.lastReceived = now;
    this.#move("open");
  }

  receive(packet: Packet, now: number): void {
    if (this.end !== undefined) return;
    this.lastReceived = now;
    if (!this.#packets[packet.type]) {
      this.violate(violations.packetUnexpected, now);
      return;
    }
    switch (packet.type) {
      case PacketType.PUBLISH:
        this.#receiver.receivePublish(packet as PublishPacket, now);
        return;
      case PacketType.PUBACK:
        this.#sender.receivePuback(packet, now);
        return;
      case PacketType.PUBREC:
        this.#sender.receivePubrec(packet, now);
        return;
      case PacketType.PUBREL:
        this.#receiver.receivePubrel(packet, now);
        return;
      case PacketType.PUBCOMP:
        this.#sender.receivePubcomp(packet, now);
        return;
      case PacketType.PINGRESP:
        this.#pings?.answered();
        return;
      case PacketType.SUBACK:
      case PacketType.UNSUBACK:
        this.#receiveAnswer(packet, now);
        return;
      case PacketType.CONNACK:
        this.#receiveConnack(packet, now);
        return;
      case PacketType.AUTH:
        this.#receiveAuth(packet, now);
        return;
      case PacketType.DISCONNECT:
        this.#receiveDisconnect(packet, now);
        return;
    }
  }

  subscribe(subscriptions: readonly SubscriptionRequest[], now: number, properties?: Properties): number {
    this.connected(this.sender);
    this.#checkSubscriptions(subscriptions, properties);
    return this.#request(PacketType.SUBACK, subscriptions.length, (packetId) => {
      this.write({ type: PacketType.SUBSCRIBE, packetId, subscriptions, properties }, now);
    });
  }

  unsubscribe(filters: readonly string[], now: number, properties?: Properties): number {
    this.connected(this.sender);
    return this.#request(PacketType.UNSUBACK, filters.length, (packetId) => {
      this.write({ type: PacketType.UNSUBSCRIBE, packetId, filters, properties }, now);
    });
  }

  reauthenticate(now: number): void {
    this.connected(this.sender);
    if (this.#authentication === undefined) {
      throw misuse("no-authenticator", "only a client that connected with an authenticator can authenticate again");
    }
    this.#authentication.beginAgain(now);
  }

  disconnect(reasonCode: number, now: number, properties?: Properties): void {
    if (this.end !== undefined) return;
    const before = this.#connect.properties?.sessionExpiryInterval ?? 0;
    if (before === 0 && (properties?.sessionExpiryInterval ?? 0) > 0) {
      throw misuse("session-expiry-changed", "DISCONNECT cannot ask for a session that CONNECT did not");
    }
    if (this.state !== "idle") {
      const code = this.version === 5 ? reasonCode : 0;
      this.write({ type: PacketType.DISCONNECT, reasonCode: code, properties }, now);
    }
    this.#move("disconnect");
    this.finish({ kind: "local", reasonCode, error: undefined, flush: true });
  }

  tick(now: number): void {
    if (this.end !== undefined) return;
    if (this.#pings === undefined) {
      if (now >= this.nextDeadline()) this.#timeOut("connack-timeout", "no CONNACK came in time");
      return;
    }
    if (now >= this.#pings.lateAt(this.lastReceived, this.held)) {
      this.#timeOut("ping-timeout", "no PINGRESP came in time");
      return;
    }
    if (now < this.#pings.pingDueAt(this.lastSent, this.lastReceived, this.held)) return;
    this.write({ type: PacketType.PINGREQ }, now);
    this.#pings.asked(now);
  }

  nextDeadline(): number {
    if (this.end !== undefined || this.state === "idle") return Number.POSITIVE_INFINITY;
    if (this.#pings === undefined) return this.#openedAt + this.limits.connackTimeoutMs;
    const { lastSent, lastReceived, held } = this;
    return Math.min(this.#pings.pingDueAt(lastSent, lastReceived, held), this.#pings.lateAt(lastReceived, held));
  }

  protected breakOff(kind: SessionEnd["kind"], error: SessionEnd["error"], reasonCode: number, now: number): void {
    // A DISCONNECT of MQTT 3.x would say that all is well: the server would forget the will.
    const tells = this.version === 5 && this.state !== "idle";
    if (tells) this.writeDisconnect(reasonCode, now);
    this.finish({ kind, reasonCode, error, flush: tells });
  }

  protected override finish(end: SessionEnd): void {
    if (this.state !== "closed") this.#move("fail");
    this.#authentication?.finish();
    for (const packetId of this.#requests.keys()) this.inflight.ids.release(packetId);
    this.#requests.clear();
    super.finish(end);
  }

  get #sender(): Sender {
    return this.connected(this.sender);
  }

  get #receiver(): Receiver {
    return this.connected(this.receiver);
  }

  #receiveConnack(packet: ConnackPacket, now: number): void {
    this.connack = packet;
    if (packet.reasonCode !== ReasonCode.Success) {
      const reasonCode = this.version === 5 ? packet.reasonCode : reasonCodeFor(packet.reasonCode);
      const error = new SessionError("link", "connection-refused", reasonCode, "the server refused the connection");
      this.#move("CONNACK refuses");
      this.finish({ kind: "remote", reasonCode, error, flush: true });
      return;
    }
    if (packet.sessionPresent && this.#connect.cleanStart) {
      this.violate(violations.sessionPresentUnexpected, now);
      return;
    }
    // [MQTT-4.12.0-5], [MQTT-4.12.0-6]
    if (packet.properties?.authenticationMethod !== this.#authentication?.method) {
      this.violate(violations.authenticationMethodChanged, now);
      return;
    }
    this.#authentication?.finish();
    this.#start(packet);
    this.#move("CONNACK accepts");
    // MQTT 3.1 does not say whether it has the session: a client that wants it takes it as present.
    const present = packet.sessionPresent || (this.version === 3 && !this.#connect.cleanStart);
    // [MQTT-3.2.2-5]
    if (!present) this.inflight.lose();
    this.inflight.cleanStartOwed = false;
    this.#sender.resume(now);
    this.handler.onConnack(packet, this.inflight.takeLost());
    this.sender?.report(now);
  }

  #start(connack: ConnackPacket): void {
    this.meet(connack.properties);
    // [MQTT-3.2.2-21]
    this.keepAlive = connack.properties?.serverKeepAlive ?? this.#connect.keepAlive;
    this.#pings = new KeepAlive(this.keepAlive * 1000, this.limits.pingTimeoutMs);
    this.sender = new Sender(this, this.limits.outgoingTopicAliases);
    const own = this.#connect.properties;
    this.receiver = new Receiver(this, {
      receiveMaximum: own?.receiveMaximum ?? 65_535,
      topicAliasMaximum: own?.topicAliasMaximum ?? 0,
      maximumQoS: 2,
      retainAvailable: true,
      subscriptionIdentifiers: true,
    });
  }

  #receiveAnswer(packet: SubackPacket | UnsubackPacket, now: number): void {
    const request = this.#requests.get(packet.packetId);
    if (request === undefined || request.answer !== packet.type) {
      this.violate(violations.acknowledgementMismatch, now);
      return;
    }
    // An UNSUBACK of MQTT 3.x has no codes.
    const expected = packet.type === PacketType.UNSUBACK && this.version !== 5 ? 0 : request.count;
    if (packet.reasonCodes.length !== expected) {
      this.violate(violations.reasonCodeCount, now);
      return;
    }
    this.#requests.delete(packet.packetId);
    this.inflight.ids.release(packet.packetId);
    if (packet.type === PacketType.SUBACK) this.handler.onSuback(packet);
    else this.handler.onUnsuback(packet);
  }

  #receiveAuth(packet: AuthPacket, now: number): void {
    const authentication = this.#authentication;
    const succeeded = packet.reasonCode === ReasonCode.Success;
    const connected = this.state === "connected";
    // Success of the first exchange is CONNACK; a later exchange begins with this client.
    if (authentication === undefined || (connected ? !authentication.running : succeeded)) {
      this.violate(violations.authenticationUnexpected, now);
      return;
    }
    // AUTH without reason and properties is a success as well, and names no method (MQTT 5.0, 3.15.2.1).
    const method = packet.properties?.authenticationMethod;
    if (method !== authentication.method && !(succeeded && packet.properties === undefined)) {
      this.violate(violations.authenticationMethodChanged, now);
      return;
    }
    if (succeeded) {
      authentication.finish();
      this.handler.onReauthenticated?.();
      return;
    }
    this.#move("AUTH");
    authentication.challenge(packet, now);
  }

  #receiveDisconnect(packet: DisconnectPacket, now: number): void {
    if (this.version !== 5) {
      this.violate(violations.packetUnexpected, now);
      return;
    }
    if (packet.properties?.sessionExpiryInterval !== undefined) {
      this.violate(violations.sessionExpiryFromServer, now);
      return;
    }
    const end: SessionEnd = { kind: "remote", reasonCode: packet.reasonCode, error: undefined, flush: true };
    this.#move("DISCONNECT");
    this.end = end;
    this.handler.onDisconnect(packet);
    this.finish(end);
  }

  /** What CONNACK ruled out is not sent. */
  #checkSubscriptions(subscriptions: readonly SubscriptionRequest[], properties: Properties | undefined): void {
    const { peer } = this;
    if (!peer.subscriptionIdentifierAvailable && properties?.subscriptionIdentifiers !== undefined) {
      throw misuse(
        "subscription-identifier-not-supported",
        "the server knows no subscription identifiers",
        ReasonCode.SubscriptionIdentifiersNotSupported,
      );
    }
    for (const { filter } of subscriptions) {
      if (!peer.sharedSubscriptionAvailable && isShared(filter)) {
        throw misuse(
          "shared-not-supported",
          "the server knows no shared subscriptions",
          ReasonCode.SharedSubscriptionsNotSupported,
        );
      }
      if (!peer.wildcardSubscriptionAvailable && hasWildcard(filter)) {
        throw misuse(
          "wildcard-not-supported",
          "the server knows no wildcard subscriptions",
          ReasonCode.WildcardSubscriptionsNotSupported,
        );
      }
    }
  }

  /** Sends a packet that wants an answer, under an id that is its own until then. */
  #request(answer: PendingRequest["answer"], count: number, write: (packetId: number) => void): number {
    const { ids } = this.inflight;
    const packetId = ids.take();
    if (packetId === 0) throw misuse("packet-ids-exhausted", "all packet identifiers are in use");
    try {
      write(packetId);
    } catch (error) {
      ids.release(packetId);
      throw error;
    }
    this.#requests.set(packetId, { answer, count });
    return packetId;
  }

  #writeAuth(packet: AuthPacket, now: number): void {
    if (this.end === undefined) this.write(packet, now);
  }

  #timeOut(code: string, message: string): void {
    const error = new SessionError("link", code, ReasonCode.KeepAliveTimeout, message);
    this.finish({ kind: "timeout", reasonCode: ReasonCode.KeepAliveTimeout, error, flush: false });
  }

  #move(input: ClientInput): void {
    this.state = clientStates[this.state][input] as ClientState;
    this.#packets = clientPackets[this.state];
  }
}

interface PendingRequest {
  readonly answer: typeof PacketType.SUBACK | typeof PacketType.UNSUBACK;
  readonly count: number;
}
