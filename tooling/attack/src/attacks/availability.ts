import { execFileSync } from "node:child_process";
import { PacketType } from "@tidewire/codec";
import { KEEP_ALIVE_TIMEOUT } from "@tidewire/codec/codes";
import { type Attack, MANY } from "../attack.ts";
import { bytes, connect, hex, publish } from "../bytes.ts";
import { codeText } from "../cases.ts";
import { ONE_TRANSPORT, V5, WEBSOCKET } from "../variant.ts";
import { sleep, until } from "../wait.ts";
import { upgradeRequest } from "../websocket-frames.ts";
import { lasting } from "./access.ts";

/** Somebody else on the network, as far as loopback can show it. */
const STRANGER = "127.0.0.2";

export const availability: readonly Attack[] = [
  {
    id: "48",
    title: "a byte a second, in TLS, HTTP and CONNECT",
    expected: "ended by the time limit for the handshake, however many bytes come",
    on: { versions: [5] },
    async run(t) {
      const beginnings = {
        tcp: connect({ clientId: "x".repeat(60) }),
        tls: Buffer.concat([hex("16 03 01 01 00 01 00 00 fc 03 03"), Buffer.alloc(60)]),
        ws: Buffer.from(upgradeRequest("/mqtt")),
        wss: Buffer.concat([hex("16 03 01 01 00 01 00 00 fc 03 03"), Buffer.alloc(60)]),
      };
      const beginning = beginnings[t.variant.transport];
      const sockets = await Promise.all(Array.from({ length: 30 }, () => t.bareSocket()));
      let sent = 0;
      const ended = await until(async () => {
        for (const socket of sockets) {
          socket.write(beginning.subarray(sent, sent + 1));
        }
        sent += 1;
        await sleep(1000);
        return sockets.every(({ destroyed }) => destroyed);
      }, 22_000);
      t.check(ended, `${sockets.filter(({ destroyed }) => !destroyed).length} of 30 stay open`);
      t.note(`ended after ${sent} s`);
    },
  },
  {
    id: "48.2",
    title: "keep-alive 65,535 and 0, to hold connections for nothing",
    expected: "MQTT 5 clients are told a shorter one",
    cheap: true,
    on: V5,
    async run(t) {
      for (const keepAlive of [0, 65_535]) {
        const peer = await t.peer();
        const connack = await t.connect(peer, { keepAlive });
        const granted = connack?.properties?.serverKeepAlive ?? keepAlive;
        t.check(granted > 0 && granted <= 3600, `keep-alive ${keepAlive}: ${granted} s granted`);
      }
    },
  },
  {
    id: "48.3",
    title: "a client that goes silent",
    expected: "ended after one and a half times its keep-alive, 0x8D, and logged",
    async run(t) {
      const clientId = t.clientId();
      const peer = await t.client({ clientId, keepAlive: 1 });
      const { closed, reasonCode } = await peer.ending(8000);
      t.check(closed, "the connection stays open");
      t.check(t.variant.version === 4 || reasonCode === KEEP_ALIVE_TIMEOUT, `DISCONNECT ${codeText(reasonCode)}`);
      await t.logs(new RegExp(`"${clientId}"`), "that its keep-alive is over");
    },
  },
  {
    id: "49",
    title: "3,000 connections that come and go without a word",
    expected: "others are served meanwhile",
    on: { versions: [5] },
    bounds: MANY,
    async run(t) {
      for (let round = 0; round < 60; round += 1) {
        const options = t.variant.transport === "tcp" ? STRANGER : undefined;
        const sockets = await Promise.all(Array.from({ length: 50 }, () => t.bareSocket(t.variant.transport, options)));
        for (const socket of sockets) {
          round % 2 === 0 ? socket.destroy() : socket.resetAndDestroy();
        }
      }
      const lines = t.log.filter(({ level }) => level >= 30).length;
      t.check(lines < 200, `${lines} lines in the log`);
    },
  },
  {
    id: "49.2",
    title: "one address holds silent connections up to the limit of all",
    expected: "somebody else gets in",
    on: { versions: [5], stores: ["memory"] },
    server: { arguments: ["--max-connections", "200"] },
    async run(t) {
      await Promise.all(Array.from({ length: 220 }, () => t.bareSocket(t.variant.transport, STRANGER)));
      await sleep(300);
      const peer = await t.peer();
      const connack = await t.connect(peer, {}, "mallory");
      t.check(connack?.reasonCode === 0, `CONNACK ${codeText(connack?.reasonCode)}`);
      t.check(await peer.isServed(), "not served");
    },
  },
  {
    id: "49.3",
    title: "one address holds 2,500 handshakes half-way",
    expected: "somebody else gets in",
    on: { versions: [5], stores: ["memory"], transports: ["wss", "ws", "tls"] },
    server: {},
    bounds: { ...MANY, memoryMb: 200, p99Factor: 4 },
    async run(t) {
      for (let count = 0; count < 2500; count += 100) {
        const sockets = await Promise.all(
          Array.from({ length: 100 }, () => t.bareSocket(t.variant.transport, STRANGER)),
        );
        for (const socket of sockets) {
          socket.write(t.variant.transport === "ws" ? "GET /mqtt HTTP/1.1\r\n" : hex("16 03 01 01 00 01"));
        }
      }
      const peer = await t.peer();
      const connack = await t.connect(peer);
      t.check(connack?.reasonCode === 0, `CONNACK ${codeText(connack?.reasonCode)}`);
    },
  },
  {
    id: "49.4",
    title: "clients that all leave at the limit and come back at once",
    expected: "all of them get in",
    on: { ...ONE_TRANSPORT, stores: ["memory"] },
    server: { arguments: ["--max-connections", "60"] },
    async run(t) {
      // The canaries have four.
      const first = await Promise.all(Array.from({ length: 56 }, () => t.client()));
      for (const peer of first) {
        peer.destroy();
      }
      const answers = await Promise.all(
        Array.from({ length: 56 }, async () => {
          try {
            return (await t.connect(await t.peer()))?.reasonCode;
          } catch {
            return undefined;
          }
        }),
      );
      const refused = answers.filter((code) => code !== 0);
      t.check(refused.length === 0, `${refused.length} of 56 were refused: ${[...new Set(refused)].map(codeText)}`);
    },
  },
  {
    id: "50",
    title: "a subscriber that never reads, and 80 MB for it",
    expected: "its queue is bounded; others are served",
    on: { transports: ["tcp", "wss"] },
    bounds: { memoryMb: 120, p99Factor: 4 },
    async run(t) {
      const clientId = t.clientId();
      const deaf = await t.client({ clientId, cleanStart: false, properties: lasting(t) }, { acknowledges: false });
      await deaf.subscribe("own/mallory/#", 1);
      deaf.channel.socket.pause();
      const publisher = await t.client();
      const payload = "x".repeat(1000);
      for (let count = 0; count < 80_000 && !publisher.closed; count += 1) {
        const qos = count % 4 === 0 ? 1 : 0;
        publisher.publish("own/mallory/x", payload, { qos });
        if (count % 200 === 199) {
          await publisher.channel.drained();
          t.check(await publisher.isServed(30_000), "the publisher is not served any more");
          publisher.received.length = 0;
        }
      }
    },
  },
  {
    id: "51",
    title: "a publisher as fast as the line",
    expected: "read as fast as is good for all",
    on: { transports: ["tcp", "ws"] },
    bounds: { p99Factor: 6, memoryMb: 150 },
    async run(t) {
      const publisher = await t.client();
      const message = publish(t.variant.version, "own/mallory/x", "x".repeat(60));
      const many = Buffer.concat(Array<Buffer>(500).fill(message));
      const end = performance.now() + 2000;
      while (performance.now() < end && !publisher.closed) {
        publisher.channel.send(many);
        await publisher.channel.drained();
        await sleep(0);
      }
      t.check(await publisher.isServed(30_000), "the publisher is not served any more");
    },
  },
  {
    id: "52",
    title: "a forged X-Forwarded-For, and PROXY headers from anybody",
    expected: "not believed",
    cheap: true,
    on: WEBSOCKET,
    async run(t) {
      const request = upgradeRequest("/mqtt", { "X-Forwarded-For": "203.0.113.66", Forwarded: "for=203.0.113.66" });
      const clientId = t.clientId();
      const peer = await t.client({ clientId }, { request });
      peer.channel.send(hex("30 80 80 80 80"));
      await peer.ending(5000);
      await t.logs(new RegExp(clientId), "that it was thrown out");
      t.check(!t.log.some(({ text }) => text.includes("203.0.113.66")), "the forged address is in the log");
      const headers = {
        "version 1": Buffer.from("PROXY TCP4 203.0.113.66 127.0.0.1 1 1883\r\n"),
        "version 2": Buffer.concat([hex("0d0a0d0a000d0a515549540a 21 11 000c"), hex("cb007142 7f000001 0001 075b")]),
        "version 2 with a bad TLV": Buffer.concat([
          hex("0d0a0d0a000d0a515549540a 21 11 0010"),
          hex("cb007142 7f000001 0001 075b 01ffff00"),
        ]),
      };
      for (const [name, header] of Object.entries(headers)) {
        const socket = await t.bareSocket("tcp");
        socket.write(Buffer.concat([header, connect({ clientId })]));
        t.check(await until(() => socket.destroyed, 13_000), `PROXY ${name}: the connection stays open`);
      }
    },
  },
  {
    id: "53",
    title: "200 sessions of one user that are away, and 10,000 messages for each, in 128 MB",
    expected: "the process goes on, and others are served",
    on: { ...ONE_TRANSPORT, versions: [5], stores: ["memory", "lmdb"] },
    server: { nodeArguments: ["--max-old-space-size=128"] },
    bounds: { memoryMb: 350, p99Factor: 20 },
    async run(t) {
      for (let count = 0; count < 200; count += 1) {
        const peer = await t.peer();
        const clientId = `away-${count}`;
        const connack = await t.connect(peer, { clientId, cleanStart: false, properties: lasting(t) });
        if (connack?.reasonCode !== 0) {
          t.note(`session ${count} refused with ${codeText(connack?.reasonCode)}`);
          break;
        }
        await peer.subscribe("own/mallory/#", 1);
        peer.destroy();
      }
      const publisher = await t.client();
      const codes = new Set<number>();
      for (let count = 0; count < 10_000 && !publisher.closed; count += 1) {
        publisher.publish("own/mallory/x", "x", { qos: 1 });
        if (count % 100 === 99) {
          t.check(await publisher.isServed(60_000), "the publisher is not served any more");
          for (const packet of publisher.received.splice(0)) {
            if (packet.type === PacketType.PUBACK) {
              codes.add(packet.reasonCode);
            }
          }
        }
      }
      t.note(`PUBACK ${[...codes].map(codeText).join(", ")}`);
      t.check(t.program.exit === undefined, `the process ended: ${t.program.exit}`);
    },
  },
  {
    id: "53.2",
    title: "no file descriptors left",
    expected: "clients that are there are served; new ones get in when there are some again",
    on: { ...ONE_TRANSPORT, versions: [5] },
    server: {},
    bounds: { cpuMs: 3000 },
    async run(t) {
      const limit = t.program.openFiles() + 20;
      execFileSync("prlimit", ["--pid", String(t.program.pid), `--nofile=${limit}:${limit}`]);
      const sockets = await Promise.all(Array.from({ length: 60 }, () => t.bareSocket("tcp", STRANGER)));
      await sleep(2000);
      for (const socket of sockets) {
        socket.destroy();
      }
      await sleep(200);
      const peer = await t.peer();
      t.check((await t.connect(peer))?.reasonCode === 0, "nobody gets in any more");
    },
  },
  {
    id: "53.3",
    title: "400 packets of a megabyte, never finished, before CONNECT",
    expected: "at most 64 KiB held for each connection",
    on: { transports: ["tcp", "tls", "wss"], versions: [5] },
    bounds: { ...MANY, memoryMb: 100, p99Factor: 6 },
    async run(t) {
      const begun = Buffer.concat([bytes(0x10), hex("80 80 3c"), connect().subarray(2, 12), Buffer.alloc(900_000, 1)]);
      for (let count = 0; count < 400; count += 50) {
        const peers = await Promise.all(Array.from({ length: 50 }, () => t.peer()));
        for (const peer of peers) {
          peer.channel.send(begun);
        }
        await sleep(100);
      }
      await sleep(500);
    },
  },
  {
    id: "53.4",
    title: "150 clients with a packet of a megabyte each, never finished, in 128 MB",
    expected: "the process goes on, and others are served",
    on: { transports: ["tcp", "ws"], versions: [5] },
    server: { nodeArguments: ["--max-old-space-size=128"] },
    bounds: { ...MANY, memoryMb: 250, p99Factor: 6 },
    async run(t) {
      const begun = Buffer.concat([hex("30 80 80 3c"), Buffer.alloc(900_000, 1)]);
      for (let count = 0; count < 150; count += 30) {
        const peers = await Promise.all(Array.from({ length: 30 }, () => t.peer()));
        await Promise.all(peers.map((peer) => t.connect(peer, { clientId: t.clientId() })));
        for (const peer of peers) {
          peer.channel.send(begun);
        }
        await sleep(200);
      }
      await sleep(500);
      t.check(t.program.exit === undefined, `the process ended: ${t.program.exit}`);
    },
  },
];
