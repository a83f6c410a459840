import type { Link } from "@tidewire/link";
import type { ServerProtocol } from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import type { ClientInfo } from "../hooks/index.ts";
import type { Session } from "../sessions/index.ts";
import type { Steps } from "../work/index.ts";

/** One client's connection, as far as those know it who handle its packets. */
export interface Client {
  readonly link: Link<ServerProtocol>;
  readonly protocol: ServerProtocol;
  readonly transport: Pick<Connection, "info" | "allowInput">;
  /** Ends the connection; MQTT 5 clients are told the reason code, the operator `why`: a sentence about the client. */
  disconnect(reasonCode: number, why: string): void;
  /**
   * Goes on with a pending answer. Until then nothing further is read from this client, and nobody else waits; when it has
   * gone meanwhile, the answer is dropped. What `goOn` throws ends this connection.
   */
  wait<Answer>(answer: Promise<Answer>, goOn: (answer: Answer) => void): void;
}

/** A client that is connected: CONNACK has been sent. */
export interface ConnectedClient extends Client {
  readonly info: ClientInfo;
  readonly session: Session;
  /**
   * Goes on in a later turn, after others have had theirs, with steps of its own. Until then nothing further is read from this
   * client; when it has gone meanwhile, nothing is done.
   */
  rest(goOn: (steps: Steps) => void): void;
}
