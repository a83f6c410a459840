import { type Dial, TransportError } from "@tidewire/transport";
import { type Attempt, attempt } from "./attempt.ts";
import { PlatformConnection, type PlatformSettings } from "./connection.ts";
import { defaultProtocols, limits } from "./limits.ts";
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
  const highWaterMark = options.highWaterMark ?? limits.highWaterMark;
  const settings: PlatformSettings = {
    highWaterMark,
    lowWaterMark: Math.min(options.lowWaterMark ?? limits.lowWaterMark, highWaterMark - 1),
    closeTimeoutMs: options.closeTimeoutMs ?? limits.closeTimeoutMs,
    sentMessageBytes: options.sentMessageBytes ?? limits.sentMessageBytes,
    heldBytes: options.heldBytes ?? limits.heldBytes,
  };
  const timeLimitMs = options.connectTimeoutMs ?? limits.connectTimeoutMs;
  return (dialOptions) => attempt(timeLimitMs, dialOptions, (attempt) => open(attempt, url, options, settings));
}

async function open(
  attempt: Attempt,
  url: UrlSource,
  options: WebSocketOptions,
  settings: PlatformSettings,
): Promise<void> {
  const address = await resolveSource(url);
  if (attempt.settled) return;
  const protocols = [...(options.protocols ?? defaultProtocols)];
  const socket = create(options.WebSocket ?? WebSocket, address, protocols);
  socket.binaryType = "arraybuffer";
  socket.onerror = () => {};
  socket.onclose = () => attempt.reject(new TransportError("unreachable", "The WebSocket could not be opened."));
  socket.onopen = () => {
    if (protocols.length > 0 && !protocols.includes(socket.protocol)) {
      attempt.reject(new TransportError("subprotocol-refused", "The server chose no subprotocol that was offered."));
    } else {
      attempt.resolve(new PlatformConnection(socket, connectionInfo(socket), settings));
    }
  };
  attempt.onFailure(() => {
    socket.onopen = socket.onclose = null;
    socket.close();
  });
}

function create(Socket: typeof WebSocket, url: string, protocols: string[]): WebSocket {
  try {
    return new Socket(url, protocols);
  } catch (cause) {
    throw new TransportError("address-invalid", "The URL is not one that a WebSocket can be opened to.", { cause });
  }
}

function connectionInfo(socket: WebSocket): PlatformConnection["info"] {
  const { protocol, host, pathname } = new URL(socket.url);
  const secure = protocol === "wss:";
  return {
    transport: secure ? "wss" : "ws",
    remoteAddress: host,
    localAddress: undefined,
    secure,
    protocol: socket.protocol || undefined,
    // Without the query, which is where signed URLs keep their credentials.
    path: pathname,
  };
}
