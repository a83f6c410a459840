import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect as connectSocket, createServer as createTcpServer, type Socket } from "node:net";
import { join } from "node:path";
import { createBroker } from "@tidewire/broker";
import type { Target } from "@tidewire/client";
import { tcp, tcpListener } from "@tidewire/transport-tcp";
import { webSocketListener } from "@tidewire/transport-websocket/node";
import { Aedes } from "aedes";
import { createWebSocketStream, WebSocketServer } from "ws";
import { startMosquitto } from "./mosquitto.ts";
import { temporaryDirectory } from "./paths.ts";
import { type Peer, peerPath } from "./peers.ts";
import { freePort } from "./ports.ts";
import { Program } from "./program.ts";
import { until } from "./until.ts";

/** A broker that runs, and how a client gets to it. */
export interface RunningBroker {
  readonly targets: Readonly<Partial<Record<Transport, Target>>>;
  stop(): Promise<unknown>;
}

export type Transport = "tcp" | "websocket";

/** A broker that the client suite runs at. */
export interface ClientBroker {
  readonly name: string;
  readonly peers: readonly Peer[];
  readonly transports: readonly Transport[];
  readonly versions: readonly (4 | 5)[];
  start(): Promise<RunningBroker>;
  /** Titles of cases that are known to fail there, with the reason. */
  readonly expectedFailures: Readonly<Record<string, string>>;
}

export const tidewire: ClientBroker = {
  name: "Tidewire",
  peers: [],
  transports: ["tcp", "websocket"],
  versions: [4, 5],
  async start() {
    const broker = createBroker();
    await broker.start();
    const raw = await broker.listen(tcpListener({ host: "127.0.0.1", port: 0 }));
    const web = await broker.listen(webSocketListener({ host: "127.0.0.1", port: 0, path: "/mqtt", origins: "*" }));
    return {
      targets: {
        tcp: tcp({ host: "127.0.0.1", port: Number(new URL(raw.addresses[0]!).port) }),
        websocket: web.addresses[0]!,
      },
      stop: () => broker.close(),
    };
  },
  expectedFailures: {},
};

export const mosquitto: ClientBroker = {
  name: "Debian's mosquitto",
  peers: ["mosquitto"],
  transports: ["tcp", "websocket"],
  versions: [4, 5],
  async start() {
    const { port, webSocketPort, program } = await startMosquitto();
    return {
      targets: { tcp: tcp({ host: "127.0.0.1", port }), websocket: `ws://127.0.0.1:${webSocketPort}/mqtt` },
      stop: () => program.stop(),
    };
  },
  expectedFailures: {},
};

export const aedes: ClientBroker = {
  name: "Aedes 1.2",
  peers: [],
  transports: ["tcp", "websocket"],
  // It accepts MQTT 5 and answers in 3.1.1.
  versions: [4],
  async start() {
    const broker = await Aedes.createBroker();
    const sockets = new Set<Socket>();
    const raw = createTcpServer((socket) => {
      sockets.add(socket);
      broker.handle(socket);
    });
    const http = createServer();
    const web = new WebSocketServer({ server: http, handleProtocols: () => "mqtt" });
    web.on("connection", (socket, request) => broker.handle(createWebSocketStream(socket), request));
    const [port, webSocketPort] = [await freePort(), await freePort()];
    await new Promise<void>((resolve) => raw.listen(port, "127.0.0.1", resolve));
    await new Promise<void>((resolve) => http.listen(webSocketPort, "127.0.0.1", resolve));
    return {
      targets: { tcp: tcp({ host: "127.0.0.1", port }), websocket: `ws://127.0.0.1:${webSocketPort}/mqtt` },
      async stop() {
        await new Promise<void>((resolve) => broker.close(() => resolve()));
        for (const socket of [...sockets, ...web.clients]) {
          socket instanceof Object && "terminate" in socket ? socket.terminate() : socket.destroy();
        }
        raw.close();
        http.close();
      },
    };
  },
  expectedFailures: {},
};

export const nats: ClientBroker = {
  name: "nats-server's MQTT listener",
  peers: ["nats-server"],
  transports: ["tcp"],
  // Debian's version knows 3.1.1 only.
  versions: [4],
  async start() {
    const [port, clientPort] = [await freePort(), await freePort()];
    const directory = temporaryDirectory();
    const config = join(directory, "nats.conf");
    const lines = [
      "server_name: tidewire",
      `listen: "127.0.0.1:${clientPort}"`,
      `jetstream { store_dir: "${directory}" }`,
      `mqtt { listen: "127.0.0.1:${port}" }`,
    ];
    writeFileSync(config, `${lines.join("\n")}\n`);
    const program = new Program(peerPath("nats-server"), ["-c", config]);
    await until(`nats-server on port ${port}`, () => canConnect(port));
    return { targets: { tcp: tcp({ host: "127.0.0.1", port }) }, stop: () => program.stop("SIGKILL") };
  },
  expectedFailures: {
    "QoS 0, 1 and 2 both ways": "this version ends the connection at a QoS 2 PUBLISH",
  },
};

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
