/**
 * A connection carries bytes in order; a transport is a way to make connections. It never knows MQTT.
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
  /**
   * Bytes received that this connection has to hold before `onData` can have them: a WebSocket message that is not
   * finished, with its frames, or what came after `pause` and cannot be sent back. 0 where nothing is ever held.
   */
  readonly pendingInput: number;
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
   * Sets how many bytes may be pending in a message that the peer has not finished; a peer that sends more is cut off,
   * and `onClose` tells the error `input-limit`. Connections of a listener begin with its `firstInputBytes`, so that a
   * peer nobody knows yet cannot make the server hold much. May be called at any time; holds from the next byte on.
   * Does nothing in a transport that hands on every byte as it comes.
   */
  allowInput(bytes: number): void;
  /**
   * Sends what is buffered, then ends. Bounded in time: a peer that never reads is cut off. Of the handler only
   * `onClose` is called after this.
   */
  close(): void;
  /** Ends now; what is buffered is lost. Of the handler only `onClose` is called after this. */
  abort(error?: Error): void;
}
