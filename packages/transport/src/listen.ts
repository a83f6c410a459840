import type { Connection } from "./connection.ts";

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
