import type {
  AuthPacket,
  ConnackPacket,
  ConnectPacket,
  DisconnectPacket,
  EncodedPacket,
  MqttError,
  Packet,
  PacketWriter,
  Properties,
  ProtocolVersion,
  PublishPacket,
  QoS,
  SubackPacket,
  SubscribePacket,
  SubscriptionRequest,
  UnsubackPacket,
  UnsubscribePacket,
} from "@tidewire/codec";
import type { SessionError, Violation } from "./errors.ts";

/*
 * How the parts fit together.
 *
 * A `ClientProtocol` or `ServerProtocol` lives as long as one network connection: an acknowledgement can therefore never
 * leave on another connection than the one its packet came on. What MQTT calls Session State for the packet flow lives
 * in an `Inflight`, owned by the caller and handed to each connection's session in turn.
 *
 * Inputs are `receive`, `receiveEnd`, `tick` and requests, each with the time (monotonic milliseconds, any origin).
 * Outputs are bytes in the writer, handler calls made after the state change is complete (a handler may call back in),
 * `nextDeadline()` and `end`. Whoever drives the session (link) flushes the writer once per turn, after the store's
 * barrier, and closes the connection when `end` is set.
 */

/** An application message. Callers may pass their own objects with more fields; the same object comes back. */
export interface Message {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly properties: Properties | undefined;
  /** A crash may have taken the memory that it was sent: it goes with DUP [MQTT-3.3.1-1]. */
  readonly maybeSent?: boolean;
}

/**
 * Where in-flight state is kept so that it outlives this process. All calls stage synchronously, in order, and never
 * throw; `commit` makes everything staged so far durable and returns undefined when nothing was staged. It rejects when
 * that failed: then nothing that was sent since the last one may leave, which ends the connections concerned. `M` is the
 * kind of message that the store takes: functions as properties, so that one for a special kind does not pass for one
 * that takes all.
 */
export interface InflightStore<M extends Message = Message> {
  /** `sequence` rises with each call: the order messages were first sent in. */
  readonly putOutgoing: (packetId: number, sequence: number, message: M) => void;
  /** PUBREC came: the message may be dropped, the PUBREL is owed until PUBCOMP. */
  readonly releaseOutgoing: (packetId: number) => void;
  readonly deleteOutgoing: (packetId: number) => void;
  /** A QoS 2 message with this id was taken; its id must be remembered until PUBREL. */
  readonly putIncoming: (packetId: number) => void;
  readonly deleteIncoming: (packetId: number) => void;
  readonly clear: () => void;
  readonly commit: () => Promise<void> | undefined;
}

/** What a store gives back after a restart. */
export interface SavedInflight<M extends Message = Message> {
  /** In ascending `sequence`; `message` undefined means: PUBREC came, PUBREL is owed. */
  readonly outgoing: readonly {
    readonly packetId: number;
    readonly sequence: number;
    readonly message: M | undefined;
  }[];
  readonly incoming: readonly number[];
}

/**
 * Packet ids and unfinished QoS 1/2 exchanges of one MQTT session, across its connections. `M` is the caller's own kind of
 * message: whoever hands this to a protocol engine publishes no other there.
 */
export interface Inflight<M extends Message = Message> {
  readonly outgoingCount: number;
  readonly incomingCount: number;
  /** Outgoing messages that the peer has not received as far as is known (no PUBACK, no PUBREC), oldest first. */
  unreceived(): readonly { readonly packetId: number; readonly message: M }[];
  /** Takes back one of `unreceived` while no connection has it: it is not sent again, and its identifier is free. */
  withdraw(packetId: number, message: M): void;
  /** Everything forgotten, here and in the store. Returns the outgoing messages that were not yet received (no PUBREC). */
  clear(): readonly { readonly packetId: number; readonly message: M }[];
}

