import {
  type AuthPacket,
  type ConnectPacket,
  type DisconnectPacket,
  type Packet,
  type Properties,
  type QoS,
  returnCodeFor,
  type SubscribePacket,
  type UnsubscribePacket,
} from "@tidewire/codec";
import {
  AUTH,
  CONNACK,
  CONNECT,
  CONTINUE_AUTHENTICATION,
  DISCONNECT,
  KEEP_ALIVE_TIMEOUT,
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
import { misuse, SessionError, type Violation } from "./errors.ts";
import { InflightState } from "./inflight.ts";
import type {
  AcceptOptions,
  ServerProtocol,
  ServerProtocolHandler,
  ServerProtocolOptions,
  ServerState,
} from "./interfaces.ts";
import { CONNECT_TIMEOUT_MS, NEVER } from "./limits.ts";
import { ProtocolBase, withoutProblemInformation } from "./protocol-base.ts";
import { ServerReceiver } from "./server-receiver.ts";
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

  constructor(options: ServerProtocolOptions) {
    super(serverStates, "awaiting-connect", options);
    this.#waitingSince = options.now;
    this.#connectTimeoutMs = options.limits?.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  }

  accept({ inflight, sessionPresent, properties }: AcceptOptions, now: number): void {
    const connect = this.#answering("accept");
    if (sessionPresent && connect.cleanStart) {
      throw misuse("session-present-after-clean-start", "a clean start has no session present");
    }
    const state = InflightState.of(inflight);
    const own = connect.version === 5 ? connackProperties(connect, properties) : undefined;
    // MQTT 3.1 has no such flag.
    this.#writeConnack(SUCCESS, sessionPresent && connect.version !== 3, own, now);
    this.#keepAlive = own?.serverKeepAlive ?? connect.keepAlive;
    this.lastReceived = now;
    this.move("accept");
    const sender = this.start(state, new ServerReceiver(this, state, announcedLimits(own)));
    sender.resume(now);
    sender.report(now);
  }

  reject(reasonCode: number, now: number, properties?: Properties): void {
    if (this.end !== undefined) {
      return;
    }
    if (this.state === "connected") {
      this.disconnect(reasonCode, now, properties);
      return;
    }
    if (this.#answering("reject").version === 5) {
      this.#writeConnack(reasonCode, false, properties, now);
    } else {
      this.#refuseOld(reasonCode, now);
    }
    this.finish("local", reasonCode);
  }

  disconnect(reasonCode: number, now: number, properties?: Properties): void {
    if (this.end !== undefined) {
      return;
    }
    if (!this.allows("disconnect")) {
      throw misuse("not-connected", "a CONNECT is answered with accept or reject");
    }
    if (this.version === 5) {
      this.write({ type: DISCONNECT, reasonCode, properties }, now);
    }
    this.finish("local", reasonCode);
  }

  suback(packetId: number, reasonCodes: readonly number[], now: number, properties?: Properties): boolean {
    if (this.end !== undefined) {
      return false;
    }
    this.connected(this.receiver).answer({ type: SUBACK, packetId, reasonCodes, properties }, now);
    return true;
  }

  unsuback(packetId: number, reasonCodes: readonly number[], now: number, properties?: Properties): boolean {
    if (this.end !== undefined) {
      return false;
    }
    const codes = this.version === 5 ? reasonCodes : [];
    this.connected(this.receiver).answer({ type: UNSUBACK, packetId, reasonCodes: codes, properties }, now);
    return true;
  }

  authContinue(data: Uint8Array | undefined, now: number): void {
    if (!this.#reauthenticating) {
      this.#answering("authContinue");
      if (this.#authenticationMethod === undefined) {
        throw misuse("authentication-not-asked-for", "CONNECT has no authentication method");
      }
    }
    this.#writeAuth(CONTINUE_AUTHENTICATION, data, now);
    if (this.#reauthenticating) {
      return;
    }
    this.move("authContinue");
    this.#waitingSince = now;
  }

  authSuccess(data: Uint8Array | undefined, now: number): void {
    if (!this.#reauthenticating) {
      throw misuse("authentication-not-running");
    }
    this.#writeAuth(SUCCESS, data, now);
    this.#reauthenticating = false;
  }

  tick(now: number): void {
    if (this.end !== undefined || now < this.nextDeadline()) {
      return;
    }
    const code = this.state === "connected" ? "keep-alive-timeout" : "connect-timeout";
    this.breakOff("timeout", new SessionError("link", code, KEEP_ALIVE_TIMEOUT), KEEP_ALIVE_TIMEOUT, now);
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
  override write(packet: Packet, now: number): void {
    const { type } = packet;
    const wanted = this.connect?.properties?.requestProblemInformation !== false;
    super.write(wanted || type === CONNACK || type === DISCONNECT ? packet : withoutProblemInformation(packet), now);
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
        this.#receiveConnect(packet);
        return undefined;
      case AUTH:
        return this.#receiveAuth(packet);
      case DISCONNECT:
        return this.#receiveDisconnect(packet);
      default:
        return violations.packetUnexpected;
    }
  }

  protected tell(reasonCode: number, now: number): boolean {
    // Nothing but CONNACK may come before an accepting CONNACK [MQTT-3.14.0-1], and a timeout there has no code.
    if (this.state === "connected") {
      // DISCONNECT has no code for a version that is not supported.
      const code = reasonCode === UNSUPPORTED_PROTOCOL_VERSION ? PROTOCOL_ERROR : reasonCode;
      if (this.version === 5) {
        this.write({ type: DISCONNECT, reasonCode: code, properties: undefined }, now);
      }
    } else if (this.connect === undefined) {
      if (reasonCode === UNSUPPORTED_PROTOCOL_VERSION) {
        this.#refuseOld(reasonCode, now);
      }
    } else if (this.version === 5 && reasonCode !== KEEP_ALIVE_TIMEOUT) {
      this.#writeConnack(reasonCode, false, undefined, now);
    }
    return true;
  }

  get #authenticationMethod(): string | undefined {
    return this.connect?.properties?.authenticationMethod;
  }

  #receiveConnect(packet: ConnectPacket): void {
    this.connect = packet;
    this.version = packet.version;
    this.writer.version = packet.version;
    this.meet(packet.properties);
    this.move(CONNECT);
    this.handler.onConnect(packet);
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
      this.finish("remote", packet.reasonCode, undefined, true, packet);
    }
    return excluded;
  }

  #writeConnack(reasonCode: number, sessionPresent: boolean, properties: Properties | undefined, now: number): void {
    this.write({ type: CONNACK, sessionPresent, reasonCode, properties }, now);
  }

  /** CONNACK of MQTT 3.x, where it has a return code for the reason. */
  #refuseOld(reasonCode: number, now: number): void {
    const returnCode = returnCodeFor(reasonCode);
    if (returnCode !== undefined) {
      this.#writeConnack(returnCode, false, undefined, now);
    }
  }

  #writeAuth(reasonCode: number, data: Uint8Array | undefined, now: number): void {
    const properties: Properties = {};
    if (this.#authenticationMethod !== undefined) {
      properties.authenticationMethod = this.#authenticationMethod;
    }
    if (data !== undefined) {
      properties.authenticationData = data;
    }
    this.write({ type: AUTH, reasonCode, properties }, now);
  }

  #answering(input: ServerRequest): ConnectPacket {
    if (this.connect === undefined || !this.allows(input)) {
      throw misuse("not-asked", "no CONNECT waits for this answer");
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
