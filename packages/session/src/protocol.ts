import type {
  DisconnectPacket,
  EncodedPacket,
  MqttError,
  Packet,
  PacketWriter,
  Properties,
  ProtocolVersion,
  PublishPacket,
} from "@tidewire/codec";
import type { SessionError } from "./errors.ts";
import type { PeerLimits, SessionLimits } from "./limits.ts";
import type { Message } from "./message.ts";
import type { TopicAliases } from "./publish-writer.ts";

/*
 * How the parts fit together.
 *
 * A `ClientProtocol` or `ServerProtocol` lives as long as one network connection: an acknowledgement can therefore never
 * leave on another connection than the one its packet came on. What MQTT calls Session State for the packet flow lives
 * in an `Inflight`, owned by the caller and handed to each connection's protocol in turn.
 *
 * Inputs are `receive`, `receiveEnd`, `tick` and requests, each with the time (monotonic milliseconds, any origin).
 * Outputs are bytes in the writer, handler calls made after the state change is complete (a handler may call back in),
 * `nextDeadline()` and `end`. Whoever drives the protocol (link) flushes the writer once per turn, after the store's
 * barrier, and closes the connection when `end` is set.
 */

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
   * `onPublish` with QoS > 0, inside it or later; answers leave in the order received. False: this connection's exchange is over,
   * nothing was taken over, and the sender will send again; or it ends with this, because the peer takes no packet as large
   * as the answer. MQTT 3.x knows no refusal: any reason code becomes success.
   */
  acknowledge(packetId: number, reasonCode: number, now: number, properties?: Properties): boolean;
  /**
   * Ends in order. A client's DISCONNECT; a server's DISCONNECT in MQTT 5 (3.x: only closes). Nothing
   * happens when it is over already; a client may also call it before CONNACK.
   */
  disconnect(reasonCode: number, now: number, properties?: Properties): void;
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
  /** It is over; called once, last. */
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
