import { createServer, type RequestListener, type Server } from "node:http";
import type { Socket } from "node:net";

export interface PageServerLimits {
  /** Connections that are not WebSockets; beyond them the oldest is closed. */
  readonly connections: number;
  /** From accept to the end of such a connection, whatever it does: a page is loaded in seconds. */
  readonly deadlineMs: number;
}

/**
 * An HTTP server for a page and its WebSocket at `path`. Nobody keeps it busy with requests that never end, answers that are never
 * read, or connections that say nothing; a connection that becomes a WebSocket is the broker's, and has the broker's limits.
 */
export function createPageServer(
  path: string,
  listener: RequestListener,
  limits: PageServerLimits = PAGE_SERVER_LIMITS,
): Server {
  const server = createServer({ maxHeaderSize: HEADER_BYTES }, listener);
  const open = new Map<Socket, NodeJS.Timeout>();
  const forget = (socket: Socket): void => {
    clearTimeout(open.get(socket));
    open.delete(socket);
  };
  server.on("connection", (socket) => {
    for (const [oldest] of open) {
      if (open.size < limits.connections) {
        break;
      }
      oldest.destroy();
      forget(oldest);
    }
    open.set(
      socket,
      setTimeout(() => socket.destroy(), limits.deadlineMs),
    );
    socket.once("close", () => forget(socket));
  });
  server.on("upgrade", (request, socket) => {
    if (request.url?.split("?", 1)[0]?.replace(/(?<=.)\/$/, "") === path) {
      forget(socket as Socket);
    } else {
      // Whoever attaches to a server with two listeners leaves other paths to the other one.
      socket.on("error", () => {});
      socket.end("HTTP/1.1 404 Not Found\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    }
  });
  return server;
}

const PAGE_SERVER_LIMITS: PageServerLimits = { connections: 256, deadlineMs: 60_000 };

/** Request line and headers; browsers send 1 or 2 KiB, more with cookies. */
const HEADER_BYTES = 16_384;
