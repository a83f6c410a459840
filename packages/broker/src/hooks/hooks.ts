import type { ConnectPacket, Properties, ProtocolVersion, QoS, SubscriptionRequest } from "@tidewire/codec";
import type { Message } from "@tidewire/session";
import type { ConnectionInfo } from "@tidewire/transport";

/** A connected client, as hooks and events see it. */
export interface ClientInfo {
  readonly clientId: string;
  readonly version: ProtocolVersion;
  /** As authenticated. */
  readonly username: string | undefined;
  readonly connection: ConnectionInfo;
  /** Mosquitto's mark of a bridge to another broker: it gets nothing of its own back, and RETAIN as it was published. */
  readonly bridge?: boolean;
}

/** A connection of which nothing is known any more: its client is judged by its identifier and user name. */
export const NO_CONNECTION: ConnectionInfo = {
  transport: "none",
  remoteAddress: undefined,
  localAddress: undefined,
  secure: false,
  protocol: undefined,
};

/** What `authenticate` decides upon. */
export interface ConnectRequest {
  /** Empty when the server is to assign one. */
  readonly clientId: string;
  readonly version: ProtocolVersion;
  readonly username: string | undefined;
  readonly password: Uint8Array | undefined;
  readonly connection: ConnectionInfo;
  /** The whole packet, for its will and properties. */
  readonly packet: ConnectPacket;
  /** Aborted when the client goes before it was answered: nobody needs the answer then. */
  readonly signal: AbortSignal;
}

/**
 * `true` lets the client in, `false` refuses it with 0x87 Not authorized; `"next"` leaves it to the next hooks in the list,
 * and refuses when there are none.
 */
export type AuthenticateResult = boolean | "next" | AuthenticateAccepted | Refusal;

export interface AuthenticateAccepted {
  /** Replaces the name from CONNECT in hooks, metrics and stored sessions. */
  readonly username?: string;
  /** Sent to a client that asked for Response Information. */
  readonly responseInformation?: string;
}

/** An MQTT 5 reason code from 0x80; mapped for 3.x. */
export interface Refusal {
  readonly reasonCode: number;
  /** Left out where the client asked for no problem information. */
  readonly reasonString?: string;
  /** With 0x9C Use another server and 0x9D Server moved. */
  readonly serverReference?: string;
}

/** One step of an enhanced authentication (AUTH, MQTT 5). */
export interface AuthenticationStep {
  readonly method: string;
  readonly data: Uint8Array | undefined;
  /** True when a connected client proves itself anew. */
  readonly reauthentication: boolean;
  readonly clientId: string;
  readonly connection: ConnectionInfo;
  /** For whatever has to be remembered between the steps of one exchange. */
  readonly memory: Map<string, unknown>;
}

/** `continue` sends `data` as a challenge; `success` ends the exchange, with `data` in the last packet; `"next"` as above. */
export type AuthenticationAnswer =
  | { readonly outcome: "continue"; readonly data?: Uint8Array }
  | { readonly outcome: "success"; readonly data?: Uint8Array; readonly username?: string }
  | ({ readonly outcome: "refuse" } & Refusal);

/** `false` is 0x87 Not authorized. */
export type Verdict = boolean | Refusal;

/** `true` grants what was asked for; a lower QoS may be granted instead. */
export type SubscribeVerdict = Verdict | { readonly qos: QoS };

/** At once, or later by a promise or any other thenable. */
export type MaybePromise<T> = T | PromiseLike<T>;

/**
 * Where an application decides. Each hook may answer at once or with a promise; while one is pending, only the client
 * concerned waits, for `hookTimeoutMs` at most. A hook that throws, rejects, does not answer in time, or returns anything
 * but one of its documented answers refuses; that is counted and reported to the logger with a `BrokerError`.
 *
 * Of several objects with hooks, in the order given: the first whose `authenticate` (or `authenticateStep`) does not return
 * `"next"` decides who comes in; what is published, subscribed or delivered must be allowed by all, the first refusal
 * counts, and of several granted QoS the lowest; all are told of what happened.
 */
export interface BrokerHooks {
  /** Called for each CONNECT. Without it everyone is let in. */
  authenticate?(request: ConnectRequest): MaybePromise<AuthenticateResult>;
  /** Called for CONNECT with an Authentication Method and each AUTH; without it 0x8C Bad authentication method. */
  authenticateStep?(step: AuthenticationStep): MaybePromise<AuthenticationAnswer | "next">;
  /** Called for each publication of a client, its will included. */
  authorizePublish?(client: ClientInfo, message: Message): MaybePromise<Verdict>;
  /** Called for each topic filter of a SUBSCRIBE, shared ones with their whole `$share/...`. */
  authorizeSubscribe?(client: ClientInfo, subscription: SubscriptionRequest): MaybePromise<SubscribeVerdict>;
  /** Called before a message goes to a client, on whatever way it came: live, queued, retained, will or shared. */
  authorizeDelivery?(client: ClientInfo, message: Message): MaybePromise<boolean>;
  /**
   * Whether this user still exists (undefined: whoever has no name). Asked when another user comes with the client identifier
   * of a session of theirs: of a user who is gone it ends, and the other one begins anew. Without it all users exist.
   */
  knowsUser?(username: string | undefined): boolean;
  /** After CONNACK. */
  onConnected?(client: ClientInfo, sessionPresent: boolean): void;
  /** `reasonCode` was sent, received, or names what happened. */
  onDisconnected?(client: ClientInfo, reasonCode: number): void;
  /** After a publication was accepted and routed; `client` undefined for the broker's own and for wills. */
  onPublished?(client: ClientInfo | undefined, message: Message): void;
}

/** Properties that a refusal puts into its packet. */
export function refusalProperties(refusal: Refusal): Properties | undefined {
  if (refusal.reasonString === undefined && refusal.serverReference === undefined) {
    return undefined;
  }
  const properties: Properties = {};
  if (refusal.reasonString !== undefined) {
    properties.reasonString = refusal.reasonString;
  }
  if (refusal.serverReference !== undefined) {
    properties.serverReference = refusal.serverReference;
  }
  return properties;
}
