// `pnpm soak [--minutes 30] [--connections 5000] [--rate 1000]`: the server program under WebSocket clients that come and go, for long.
// Every QoS 1 and 2 message must arrive, QoS 2 ones once, and the server's memory must stay level. Ends with one line of
// figures; exit code 1 when one of them is wrong.

import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { createLinkLoop } from "@tidewire/link";
import { nodeScheduler } from "@tidewire/link/node";
import { webSocket } from "@tidewire/transport-websocket/node";
import { Ledger, SoakClient } from "./soak-client.js";

const { values } = parseArgs({
  options: {
    minutes: { type: "string", default: "30" },
    connections: { type: "string", default: "5000" },
    rate: { type: "string", default: "1000" },
    /** Share of the connections that is cut each second. */
    churn: { type: "string", default: "0.005" },
  },
});
const minutes = Number(values.minutes);
const connections = Number(values.connections);
const rate = Number(values.rate);
const churn = Number(values.churn);

const TICK_MS = 100;
const SAMPLE_MS = 5000;
/** Memory settles first: code, buffers, the heap's own growth. */
const SETTLED_AFTER = 0.3;
const GROWTH_ALLOWED = 0.1;

const server = await startServer();
const loop = createLinkLoop({ scheduler: nodeScheduler() });
const ledger = new Ledger();
const clients = Array.from(
  { length: connections },
  (_, index) => new SoakClient(index, { loop, dial: webSocket(server.url), ledger }),
);
await inBatches(clients, 100, (client) => client.connect());
await until(() => clients.every(({ connected }) => connected), 60_000);
console.log(`${connections} connections, ${residentMegabytes()} MB`);

const samples = [];
const start = performance.now();
let number = 0;
const traffic = setInterval(() => {
  for (let due = (rate * TICK_MS) / 1000; due > 0; due -= 1) {
    const qos = number % 2 === 0 ? 1 : 2;
    if (any(clients).publish(any(clients).topic, `${number}:${qos}`, qos)) {
      number += 1;
    }
  }
  for (let due = (churn * connections * TICK_MS) / 1000; due > 0; due -= 1) {
    if (Math.random() < due) {
      any(clients).cut();
    }
  }
}, TICK_MS);
const sampling = setInterval(() => {
  samples.push(residentMegabytes());
  const elapsed = Math.round((performance.now() - start) / 1000);
  if (samples.length % 6 === 0) {
    console.log(`${elapsed} s: ${samples.at(-1)} MB, ${ledger.sent} sent, ${ledger.outstanding.size} on their way`);
  }
}, SAMPLE_MS);

await new Promise((resolve) => setTimeout(resolve, minutes * 60_000));
clearInterval(traffic);
await until(() => ledger.outstanding.size === 0, 60_000);
clearInterval(sampling);

const total = (name) => clients.reduce((sum, client) => sum + client[name], 0);
const settled = samples.slice(Math.floor(samples.length * SETTLED_AFTER));
const third = Math.max(1, Math.floor(settled.length / 3));
// The lowest of each: what is left when the collector has just run.
const early = Math.min(...settled.slice(0, third));
const late = Math.min(...settled.slice(-third));
const grown = late / early - 1;
const lost = ledger.outstanding.size;
console.log(
  `${minutes} min, ${connections} connections, ${total("connections")} connects: ${ledger.sent} messages, ${lost} lost, ` +
    `${ledger.repeatedQoS1} QoS 1 repeated, ${ledger.repeatedQoS2 + ledger.unknown} QoS 2 repeated, ${total("sessionsLost")} sessions lost, ` +
    `memory ${early.toFixed(0)} MB to ${late.toFixed(0)} MB (${(grown * 100).toFixed(1)} %)`,
);
for (const client of clients) {
  client.stop();
}
server.child.kill("SIGTERM");
const [code] = await once(server.child, "exit");
const passed =
  ledger.sent > 0 &&
  lost === 0 &&
  ledger.repeatedQoS2 + ledger.unknown === 0 &&
  total("sessionsLost") === 0 &&
  grown < GROWTH_ALLOWED &&
  code === 0;
console.log(passed ? "passed" : "failed");
process.exit(passed ? 0 : 1);

async function startServer() {
  const program = fileURLToPath(new URL("../../apps/server/bin/tidewire.js", import.meta.url));
  const args = [program, "serve", "--listen", "ws://127.0.0.1:0/mqtt", "--store", "memory", "--log-level", "warn"];
  const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
  process.on("exit", () => child.kill("SIGKILL"));
  for await (const line of createInterface({ input: child.stdout })) {
    if (line.startsWith("listening ")) {
      return { child, url: line.slice("listening ".length) };
    }
  }
  throw new Error("the server did not start");
}

function residentMegabytes() {
  const status = readFileSync(`/proc/${server.child.pid}/status`, "utf8");
  return Math.round(Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) / 1024);
}

async function inBatches(items, size, work) {
  for (let from = 0; from < items.length; from += size) {
    await Promise.all(items.slice(from, from + size).map(work));
  }
}

async function until(condition, patienceMs) {
  const deadline = performance.now() + patienceMs;
  while (!condition() && performance.now() < deadline) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function any(items) {
  return items[Math.floor(Math.random() * items.length)];
}
