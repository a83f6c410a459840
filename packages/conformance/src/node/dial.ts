import net from "node:net";
import tls from "node:tls";
import { WebSocket } from "ws";
import type { RawConnection, RawDial, RawHandler } from "../connection.ts";
import { ConformanceError } from "../failure.ts";
import { DIAL_TIMEOUT_MS, MAXIMUM_RECEIVED_PACKET } from "../limits.ts";

export interface DialUrlOptions {
  /** Trusted certificates in PEM instead of the system's. */
  readonly ca?: string | Buffer;
  readonly cert?: string | Buffer;
  readonly key?: string | Buffer;
  /** Accepts any certificate. */
  readonly insecure?: boolean;
  /** Server name for TLS when it differs from the host. */
  readonly servername?: string;
}

/** Connects to `mqtt:`, `tcp:`, `mqtts:`, `ssl:`, `tls:`, `ws:` and `wss:` URLs. A profile is not a URL: see `profiles`. */
export function dialUrl(url: string | URL, options: DialUrlOptions = {}): RawDial {
  const target = new URL(url);
  const secure = {
    ...(options.ca === undefined ? {} : { ca: options.ca }),
    ...(options.cert === undefined ? {} : { cert: options.cert }),
    ...(options.key === undefined ? {} : { key: options.key }),
    ...(options.servername === undefined ? {} : { servername: options.servername }),
    rejectUnauthorized: options.insecure !== true,
  };
  const host = target.hostname.replace(/^\[|\]$/g, "");
  switch (target.protocol) {
    case "mqtt:":
    case "tcp:":
      return () => dialSocket(() => net.connect({ host, port: Number(target.port || 1883) }), "connect");
    case "mqtts:":
    case "ssl:":
    case "tls:": {
      const port = Number(target.port || 8883);
      return () => dialSocket(() => tls.connect({ host, port, ...serverName(host), ...secure }), "secureConnect");
    }
    case "ws:":
    case "wss:":
      return () => dialWebSocket(target.href, secure);
    default:
      throw new ConformanceError(
        "target-invalid",
        `Give a URL that begins with mqtt://, mqtts://, ws:// or wss://, not ${target.protocol}//.`,
      );
  }
}

/** Profiles as further servers: the dial of the profile asked for, else the plain one. */
export function withProfiles(plain: RawDial, profiles: ReadonlyMap<string, RawDial>): RawDial {
  return (options) => {
    const dial = options?.profile === undefined ? plain : profiles.get(options.profile);
    if (dial === undefined) {
      throw new ConformanceError("target-invalid", `No server was given for the profile ${options?.profile}.`);
    }
    return dial(options);
  };
}

/** A connected socket as a raw connection. */
export function rawSocket(socket: net.Socket): RawConnection {
  socket.setNoDelay(true);
  socket.pause();
  return {
    start: (handler: RawHandler) => {
      let over = false;
      const end = (): void => {
        if (over) {
          return;
        }
        over = true;
        handler.onClose();
      };
      socket.on("data", (bytes: Buffer) => handler.onData(bytes));
      socket.on("end", end);
      socket.on("close", end);
      socket.resume();
    },
    send: (bytes) => {
      if (socket.writable) {
        socket.write(bytes);
      }
    },
    close: () => {
      socket.end();
      socket.destroySoon();
    },
  };
}

/** An open WebSocket as a raw connection. */
export function rawWebSocket(socket: WebSocket): RawConnection {
  const early: Uint8Array[] = [];
  let onData = (bytes: Uint8Array): void => {
    early.push(bytes);
  };
  socket.on("message", (data: Buffer) => onData(data));
  return {
    webSocket: {
      get protocol() {
        return socket.protocol;
      },
      sendText: (text) => socket.send(text),
    },
    start: (handler) => {
      onData = (bytes) => handler.onData(bytes);
      for (const bytes of early.splice(0)) {
        handler.onData(bytes);
      }
      socket.on("close", () => handler.onClose());
      if (socket.readyState === WebSocket.CLOSED) {
        handler.onClose();
      }
    },
    send: (bytes) => {
      if (socket.readyState === WebSocket.OPEN) {
        socket.send(bytes);
      }
    },
    close: () => socket.terminate(),
  };
}

function serverName(host: string): { servername?: string } {
  return net.isIP(host) === 0 ? { servername: host } : {};
}

function late(): ConformanceError {
  return new ConformanceError("target-unreachable", `The server took no connection within ${DIAL_TIMEOUT_MS} ms.`);
}

async function dialSocket(open: () => net.Socket, event: "connect" | "secureConnect"): Promise<RawConnection> {
  const socket = open();
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => socket.destroy(late()), DIAL_TIMEOUT_MS);
    socket.once("error", reject);
    socket.once(event, () => {
      clearTimeout(timer);
      resolve();
    });
    socket.once("close", () => clearTimeout(timer));
  });
  // What goes wrong later shows as a close, which is all that a case looks at.
  socket.on("error", () => {});
  return rawSocket(socket);
}

async function dialWebSocket(url: string, secure: object): Promise<RawConnection> {
  const socket = new WebSocket(url, ["mqtt"], {
    ...secure,
    perMessageDeflate: false,
    maxPayload: MAXIMUM_RECEIVED_PACKET,
    handshakeTimeout: DIAL_TIMEOUT_MS,
  });
  socket.binaryType = "nodebuffer";
  const connection = rawWebSocket(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once("error", reject);
    socket.once("open", resolve);
  });
  socket.on("error", () => {});
  return connection;
}
