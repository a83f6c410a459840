import { readFileSync } from "node:fs";
import type { Connection, Dial, Listener } from "@tidewire/transport";
import { tcp } from "@tidewire/transport-tcp";
import { type WebSocketListenerOptions, webSocketListener } from "@tidewire/transport-websocket/node";
import type { GatewayOptions } from "./args.ts";
import { splice } from "./splice.ts";

/** A gateway that listens; one per command. */
export class Gateway {
  readonly #maxConnections: number;
  readonly #dial: Dial;
  readonly #log: (line: string) => void;
  readonly #connections = new Set<Connection>();
  #listener: Listener | undefined;
  #onIdle: (() => void) | undefined;

  private constructor(options: GatewayOptions, log: (line: string) => void) {
    this.#maxConnections = options.maxConnections;
    this.#dial = dialTarget(options);
    this.#log = log;
  }

  /** @throws TransportError when the address cannot be listened on; an error of the file system for a PEM file. */
  static async open(options: GatewayOptions, log: (line: string) => void): Promise<Gateway> {
    const gateway = new Gateway(options, log);
    const listen = webSocketListener(listenerOptions(options, log));
    gateway.#listener = await listen((connection) => void gateway.#accept(connection));
    return gateway;
  }

  get addresses(): readonly string[] {
    return this.#listener?.addresses ?? [];
  }

  /** Takes no more clients and ends those there are; resolves when all have gone. */
  async close(): Promise<void> {
    await this.#listener?.close();
    if (this.#connections.size === 0) {
      return;
    }
    const idle = new Promise<void>((resolve) => {
      this.#onIdle = resolve;
    });
    for (const connection of this.#connections) {
      connection.close();
    }
    await idle;
  }

  /** Nothing of the client is read before the broker is reached: what it sends meanwhile waits in the network. */
  async #accept(client: Connection): Promise<void> {
    if (this.#connections.size >= this.#maxConnections) {
      this.#log(`refused ${client.info.remoteAddress}: ${this.#maxConnections} clients already`);
      client.abort();
      return;
    }
    this.#connections.add(client);
    try {
      const broker = await this.#dial();
      client.allowInput(MESSAGE_BYTES);
      splice(client, broker, () => this.#forget(client));
    } catch (error) {
      this.#log(`cannot reach the target: ${error instanceof Error ? error.message : String(error)}`);
      client.abort();
      this.#forget(client);
    }
  }

  #forget(client: Connection): void {
    this.#connections.delete(client);
    if (this.#connections.size === 0) {
      this.#onIdle?.();
    }
  }
}

/** A client's message is passed on when it is whole: this large it may be, once the broker has been reached. */
const MESSAGE_BYTES = 4_194_304;

function listenerOptions(options: GatewayOptions, log: (line: string) => void): WebSocketListenerOptions {
  const { listen, certificateFile, keyFile, origins } = options;
  return {
    host: hostOf(listen),
    port: Number(listen.port || (listen.protocol === "wss:" ? 443 : 80)),
    path: listen.pathname,
    ...(origins === undefined ? {} : { origins }),
    ...(certificateFile === undefined || keyFile === undefined
      ? {}
      : { tls: { cert: readFileSync(certificateFile), key: readFileSync(keyFile) } }),
    onRefused: (error, remoteAddress) => log(`refused ${remoteAddress ?? "a client"}: ${error.message}`),
  };
}

function dialTarget({ target, targetAuthorityFile }: GatewayOptions): Dial {
  if (target.protocol === "unix:") {
    return tcp({ path: decodeURIComponent(target.pathname) });
  }
  const secure = target.protocol === "tls:";
  const port = Number(target.port || (secure ? 8883 : 1883));
  if (!secure) {
    return tcp({ host: hostOf(target), port });
  }
  const tls = targetAuthorityFile === undefined ? {} : { ca: readFileSync(targetAuthorityFile) };
  return tcp({ host: hostOf(target), port, tls });
}

/** Without the brackets of IPv6. */
function hostOf(url: URL): string {
  return url.hostname.replace(/^\[(.*)\]$/, "$1");
}
