import type { ClientRequest, IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { ConnectionOptions } from "node:tls";
import { type ConnectionInfo, type Dial, TransportError } from "@tidewire/transport";
import { addressText, socketSettings, transportError } from "@tidewire/transport/node";
import { type ClientOptions, type PerMessageDeflateOptions, WebSocket } from "ws";
import { type Attempt, attempt } from "../attempt.ts";
import { limits as commonLimits, defaultProtocols } from "../limits.ts";
import { resolveSource, type UrlSource } from "../url.ts";
import { WsConnection, type WsSettings } from "./connection.ts";
import { limits } from "./limits.ts";

/** Headers of the upgrade request, such as `authorization`. */
export type Headers = Readonly<Record<string, string>>;

/** Headers, or what gives them for every attempt: tokens expire. */
export type HeadersSource = Headers | (() => Headers | Promise<Headers>);

export interface NodeWebSocketOptions {
  /** Subprotocols offered. Default `mqtt`. */
  readonly protocols?: readonly string[];
  /** Headers of the upgrade request. */
  readonly headers?: HeadersSource;
  /** TLS for `wss:`, with Node's options: `ca`, `cert`, `key`, `servername`. */
  readonly tls?: ConnectionOptions;
  /** Offer compression. Default off: it costs 200 kB and more for each connection. */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions;
  /** Limit from the call of `dial` to a usable connection. */
  readonly connectTimeoutMs?: number;
  /** Messages from the server may have this many bytes. */
  readonly maxPayload?: number;
  /** Fragments that a message may have. */
  readonly maxFragments?: number;
  /** A `send` of more than this becomes several messages. */
  readonly sentMessageBytes?: number;
  /** `send` returns false from here. */
  readonly highWaterMark?: number;
  /** `onDrain` comes at this level, at most half the high mark. */
  readonly lowWaterMark?: number;
  /** How long `close` waits for the peer. */
  readonly closeTimeoutMs?: number;
}

/** Dials with `ws`: `ws:` and `wss:` URLs, or what gives one for every attempt. */
export function webSocket(url: UrlSource, options: NodeWebSocketOptions = {}): Dial {
  const settings: WsSettings = {
    ...socketSettings(options),
    sentMessageBytes: options.sentMessageBytes ?? commonLimits.sentMessageBytes,
    // The limits on what a server may send are those of `ws`, unless the owner of a connection says otherwise.
    firstInputBytes: Number.POSITIVE_INFINITY,
  };
  const timeLimitMs = options.connectTimeoutMs ?? commonLimits.connectTimeoutMs;
  return (dialOptions) => attempt(timeLimitMs, dialOptions, (attempt) => open(attempt, url, options, settings));
}

async function open(
  attempt: Attempt,
  url: UrlSource,
  options: NodeWebSocketOptions,
  settings: WsSettings,
): Promise<void> {
  const [address, headers] = await Promise.all([resolveSource(url), resolveSource(options.headers ?? {})]);
  if (attempt.settled) {
    return;
  }
  const ws = create(address, headers, options, settings);
  let socket: Socket | undefined;
  ws.on("upgrade", (response: IncomingMessage) => {
    socket = response.socket;
  });
  ws.on("unexpected-response", (request: ClientRequest, response: IncomingMessage) => {
    request.destroy();
    attempt.reject(refusal(response.statusCode ?? 0));
  });
  const onError = (error: Error): void => attempt.reject(openingError(error));
  ws.on("error", onError);
  ws.on("open", () => {
    ws.off("error", onError);
    const opened = socket as Socket;
    attempt.resolve(new WsConnection(ws, opened, false, connectionInfo(ws, opened), settings));
  });
  attempt.undo = () => {
    ws.removeAllListeners();
    ws.on("error", () => {});
    ws.terminate();
  };
}

function create(address: string, headers: Headers, options: NodeWebSocketOptions, settings: WsSettings): WebSocket {
  const clientOptions: ClientOptions = {
    // Handed on to `tls.connect`, whose options the types of `ws` know only in part.
    ...(options.tls as object | undefined),
    ...clientLimits(options, settings),
    headers,
    perMessageDeflate: options.perMessageDeflate ?? false,
    // Text is refused whatever it says.
    skipUTF8Validation: true,
  };
  try {
    return new WebSocket(address, [...(options.protocols ?? defaultProtocols)], clientOptions);
  } catch (cause) {
    throw new TransportError("address-invalid", "The URL is not one that a WebSocket can be opened to.", { cause });
  }
}

function clientLimits(options: NodeWebSocketOptions, settings: WsSettings): object {
  return {
    maxPayload: options.maxPayload ?? limits.clientMessageBytes,
    maxFragments: options.maxFragments ?? limits.clientFragments,
    maxBufferedChunks: limits.clientBufferedChunks,
    closeTimeout: settings.closeTimeoutMs + limits.laterMs,
  };
}

function refusal(status: number): TransportError {
  const code = status === 401 || status === 403 ? "not-permitted" : "handshake-failed";
  return new TransportError(code, `The server answered the upgrade with status ${status}.`, { status });
}

function openingError(error: Error): TransportError {
  // `ws` has no code for this one.
  if (error.message.includes("subprotocol")) {
    return new TransportError("subprotocol-refused", "The server chose no subprotocol that was offered.", {
      cause: error,
    });
  }
  return transportError(error, "handshake-failed");
}

function connectionInfo(ws: WebSocket, socket: Socket): ConnectionInfo {
  const { protocol, pathname } = new URL(ws.url);
  const secure = protocol === "wss:";
  return {
    transport: secure ? "wss" : "ws",
    remoteAddress: addressText(socket.remoteAddress, socket.remotePort),
    localAddress: addressText(socket.localAddress, socket.localPort),
    secure,
    protocol: ws.protocol || undefined,
    // Without the query, which is where signed URLs keep their credentials.
    path: pathname,
  };
}
