import type { Connection } from "../connection.ts";
import { callbackError, guard } from "../guard.ts";
import { type OnRefused, report } from "./report.ts";

/** Hands a new connection to its owner; when that fails, the connection ends and `onRefused` is told. */
export function deliverConnection(
  connection: Connection,
  onConnection: (connection: Connection) => void,
  onRefused: OnRefused | undefined,
): void {
  guard(
    () => onConnection(connection),
    (cause) => {
      const error = callbackError("onConnection", cause);
      connection.abort(error);
      report(onRefused, error, connection.info.remoteAddress);
    },
  );
}
