import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import { type Connection, guard, TransportError } from "@tidewire/transport";
import {
  AddressList,
  deliverConnection,
  type Handshakes,
  type OnRefused,
  socketSettings,
} from "@tidewire/transport/node";
import { type PerMessageDeflateOptions, type ServerOptions, WebSocketServer } from "ws";
import { limits as commonLimits } from "../limits.ts";
import { WsConnection, type WsSettings } from "./connection.ts";
import { limits } from "./limits.ts";
import { OriginPolicy } from "./origin-policy.ts";
import { Pinger } from "./pinger.ts";
import { answer, type Refusal } from "./refusal.ts";
import { forwardedFor, requestInfo } from "./request-info.ts";
import { pathOf, type RequestTarget, requestTarget } from "./request-target.ts";

/** What holds for upgrade requests and the connections they become, whoever owns the HTTP server. */
export interface UpgradeOptions {
  /** Path of the requests, or several, without the query; a slash at the end makes no difference. Default `/mqtt`. */
  readonly path?: string | readonly string[];
  /** Subprotocols spoken here. Default `mqtt`, `mqttv3.1`, and `mqttv3.1.1` as some clients write it. */
  readonly protocols?: readonly string[];
  /** Accept requests without a subprotocol. Default false: [MQTT-6.0.0-3] asks for one. */
  readonly allowMissingSubprotocol?: boolean;
  /**
   * Origins of the web pages that may connect, such as `https://app.example`, compared whole; `*` for every page.
   * Requests without an Origin, which do not come from a web page, are accepted. Default: pages from the host and port
   * that the request is for; on loopback, only if that host means this machine.
   */
  readonly origins?: "*" | readonly string[];
  /** Names that this machine has on loopback besides `localhost` and its addresses; see `origins`. */
  readonly hosts?: readonly string[];
  /** Proxies whose `X-Forwarded-For`, `-Proto` and `-Host` are believed: addresses and blocks. Default none. */
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
  /**
   * A ping to every client in this time, for proxies that cut what is silent, and to find peers that vanished: one that
   * has sent nothing by the next ping is given up with the error `timeout`. Default 0: none.
   */
  readonly pingIntervalMs?: number;
  /** Told of each peer that did not get as far as a connection, for the log. */
  readonly onRefused?: OnRefused;
}

/** Turns upgrade requests into connections. */
export class Upgrader {
  readonly paths: readonly string[];
  readonly trustedProxies: AddressList;
  readonly #options: UpgradeOptions;
  readonly #handshakes: Handshakes;
  readonly #onConnection: (connection: Connection) => void;
  readonly #settings: WsSettings;
  readonly #protocols: ReadonlySet<string>;
  readonly #policy: OriginPolicy;
  readonly #server: WebSocketServer;
  readonly #pinger: Pinger;

  /** @throws TransportError `address-invalid` for an option that is no address, origin or host */
  constructor(options: UpgradeOptions, handshakes: Handshakes, onConnection: (connection: Connection) => void) {
    const { path = "/mqtt" } = options;
    this.paths = [...new Set((typeof path === "string" ? [path] : path).map(pathOf))];
    this.#options = options;
    this.#handshakes = handshakes;
    this.#onConnection = onConnection;
    const sentMessageBytes = options.sentMessageBytes ?? commonLimits.sentMessageBytes;
    const firstInputBytes = options.firstInputBytes ?? limits.firstInputBytes;
    this.#settings = { ...socketSettings(options), sentMessageBytes, firstInputBytes };
    this.#protocols = new Set(options.protocols ?? ["mqtt", "mqttv3.1", "mqttv3.1.1"]);
    this.trustedProxies = new AddressList(options.trustedProxies ?? []);
    this.#policy = new OriginPolicy(options.origins, options.hosts ?? [], this.trustedProxies);
    this.#pinger = new Pinger(options.pingIntervalMs ?? 0);
    this.#server = this.#createServer();
  }

  /** Whether the request is for a path of this listener. */
  matches(request: IncomingMessage): boolean {
    const target = requestTarget(request);
    return target !== undefined && this.paths.includes(target.path);
  }

