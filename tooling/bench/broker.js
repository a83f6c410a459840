// `pnpm bench broker`: Tidewire's server program against others, each a process on one core, the load generator on
// another, in turns. Options: --rounds N (default 3), --only TEXT (rows whose name has it).

import { connectRate, idleBytes } from "./broker/connections.js";
import { latency } from "./broker/latency.js";
import { pinLoadGenerator, startServers, startTidewire } from "./broker/servers.js";
import { publishCosts, wildcardOverRetained } from "./broker/subscriptions.js";
import { rate0, rateAcknowledged } from "./broker/throughput.js";
import { median, optionValue, row } from "./measure.js";

const TRANSPORTS = ["tcp", "ws"];
const WINDOW = 100;
const RETAINED = 100_000;
const LATENCY_PIECE_BYTES = 4096;

/** What is measured of every server; `fresh`: once, in a process that has done nothing before. */
export const measurements = TRANSPORTS.flatMap((transport) => [
  {
    name: `QoS 0 one to one, ${label(transport)}`,
    unit: "msg/s",
    run: (server) => perCore(rate0(server, transport, 1, 1)),
  },
  {
    name: `QoS 0 one to 100, ${label(transport)}`,
    unit: "msg/s",
    run: (server) => perCore(rate0(server, transport, 1, 100)),
  },
  {
    name: `QoS 0 100 to one, ${label(transport)}`,
    unit: "msg/s",
    run: (server) => perCore(rate0(server, transport, 100, 1)),
  },
  {
    name: `QoS 1 one to one, window ${WINDOW}, ${label(transport)}`,
    unit: "msg/s",
    run: (server) => perCore(rateAcknowledged(server, transport, 1, WINDOW)),
  },
  {
    name: `QoS 2 one to one, window ${WINDOW}, ${label(transport)}`,
    unit: "msg/s",
    lacking: ["nats-server"],
    run: (server) => perCore(rateAcknowledged(server, transport, 2, WINDOW)),
  },
  {
    name: `connect rate, ${label(transport)}`,
    unit: "conn/s",
    fresh: true,
    run: (server) => connectRate(server, transport),
  },
  {
    name: `idle connection, ${label(transport)}`,
    unit: "bytes",
    fresh: true,
    run: (server) => idleBytes(server, transport),
  },
]);

/** @param {{ options: readonly string[] }} settings */
export async function run({ options }) {
  const rounds = Number(optionValue(options, "--rounds") ?? 3);
  const only = optionValue(options, "--only") ?? "";
  pinLoadGenerator();
  const { servers, stop } = await startServers();
  try {
    const rows = [];
    const results = new Map();
    for (const measurement of measurements.filter(({ name }) => name.includes(only))) {
      console.error(measurement.name);
      const figures = await takeTurns(servers, measurement, rounds);
      results.set(measurement.name, figures);
      rows.push(...against(measurement.name, measurement.unit, figures));
    }
    for (const name of results.keys()) {
      const twin = name.replace(label("ws"), label("tcp"));
      if (name.startsWith("QoS 0") && twin !== name && results.has(twin)) {
        rows.push(row(name, "msg/s", results.get(name).get("tidewire"), "its TCP", results.get(twin).get("tidewire")));
      }
    }
    for (const transport of TRANSPORTS) {
      const name = `latency at half load, ${label(transport)}`;
      if (name.includes(only)) {
        rows.push(...(await latencyRows(name, servers, transport, rounds)));
      }
    }
    if ("retained".includes(only)) {
      rows.push(...(await retainedRows(servers)));
    }
    if ("subscriptions".includes(only)) {
      rows.push(...(await subscriptionRows(rounds)));
    }
    return rows;
  } finally {
    stop();
  }
}

/** Every server's median; one that fails has none. */
async function takeTurns(servers, { run, fresh, lacking, name }, rounds) {
  const figures = new Map(servers.map((server) => [server.name, []]));
  for (let round = 0; round < (fresh ? 1 : rounds); round += 1) {
    for (const server of servers) {
      if (lacking?.includes(server.name)) {
        continue;
      }
      if (fresh || server.exited) {
        await server.restart();
      }
      try {
        figures.get(server.name).push(await run(server));
      } catch (error) {
        console.error(`${name}: ${server.name} failed: ${error.message}`);
        await server.restart();
      }
    }
  }
  return new Map([...figures].map(([server, values]) => [server, values.length === 0 ? null : median(values)]));
}

function against(name, unit, figures) {
  const ours = figures.get("tidewire");
  const peers = [...figures].filter(([peer, value]) => peer !== "tidewire" && value !== null);
  return peers.length === 0
    ? [row(name, unit, ours)]
    : peers.map(([peer, value]) => row(name, unit, ours, peer, value));
}

/** At half of what each can do at this moment with messages that come in pieces as small as these will be. */
async function latencyRows(name, servers, transport, rounds) {
  console.error(name);
  const p99 = new Map(servers.map((server) => [server.name, []]));
  const run = async (server) => {
    const { perSecond } = await rate0(server, transport, 1, 1, LATENCY_PIECE_BYTES);
    const measured = await latency(server, transport, perSecond / 2);
    p99.get(server.name).push(measured.p99);
    return measured.p50;
  };
  const p50 = await takeTurns(servers, { name, run }, rounds);
  const medians = new Map([...p99].map(([server, values]) => [server, values.length === 0 ? null : median(values)]));
  return [...against(`${name}, median`, "µs", p50), ...against(`${name}, 99 %`, "µs", medians)];
}

async function retainedRows(servers) {
  const run = (server) => wildcardOverRetained(server, RETAINED);
  const name = "wildcard subscribe over 100 k retained messages";
  return against(name, "ms", await takeTurns(servers, { name, run }, 1));
}

/** In a process of its own, since a million subscriptions stay behind in its heap. */
async function subscriptionRows(rounds) {
  const server = await startTidewire();
  const [few, some, many] = await publishCosts(server, [10, 10_000, 1_000_000], rounds);
  server.stop();
  return [
    row("publish cost with 10 k subscriptions", "ns", some, "with 10", few),
    row("publish cost with 1 M subscriptions", "ns", many, "with 10", few),
  ];
}

async function perCore(measured) {
  return (await measured).perCore;
}

function label(transport) {
  return transport === "ws" ? "WebSocket" : "TCP";
}
