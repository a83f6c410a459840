// Complete exchanges through one pair of sessions in memory: client, writer, bytes, decoder, server, and back. As a
// measure of the machine, the rate at which the codec alone decodes the same PUBLISH. Targets, where that rate is 5 M:
// 1.5 M exchanges of QoS 0, 0.6 M of QoS 1 and 0.35 M of QoS 2.

import { createDecoder, createPacketWriter } from "@tidewire/codec";
import { createClientProtocol, createInflight, createServerProtocol } from "@tidewire/session";
import { median, row } from "./measure.js";

/** Messages between two flushes: one turn of a busy connection. */
const TURN = 128;
const topics = Array.from({ length: 16 }, (_, i) => `site/berlin/line-4/sensor-${10 + i}a`);
const payload = new Uint8Array(64).fill(0x61);

export function run() {
  const names = ["QoS 0", "QoS 1", "QoS 2"];
  const pairs = [0, 1, 2].map((qos) => new Pair(qos));
  const rates = perCpuSecond({
    codec: decodePublishes(),
    ...Object.fromEntries(pairs.map((pair, qos) => [names[qos], (count) => pair.exchange(count)])),
  });
  return [
    row("decode PUBLISH QoS 0", "packets per CPU second", rates.codec),
    ...names.map((name) =>
      row(`${name} exchange`, "exchanges per CPU second", rates[name], "decoded/s by the codec alone", rates.codec),
    ),
    ...pairs.map((pair, qos) => row(`${names[qos]} allocation`, "bytes/exchange", allocation(pair))),
  ];
}

/**
 * Operations per second of processor time, the median of rounds in which the contenders take turns: what one core does,
 * also on a machine that has other things to do. Whatever the engine does in threads of its own counts as well.
 */
function perCpuSecond(contenders) {
  const entries = Object.entries(contenders).map(([name, run]) => ({ name, run, rates: [] }));
  for (let round = 0; round < WARM_UP + ROUNDS; round += 1) {
    for (const { run, rates } of entries) {
      const before = process.cpuUsage();
      run(COUNT);
      const { user, system } = process.cpuUsage(before);
      if (round >= WARM_UP) {
        rates.push((COUNT / (user + system)) * 1e6);
      }
    }
  }
  return Object.fromEntries(entries.map(({ name, rates }) => [name, median(rates)]));
}

const WARM_UP = 3;
const ROUNDS = 9;
const COUNT = 100_000;

class Pair {
  #messages;
  #client;
  #toServer;
  #toClient;

  constructor(qos) {
    this.#messages = topics.map((topic) => ({ topic, payload, qos, retain: false, properties: undefined }));
    const [clientWriter, serverWriter] = [createPacketWriter(), createPacketWriter()];
    const nothing = () => {};
    const common = {
      onSubscribe: nothing,
      onUnsubscribe: nothing,
      onSettled: nothing,
      onSendQuota: nothing,
      onEnd: nothing,
    };
    const server = createServerProtocol({
      now: 0,
      writer: serverWriter,
      handler: {
        ...common,
        onConnect: () => server.accept({ inflight: createInflight(), sessionPresent: false, properties: undefined }, 0),
        onPublish: (packet) => {
          if (packet.qos > 0) {
            server.acknowledge(packet.packetId, 0, 0);
          }
        },
        onDisconnect: nothing,
      },
    });
    this.#client = createClientProtocol({
      inflight: createInflight(),
      writer: clientWriter,
      handler: {
        ...common,
        onConnack: nothing,
        onSuback: nothing,
        onUnsuback: nothing,
        onDisconnect: nothing,
        onPublish: nothing,
      },
      connect: {
        type: 1,
        version: 4,
        bridge: false,
        clientId: "bench",
        cleanStart: true,
        keepAlive: 60,
        will: undefined,
        username: undefined,
        password: undefined,
        properties: undefined,
      },
    });
    this.#toServer = carrier(clientWriter, createDecoder({ sender: "client" }), server);
    this.#toClient = carrier(serverWriter, createDecoder({ sender: "server" }), this.#client);
    this.#client.open(0);
    this.#settle();
  }

  exchange(count) {
    for (let done = 0; done < count; ) {
      const end = Math.min(count, done + TURN);
      for (; done < end; done += 1) {
        this.#client.publish(this.#messages[done & 15], done);
      }
      this.#settle();
    }
  }

  #settle() {
    while (this.#toServer() + this.#toClient() > 0) {}
  }
}

/** Carries what one side wrote to the other; returns how many packets that were. */
function carrier(writer, decoder, session) {
  return () => {
    const chunks = writer.take();
    for (const chunk of chunks) {
      decoder.push(chunk);
    }
    let count = 0;
    for (let packet = decoder.next(); packet !== null; packet = decoder.next()) {
      session.receive(packet, 0);
      count += 1;
    }
    return count;
  };
}

/** The bytes of one turn, decoded again and again. */
function decodePublishes() {
  const writer = createPacketWriter();
  for (let i = 0; i < TURN; i += 1) {
    writer.write({
      type: 3,
      topic: topics[i & 15],
      payload,
      qos: 0,
      retain: false,
      dup: false,
      packetId: 0,
      properties: undefined,
    });
  }
  const chunks = writer.take();
  const decoder = createDecoder();
  return (count) => {
    for (let done = 0; done < count; done += TURN) {
      for (const chunk of chunks) {
        decoder.push(chunk);
      }
      while (decoder.next() !== null) {}
    }
  };
}

/** Bytes of heap per exchange while no collection runs: packets, payload views, and what the bytes were written into. */
function allocation(pair) {
  const count = 5000;
  const rounds = Array.from({ length: 15 }, () => {
    const before = process.memoryUsage();
    pair.exchange(count);
    const after = process.memoryUsage();
    return (after.heapUsed - before.heapUsed) / count;
  });
  // A collection in between makes a round negative.
  return median(rounds.filter((bytes) => bytes > 0));
}
