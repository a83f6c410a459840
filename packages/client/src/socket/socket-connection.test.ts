import { encode, type Packet, PacketType } from "@tidewire/codec";
import { expect, test } from "vitest";
import { ClientError } from "../errors/index.ts";
import { PacketIds } from "./packet-ids.ts";
import { SocketConnection } from "./socket-connection.ts";

test("a connection gives back the identifiers of requests that it takes with it", () => {
  const ids = new PacketIds();
  const socket = fakeSocket();
  const packet = {
    type: PacketType.CONNECT,
    version: 5,
    bridge: false,
    clientId: "c",
    cleanStart: true,
    keepAlive: 0,
  } as const;
  const rest = { will: undefined, username: undefined, password: undefined, properties: undefined };
  const handler = { onConnack: () => {}, onPacket: () => undefined, onEnd: () => {} };
  const connection = new SocketConnection(
    "ws://server.example",
    {
      WebSocket: class {
        constructor() {
          // biome-ignore lint/correctness/noConstructorReturn: the one that the test drives.
          return socket;
        }
      } as unknown as typeof WebSocket,
    },
    { ...packet, ...rest },
    ids,
    handler,
    scheduler,
  );
  receive(socket, { type: PacketType.CONNACK, sessionPresent: false, reasonCode: 0, properties: undefined });
  const results: unknown[] = [];
  connection.unsubscribe("a", (result) => results.push(result));
  connection.unsubscribe("b", (result) => results.push(result));
  const end = new ClientError("connection-lost", "over");
  connection.end(end);
  expect(results).toEqual([end, end]);
  // Every identifier there is.
  for (let i = 0; i < 65_535; i += 1) {
    ids.take();
  }
  expect(() => ids.take()).toThrow(expect.objectContaining({ code: "queue-full" }));
});

const scheduler = {
  now: () => 0,
  defer: () => {},
  setTimer: () => undefined,
  clearTimer: () => {},
};

function fakeSocket(): WebSocket {
  return { readyState: 1, OPEN: 1, bufferedAmount: 0, send: () => {}, close: () => {} } as unknown as WebSocket;
}

function receive(socket: WebSocket, packet: Packet): void {
  socket.onmessage!({ data: encode(packet, 5).slice().buffer } as MessageEvent);
}
