import {
  type AuthPacket,
  type ConnectPacket,
  type DisconnectPacket,
  type MqttError,
  type Packet,
  type PacketType,
  type Properties,
  type ProtocolError,
  type QoS,
  returnCodeFor,
  type SubscribePacket,
  type UnsubscribePacket,
} from "@tidewire/codec";
import {
  AUTH,
  CLIENT_IDENTIFIER_NOT_VALID,
  CONNACK,
  CONNECT,
  CONTINUE_AUTHENTICATION,
  DISCONNECT,
  KEEP_ALIVE_TIMEOUT,
  PACKET_TOO_LARGE,
  PINGREQ,
  PINGRESP,
  PROTOCOL_ERROR,
  PUBLISH,
  RE_AUTHENTICATE,
  SUBACK,
  SUBSCRIBE,
  SUCCESS,
  UNSUBACK,
  UNSUBSCRIBE,
  UNSUPPORTED_PROTOCOL_VERSION,
} from "@tidewire/codec/codes";
import { announcedLimits, excludedExpiry, excludedSubscriptions } from "./announced.ts";
import { misuse, type SessionError, type Violation } from "./errors.ts";
import {
  connectionLost,
  connectTimeout,
  disconnected,
  explainedUnsendable,
  explainedViolation,
  keepAliveTimeout,
  orderly,
} from "./explanations.ts";
import { InflightState } from "./inflight.ts";
import { CLIENT_ID_LENGTH, CONNECT_TIMEOUT_MS, NEVER } from "./limits.ts";
import { ProtocolBase, withoutProblemInformation } from "./protocol-base.ts";
import { ServerReceiver } from "./server-receiver.ts";
import type { AcceptOptions, ServerProtocol, ServerProtocolHandler, ServerProtocolOptions } from "./server-side.ts";
import type { ServerState } from "./server-states.ts";
import { type ServerRequest, serverStates } from "./server-states.ts";
import * as violations from "./violations.ts";

/** The server's end of one connection. */
export function createServerProtocol(options: ServerProtocolOptions): ServerProtocol {
  return new ServerEngine(options);
}

class ServerEngine extends ProtocolBase<ServerState, ServerRequest, ServerProtocolHandler> implements ServerProtocol {
  connect: ConnectPacket | undefined = undefined;
  declare protected receiver: ServerReceiver | undefined;
  /** Seconds in force; 0 for none. */
  #keepAlive = 0;
  /** From when the limit of time for CONNECT, or for the client's next AUTH, counts. */
  #waitingSince: number;
  #reauthenticating = false;
  readonly #connectTimeoutMs: number;
  readonly #clientIdLength: number;

  constructor(options: ServerProtocolOptions) {
    super(serverStates, "awaiting-connect", options);
    this.#waitingSince = options.now;
    this.#connectTimeoutMs = options.limits?.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
    this.#clientIdLength = options.limits?.clientIdLength ?? CLIENT_ID_LENGTH;
  }

  accept({ inflight, sessionPresent, properties }: AcceptOptions, now: number): boolean {
    const connect = this.#answering("accept");
    if (sessionPresent && connect.cleanStart) {
      throw misuse(
        "session-present-after-clean-start",
        "accept(): CONNECT asks for a clean start, so sessionPresent is false.",
      );
    }
    const state = InflightState.of(inflight);
    const own = connect.version === 5 ? connackProperties(connect, properties) : undefined;
    // MQTT 3.1 has no such flag.
    const error = this.#putConnack(SUCCESS, sessionPresent && connect.version !== 3, own, now);
    if (error !== undefined) {
      // No refusal either, which would say that CONNECT was too large [MQTT-3.1.2-24].
      this.finish("local", PACKET_TOO_LARGE, this.unsendable(error, CONNACK));
      return false;
    }
    this.#keepAlive = own?.serverKeepAlive ?? connect.keepAlive;
    this.lastReceived = now;
    this.move("accept");
    const sender = this.start(state, new ServerReceiver(this, state, announcedLimits(own)));
    sender.resume(now);
    sender.report(now);
    return this.end === undefined;
  }

  reject(reasonCode: number, now: number, properties?: Properties): void {
    if (this.end !== undefined) {
      return;
    }
    if (this.state === "connected") {
      this.disconnect(reasonCode, now, properties);
      return;
    }
    this.#answering("reject");
    this.#refuse(reasonCode, now, properties);
    this.finish("local", reasonCode, orderly(reasonCode));
  }

  disconnect(reasonCode: number, now: number, properties?: Properties): void {
    if (this.end !== undefined) {
      return;
    }
    if (!this.allows("disconnect")) {
      throw misuse("not-connected", `disconnect() while ${this.state}: answer CONNECT with accept or reject first.`);
    }
    if (this.version === 5) {
      this.put({ type: DISCONNECT, reasonCode, properties }, now);
    }
    this.finish("local", reasonCode, orderly(reasonCode));
  }