/** Why and how a connection's exchange is over. Set once. */
export interface ProtocolEnd {
  /**
   * `local`: asked for by `disconnect` or `reject`, or what has to be sent is larger than the peer takes, or a handler threw.
   * `remote`: the peer's DISCONNECT or refusing CONNACK. `violation`: the peer broke the protocol. `timeout`: keep-alive,
   * CONNACK or PINGRESP ran out. `lost`: bytes ended.
   */
  readonly kind: "local" | "remote" | "violation" | "timeout" | "lost";
  /** MQTT 5 reason code that was sent or received (a 3.x return code is translated) or that names the failure. 0 normal. */
  readonly reasonCode: number;
  /**
   * Undefined after an end in order. At a server its message is a sentence for a log: what happened, which packet and rule
   * were concerned, what the limit was. Never with bytes of the peer. Its `code` is stable, unless it is what a handler threw
   * or a transport closed with.
   */
  readonly error: MqttError | SessionError | Error | undefined;
  /** True when bytes in the writer (CONNACK, DISCONNECT) should still leave before the connection closes. */
  readonly flush: boolean;
}

/** What both ends share: the inputs that a link drives. */
export interface Protocol {
  /** The MQTT version in use; a server's is known from CONNECT on. */
  readonly version: ProtocolVersion;
  readonly end: ProtocolEnd | undefined;
  /**
   * Something in the writer has to wait until the store has what was staged: an acknowledgement, or a message that is
   * thereby taken out of a stored queue or whose packet id must be remembered. A server's QoS 0 and 1 messages need not
   * (see `Message.maybeSent`); whoever has reasons of its own sets this. Set to false by whoever takes the bytes.
   */
  promised: boolean;
  receive(packet: Packet, now: number): void;
  /** The decoder failed: the peer's violation; answers as its version demands and ends. */
  receiveError(error: MqttError, now: number): void;
  /** The connection is gone. */
  receiveEnd(now: number, error?: Error): void;
  /**
   * This side stops reading from the connection (`held`), or goes on: a peer is not late with what it may have sent
   * meanwhile, so that its keep-alive and PINGRESP are not missed until then, and count anew from there.
   */
  holdInput(held: boolean, now: number): void;
  /** Something broke on this side, such as a handler that threw: ends with 0x83 where the version has a way to say so. */
  fail(error: Error, now: number): void;
  tick(now: number): void;
  /** Time of the next `tick` that is needed; Infinity when none is. */
  nextDeadline(): number;
}

/** Requests both ends share once connected. All throw a misuse error when not connected, without any effect. */
export interface ProtocolRequests {
  /** How many more QoS > 0 messages may be sent now (the peer's Receive Maximum less those in flight). */
  readonly sendQuota: number;
  /** The peer's limits, for checking before a request; defaults where it set none. */
  readonly peer: PeerLimits;
  /**
   * Sends; returns the packet id (0 with QoS 0). With QoS > 0 and `sendQuota` 0 it throws: whoever has more waits for
   * `onSendQuota`. The message counts as sent (it is kept in the Inflight) even when the connection ends at once.
   * `encoded`: the message as PUBLISH of this version with DUP 0, made before, for sending one to many receivers.
   */
  publish(message: Message, now: number, encoded?: EncodedPacket): number;
  /**
   * Takes responsibility for a received QoS > 0 message: PUBACK or PUBREC (from 0x80: refused). Call it once per
   * `onPublish` with QoS > 0, inside it or later; answers leave in the order received. False: this session is over,
   * nothing was taken over, and the sender will send again; or it ends with this, because the peer takes no packet as large
   * as the answer. MQTT 3.x knows no refusal: any reason code becomes success.
   */
  acknowledge(packetId: number, reasonCode: number, now: number, properties?: Properties): boolean;
  /**
   * Ends in order. A client's DISCONNECT; in a server's session a DISCONNECT for MQTT 5 (3.x: only closes). Nothing
   * happens when the session is over already; a client may also call it before CONNACK.
   */
  disconnect(reasonCode: number, now: number, properties?: Properties): void;
}

export interface PeerLimits {
  /** 65,535 unless the peer said less. */
  readonly receiveMaximum: number;
  /** Infinity unless the peer set one. */
  readonly maximumPacketSize: number;
  readonly topicAliasMaximum: number;
  readonly maximumQoS: QoS;
  readonly retainAvailable: boolean;
  readonly wildcardSubscriptionAvailable: boolean;
  readonly subscriptionIdentifierAvailable: boolean;
  readonly sharedSubscriptionAvailable: boolean;
}

