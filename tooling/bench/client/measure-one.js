// One measurement of `pnpm bench client` in a process of its own: takes a task, answers with operations per second.

import { connect } from "@tidewire/client";
import { tcp } from "@tidewire/transport-tcp";
import { clients } from "./clients.js";

const PAYLOAD = new Uint8Array(64).fill(120);
const WARM_UP_MS = 700;
const MEASURE_MS = 2_000;
/**
 * Published and not received back yet, by QoS: enough to keep three processes busy. QoS 0 has no acknowledgements to
 * come back one by one, so that a small window would be sent and waited for as one block.
 */
const WINDOWS = [4_000, 1_000, 1_000];

const tasks = { loop, made, restored };

process.once("message", async (task) => {
  const client = await clients[task.client](task);
  process.send(await tasks[task.kind](client, task));
});

/** Publishes to itself: counts what comes back and is settled. */
async function loop(client, { qos }) {
  let received = 0;
  let settled = 0;
  let published = 0;
  let running = true;
  const topic = "bench/loop";
  const fill = () => {
    while (running && published - Math.min(received, settled) < WINDOWS[qos]) {
      published += 1;
      client.publish(topic, PAYLOAD, qos, onSettled);
    }
  };
  // Refilled in batches: a loop per message would measure itself.
  let scheduled = false;
  const refill = () => {
    if (scheduled) {
      return;
    }
    scheduled = true;
    setImmediate(() => {
      scheduled = false;
      fill();
    });
  };
  const onSettled = () => {
    settled += 1;
    refill();
  };
  const onMessage = () => {
    received += 1;
    refill();
  };
  client.onMessage(onMessage);
  await client.subscribe(topic, qos, onMessage);
  fill();
  await pause(WARM_UP_MS);
  const [count, start] = [Math.min(received, settled), performance.now()];
  await pause(MEASURE_MS);
  const rate = ((Math.min(received, settled) - count) / (performance.now() - start)) * 1_000;
  running = false;
  return rate;
}

/** From the first call to the last answer. */
async function made(client, { count }) {
  const start = performance.now();
  await subscribeAll(client, count);
  return (count / (performance.now() - start)) * 1_000;
}

/** From the cut of the connection until the broker has them all again. */
async function restored(client, task) {
  await subscribeAll(client, task.count);
  const watcher = await connect(tcp({ host: "127.0.0.1", port: task.ports.tcp }), { sessionExpiryInterval: 0 });
  const counts = await watcher.subscribe("bench/subscriptions");
  const start = performance.now();
  client.cut();
  let lost = false;
  for await (const message of counts) {
    const subscriptions = Number(message.text());
    lost ||= subscriptions < task.count;
    if (lost && subscriptions >= task.count) {
      break;
    }
  }
  return (task.count / (performance.now() - start)) * 1_000;
}

function subscribeAll(client, count) {
  return Promise.all(Array.from({ length: count }, (_, i) => client.subscribe(`bench/many/${i}`, 1, () => {})));
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
