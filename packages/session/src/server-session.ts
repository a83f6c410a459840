import {
  type AuthPacket,
  type ConnectPacket,
  type DisconnectPacket,
  type Packet,
  PacketType,
  type Properties,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
  ReasonCode,
  type SubscribePacket,
  type UnsubscribePacket,
} from "@tidewire/codec";
import { misuse, SessionError, type Violation } from "./errors.ts";
import { hasWildcard, isShared } from "./filters.ts";
import { InflightState } from "./inflight.ts";
import type {
  AcceptOptions,
  ServerSession,
  ServerSessionHandler,
  ServerSessionOptions,
  ServerState,
  SessionEnd,
} from "./interfaces.ts";
import { Receiver } from "./receiver.ts";
import { returnCodeFor } from "./return-codes.ts";
import { Sender } from "./sender.ts";
import { SessionBase } from "./session-base.ts";
import { type ServerInput, serverPackets, serverStates } from "./states.ts";
import * as violations from "./violations.ts";

/** The server's end of one connection. */
export function createServerSession(options: ServerSessionOptions): ServerSession {
  return new ServerEngine(options);
}

class ServerEngine extends SessionBase<ServerSessionHandler> implements ServerSession {
  state: ServerState = "awaiting-connect";
  connect: ConnectPacket | undefined = undefined;
  #packets: readonly boolean[] = serverPackets["awaiting-connect"];
  #inflight: InflightState | undefined = undefined;
  #properties: Properties | undefined = undefined;
  /** Seconds in force; 0 for none. */
  #keepAlive = 0;
  /** From when the limit of time for CONNECT, or for the client's next AUTH, counts. */
  #waitingSince: number;
  #reauthenticating = false;

  constructor(options: ServerSessionOptions) {
    super(options.writer, options.handler, options.limits);
    this.#waitingSince = options.now;
  }

  get version(): ProtocolVersion {
    return this.connect === undefined ? 4 : this.connect.version;
  }

