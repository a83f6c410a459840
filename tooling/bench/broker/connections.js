// What connections cost: to make one, and to keep one.

import { client, pause, subscriber } from "./client.js";
import { processorMs, residentBytes } from "./servers.js";

const CONNECTIONS = 5000;
const AT_A_TIME = 50;
const MEASURE_MS = 1500;

/** Connections made, accepted and closed again, per second of the server's processor time. */
export async function connectRate(server, transport) {
  let count = 0;
  const cpuStart = processorMs(server.pid);
  const end = performance.now() + MEASURE_MS;
  await together(AT_A_TIME, async () => {
    while (performance.now() < end) {
      const channel = await client(server, transport);
      channel.close();
      count += 1;
    }
  });
  return (count / (processorMs(server.pid) - cpuStart)) * 1000;
}

/** Resident bytes of the server for each idle connection with one subscription. */
export async function idleBytes(server, transport) {
  // What the first connections bring with them (code, buffers) is not theirs alone.
  const channels = [];
  const open = (count) =>
    together(AT_A_TIME, async () => {
      while (channels.length < count) {
        const index = channels.push(undefined) - 1;
        channels[index] = await subscriber(server, transport, [`idle/${index}/+`]);
      }
    });
  await open(500);
  await pause(1500);
  const before = residentBytes(server.pid);
  await open(500 + CONNECTIONS);
  await pause(1500);
  const bytes = (residentBytes(server.pid) - before) / CONNECTIONS;
  for (const channel of channels) {
    channel.close();
  }
  await pause(500);
  return bytes;
}

function together(count, work) {
  return Promise.all(Array.from({ length: count }, work));
}
