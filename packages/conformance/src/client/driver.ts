import type { MqttVersion } from "../case.ts";
import type { RawConnection } from "../connection.ts";

/** A message as an application sees it. */
export interface DriverMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: number;
  readonly retain: boolean;
}

/** How a case wants its client connected. What is absent is left at the client's default. */
export interface ClientOptions {
  readonly version: MqttVersion;
  readonly clientId: string;
  /** Clean Start, in 3.1.1 Clean Session; holds for the first connection only where the client can tell them apart. */
  readonly clean: boolean;
  /** Seconds; 0 is off. */
  readonly keepAlive: number;
  /** Connect again, at once, when the connection is lost. */
  readonly reconnect: boolean;
  readonly will?: DriverMessage;
  readonly username?: string;
  readonly password?: string;
  /** MQTT 5. */
  readonly sessionExpiryInterval?: number;
  readonly receiveMaximum?: number;
  readonly topicAliasMaximum?: number;
  /** MQTT 5: the enhanced authentication method, and the answer to each challenge. */
  readonly authentication?: { readonly method: string; answer(challenge: Uint8Array): Uint8Array };
  onMessage(message: DriverMessage): void;
}

/**
 * The client under test, behind the few calls that a case needs. Promises settle when the client itself considers the
 * operation over; a rejection is an answer too, and cases say which they accept.
 */
export interface ClientDriver {
  /** Settles when the first connection has been accepted or refused. */
  ready(): Promise<unknown>;
  /** Settles when the exchange that the QoS asks for is complete. */
  publish(message: DriverMessage): Promise<unknown>;
  subscribe(filter: string, qos: number): Promise<unknown>;
  unsubscribe(filter: string): Promise<unknown>;
  /** MQTT 5: only for a client with the capability `reauthenticate`. */
  reauthenticate?(): Promise<unknown>;
  /** DISCONNECT, then the end of the connection. */
  disconnect(): Promise<unknown>;
  /** Stops for good without waiting; called after every case. */
  destroy(): void;
}

/** Where scripted servers listen. `address` is what `connect` of the harness understands. */
export interface RawListener {
  readonly address: string;
  close(): Promise<void> | void;
}

/** What a client case gets from its target. */
export interface ClientHarness {
  /** Opens a listener for one scripted server. */
  listen(onConnection: (connection: RawConnection) => void): Promise<RawListener>;
  /** Starts a client that connects to the address; it returns before the connection is made. */
  connect(address: string, options: ClientOptions): ClientDriver;
  readonly answerTimeoutMs?: number;
  readonly quietMs?: number;
}
