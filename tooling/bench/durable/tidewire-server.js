// The broker with its durable store, queues as long as the benchmark makes them, and a window for messages in flight
// like the one the others are given.
// node tidewire-server.js PORT DIRECTORY FSYNC

import { createBroker } from "@tidewire/broker";
import { lmdbStore } from "@tidewire/store-lmdb";
import { tcpListener } from "@tidewire/transport-tcp";

const [port, directory, fsync] = process.argv.slice(2);
const limits = {
  inflight: 10_000,
  queueCount: 10_000_000,
  queueBytes: 10 * 1024 ** 3,
  retainedCount: 10_000_000,
  retainedBytes: 10 * 1024 ** 3,
};
const broker = createBroker({ store: lmdbStore({ directory, fsync }), limits });
await broker.start();
await broker.listen(tcpListener({ host: "127.0.0.1", port: Number(port) }));
