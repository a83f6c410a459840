// Clients of the load generator: connected, subscribed, and from then on handed their raw bytes.

import { open } from "./channel.js";
import { connect, subscribe } from "./wire.js";

let ids = 0;

function nextId() {
  ids += 1;
  return `bench${process.pid}x${ids}`;
}

/** Connects with CONNECT and waits for CONNACK. */
export async function client(server, transport, { clientId = nextId(), ...options } = {}) {
  const channel = await open(server, transport);
  const connack = bytes(channel, 4);
  channel.send(connect(clientId, options));
  await connack;
  return channel;
}

export async function subscriber(server, transport, filters, qos = 0) {
  const channel = await client(server, transport);
  await subscribeAll(channel, filters, qos);
  return channel;
}

export async function subscribeAll(channel, filters, qos = 0) {
  const suback = bytes(channel, 4 + filters.length + (filters.length > 124 ? 1 : 0));
  channel.send(subscribe(filters, qos));
  await suback;
}

/** Resolves when so many bytes have come. */
export function bytes(channel, count) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`waited for ${count} more bytes`)), 30_000);
    channel.onData = (chunk) => {
      count -= chunk.length;
      if (count <= 0) {
        clearTimeout(timer);
        channel.onData = () => {};
        resolve();
      }
    };
  });
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