/** Handler calls both ends share. */
export interface ProtocolHandler {
  /** A message to deliver; duplicates of QoS 2 are held back. The topic is filled in where an alias was used. */
  onPublish(packet: PublishPacket): void;
  /**
   * An outgoing message's contract is fulfilled (PUBACK, PUBCOMP) or refused (from 0x80, also by PUBREC). Its packet id
   * may be in use again already when the handler publishes. `message` is undefined after PUBCOMP: it was dropped at
   * PUBREC. Called as well for what is in flight and cannot be sent again because this peer's limits exclude it (0x95,
   * 0x9A, 0x9B).
   */
  onSettled(
    packetId: number,
    message: Message | undefined,
    reasonCode: number,
    properties: Properties | undefined,
  ): void;
  /** `sendQuota` is above 0 again after it was 0. */
  onSendQuota(): void;
  /** The peer's DISCONNECT, before `onEnd`. */
  onDisconnect(packet: DisconnectPacket): void;
  /** The session is over; called once, last. */
  onEnd(end: ProtocolEnd): void;
}

/** Options both ends share. */
export interface ProtocolOptions<Handler extends ProtocolHandler> {
  readonly writer: PacketWriter;
  readonly handler: Handler;
  readonly limits?: Partial<SessionLimits>;
  /** Gives aliases to the topics that this side sends, as many as the peer takes; made by `outgoingTopicAliases`. */
  readonly topicAliases?: TopicAliases;
}

/** Puts aliases into what goes to `writer`. */
export type TopicAliases = (writer: PublishWriter, topicAliasMaximum: number) => PublishWriter;

/** The part of a `PacketWriter` that takes messages. */
export interface PublishWriter {
  write(packet: OutgoingPublish | EncodedPacket): void;
}

/** Filled anew for each message, and free to be changed on the way. */
export type OutgoingPublish = { -readonly [Key in keyof PublishPacket]: PublishPacket[Key] };

export interface ClientProtocolOptions extends ProtocolOptions<ClientProtocolHandler> {
  /** Sent by `open`. */
  readonly connect: ConnectPacket;
  readonly inflight: Inflight;
  /** For enhanced authentication, made by `enhancedAuthentication` for this session alone. */
  readonly authenticator?: EnhancedAuthentication;
}

/** Answers AUTH challenges, at once or later through `respond`. Its method goes into CONNECT. */
export interface Authenticator {
  readonly method: string;
  /** The first data for CONNECT. */
  start(): Uint8Array | undefined;
  /** `data` undefined in `respond` sends AUTH without data. */
  challenge(data: Uint8Array | undefined, respond: (data: Uint8Array | undefined) => void): void;
}

/** What `enhancedAuthentication` makes of an authenticator: AUTH exchanges as a client's session sees them. */
export interface EnhancedAuthentication {
  readonly method: string;
  /** The session is about to connect: returns the properties of its CONNECT with those of the exchange. */
  begin(session: AuthenticatedSession, properties: Properties | undefined): Properties;
  /** Throws when an exchange is going on. */
  beginAgain(now: number): void;
  /** Returns the rule that the server broke. */
  receive(packet: AuthPacket, now: number): Violation | undefined;
  /** Connected: no answer is wanted any more. */
  finish(): void;
}

/** What an authentication needs of its session. */
export interface AuthenticatedSession {
  readonly state: ClientState;
  readonly handler: Pick<ClientProtocolHandler, "onReauthenticated">;
  write(packet: AuthPacket, now: number): void;
}

export interface ClientProtocolHandler extends ProtocolHandler {
  /**
   * Accepted. `lost`: outgoing messages forgotten because the server had no session (sessionPresent 0), or because this
   * or an earlier CONNECT asked for a clean start: the caller decides whether to publish them again. Resent messages are
   * in the writer already, up to one that this server does not take.
   */
  onConnack(packet: ConnackPacket, lost: readonly { readonly packetId: number; readonly message: Message }[]): void;
  onSuback(packet: SubackPacket): void;
  onUnsuback(packet: UnsubackPacket): void;
  /** A re-authentication asked for by `reauthenticate` succeeded. */
  onReauthenticated?(): void;
}