  /** `source`: the client's address, where a PROXY header told it. */
  handle(request: IncomingMessage, socket: Socket, head: Buffer, source?: string): void {
    // What a peer does to be odd is to end its own connection, and never the process.
    guard(
      () => this.#handle(request, socket, head, source),
      (cause) => {
        const error = new TransportError("handshake-failed", "The request could not be handled.", { cause });
        this.#handshakes.fail(socket, error);
        socket.on("error", () => {}).destroy();
      },
    );
  }

  #handle(request: IncomingMessage, socket: Socket, head: Buffer, source: string | undefined): void {
    const target = requestTarget(request);
    const refusal = this.#refusal(request, socket, target);
    if (refusal !== undefined) {
      this.#refuse(request, socket, refusal);
      return;
    }
    this.#server.handleUpgrade(request, socket, head, (ws) => {
      this.#handshakes.end(socket);
      const info = requestInfo(request, socket, ws.protocol, this.trustedProxies, source);
      const connection = new WsConnection(ws, socket, true, info, this.#settings);
      ws.once("close", this.#pinger.add(connection));
      deliverConnection(connection, this.#onConnection, this.#options.onRefused);
    });
  }

  #refusal(request: IncomingMessage, socket: Socket, target: RequestTarget | undefined): Refusal | undefined {
    if (request.httpVersion !== "1.1") {
      return HTTP_VERSION;
    }
    if (request.rawHeaders.length / 2 > limits.headers) {
      return TOO_MANY_HEADERS;
    }
    if (target === undefined) {
      return BAD_TARGET;
    }
    if (request.headers["transfer-encoding"] !== undefined || Number(request.headers["content-length"] ?? 0) !== 0) {
      return HAS_BODY;
    }
    if (!this.paths.includes(target.path)) {
      return OTHER_PATH;
    }
    const refusal = this.#policy.refusal(request, socket, target.authority);
    if (refusal === undefined && !this.#speaks(request.headers["sec-websocket-protocol"])) {
      return NO_SUBPROTOCOL;
    }
    return refusal;
  }

  #createServer(): WebSocketServer {
    const { perMessageDeflate = false, maxPayload, maxFragments } = this.#options;
    const serverOptions: ServerOptions & { readonly closeTimeout: number; readonly maxPendingAutoPongs: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate,
      maxPayload: maxPayload ?? (perMessageDeflate ? limits.inflatedMessageBytes : limits.serverMessageBytes),
      maxFragments: maxFragments ?? limits.fragments,
      maxBufferedChunks: limits.bufferedChunks,
      maxPendingAutoPongs: limits.pendingPongs,
      // The connection has a limit of its own, which reads what is there before it judges.
      closeTimeout: this.#settings.closeTimeoutMs + limits.laterMs,
      // Text is refused whatever it says.
      skipUTF8Validation: true,
      handleProtocols: (offered) => this.#choose(offered) ?? false,
    };
    const server = new WebSocketServer(serverOptions);
    server.on("wsClientError", ({ message }, socket, request) => {
      const status = message.includes("method") ? 405 : 400;
      this.#refuse(request, socket as Socket, { status, code: "handshake-failed", reason: `${message}.` });
    });
    return server;
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

  #refuse(request: IncomingMessage, socket: Socket, refusal: Refusal): void {
    const client = forwardedFor(request, socket, this.trustedProxies);
    if (client !== undefined) {
      this.#handshakes.identify(socket, client);
    }
    this.#handshakes.fail(socket, new TransportError(refusal.code, refusal.reason));
    answer(socket, refusal);
  }
}

const HTTP_VERSION: Refusal = { status: 400, code: "handshake-failed", reason: "WebSockets need HTTP/1.1." };

const TOO_MANY_HEADERS: Refusal = {
  status: 431,
  code: "handshake-failed",
  reason: "The request has too many headers.",
};

const BAD_TARGET: Refusal = {
  status: 400,
  code: "handshake-failed",
  reason: "The request needs one valid Host and a path or a URL as its target.",
};

const HAS_BODY: Refusal = { status: 400, code: "handshake-failed", reason: "An upgrade request has no body." };

const OTHER_PATH: Refusal = { status: 404, code: "path-refused", reason: "Nothing is listening on this path." };

const NO_SUBPROTOCOL: Refusal = {
  status: 400,
  code: "subprotocol-refused",
  reason: "The client must offer a subprotocol that is spoken here, such as mqtt.",
};