  get inflight(): InflightState {
    return this.connected(this.#inflight);
  }

  receive(packet: Packet, now: number): void {
    if (this.end !== undefined) return;
    this.lastReceived = now;
    if (!this.#packets[packet.type]) {
      this.violate(this.#unexpected(packet.type), now);
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
      case PacketType.PINGREQ:
        this.write({ type: PacketType.PINGRESP }, now);
        return;
      case PacketType.SUBSCRIBE:
        this.#receiveSubscribe(packet, now);
        return;
      case PacketType.UNSUBSCRIBE:
        this.#receiveUnsubscribe(packet, now);
        return;
      case PacketType.CONNECT:
        this.#receiveConnect(packet);
        return;
      case PacketType.AUTH:
        this.#receiveAuth(packet, now);
        return;
      case PacketType.DISCONNECT:
        this.#receiveDisconnect(packet, now);
        return;
    }
  }

  accept(options: AcceptOptions, now: number): void {
    const connect = this.#answering("accept");
    if (options.sessionPresent && connect.cleanStart) {
      throw misuse("session-present-after-clean-start", "a clean start has no session present");
    }
    this.#inflight = InflightState.of(options.inflight);
    this.#properties = connect.version === 5 ? this.#connackProperties(connect, options.properties) : undefined;
    // MQTT 3.1 has no such flag.
    const sessionPresent = options.sessionPresent && connect.version !== 3;
    this.#writeConnack(ReasonCode.Success, sessionPresent, this.#properties, now);
    this.#move("accept");
    this.#start(connect, now);
    this.#sender.resume(now);
    this.#sender.report(now);
  }

  reject(reasonCode: number, now: number, properties?: Properties): void {
    if (this.end !== undefined) return;
    if (this.state === "connected") {
      this.disconnect(reasonCode, now, properties);
      return;
    }
    const connect = this.#answering("reject");
    if (connect.version === 5) this.#writeConnack(reasonCode, false, properties, now);
    else this.#refuseOld(reasonCode, now);
    this.#move("reject");
    this.finish({ kind: "local", reasonCode, error: undefined, flush: true });
  }

  disconnect(reasonCode: number, now: number, properties?: Properties): void {
    if (this.end !== undefined) return;
    if (this.state !== "connected") throw misuse("not-connected", "a CONNECT is answered with accept or reject");
    if (this.version === 5) this.write({ type: PacketType.DISCONNECT, reasonCode, properties }, now);
    this.#move("disconnect");
    this.finish({ kind: "local", reasonCode, error: undefined, flush: true });
  }

  suback(packetId: number, reasonCodes: readonly number[], now: number, properties?: Properties): boolean {
    if (this.end !== undefined) return false;
    this.#receiver.answer(PacketType.SUBACK, packetId, reasonCodes, now, properties);
    return true;
  }

  unsuback(packetId: number, reasonCodes: readonly number[], now: number, properties?: Properties): boolean {
    if (this.end !== undefined) return false;
    this.#receiver.answer(PacketType.UNSUBACK, packetId, this.version === 5 ? reasonCodes : [], now, properties);
    return true;
  }

  authContinue(data: Uint8Array | undefined, now: number): void {
    if (!this.#reauthenticating) {
      const connect = this.#answering("authContinue");
      if (authenticationMethod(connect) === undefined) {
        throw misuse("authentication-not-asked-for", "CONNECT has no authentication method");
      }
    }
    this.#writeAuth(ReasonCode.ContinueAuthentication, data, now);
    if (this.#reauthenticating) return;
    this.#move("authContinue");
    this.#waitingSince = now;
  }

  authSuccess(data: Uint8Array | undefined, now: number): void {
    if (!this.#reauthenticating) throw misuse("authentication-not-running", "no re-authentication is going on");
    this.#writeAuth(ReasonCode.Success, data, now);
    this.#reauthenticating = false;
  }

  tick(now: number): void {
    if (this.end !== undefined || now < this.nextDeadline()) return;
    const connected = this.state === "connected";
    const error = connected
      ? new SessionError(
          "link",
          "keep-alive-timeout",
          ReasonCode.KeepAliveTimeout,
          "no packet within 1.5 times Keep Alive",
        )
      : new SessionError("link", "connect-timeout", ReasonCode.KeepAliveTimeout, "the client did not connect in time");
    this.breakOff("timeout", error, ReasonCode.KeepAliveTimeout, now);
  }

  nextDeadline(): number {
    switch (this.state) {
      case "connected":
        // [MQTT-3.1.2-22]
        if (this.#keepAlive === 0 || this.held) return Number.POSITIVE_INFINITY;
        return this.lastReceived + this.#keepAlive * 1500;
      case "awaiting-connect":
      case "authenticating":
        return this.#waitingSince + this.limits.connectTimeoutMs;
      default:
        return Number.POSITIVE_INFINITY;
    }
  }

  protected breakOff(kind: SessionEnd["kind"], error: SessionEnd["error"], reasonCode: number, now: number): void {
    // Nothing but CONNACK may come before an accepting CONNACK [MQTT-3.14.0-1], and a timeout there has no code.
    if (this.state === "connected") {
      if (this.version === 5) this.writeDisconnect(reasonCode, now);
    } else if (this.connect === undefined) {
      if (reasonCode === ReasonCode.UnsupportedProtocolVersion) this.#refuseOld(reasonCode, now);
    } else if (this.version === 5 && kind !== "timeout") {
      this.#writeConnack(reasonCode, false, undefined, now);
    }
    this.#move("fail");
    this.finish({ kind, reasonCode, error, flush: true });
  }

  protected override finish(end: SessionEnd): void {
    // Also where an end comes from outside, such as a lost connection.
    if (this.state !== "closed") this.#move("fail");
    super.finish(end);
  }

  protected override get lowestPromise(): QoS {
    return 2;
  }

  /** [MQTT-3.1.2-29] */
  protected override wantsProblemInformation(type: PacketType): boolean {
    if (type === PacketType.CONNACK || type === PacketType.DISCONNECT) return true;
    return this.connect?.properties?.requestProblemInformation !== false;
  }

  get #sender(): Sender {
    return this.connected(this.sender);
  }

  get #receiver(): Receiver {
    return this.connected(this.receiver);
  }

  #receiveConnect(packet: ConnectPacket): void {
    this.connect = packet;
    this.writer.version = packet.version;
    this.meet(packet.properties);
    this.#move("CONNECT");
    this.handler.onConnect(packet);
  }

  #receiveSubscribe(packet: SubscribePacket, now: number): void {
    const violation = this.#excluded(packet);
    if (violation !== undefined) {
      this.violate(violation, now);
      return;
    }
    if (!this.#receiver.request(PacketType.SUBACK, packet.packetId)) {
      this.violate(violations.packetIdInUse, now);
      return;
    }
    this.handler.onSubscribe(packet);
  }

  #receiveUnsubscribe(packet: UnsubscribePacket, now: number): void {
    if (!this.#receiver.request(PacketType.UNSUBACK, packet.packetId)) {
      this.violate(violations.packetIdInUse, now);
      return;
    }
    this.handler.onUnsubscribe(packet);
  }

