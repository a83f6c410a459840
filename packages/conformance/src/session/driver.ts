import type { MqttVersion } from "../case.ts";
import type { DriverMessage } from "../client/index.ts";

export interface SessionSettings {
  readonly version: MqttVersion;
  /** Seconds; 0 is off. */
  readonly keepAlive: number;
  /** MQTT 5: this side's Receive Maximum. */
  readonly receiveMaximum?: number;
  /** MQTT 5, client: the enhanced authentication method; every challenge is answered with `answer`. */
  readonly authentication?: { readonly method: string; readonly answer: Uint8Array };
  /** The earlier session of the same client: what is in flight goes on. */
  readonly resume?: ProtocolDriver;
}

/**
 * One end of the protocol without sockets and clock: bytes and the time go in, bytes come out. A few lines around a
 * sans-I/O engine and its codec.
 */
export interface ProtocolDriver {
  /** Bytes to be sent since the last call. */
  take(): Uint8Array;
  receive(bytes: Uint8Array, nowMs: number): void;
  /** The connection is gone. */
  receiveEnd(nowMs: number): void;
  tick(nowMs: number): void;
  /** When `tick` is due; Infinity when it is not. */
  nextDeadline(): number;
  /** Publishes, or holds the message back until it may be sent. */
  publish(message: DriverMessage, nowMs: number): void;
  /** MQTT 5, client: begins re-authentication. Only asked of a target with the capability `reauthenticate`. */
  reauthenticate?(nowMs: number): void;
  /** The protocol is over: the connection is to be closed. */
  readonly ended: boolean;
  /** Messages for the application. */
  readonly messages: readonly DriverMessage[];
}

/** What a session case gets from its target. */
export interface SessionHarness {
  /** A client's end that begins with CONNECT, in a session that outlives its connection. */
  client(settings: SessionSettings): ProtocolDriver;
  /** A server's end that accepts every CONNECT and SUBSCRIBE, with Session Present when it resumes. */
  server(settings: SessionSettings): ProtocolDriver;
}
