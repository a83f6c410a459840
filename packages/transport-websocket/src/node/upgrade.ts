import { type IncomingMessage, STATUS_CODES } from "node:http";
import type { Socket } from "node:net";
import { type Connection, TransportError, type TransportErrorCode } from "@tidewire/transport";
import { AddressList, addressText, socketSettings } from "@tidewire/transport/node";
import { type PerMessageDeflateOptions, type ServerOptions, WebSocketServer } from "ws";
import { limits as commonLimits } from "../limits.ts";
import { WsConnection, type WsSettings } from "./connection.ts";
import { limits } from "./limits.ts";
import { requestInfo } from "./request-info.ts";

/** What holds for upgrade requests and the connections they become, whoever owns the HTTP server. */
export interface UpgradeOptions {
  /** Path of the requests, without the query. Default `/mqtt`. */
  readonly path?: string;
  /** Subprotocols spoken here. Default `mqtt` and `mqttv3.1`. */
  readonly protocols?: readonly string[];
  /** Accept requests without a subprotocol. Default false: [MQTT-6.0.0-3] asks for one. */
  readonly allowMissingSubprotocol?: boolean;
  /**
   * Origins that browsers may come from, such as `https://app.example`, compared whole. Requests without an Origin,
   * which do not come from a web page, are accepted. Default: every origin.
   */
  readonly origins?: readonly string[];
  /** Proxies whose `X-Forwarded-For` is believed: addresses and blocks. Default none. */
  readonly trustedProxies?: readonly string[];
  /** Accept compression. Default off: it costs 200 kB and more for each connection, and invites deflate bombs. */
  readonly perMessageDeflate?: boolean | PerMessageDeflateOptions;
  /**
   * Bytes that a connection holds of a message that is not finished, until `allowInput` says otherwise. More ends the
   * connection with 1009 and the error `input-limit`. Default 64 KiB.
   */
  readonly firstInputBytes?: number;
  /**
   * Messages may have this many bytes, whatever `allowInput` says; more is closed with 1009. Default 256 MiB, with
   * compression 4 MiB.
   */
  readonly maxPayload?: number;
  /** Fragments that a message may have; more is closed with 1008. */
  readonly maxFragments?: number;
  /** A `send` of more than this becomes several messages. */
  readonly sentMessageBytes?: number;
  /** `send` returns false from here. */
  readonly highWaterMark?: number;
  /** `onDrain` comes at this level, at most half the high mark. */
  readonly lowWaterMark?: number;
  /** How long `close` of a connection waits for the peer. */
  readonly closeTimeoutMs?: number;
  /** Told of each peer that did not get as far as a connection, for the log. */
  readonly onRefused?: (error: TransportError, remoteAddress: string | undefined) => void;
}

/** Turns upgrade requests into connections. */
export class Upgrader {
  readonly path: string;
  readonly #options: UpgradeOptions;
  readonly #onConnection: (connection: Connection) => void;
  readonly #settings: WsSettings;
  readonly #protocols: ReadonlySet<string>;
  readonly #origins: ReadonlySet<string> | undefined;
  readonly #trustedProxies: AddressList;
  readonly #server: WebSocketServer;

  constructor(options: UpgradeOptions, onConnection: (connection: Connection) => void) {
    this.path = options.path ?? "/mqtt";
    this.#options = options;
    this.#onConnection = onConnection;
    const sentMessageBytes = options.sentMessageBytes ?? commonLimits.sentMessageBytes;
    const firstInputBytes = options.firstInputBytes ?? limits.firstInputBytes;
    this.#settings = { ...socketSettings(options), sentMessageBytes, firstInputBytes };
    this.#protocols = new Set(options.protocols ?? ["mqtt", "mqttv3.1"]);
    this.#origins = options.origins === undefined ? undefined : new Set(options.origins);
    this.#trustedProxies = new AddressList(options.trustedProxies ?? []);
    const serverOptions: ServerOptions & { readonly closeTimeout: number; readonly maxPendingAutoPongs: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: options.perMessageDeflate ?? false,
      maxPayload:
        options.maxPayload ?? (options.perMessageDeflate ? limits.inflatedMessageBytes : limits.serverMessageBytes),
      maxFragments: options.maxFragments ?? limits.fragments,
      maxBufferedChunks: limits.bufferedChunks,
      maxPendingAutoPongs: limits.pendingPongs,
      closeTimeout: this.#settings.closeTimeoutMs,
      // Text is refused whatever it says.
      skipUTF8Validation: true,
      handleProtocols: (offered) => this.#choose(offered) ?? false,
    };
    this.#server = new WebSocketServer(serverOptions);
    this.#server.on("wsClientError", (error, socket) => {
      this.#refuse(socket as Socket, 400, "handshake-failed", error.message);
    });
  }

  /** Whether the request is for the path of this listener. */
  matches(request: IncomingMessage): boolean {
    return request.url?.split("?", 1)[0] === this.path;
  }

  handle(request: IncomingMessage, socket: Socket, head: Buffer): void {
    const { origin } = request.headers;
    if (!this.matches(request)) {
      this.#refuse(socket, 404, "handshake-failed", "Nothing is listening on this path.");
    } else if (origin !== undefined && this.#origins?.has(origin) === false) {
      this.#refuse(socket, 403, "origin-refused", "This origin is not allowed.");
    } else if (!this.#speaks(request.headers["sec-websocket-protocol"])) {
      this.#refuse(socket, 400, "subprotocol-refused", "A subprotocol is required: mqtt.");
    } else {
      this.#server.handleUpgrade(request, socket, head, (ws) => {
        const info = requestInfo(request, socket, ws.protocol, this.#trustedProxies);
        this.#onConnection(new WsConnection(ws, socket, true, info, this.#settings));
      });
    }
  }

  #speaks(header: string | undefined): boolean {
    if (header === undefined) {
      return this.#options.allowMissingSubprotocol ?? false;
    }
    return this.#choose(header.split(",").map((name) => name.trim())) !== undefined;
  }

  /** The first one that both sides know, in the order of the client. */
  #choose(offered: Iterable<string>): string | undefined {
    for (const name of offered) {
      if (this.#protocols.has(name)) {
        return name;
      }
    }
    return undefined;
  }

  #refuse(socket: Socket, status: number, code: TransportErrorCode, reason: string): void {
    const remoteAddress = addressText(socket.remoteAddress, socket.remotePort);
    socket.on("error", () => {});
    socket.once("finish", () => socket.destroy());
    socket.end(
      `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nConnection: close\r\nContent-Type: text/plain\r\n` +
        `Content-Length: ${Buffer.byteLength(reason)}\r\n\r\n${reason}`,
    );
    this.#options.onRefused?.(new TransportError(code, reason), remoteAddress);
  }
}
