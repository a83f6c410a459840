// `pnpm bench client`: the Tidewire client against MQTT.js, each in a process of its own, in turns, at the same broker
// (Tidewire's, in a third process) over loopback. Options: --rounds N (default 3), --only TEXT (rows whose name has it).

import { fork } from "node:child_process";
import { median, row } from "./measure.js";

const TRANSPORTS = ["websocket", "tcp"];
const CLIENTS = ["tidewire", "mqttjs"];
const SUBSCRIPTIONS = 10_000;

const measurements = TRANSPORTS.flatMap((transport) => [
  ...[0, 1, 2].map((qos) => ({
    name: `publish and receive 64 B, QoS ${qos}, ${transport}`,
    unit: "msg/s",
    task: { kind: "loop", transport, qos },
  })),
  ...["made", "restored"].map((what) => ({
    name: `${SUBSCRIPTIONS} subscriptions ${what}, ${transport}`,
    unit: "subscriptions/s",
    task: { kind: what, transport, count: SUBSCRIPTIONS },
  })),
]);

export async function run({ options }) {
  const rounds = Number(option(options, "--rounds") ?? 3);
  const only = option(options, "--only") ?? "";
  const broker = await startBroker();
  const rows = [];
  try {
    for (const { name, unit, task } of measurements.filter((measurement) => measurement.name.includes(only))) {
      const rates = Object.fromEntries(CLIENTS.map((client) => [client, []]));
      for (let round = 0; round < rounds; round += 1) {
        for (const client of CLIENTS) {
          rates[client].push(await measure({ ...task, client, ports: broker.ports }));
        }
      }
      rows.push(row(name, unit, median(rates.tidewire), "MQTT.js", median(rates.mqttjs)));
    }
  } finally {
    broker.stop();
  }
  return rows;
}

/** One measurement in a fresh process; gives operations per second. */
function measure(task) {
  const child = fork(new URL("./client/measure-one.js", import.meta.url), {
    stdio: ["ignore", "ignore", "inherit", "ipc"],
  });
  return new Promise((resolve, reject) => {
    child.once("message", resolve);
    child.once("exit", (code) => reject(new Error(`the measuring process ended with ${code}`)));
    child.send(task);
  }).finally(() => child.kill());
}

async function startBroker() {
  const child = fork(new URL("./client/broker.js", import.meta.url), { stdio: ["ignore", "ignore", "inherit", "ipc"] });
  const ports = await new Promise((resolve) => child.once("message", resolve));
  return { ports, stop: () => child.kill() };
}

function option(options, name) {
  const place = options.indexOf(name);
  return place < 0 ? undefined : options[place + 1];
}
