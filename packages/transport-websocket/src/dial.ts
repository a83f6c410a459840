import { type ConnectionInfo, type Dial, TransportError } from "@tidewire/transport";
import { type Attempt, attempt } from "./attempt.ts";
import { platformConnection } from "./connection.ts";
import { defaultProtocols, type Limits, limits } from "./limits.ts";
import { resolveSource, type UrlSource } from "./url.ts";

export interface WebSocketOptions {
  /** Subprotocols offered. Default `mqtt`. */
  readonly protocols?: readonly string[];
  /** Limit from the call of `dial` to a usable connection. */
  readonly connectTimeoutMs?: number;
  /** `send` returns false from here. */
  readonly highWaterMark?: number;
  /** `onDrain` comes at this level. */
  readonly lowWaterMark?: number;
  /** How long `close` waits for the peer. */
  readonly closeTimeoutMs?: number;
  /** A `send` of more than this becomes several messages. */
  readonly sentMessageBytes?: number;
  /** Bytes kept while paused; more ends the connection, since a browser cannot be told to stop receiving. */
  readonly heldBytes?: number;
  /** Another class with the interface of the platform's, such as a test's. */
  readonly WebSocket?: typeof WebSocket;
}

/**
 * Dials with the WebSocket of the platform: browsers, workers, Node 22, Deno, Bun.
 *
 * A browser does not tell why a connection could not be made; such failures are `unreachable`.
 */
export function webSocket(url: UrlSource, options: WebSocketOptions = {}): Dial {
  // An option that is there but undefined is not given: limits must hold for it, too.
  const given: WebSocketOptions = Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  );
  const settings: Settings = { protocols: defaultProtocols, ...limits, ...given };
  settings.lowWaterMark = Math.min(settings.lowWaterMark, settings.highWaterMark - 1);
  return (dialOptions) =>
    attempt(settings.connectTimeoutMs, dialOptions, async (attempt) => {
      const address = await resolveSource(url);
      if (!attempt.settled) {
        open(attempt, address, settings);
      }
    });
}

interface Settings extends Limits {
  readonly protocols: readonly string[];
  readonly WebSocket?: typeof WebSocket;
  lowWaterMark: number;
}

function open(attempt: Attempt, url: string, settings: Settings): void {
  const { protocols } = settings;
  let socket: WebSocket;
  try {
    socket = new (settings.WebSocket ?? WebSocket)(url, [...protocols]);
  } catch (cause) {
    throw new TransportError("address-invalid", "The URL is not one that a WebSocket can be opened to.", { cause });
  }
  socket.binaryType = "arraybuffer";
  // Chromium fires no `close` when a Content Security Policy forbids the URL.
  socket.onerror = socket.onclose = () =>
    attempt.reject(new TransportError("unreachable", "The WebSocket could not be opened."));
  socket.onopen = () => {
    if (protocols.length > 0 && !protocols.includes(socket.protocol)) {
      attempt.reject(new TransportError("subprotocol-refused", "The server chose no subprotocol that was offered."));
    } else {
      attempt.resolve(platformConnection(socket, connectionInfo(socket), settings));
    }
  };
  attempt.undo = () => {
    socket.onopen = socket.onclose = socket.onerror = null;
    socket.close();
  };
}

function connectionInfo(socket: WebSocket): ConnectionInfo {
  const { protocol, host, pathname } = new URL(socket.url);
  return {
    // "ws" or "wss".
    transport: protocol.slice(0, -1),
    remoteAddress: host,
    localAddress: undefined,
    secure: protocol === "wss:",
    protocol: socket.protocol || undefined,
    // Without the query, which is where signed URLs keep their credentials.
    path: pathname,
  };
}
