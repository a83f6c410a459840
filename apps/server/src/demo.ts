import type { Server } from "node:http";
import type { AddressInfo } from "node:net";
import { networkInterfaces } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Broker } from "@tidewire/broker";
import { tcpListener } from "@tidewire/transport-tcp";
import { attachWebSocket } from "@tidewire/transport-websocket/node";
import type { Logger } from "pino";
import type { DemoOptions } from "./args.ts";
import { type DeviceProcess, startDevice } from "./device-process.ts";
import { serveStatic } from "./http-static.ts";
import { listenFailure } from "./listeners.ts";
import { createLogger } from "./logging.ts";
import { createPageServer } from "./page-server.ts";
import { logRefused, startBroker } from "./running-broker.ts";
import { stopSignal } from "./signals.ts";

/** `tidewire demo`: broker, live page and one device agent until SIGINT or SIGTERM. */
export async function demo(options: DemoOptions): Promise<void> {
  const stopped = stopSignal();
  const logger = createLogger(options.logLevel);
  const broker = await startBroker(options.store, logger);
  const http = createPageServer(MQTT_PATH, serveStatic(livePageDirectory()));
  try {
    const httpPort = await listenHttp(http, options);
    await broker.listen(
      attachWebSocket(http, {
        path: MQTT_PATH,
        origins: pageOrigins(options.host, httpPort),
        onRefused: logRefused(logger),
      }),
    );
    const mqttUrl = await listenTcp(broker, options, logger);
    const device = await startDevice(localUrl(mqttUrl), logger);
    try {
      process.stdout.write(greeting(options, httpPort, mqttUrl, device));
      logger.info(`${await stopped}: closing`);
    } finally {
      await device.stop();
    }
  } finally {
    await broker.close();
    http.close();
    http.closeAllConnections();
  }
}

/** Where the page finds the broker. */
const MQTT_PATH = "/mqtt";

function livePageDirectory(): string {
  return join(dirname(fileURLToPath(import.meta.resolve("@tidewire/live/package.json"))), "dist");
}

async function listenHttp(http: Server, { host, httpPort }: DemoOptions): Promise<number> {
  try {
    await new Promise<void>((resolve, reject) => {
      http.once("error", reject);
      http.listen(httpPort, host, resolve);
    });
  } catch (error) {
    throw listenFailure(`http://${inUrl(host)}:${httpPort}`, "--http-port", error);
  }
  return (http.address() as AddressInfo).port;
}

async function listenTcp(broker: Broker, { host, mqttPort }: DemoOptions, logger: Logger): Promise<string> {
  try {
    const listener = await broker.listen(tcpListener({ host, port: mqttPort, onRefused: logRefused(logger) }));
    return listener.addresses[0] ?? "";
  } catch (error) {
    throw listenFailure(`tcp://${inUrl(host)}:${mqttPort}`, "--mqtt-port", error);
  }
}

/** The origins that the live page can have: no other page may use a visitor's browser to reach the broker. */
function pageOrigins(host: string, port: number): string[] {
  const hosts = new Set(["localhost", "127.0.0.1", "[::1]"]);
  if (!isEveryAddress(host)) {
    hosts.add(inUrl(host));
  } else {
    for (const address of ownAddresses()) {
      hosts.add(inUrl(address));
    }
  }
  return [...hosts].map((name) => new URL(`http://${name}:${port}`).origin);
}

function greeting({ host, store }: DemoOptions, httpPort: number, mqttUrl: string, device: DeviceProcess): string {
  const hosts = isEveryAddress(host) ? ["127.0.0.1", ...ownAddresses()] : [host];
  const [page, ...otherPages] = hosts.map((name) => `http://${inUrl(name)}:${httpPort}/`);
  const rows = [
    ["Live page", `${page}   <- open this`],
    ...otherPages.map((url) => ["", url]),
    ["WebSocket", `ws://${inUrl(host)}:${httpPort}/mqtt`],
    ["TCP", mqttUrl],
    ["Device", `${device.id} (process ${device.pid}): this machine's own figures, every second`],
    ["Data", store.kind === "memory" ? "in memory, gone at the end" : store.directory],
  ];
  const lines = rows.map(([label = "", value]) => `  ${label.padEnd(10)} ${value}`);
  return ["", "Tidewire demo", "", ...lines, "", "Ctrl-C ends all of it.", "", "ready", ""].join("\n");
}

/** Where this machine's own programs reach a listener. */
function localUrl(url: string): string {
  return url.replace("//0.0.0.0:", "//127.0.0.1:").replace("//[::]:", "//[::1]:");
}

function isEveryAddress(host: string): boolean {
  return host === "0.0.0.0" || host === "::";
}

function ownAddresses(): string[] {
  const all = Object.values(networkInterfaces()).flatMap((addresses) => addresses ?? []);
  return all.filter(({ internal, family }) => !internal && family === "IPv4").map(({ address }) => address);
}

function inUrl(host: string): string {
  return host.includes(":") ? `[${host}]` : host;
}
