// `pnpm bench transport`: Tidewire's transports against bare `net` and bare `ws`, both ends in this process, over
// loopback. Every contender sends the same buffers: a batch of 128 packets of 84 bytes, as a busy link's flush makes
// them, and blocks of 64 KiB. They take turns, and the median of the rounds counts. Seconds are seconds of processor
// time of this process, system calls included, so that other work on the machine disturbs the ratios little.

import { connect, createServer } from "node:net";
import { tcp, tcpListener } from "@tidewire/transport-tcp";
import { webSocket, webSocketListener } from "@tidewire/transport-websocket/node";
import { WebSocket, WebSocketServer } from "ws";
import { median, row } from "./measure.js";

const packetBytes = 84;
const packetsPerBatch = 128;
const batch = Buffer.alloc(packetBytes * packetsPerBatch, 0x30);
const block = Buffer.alloc(65_536, 0x30);
const highWaterMark = 131_072;
const roundMs = 250;
const rounds = 9;

/** @returns {Promise<import("./measure.js").Row[]>} */
export async function run() {
  const contenders = {
    net: await bareNet(),
    tcp: await tidewire(tcpListener({ host: "127.0.0.1" }), (url) => tcp({ host: "127.0.0.1", port: portOf(url) })),
    ws: await bareWs("client"),
    wsDown: await bareWs("server"),
    webSocket: await tidewire(webSocketListener({ host: "127.0.0.1", firstInputBytes: 16_777_216 }), (url) =>
      webSocket(url),
    ),
    webSocketDown: await tidewire(
      webSocketListener({ host: "127.0.0.1", firstInputBytes: 16_777_216 }),
      (url) => webSocket(url),
      "server",
    ),
  };
  const packets = await rates(contenders, batch);
  const blocks = await rates(contenders, block);
  for (const { close } of Object.values(contenders)) {
    close();
  }

  const perSecond = (name) => packets[name] / packetBytes;
  const megabytes = (name) => blocks[name] / 1e6;
  return [
    row("TCP, packets of 84 bytes", "packets/s", perSecond("tcp"), "bare net", perSecond("net")),
    row("TCP, 64 KiB blocks", "MB/s", megabytes("tcp"), "bare net", megabytes("net")),
    row("WebSocket to the server, packets", "packets/s", perSecond("webSocket"), "bare ws", perSecond("ws")),
    row("WebSocket to the server, blocks", "MB/s", megabytes("webSocket"), "bare ws", megabytes("ws")),
    row("WebSocket to the client, packets", "packets/s", perSecond("webSocketDown"), "bare ws", perSecond("wsDown")),
    row("WebSocket to the client, blocks", "MB/s", megabytes("webSocketDown"), "bare ws", megabytes("wsDown")),
    row("WebSocket to the server, packets", "packets/s", perSecond("webSocket"), "our TCP", perSecond("tcp")),
    row("WebSocket to the client, packets", "packets/s", perSecond("webSocketDown"), "our TCP", perSecond("tcp")),
  ];
}

/** Bytes per second of processor time of each contender. */
async function rates(contenders, buffer) {
  const entries = Object.entries(contenders).map(([name, contender]) => ({ name, contender, rates: [] }));
  for (const { contender } of entries) {
    await measure(contender, buffer);
  }
  for (let round = 0; round < rounds; round += 1) {
    for (const entry of entries) {
      entry.rates.push(await measure(entry.contender, buffer));
    }
  }
  return Object.fromEntries(entries.map(({ name, rates }) => [name, median(rates)]));
}

/** Keeps the contender busy for a while and counts what arrives. */
async function measure(contender, buffer) {
  const start = performance.now();
  const startBytes = contender.received();
  const startTime = process.cpuUsage();
  const end = start + roundMs;
  const pump = () => {
    if (performance.now() >= end) {
      return;
    }
    // A bounded number in a turn, so that the receiving end, which shares the thread, gets its turn too.
    for (let i = 0; i < 16; i += 1) {
      if (!contender.send(buffer)) {
        return;
      }
    }
    setImmediate(pump);
  };
  contender.onDrain(pump);
  pump();
  await new Promise((resolve) => setTimeout(resolve, roundMs));
  // What is still on its way belongs to this round.
  await new Promise((resolve) => setTimeout(resolve, 30));
  const { user, system } = process.cpuUsage(startTime);
  return ((contender.received() - startBytes) * 1e6) / (user + system);
}

async function bareNet() {
  let received = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on("data", (chunk) => {
      received += chunk.length;
    });
  });
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const socket = connect({
    port: server.address().port,
    host: "127.0.0.1",
    noDelay: true,
    writableHighWaterMark: highWaterMark,
  });
  await new Promise((resolve) => socket.on("connect", resolve));
  let drain = () => {};
  socket.on("drain", () => drain());
  return {
    received: () => received,
    send: (buffer) => socket.write(buffer),
    onDrain: (callback) => {
      drain = callback;
    },
    close: () => {
      socket.destroy();
      server.close();
    },
  };
}

/** @param {"client" | "server"} sender */
async function bareWs(sender) {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", perMessageDeflate: false });
  await new Promise((resolve) => server.on("listening", resolve));
  const accepted = new Promise((resolve) => server.on("connection", resolve));
  const client = new WebSocket(`ws://127.0.0.1:${server.address().port}`, { perMessageDeflate: false });
  await new Promise((resolve) => client.on("open", resolve));
  const ends = { client, server: await accepted };
  const from = ends[sender];
  let received = 0;
  (sender === "client" ? ends.server : client).on("message", (data) => {
    received += data.length;
  });
  let stopped = false;
  let drain = () => {};
  const sent = () => {
    if (!stopped || from.bufferedAmount > 0) {
      return;
    }
    stopped = false;
    drain();
  };
  return {
    received: () => received,
    send: (buffer) => {
      from.send(buffer, sent);
      stopped = from.bufferedAmount >= highWaterMark;
      return !stopped;
    },
    onDrain: (callback) => {
      drain = callback;
    },
    close: () => {
      client.terminate();
      server.close();
    },
  };
}

/** @param {"client" | "server"} sender */
async function tidewire(listen, dial, sender = "client") {
  let resolveAccepted;
  const accepted = new Promise((resolve) => {
    resolveAccepted = resolve;
  });
  const listener = await listen(resolveAccepted);
  const client = await dial(listener.addresses[0])();
  const ends = { client, server: await accepted };
  const from = ends[sender];
  const to = sender === "client" ? ends.server : client;
  let received = 0;
  let drain = () => {};
  const ignore = () => {};
  from.start({ onData: ignore, onDrain: () => drain(), onClose: ignore });
  to.start({
    onData: (chunk) => {
      received += chunk.length;
    },
    onDrain: ignore,
    onClose: ignore,
  });
  return {
    received: () => received,
    send: (buffer) => from.send([buffer]),
    onDrain: (callback) => {
      drain = callback;
    },
    close: () => {
      client.abort();
      void listener.close();
    },
  };
}

function portOf(url) {
  return Number(new URL(url).port);
}