  #receiveAuth(packet: AuthPacket, now: number): void {
    const method = this.connect === undefined ? undefined : authenticationMethod(this.connect);
    if (method === undefined) {
      this.violate(violations.authenticationUnexpected, now);
      return;
    }
    if (packet.properties?.authenticationMethod !== method) {
      this.violate(violations.authenticationMethodChanged, now);
      return;
    }
    const begins = packet.reasonCode === ReasonCode.ReAuthenticate;
    const connected = this.state === "connected";
    // A new exchange begins only when connected, and while none is running; all other AUTH packets belong to one.
    if (begins !== (connected && !this.#reauthenticating)) {
      this.violate(violations.authenticationUnexpected, now);
      return;
    }
    if (connected) this.#reauthenticating = true;
    else this.#move("AUTH");
    this.handler.onAuth?.(packet.properties.authenticationData, method, connected);
  }

  #receiveDisconnect(packet: DisconnectPacket, now: number): void {
    const before = this.connect?.properties?.sessionExpiryInterval ?? 0;
    const after = packet.properties?.sessionExpiryInterval ?? before;
    // MQTT 5.0, 3.14.2.2.2
    if (before === 0 && after > 0) {
      this.violate(violations.sessionExpiryChanged, now);
      return;
    }
    const end: SessionEnd = { kind: "remote", reasonCode: packet.reasonCode, error: undefined, flush: true };
    this.#move("DISCONNECT");
    this.end = end;
    this.handler.onDisconnect(packet);
    this.finish(end);
  }

  /** What CONNACK promised not to have. */
  #excluded(packet: SubscribePacket): Violation | undefined {
    const properties = this.#properties;
    if (properties === undefined) return undefined;
    const { subscriptions } = packet;
    if (
      properties.subscriptionIdentifierAvailable === false &&
      packet.properties?.subscriptionIdentifiers !== undefined
    ) {
      return violations.subscriptionIdentifierNotSupported;
    }
    if (properties.sharedSubscriptionAvailable === false && subscriptions.some(({ filter }) => isShared(filter))) {
      return violations.sharedNotSupported;
    }
    if (properties.wildcardSubscriptionAvailable === false && subscriptions.some(({ filter }) => hasWildcard(filter))) {
      return violations.wildcardNotSupported;
    }
    return undefined;
  }

  #start(connect: ConnectPacket, now: number): void {
    const own = this.#properties;
    this.#keepAlive = own?.serverKeepAlive ?? connect.keepAlive;
    this.lastReceived = now;
    this.sender = new Sender(this, this.limits.outgoingTopicAliases);
    this.receiver = new Receiver(this, {
      receiveMaximum: own?.receiveMaximum ?? 65_535,
      topicAliasMaximum: own?.topicAliasMaximum ?? 0,
      maximumQoS: own?.maximumQoS ?? 2,
      retainAvailable: own?.retainAvailable ?? true,
      subscriptionIdentifiers: false,
    });
  }

  #connackProperties(connect: ConnectPacket, properties: Properties | undefined): Properties | undefined {
    const method = authenticationMethod(connect);
    // [MQTT-4.12.0-5], [MQTT-3.1.2-28]
    if (method === undefined && properties?.responseInformation === undefined) return properties;
    const { responseInformation, ...rest } = properties ?? {};
    const own: Properties = rest;
    if (responseInformation !== undefined && connect.properties?.requestResponseInformation === true) {
      own.responseInformation = responseInformation;
    }
    if (method !== undefined) own.authenticationMethod = method;
    return own;
  }

  #writeConnack(reasonCode: number, sessionPresent: boolean, properties: Properties | undefined, now: number): void {
    this.write({ type: PacketType.CONNACK, sessionPresent, reasonCode, properties }, now);
  }

  /** CONNACK of MQTT 3.x, where it has a return code for the reason. */
  #refuseOld(reasonCode: number, now: number): void {
    const returnCode = returnCodeFor(reasonCode);
    if (returnCode !== undefined) this.#writeConnack(returnCode, false, undefined, now);
  }

  #writeAuth(reasonCode: number, data: Uint8Array | undefined, now: number): void {
    const properties: Properties = {};
    const method = this.connect === undefined ? undefined : authenticationMethod(this.connect);
    if (method !== undefined) properties.authenticationMethod = method;
    if (data !== undefined) properties.authenticationData = data;
    this.write({ type: PacketType.AUTH, reasonCode, properties }, now);
  }

  #answering(input: ServerInput): ConnectPacket {
    if (this.connect === undefined || serverStates[this.state][input] === undefined) {
      throw misuse("not-asked", "no CONNECT waits for this answer");
    }
    return this.connect;
  }

  #move(input: ServerInput): void {
    this.state = serverStates[this.state][input] as ServerState;
    this.#packets = serverPackets[this.state];
  }

  #unexpected(type: PacketType): Violation {
    if (this.state === "awaiting-connect") return violations.firstPacketNotConnect;
    return type === PacketType.CONNECT ? violations.secondConnect : violations.packetUnexpected;
  }
}

function authenticationMethod(connect: ConnectPacket): string | undefined {
  return connect.properties?.authenticationMethod;
}
