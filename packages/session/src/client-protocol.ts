import {
  type ConnackPacket,
  type ConnectPacket,
  type DisconnectPacket,
  type Packet,
  type Properties,
  reasonCodeFor,
  type SubackPacket,
  type SubscriptionRequest,
  type UnsubackPacket,
} from "@tidewire/codec";
import {
  AUTH,
  CONNACK,
  DISCONNECT,
  KEEP_ALIVE_TIMEOUT,
  PINGREQ,
  PINGRESP,
  SUBACK,
  SUBSCRIBE,
  SUCCESS,
  UNSUBACK,
  UNSUBSCRIBE,
} from "@tidewire/codec/codes";
import { announcedLimits, excludedExpiry, excludedSubscriptions } from "./announced.ts";
import type { ClientProtocol, ClientProtocolHandler, ClientProtocolOptions } from "./client-side.ts";
import type { ClientState } from "./client-states.ts";
import { type ClientRequest, clientStates } from "./client-states.ts";
import type { EnhancedAuthentication } from "./enhanced-authentication.ts";
import { misuse, refuse, SessionError, type Violation } from "./errors.ts";
import { InflightState } from "./inflight.ts";
import type { SessionLimits } from "./limits.ts";
import { CONNACK_TIMEOUT_MS, NEVER, PING_TIMEOUT_MS } from "./limits.ts";
import { ProtocolBase } from "./protocol-base.ts";
import { Receiver } from "./receiver.ts";
import * as violations from "./violations.ts";

/** The client's end of one connection. */
export function createClientProtocol(options: ClientProtocolOptions): ClientProtocol {
  return new ClientEngine(options);
}

class ClientEngine extends ProtocolBase<ClientState, ClientRequest, ClientProtocolHandler> implements ClientProtocol {
  connack: ConnackPacket | undefined = undefined;
  keepAlive: number;
  readonly #inflight: InflightState;
  #connect: ConnectPacket;
  readonly #authentication: EnhancedAuthentication | undefined;
  readonly #limits: Partial<SessionLimits> | undefined;
  /** Time of CONNECT until CONNACK comes, then of the first PINGREQ that has no PINGRESP yet. */
  #askedAt = NEVER;
  /** Something has to come after `from`, until `end`. */
  #probe = { from: NEVER, end: NEVER };
  readonly #receiveTolerance: number;

  constructor(options: ClientProtocolOptions) {
    super(clientStates, "idle", options);
    this.#inflight = InflightState.of(options.inflight);
    this.#connect = options.connect;
    this.version = options.connect.version;
    this.keepAlive = options.connect.keepAlive;
    this.#authentication = options.authenticator;
    this.#limits = options.limits;
    this.#receiveTolerance = options.receiveTolerance ?? 0;
  }

  open(now: number): void {
    if (!this.allows("open")) {
      throw misuse("already-open", "open() was called before: each connection needs a protocol of its own.");
    }
    const inflight = this.#inflight;
    const connect = this.#connect;
    // A clean start that no CONNACK has confirmed yet is still owed: the server may remember what is forgotten here.
    const cleanStart = connect.cleanStart || inflight.cleanStartOwed;
    const properties = this.#authentication?.begin(this, connect.properties) ?? connect.properties;
    this.#connect = { ...connect, cleanStart, properties };
    this.#request(this.#connect, now);
    // [MQTT-3.1.2-4]
    if (cleanStart) {
      inflight.lose();
    }
    inflight.cleanStartOwed = cleanStart;
    inflight.requests.clear();
    this.#askedAt = now;
    this.lastReceived = now;
    this.move("open");
  }

  subscribe(subscriptions: readonly SubscriptionRequest[], now: number, properties?: Properties): number {
    const packetId = this.#requestId();
    refuse(excludedSubscriptions(this.peer, subscriptions, properties), this.version);
    this.#request({ type: SUBSCRIBE, packetId, subscriptions, properties }, now);
    this.#inflight.requests.set(packetId, { answer: SUBACK, count: subscriptions.length });
    return packetId;
  }

  unsubscribe(filters: readonly string[], now: number, properties?: Properties): number {
    const packetId = this.#requestId();
    this.#request({ type: UNSUBSCRIBE, packetId, filters, properties }, now);
    // An UNSUBACK of MQTT 3.x has no codes.
    this.#inflight.requests.set(packetId, { answer: UNSUBACK, count: this.version === 5 ? filters.length : 0 });
    return packetId;
  }

  reauthenticate(now: number): void {
    this.connected(this.sender);
    if (this.#authentication === undefined) {
      throw misuse("no-authenticator", "reauthenticate() needs the option `authenticator`.");
    }
    this.#authentication.beginAgain(now);
  }

