import type {
  ConnackPacket,
  ConnectPacket,
  Properties,
  SubackPacket,
  SubscriptionRequest,
  UnsubackPacket,
} from "@tidewire/codec";
import type { ClientState } from "./client-states.ts";
import type { EnhancedAuthentication } from "./enhanced-authentication.ts";
import type { Inflight } from "./inflight-store.ts";
import type { Message } from "./message.ts";
import type { Protocol, ProtocolHandler, ProtocolOptions, ProtocolRequests } from "./protocol.ts";

export interface ClientProtocol extends Protocol, ProtocolRequests {
  readonly state: ClientState;
  /** From CONNACK; undefined before. */
  readonly connack: ConnackPacket | undefined;
  /** Seconds in force (the server's own where it set one). */
  readonly keepAlive: number;
  /**
   * QoS 1 and 2 messages in flight, beside what the server's Receive Maximum says: in MQTT 3.1.1 it has none to say. May be
   * changed at any time; more is sent at the next acknowledgement. Default 65,535.
   */
  sendMaximum: number;
  /** Sends CONNECT. */
  open(now: number): void;
  /** Throws a misuse error for what CONNACK rules out, before anything is sent. Returns the packet id. */
  subscribe(subscriptions: readonly SubscriptionRequest[], now: number, properties?: Properties): number;
  unsubscribe(filters: readonly string[], now: number, properties?: Properties): number;
  reauthenticate(now: number): void;
  /**
   * Asks whether the server is there (PINGREQ): `onPong` is called when it answers, and the connection ends with
   * `ping-timeout` when nothing comes within this time. Throws a misuse error before CONNACK and after the end.
   */
  probe(now: number, withinMs: number): void;
}

export interface ClientProtocolOptions extends ProtocolOptions<ClientProtocolHandler> {
  /** Sent by `open`. */
  readonly connect: ConnectPacket;
  readonly inflight: Inflight;
  /** For enhanced authentication, made by `enhancedAuthentication` for this protocol alone. */
  readonly authenticator?: EnhancedAuthentication;
  /** Unacknowledged messages above the announced Receive Maximum that are put up with. Default 0. */
  readonly receiveTolerance?: number;
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
  /** PINGRESP came. */
  onPong?(): void;
  /** A re-authentication asked for by `reauthenticate` succeeded. */
  onReauthenticated?(): void;
}