  suback(packetId: number, reasonCodes: readonly number[], now: number, properties?: Properties): boolean {
    if (this.end !== undefined) {
      return false;
    }
    this.connected(this.receiver).answer({ type: SUBACK, packetId, reasonCodes, properties }, now);
    return this.end === undefined;
  }

  unsuback(packetId: number, reasonCodes: readonly number[], now: number, properties?: Properties): boolean {
    if (this.end !== undefined) {
      return false;
    }
    const codes = this.version === 5 ? reasonCodes : [];
    this.connected(this.receiver).answer({ type: UNSUBACK, packetId, reasonCodes: codes, properties }, now);
    return this.end === undefined;
  }

  authContinue(data: Uint8Array | undefined, now: number): void {
    if (!this.#reauthenticating) {
      this.#answering("authContinue");
      if (this.#authenticationMethod === undefined) {
        throw misuse(
          "authentication-not-asked-for",
          "authContinue(): CONNECT names no authentication method; use accept or reject.",
        );
      }
    }
    if (!this.#writeAuth(CONTINUE_AUTHENTICATION, data, now) || this.#reauthenticating) {
      return;
    }
    this.move("authContinue");
    this.#waitingSince = now;
  }

  authSuccess(data: Uint8Array | undefined, now: number): void {
    if (!this.#reauthenticating) {
      throw misuse(
        "authentication-not-running",
        "authSuccess() answers an AUTH that re-authenticates, and none is waiting.",
      );
    }
    this.#writeAuth(SUCCESS, data, now);
    this.#reauthenticating = false;
  }

  tick(now: number): void {
    if (this.end !== undefined || now < this.nextDeadline()) {
      return;
    }
    this.breakOff("timeout", this.#late(), KEEP_ALIVE_TIMEOUT, now);
  }

  nextDeadline(): number {
    switch (this.state) {
      case "connected":
        // [MQTT-3.1.2-22]
        if (this.#keepAlive === 0 || this.held) {
          return NEVER;
        }
        return this.lastReceived + this.#keepAlive * 1500;
      case "awaiting-connect":
      case "authenticating":
        return this.#waitingSince + this.#connectTimeoutMs;
      default:
        return NEVER;
    }
  }

  /** [MQTT-3.1.2-29] */
  override write(packet: Packet, now: number): boolean {
    const wanted = this.connect?.properties?.requestProblemInformation !== false;
    return super.write(wanted ? packet : withoutProblemInformation(packet), now);
  }

  override receiveError(error: ProtocolError, now: number, packetType?: PacketType): void {
    // A CONNECT may be malformed behind its version: the answer comes in that.
    if (this.connect === undefined && error.packetType === CONNECT && error.version !== undefined) {
      this.version = error.version;
      this.writer.version = error.version;
    }
    super.receiveError(explainedViolation(error, packetType ?? error.packetType), now);
  }

  override receiveEnd(now: number, error?: Error): void {
    super.receiveEnd(now, error ?? (this.end === undefined ? connectionLost() : undefined));
  }

  /** Below QoS 2 nothing has to be remembered before it leaves. */
  override sent(qos: QoS): void {
    if (qos === 2) {
      this.promised = true;
    }
  }

  protected override unexpected(packet: Packet): Violation | undefined {
    if (this.allows(packet.type)) {
      const identified = packet.type === PUBLISH && packet.properties?.subscriptionIdentifiers !== undefined;
      return identified ? violations.subscriptionIdentifierFromClient : undefined;
    }
    if (this.state === "awaiting-connect") {
      return violations.firstPacketNotConnect;
    }
    return packet.type === CONNECT ? violations.secondConnect : violations.packetUnexpected;
  }

  protected receiveOwn(packet: Packet, now: number): Violation | undefined {
    switch (packet.type) {
      case PINGREQ:
        this.write({ type: PINGRESP }, now);
        return undefined;
      case SUBSCRIBE:
        return this.#receiveSubscribe(packet);
      case UNSUBSCRIBE:
        return this.#receiveUnsubscribe(packet);
      case CONNECT:
        this.#receiveConnect(packet, now);
        return undefined;
      case AUTH:
        return this.#receiveAuth(packet);
      case DISCONNECT:
        return this.#receiveDisconnect(packet);
      default:
        return violations.packetUnexpected;
    }
  }

  protected override unsendable(error: MqttError, packetType: PacketType): Error {
    return explainedUnsendable(error, packetType);
  }

  protected tell(reasonCode: number, now: number): boolean {
    // Nothing but CONNACK may come before an accepting CONNACK [MQTT-3.14.0-1], and a timeout there has no code.
    if (this.state === "connected") {
      // DISCONNECT has no code for a version that is not supported.
      const code = reasonCode === UNSUPPORTED_PROTOCOL_VERSION ? PROTOCOL_ERROR : reasonCode;
      if (this.version === 5) {
        this.put({ type: DISCONNECT, reasonCode: code, properties: undefined }, now);
      }
    } else if (
      reasonCode === UNSUPPORTED_PROTOCOL_VERSION ||
      (this.version === 5 && reasonCode !== KEEP_ALIVE_TIMEOUT)
    ) {
      this.#refuse(reasonCode, now);
    }
    return true;
  }

  get #authenticationMethod(): string | undefined {
    return this.connect?.properties?.authenticationMethod;
  }

