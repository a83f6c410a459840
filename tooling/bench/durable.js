// `pnpm bench durable`: QoS 1 through persistent sessions, with everything acknowledged kept on disk.
// Option: --only TEXT (parts whose name has it: online, queue, start-up).

import { mkdtempSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { pinLoadGenerator } from "./broker/servers.js";
import { fillAndDrain, rate } from "./durable/load.js";
import { startMosquitto, startNats, startTidewire } from "./durable/servers.js";
import { fillQueues, fillRetained, startUp } from "./durable/start-up.js";
import { median, optionValue, row } from "./measure.js";

const ROUNDS = 3;
const LOADS = [
  { name: "one publisher, window 1000", publishers: 1, window: 1000 },
  { name: "100 publishers, window 20", publishers: 100, window: 20 },
];
const OFFLINE_MESSAGES = 200_000;
const START_UP_MESSAGES = 1_000_000;

const parts = { online, queue, "start-up": start };

/** @param {{ options: readonly string[] }} settings */
export async function run({ options }) {
  const only = optionValue(options, "--only") ?? "";
  // On the disk of the checkout: the temporary directory may be in memory.
  const folder = mkdtempSync(join(dirname(fileURLToPath(import.meta.url)), ".durable-"));
  pinLoadGenerator();
  try {
    const rows = [];
    for (const [name, measure] of Object.entries(parts)) {
      if (name.includes(only)) {
        rows.push(...(await measure(folder)));
      }
    }
    return rows;
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function online(folder) {
  const servers = [];
  for (const fsync of ["always", "interval", "os"]) {
    servers.push(await startTidewire(folder, { fsync }));
  }
  for (const launch of [startNats, startMosquitto]) {
    const server = await launch(folder);
    if (server !== undefined) {
      servers.push(server);
    }
  }
  const [ours, ...others] = servers;
  const rows = [];
  for (const { name, publishers, window } of LOADS) {
    const rates = new Map(servers.map((server) => [server, []]));
    for (let round = 0; round < ROUNDS; round += 1) {
      for (const server of servers) {
        rates.get(server).push(await rate(server, publishers, window));
      }
    }
    const own = median(rates.get(ours));
    for (const other of others) {
      rows.push(row(`QoS 1, ${name}`, "msg/s", own, other.name, median(rates.get(other))));
    }
  }
  for (const server of servers) {
    server.stop();
  }
  return rows;
}

async function queue(folder) {
  const server = await startTidewire(folder, { directory: join(folder, "offline") });
  const rates = await fillAndDrain(server, OFFLINE_MESSAGES);
  server.stop();
  return [row("offline queue filled", "msg/s", rates.fill), row("offline queue drained", "msg/s", rates.drain)];
}

async function start(folder) {
  const rows = [];
  for (const [what, fill] of [
    ["queued", fillQueues],
    ["retained", fillRetained],
  ]) {
    const directory = join(folder, `start-up-${what}`);
    await fill(directory, START_UP_MESSAGES);
    const { milliseconds, residentBytes } = await startUp(folder, directory);
    rows.push(row(`start-up with 1 M ${what} messages`, "ms", milliseconds));
    rows.push(row(`memory with 1 M ${what} messages`, "MiB", residentBytes / 1024 ** 2));
  }
  return rows;
}