  disconnect(reasonCode: number, now: number, properties?: Properties): void {
    if (this.end !== undefined) {
      return;
    }
    refuse(excludedExpiry(this.#connect.properties, properties), this.version);
    if (this.state !== "idle") {
      this.put({ type: DISCONNECT, reasonCode: this.version === 5 ? reasonCode : SUCCESS, properties }, now);
    }
    this.finish("local", reasonCode);
  }

  probe(now: number, withinMs: number): void {
    this.connected(this.sender);
    this.#probe = { from: now, end: now + withinMs };
    this.write({ type: PINGREQ }, now);
    this.#askedAt = Math.min(this.#askedAt, now);
  }

  tick(now: number): void {
    if (now >= this.#givesUpAt) {
      const code = this.state === "connected" ? "ping-timeout" : "connack-timeout";
      this.finish("timeout", KEEP_ALIVE_TIMEOUT, new SessionError("link", code, KEEP_ALIVE_TIMEOUT), false);
    } else if (now >= this.#asksAt) {
      this.write({ type: PINGREQ }, now);
      this.#askedAt = Math.min(this.#askedAt, now);
    }
  }

  nextDeadline(): number {
    return Math.min(this.#givesUpAt, this.#asksAt);
  }

  /**
   * PINGREQ goes when nothing was sent for the keep-alive time [MQTT-3.1.2-20], and when nothing came for as long: a
   * client that only publishes QoS 0 over a dead connection would never notice otherwise.
   */
  get #asksAt(): number {
    if (this.state !== "connected" || this.keepAlive === 0) {
      return NEVER;
    }
    const { lastSent, lastReceived } = this;
    const silentSince = this.#askedAt < NEVER || this.held ? lastSent : Math.min(lastSent, lastReceived);
    return silentSince + this.keepAlive * 1000;
  }

  /** When the server counts as gone. Whatever came since PINGREQ shows that it is there. */
  get #givesUpAt(): number {
    if (this.end !== undefined) {
      return NEVER;
    }
    if (this.state !== "connected") {
      return this.#askedAt + (this.#limits?.connackTimeoutMs ?? CONNACK_TIMEOUT_MS);
    }
    if (this.held) {
      return NEVER;
    }
    const { from, end } = this.#probe;
    return Math.min(
      Math.max(this.#askedAt, this.lastReceived) + (this.#limits?.pingTimeoutMs ?? PING_TIMEOUT_MS),
      this.lastReceived > from ? NEVER : end,
    );
  }

  protected receiveOwn(packet: Packet, now: number): Violation | undefined {
    switch (packet.type) {
      case CONNACK:
        return this.#receiveConnack(packet, now);
      case SUBACK:
      case UNSUBACK:
        return this.#receiveAnswer(packet);
      case PINGRESP:
        this.#askedAt = NEVER;
        this.#probe.end = NEVER;
        this.handler.onPong?.();
        return undefined;
      case AUTH:
        if (this.#authentication === undefined) {
          return violations.authenticationUnexpected;
        }
        this.move(AUTH);
        return this.#authentication.receive(packet, now);
      case DISCONNECT:
        return this.#receiveDisconnect(packet);
      default:
        return violations.packetUnexpected;
    }
  }

  protected tell(reasonCode: number, now: number): boolean {
    // A DISCONNECT of MQTT 3.x would say that all is well: the server would forget the will.
    const tells = this.version === 5 && this.state !== "idle";
    if (tells) {
      this.put({ type: DISCONNECT, reasonCode, properties: undefined }, now);
    }
    return tells;
  }

  #receiveConnack(packet: ConnackPacket, now: number): Violation | undefined {
    this.connack = packet;
    const inflight = this.#inflight;
    const { cleanStart } = this.#connect;
    if (packet.reasonCode !== SUCCESS) {
      const reasonCode = this.version === 5 ? packet.reasonCode : reasonCodeFor(packet.reasonCode);
      this.finish("remote", reasonCode, new SessionError("link", "connection-refused", reasonCode));
      return undefined;
    }
    if (packet.sessionPresent && cleanStart) {
      return violations.sessionPresentUnexpected;
    }
    // [MQTT-4.12.0-5], [MQTT-4.12.0-6]
    if (packet.properties?.authenticationMethod !== this.#authentication?.method) {
      return violations.authenticationMethodChanged;
    }
    this.#authentication?.finish();
    this.meet(packet.properties);
    // [MQTT-3.2.2-21]
    this.keepAlive = packet.properties?.serverKeepAlive ?? this.#connect.keepAlive;
    const limits = announcedLimits(this.#connect.properties);
    const receiveMaximum = limits.receiveMaximum + this.#receiveTolerance;
    const sender = this.start(inflight, new Receiver(this, inflight, { ...limits, receiveMaximum }));
    this.move(CONNACK);
    this.#askedAt = NEVER;
    // MQTT 3.1 does not say whether it has the session: a client that wants it takes it as present.
    const present = packet.sessionPresent || (this.version === 3 && !cleanStart);
    // [MQTT-3.2.2-5]
    if (!present) {
      inflight.lose();
    }
    inflight.cleanStartOwed = false;
    sender.resume(now);
    // Not when the server takes no packet of the size of a PUBREL.
    if (this.end === undefined) {
      this.handler.onConnack(packet, inflight.lost.splice(0));
      sender.report(now);
    }
    return undefined;
  }

  #receiveAnswer(packet: SubackPacket | UnsubackPacket): Violation | undefined {
    const { requests } = this.#inflight;
    const request = requests.get(packet.packetId);
    if (request?.answer !== packet.type) {
      return violations.acknowledgementMismatch;
    }
    if (packet.reasonCodes.length !== request.count) {
      return violations.reasonCodeCount;
    }
    requests.delete(packet.packetId);
    if (packet.type === SUBACK) {
      this.handler.onSuback(packet);
    } else {
      this.handler.onUnsuback(packet);
    }
    return undefined;
  }

  #receiveDisconnect(packet: DisconnectPacket): Violation | undefined {
    if (this.version !== 5) {
      return violations.packetUnexpected;
    }
    if (packet.properties?.sessionExpiryInterval !== undefined) {
      return violations.sessionExpiryFromServer;
    }
    this.finish("remote", packet.reasonCode, undefined, true, packet);
    return undefined;
  }

  /** Throws for a packet that the server does not take, which then nothing is known of. */
  #request(packet: Packet, now: number): void {
    const error = this.put(packet, now);
    if (error !== undefined) {
      throw error;
    }
  }

  /** An id for a packet that wants an answer. */
  #requestId(): number {
    this.connected(this.sender);
    const packetId = this.#inflight.nextPacketId();
    if (packetId === 0) {
      throw misuse("packet-ids-exhausted", "All 65,535 packet identifiers are in use: wait for an answer.");
    }
    return packetId;
  }
}
