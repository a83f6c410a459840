/**
 * What a transport is: a way to make connections that carry bytes in order. It never knows MQTT.
 *
 * Rules every transport keeps (`@tidewire/conformance/transport` holds it to them):
 * no callback inside the call that causes it; nothing is delivered before `start`; `onClose` comes exactly once and
 * last; every `send` that returned false is followed by one `onDrain` unless the connection closes; bytes are
 * delivered in order; the array given to `send` may be reused after it returns, its chunks may not be changed.
 */

export interface CloseInfo {
  /** Who ended it: this side by `close`/`abort`, or the other side or the network. */
  readonly initiator: "local" | "remote";
  /** True when both directions ended in order, with nothing lost. */
  readonly clean: boolean;
  readonly error?: Error;
}

export interface ConnectionHandler {
  onData(chunk: Uint8Array): void;
  /** Room again (at the low mark) after a `send` that returned false. */
  onDrain(): void;
  onClose(info: CloseInfo): void;
}

export interface ConnectionInfo {
  /** `tcp`, `tls`, `ws`, `wss`, `unix`, `mock`, `stream`. */
  readonly transport: string;
  /** The peer's address as text, such as `127.0.0.1:50213`; after PROXY or a trusted proxy, the real client's. */
  readonly remoteAddress: string | undefined;
  readonly localAddress: string | undefined;
  /** Encrypted by this transport. */
  readonly secure: boolean;
  /** Agreed WebSocket subprotocol or ALPN protocol. */
  readonly protocol: string | undefined;
  /** Subject common name of a verified client certificate. */
  readonly clientCertificateName?: string;
  /** Request headers of a WebSocket upgrade, names in lower case. */
  readonly headers?: ReadonlyMap<string, string>;
  /** Path and query of the WebSocket request. */
  readonly path?: string;
}

export interface Connection {
  readonly info: ConnectionInfo;
  /** Bytes accepted by `send` that have not left for the operating system. */
  readonly bufferedAmount: number;
  /** Begins delivery; called once. What arrived before is kept and delivered after. */
  start(handler: ConnectionHandler): void;
  /**
   * Always takes the bytes. False: stop until `onDrain`. After `close`, `abort` or the peer's end it drops them and
   * returns false.
   */
  send(chunks: readonly Uint8Array[]): boolean;
  /** Stops `onData`, at most one further chunk late. */
  pause(): void;
  resume(): void;
  /**
   * Sends what is buffered, then ends. Bounded in time: a peer that never reads is cut off. Of the handler only
   * `onClose` is called after this.
   */
  close(): void;
  /** Ends now; what is buffered is lost. Of the handler only `onClose` is called after this. */
  abort(error?: Error): void;
}

export interface DialOptions {
  readonly signal?: AbortSignalLike;
}

/** The part of `AbortSignal` that is used, so that this package needs no platform types. */
export interface AbortSignalLike {
  readonly aborted: boolean;
  readonly reason: unknown;
  addEventListener(type: "abort", listener: () => void, options?: { once?: boolean }): void;
  removeEventListener(type: "abort", listener: () => void): void;
}

/** Opens one connection; rejects with a `TransportError`. */
export type Dial = (options?: DialOptions) => Promise<Connection>;

export interface Listener {
  /** Where it listens, as URLs with the real port, such as `tcp://127.0.0.1:1883`. */
  readonly addresses: readonly string[];
  /** Takes no more connections; those that exist go on. Resolves when the port is free. */
  close(): Promise<void>;
}

/** Starts to listen; resolves when the port is bound, rejects with a `TransportError`. */
export type Listen<Opened extends Listener = Listener> = (
  onConnection: (connection: Connection) => void,
) => Promise<Opened>;