  #receiveConnect(packet: ConnectPacket, now: number): void {
    this.connect = packet;
    this.version = packet.version;
    this.writer.version = packet.version;
    this.meet(packet.properties);
    this.move(CONNECT);
    if (packet.version === 3 && (packet.clientId === "" || packet.clientId.length > this.#clientIdLength)) {
      this.reject(CLIENT_IDENTIFIER_NOT_VALID, now);
    } else {
      this.handler.onConnect(packet);
    }
  }

  #receiveSubscribe(packet: SubscribePacket): Violation | undefined {
    const receiver = this.connected(this.receiver);
    const excluded = excludedSubscriptions(receiver.limits, packet.subscriptions, packet.properties);
    if (excluded !== undefined) {
      return excluded;
    }
    if (!receiver.request(SUBACK, packet.packetId)) {
      return violations.packetIdInUse;
    }
    this.handler.onSubscribe(packet);
    return undefined;
  }

  #receiveUnsubscribe(packet: UnsubscribePacket): Violation | undefined {
    if (!this.connected(this.receiver).request(UNSUBACK, packet.packetId)) {
      return violations.packetIdInUse;
    }
    this.handler.onUnsubscribe(packet);
    return undefined;
  }

  #receiveAuth(packet: AuthPacket): Violation | undefined {
    const method = this.#authenticationMethod;
    if (method === undefined) {
      return violations.authenticationUnexpected;
    }
    if (packet.properties?.authenticationMethod !== method) {
      return violations.authenticationMethodChanged;
    }
    const begins = packet.reasonCode === RE_AUTHENTICATE;
    const connected = this.state === "connected";
    // A new exchange begins only when connected, and while none is running; all other AUTH packets belong to one.
    if (begins !== (connected && !this.#reauthenticating)) {
      return violations.authenticationUnexpected;
    }
    this.#reauthenticating = connected;
    this.move(AUTH);
    this.handler.onAuth?.(packet.properties.authenticationData, method, connected);
    return undefined;
  }

  #receiveDisconnect(packet: DisconnectPacket): Violation | undefined {
    const excluded = excludedExpiry(this.connect?.properties, packet.properties);
    if (excluded === undefined) {
      this.finish("remote", packet.reasonCode, disconnected(packet.reasonCode), true, packet);
    }
    return excluded;
  }

  #putConnack(
    reasonCode: number,
    sessionPresent: boolean,
    properties: Properties | undefined,
    now: number,
  ): MqttError | undefined {
    return this.put({ type: CONNACK, sessionPresent, reasonCode, properties }, now);
  }

  /** Writes a CONNACK that refuses, where the version has a code for the reason, and the client takes one of its size. */
  #refuse(reasonCode: number, now: number, properties?: Properties): void {
    const code = this.version === 5 ? reasonCode : returnCodeFor(reasonCode);
    if (code !== undefined) {
      this.#putConnack(code, false, this.version === 5 ? properties : undefined, now);
    }
  }

  #writeAuth(reasonCode: number, data: Uint8Array | undefined, now: number): boolean {
    const properties: Properties = {};
    if (this.#authenticationMethod !== undefined) {
      properties.authenticationMethod = this.#authenticationMethod;
    }
    if (data !== undefined) {
      properties.authenticationData = data;
    }
    return this.write({ type: AUTH, reasonCode, properties }, now);
  }

  /** What did not come in time. */
  #late(): SessionError {
    if (this.state === "connected") {
      return keepAliveTimeout(this.#keepAlive);
    }
    return connectTimeout(this.state === "authenticating" ? "AUTH" : "CONNECT", this.#connectTimeoutMs);
  }

  #answering(input: ServerRequest): ConnectPacket {
    if (this.connect === undefined || !this.allows(input)) {
      throw misuse("not-asked", `${input}() while ${this.state}: no CONNECT waits for this answer.`);
    }
    return this.connect;
  }
}

/** Own properties for CONNACK, with those that only some clients get [MQTT-4.12.0-5], [MQTT-3.1.2-28]. */
function connackProperties(connect: ConnectPacket, properties: Properties | undefined): Properties | undefined {
  const method = connect.properties?.authenticationMethod;
  if (method === undefined && properties?.responseInformation === undefined) {
    return properties;
  }
  const { responseInformation, ...rest } = properties ?? {};
  const own: Properties = rest;
  if (responseInformation !== undefined && connect.properties?.requestResponseInformation === true) {
    own.responseInformation = responseInformation;
  }
  if (method !== undefined) {
    own.authenticationMethod = method;
  }
  return own;
}
