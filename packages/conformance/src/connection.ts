/** A byte stream as the suite uses it: what a target's factory has to give. */
export interface RawConnection {
  /** Begins delivery; called once, before anything is sent. What arrived earlier is delivered then. */
  start(handler: RawHandler): void;
  send(bytes: Uint8Array): void;
  /** Ends the connection without any MQTT packet; what was sent before still arrives. */
  close(): void;
  /** Present when the stream is a WebSocket. */
  readonly webSocket?: RawWebSocket;
}

export interface RawHandler {
  onData(bytes: Uint8Array): void;
  /** The other side ended the connection, in order or not. Called once. */
  onClose(): void;
}

/** What WebSocket cases need beyond bytes. `send` of the connection makes one binary message each. */
export interface RawWebSocket {
  /** The subprotocol that was agreed. */
  readonly protocol: string;
  sendText(text: string): void;
}

export interface RawDialOptions {
  /**
   * Which server to reach: absent, the plain one; otherwise one set up as its profile says (see `BrokerProfile`).
   * Only asked for when the target lists the profile as a capability.
   */
  readonly profile?: string;
}

export type RawDial = (options?: RawDialOptions) => Promise<RawConnection>;