export interface ClientProtocol extends Protocol, ProtocolRequests {
  readonly state: ClientState;
  /** From CONNACK; undefined before. */
  readonly connack: ConnackPacket | undefined;
  /** Seconds in force (the server's own where it set one). */
  readonly keepAlive: number;
  /** Sends CONNECT. */
  open(now: number): void;
  /** Throws a misuse error for what CONNACK rules out, before anything is sent. Returns the packet id. */
  subscribe(subscriptions: readonly SubscriptionRequest[], now: number, properties?: Properties): number;
  unsubscribe(filters: readonly string[], now: number, properties?: Properties): number;
  reauthenticate(now: number): void;
}

export type ClientState = "idle" | "connecting" | "authenticating" | "connected" | "closed";

export interface ServerProtocolOptions extends ProtocolOptions<ServerProtocolHandler> {
  /** Time of acceptance, from which the CONNECT time limit runs. */
  readonly now: number;
}

export interface ServerProtocolHandler extends ProtocolHandler {
  /** Answer with `accept` or `reject`, inside the call or later; hold the link meanwhile (`link.pause()`). */
  onConnect(packet: ConnectPacket): void;
  /** Answer with `suback`, inside the call or later; answers leave in order. */
  onSubscribe(packet: SubscribePacket): void;
  /** Answer with `unsuback`. */
  onUnsubscribe(packet: UnsubscribePacket): void;
  /**
   * The client's DISCONNECT, before `onEnd`: 0x04 asks for the will; a Session Expiry Interval in its properties
   * replaces the one from CONNECT (already checked against [MQTT-3.1.2-23 ff.]).
   */
  onDisconnect(packet: DisconnectPacket): void;
  /** An AUTH of the client; answer with `authContinue`, `accept` (or `authSuccess` when re-authenticating) or `reject`. */
  onAuth?(data: Uint8Array | undefined, method: string, reauthentication: boolean): void;
}

export interface AcceptOptions {
  readonly inflight: Inflight;
  readonly sessionPresent: boolean;
  /**
   * CONNACK properties (MQTT 5; ignored in 3.x). The session enforces on the client what they promise: receiveMaximum,
   * maximumPacketSize, topicAliasMaximum, maximumQoS, retainAvailable, serverKeepAlive and so on.
   */
  readonly properties: Properties | undefined;
}

export interface ServerProtocol extends Protocol, ProtocolRequests {
  readonly state: ServerState;
  readonly connect: ConnectPacket | undefined;
  /**
   * Sends CONNACK 0, then resends what is in flight: original order, DUP set, PUBRELs kept. False: the client takes no
   * packet as large as these, and the connection has ended [MQTT-3.1.2-24].
   */
  accept(options: AcceptOptions, now: number): boolean;
  /** Sends a refusing CONNACK (or ends an AUTH exchange) in the client's version and ends. MQTT 5 code; mapped for 3.x. */
  reject(reasonCode: number, now: number, properties?: Properties): void;
  suback(packetId: number, reasonCodes: readonly number[], now: number, properties?: Properties): boolean;
  unsuback(packetId: number, reasonCodes: readonly number[], now: number, properties?: Properties): boolean;
  authContinue(data: Uint8Array | undefined, now: number): void;
  authSuccess(data: Uint8Array | undefined, now: number): void;
}

export type ServerState = "awaiting-connect" | "awaiting-accept" | "authenticating" | "connected" | "closed";

/** Defaults and reasons in limits.ts. */
export interface SessionLimits {
  /** Server: from acceptance to CONNECT. */
  readonly connectTimeoutMs: number;
  /**
   * Server: characters of a client identifier in MQTT 3.1, which has a limit of 23; a client with a longer one, or none, is
   * refused with return code 2.
   */
  readonly clientIdLength: number;
  /** Client: from CONNECT to CONNACK. */
  readonly connackTimeoutMs: number;
  /** Client: from PINGREQ to PINGRESP. */
  readonly pingTimeoutMs: number;
}
