import { connect, type Socket } from "node:net";
import type { CloseInfo, Connection } from "@tidewire/transport";
import { expect } from "vitest";
import { WebSocket } from "ws";

/** What a connection did, for a test to look at. */
export class Observed {
  readonly connection: Connection;
  readonly chunks: Uint8Array[] = [];
  closeInfo: CloseInfo | undefined;

  constructor(connection: Connection) {
    this.connection = connection;
    connection.start({
      onData: (chunk) => this.chunks.push(chunk),
      onDrain: () => {},
      onClose: (info) => {
        this.closeInfo = info;
      },
    });
  }

  get bytes(): Buffer {
    return Buffer.concat(this.chunks);
  }
}

export async function until(condition: () => boolean): Promise<void> {
  for (let i = 0; i < 2_000 && !condition(); i += 1) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(condition()).toBe(true);
}

/** A client that does what it is told, also what is wrong. */
export async function bareClient(url: string, protocols: string[] = ["mqtt"]): Promise<WebSocket> {
  const ws = new WebSocket(url, protocols, { perMessageDeflate: false });
  ws.on("error", () => {});
  await new Promise((resolve, reject) => {
    ws.once("open", resolve).once("error", reject);
  });
  return ws;
}

export function closeCode(ws: WebSocket): Promise<number> {
  return new Promise((resolve) => {
    ws.once("close", resolve);
  });
}

export async function rawSocket(port: number): Promise<Socket> {
  const socket = connect({ port, host: "127.0.0.1" });
  socket.on("error", () => {});
  await new Promise((resolve) => {
    socket.once("connect", resolve);
  });
  return socket;
}

/** All that the other side sends until it closes. */
export async function responseOf(socket: Socket): Promise<string> {
  let text = "";
  socket.on("data", (chunk) => {
    text += chunk.toString("latin1");
  });
  await new Promise((resolve) => {
    socket.once("close", resolve);
  });
  return text;
}

/** An upgrade request; each header replaces the usual one, or is left out when it is undefined. */
export function upgradeRequest(path: string, headers: Readonly<Record<string, string | undefined>> = {}): string {
  const all = {
    Host: "127.0.0.1",
    Connection: "Upgrade",
    Upgrade: "websocket",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    "Sec-WebSocket-Protocol": "mqtt",
    ...headers,
  };
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]));
  return `GET ${path} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`;
}

/** A client's frame; the mask is zero, which leaves the payload readable. A server's has none. */
export function frame(
  opcode: number,
  payload: Uint8Array,
  { final = true, length = payload.length, masked = true } = {},
): Buffer {
  const head = [opcode | (final ? 0x80 : 0)];
  const maskBit = masked ? 0x80 : 0;
  if (length < 126) {
    head.push(maskBit | length);
  } else if (length < 65_536) {
    head.push(maskBit | 126, length >> 8, length & 0xff);
  } else {
    head.push(
      maskBit | 127,
      0,
      0,
      0,
      0,
      (length >>> 24) & 0xff,
      (length >> 16) & 0xff,
      (length >> 8) & 0xff,
      length & 0xff,
    );
  }
  return Buffer.concat([Buffer.from(head), Buffer.alloc(masked ? 4 : 0), payload]);
}
