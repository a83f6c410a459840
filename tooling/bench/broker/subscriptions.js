// What subscriptions and retained messages cost that a server has many of.

import { bytes, client, subscribeAll } from "./client.js";
import { processorMs } from "./servers.js";
import { rate0 } from "./throughput.js";
import { retained, subscribe } from "./wire.js";

const PER_PACKET = 1000;
const PER_CLIENT = 50_000;

/** Nanoseconds a QoS 0 message costs, one to one, with so many subscriptions that do not match; in that order. */
export async function publishCosts(server, counts, rounds) {
  const costs = [];
  const channels = [];
  let made = 0;
  for (const count of counts) {
    while (made < count) {
      if (made % PER_CLIENT === 0 || channels.length === 0) {
        channels.push(await client(server, "tcp"));
      }
      const until = Math.min(count, made + PER_PACKET, (Math.floor(made / PER_CLIENT) + 1) * PER_CLIENT);
      const filters = [];
      // Half of them are found by a lookup, half by the tree.
      for (; made < until; made += 1) {
        filters.push(made % 2 === 0 ? `other/${made}/value` : `other/${made}/+`);
      }
      await subscribeAll(channels.at(-1), filters);
    }
    let best = 0;
    for (let round = 0; round < rounds; round += 1) {
      best = Math.max(best, (await rate0(server, "tcp", 1, 1)).perCore);
    }
    costs.push(1e9 / best);
  }
  for (const channel of channels) {
    channel.close();
  }
  return costs;
}

/** Milliseconds of the server's processor time from SUBSCRIBE with a wildcard to the last of so many retained messages. */
export async function wildcardOverRetained(server, count) {
  const publisher = await client(server, "tcp");
  const topic = (index) => `retained/${String(index % 100).padStart(3, "0")}/${String(index).padStart(7, "0")}`;
  const size = retained(topic(0)).length;
  for (let index = 0; index < count; ) {
    const batch = [];
    for (; batch.length < 500 && index < count; index += 1) {
      batch.push(retained(topic(index)));
    }
    await new Promise((resolve) => publisher.socket.write(Buffer.concat(batch), resolve));
  }
  // A message behind them has arrived when all of them have.
  await subscribeAll(publisher, ["end"]);
  const reader = await client(server, "tcp");
  const start = processorMs(server.pid);
  const all = bytes(reader, 5 + size * count);
  reader.send(subscribe(["retained/#"]));
  await all;
  const elapsed = processorMs(server.pid) - start;
  publisher.close();
  reader.close();
  return elapsed;
}
