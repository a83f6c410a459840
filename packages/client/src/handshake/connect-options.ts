import type { Properties, QoS } from "@tidewire/codec";
import type { Scheduler } from "@tidewire/link";
import type { EnhancedAuthentication } from "@tidewire/session";
import type { Connection, Dial, DialOptions } from "@tidewire/transport";
import type { ClientError } from "../errors/index.ts";
import type { ClientLimits } from "../limits.ts";
import type { ClientStore } from "../persistence/index.ts";
import type { QueueOptions } from "../publishing/index.ts";

/**
 * Where to connect: a `ws:` or `wss:` URL, a transport such as `tcp({ host, port })`, or a function that is asked for
 * either at every attempt (for example to sign the URL anew).
 */
export type Target = string | URL | Dial | ((options?: DialOptions) => Promise<Connection | string | URL>);

/** User name and password. */
export interface Credentials {
  readonly username?: string;
  readonly password?: string | Uint8Array;
}

/** Options of `connect` and `createClient`. */
export interface ConnectOptions {
  /** Default: random, kept for the life of this client. An empty string asks an MQTT 5 server to assign one. */
  readonly clientId?: string;
  /** 5, or 4 for MQTT 3.1.1. Default: 5, and 4 from then on when the server turns out to speak nothing else. */
  readonly protocolVersion?: 4 | 5;
  /**
   * Start without the session that the server may have. Later connections of this client always resume (MQTT 5).
   * Default: false when `sessionExpiryInterval` or `store` is given, else true.
   */
  readonly cleanStart?: boolean;
  /**
   * Seconds the server keeps the session without a connection (MQTT 5). Default 300, so that a short outage loses
   * nothing; unless set here, `close()` ends the session.
   */
  readonly sessionExpiryInterval?: number;
  /** Seconds, 0 turns it off. Default 60. */
  readonly keepAlive?: number;
  readonly username?: string;
  readonly password?: string | Uint8Array;
  /** Asked at every attempt, instead of `username` and `password`. */
  readonly credentials?: () => Credentials | Promise<Credentials>;
  readonly will?: WillOptions;
  /** Further CONNECT properties (MQTT 5), under their specification names. */
  readonly properties?: Properties;
  /** Enhanced authentication (MQTT 5): a new `enhancedAuthentication(...)` for each connection. */
  readonly authenticator?: () => EnhancedAuthentication;
  /** Keeps queued and unfinished messages for the next start; needs a `clientId`. Default: they live in memory. */
  readonly store?: ClientStore;
  /** `false`: the first failure, or the end of the first connection, closes the client. */
  readonly reconnect?: ReconnectOptions | false;
  readonly offlineQueue?: QueueOptions;
  /** What becomes of messages in flight when the server has lost the session: sent again (default), or rejected. */
  readonly sessionLost?: "resend" | "reject";
  /** For one attempt, from dialling to CONNACK; and for `connect()` as a whole. Default 30,000. */
  readonly connectTimeoutMs?: number;
  /** Aborts `connect()`; afterwards it closes the client. */
  readonly signal?: AbortSignal;
  /** Turns a Server Reference into where to connect next. Default for URL targets: the same URL with that host and port. */
  readonly redirect?: (serverReference: string) => Target | undefined;
  /** Topic that responses to `request` come to; has to be this client's own. Default `tidewire/responses/{clientId}`. */
  readonly responseTopic?: string;
  readonly limits?: Partial<ClientLimits>;
  /** Clock and timers, for tests in virtual time. */
  readonly scheduler?: Scheduler;
}

/** What the server publishes when this client is gone without a word. */
export interface WillOptions {
  readonly topic: string;
  readonly payload: string | Uint8Array;
  readonly qos?: QoS;
  readonly retain?: boolean;
  /** Will Delay Interval in seconds (MQTT 5). */
  readonly delay?: number;
  readonly properties?: Properties;
}

/** Exponential back-off with full jitter: the n-th wait is random between 0 and `min(maxDelayMs, minDelayMs * 2^n)`. */
export interface ReconnectOptions {
  /** Upper bound of the first wait. Default 1,000. */
  readonly minDelayMs?: number;
  /** Upper bound of every wait. Default 30,000. */
  readonly maxDelayMs?: number;
  /** A connection that lasted this long starts the back-off anew. Default 10,000. */
  readonly stableAfterMs?: number;
  /** Attempts in a row before the client closes. Default: no limit. */
  readonly maxAttempts?: number;
  /** Overrides the built-in stop list: true closes the client for good. */
  readonly isFatal?: (error: ClientError) => boolean;
  /** Source of jitter, 0 <= x < 1. Default `Math.random`. */
  readonly random?: () => number;
}
