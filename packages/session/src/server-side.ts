import type { ConnectPacket, DisconnectPacket, Properties, SubscribePacket, UnsubscribePacket } from "@tidewire/codec";
import type { Inflight } from "./inflight-store.ts";
import type { Protocol, ProtocolHandler, ProtocolOptions, ProtocolRequests } from "./protocol.ts";
import type { ServerState } from "./server-states.ts";

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
   * CONNACK properties (MQTT 5; ignored in 3.x). The protocol enforces on the client what they promise: receiveMaximum,
   * maximumPacketSize, topicAliasMaximum, maximumQoS, retainAvailable, serverKeepAlive and so on.
   */
  readonly properties: Properties | undefined;
}
