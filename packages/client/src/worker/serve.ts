import type { Client } from "../client/index.ts";
import { ClientError } from "../errors/index.ts";
import { PageSession } from "./page-session.ts";
import type { Port } from "./protocol.ts";

/** What a worker's global scope may have. */
interface WorkerScope {
  /** Of a SharedWorker: a page has connected. */
  onconnect?: ((event: { readonly ports: readonly Port[] }) => void) | null;
}

/**
 * To be called once, at the start of the script of a SharedWorker or Worker: serves `create`'s client to every page that
 * connects. The client is made for the first page, and anew when it has been closed.
 *
 * @example
 * serveClient(() => createClient("wss://broker.example/mqtt", { clientId: "browser-7" }));
 */
export function serveClient(create: () => Client): void {
  let client: Client | undefined;
  const attach = (port: Port): void => {
    if (client === undefined || client.status === "closed") {
      client = create();
    }
    new PageSession(port, client);
  };
  const scope = globalThis as unknown as WorkerScope & Partial<Port>;
  if ("onconnect" in scope) {
    scope.onconnect = ({ ports }) => attach(ports[0]!);
  } else if (scope.postMessage !== undefined) {
    attach(scope as Port);
  } else {
    throw new ClientError("invalid-argument", "serveClient is for the script of a worker.");
  }
}
