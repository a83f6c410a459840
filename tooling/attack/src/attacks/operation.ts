import type { Attack } from "../attack.ts";
import { hex } from "../bytes.ts";
import { each } from "../cases.ts";
import { credentials } from "../context.ts";
import { ONE_TRANSPORT } from "../variant.ts";
import { sleep, until } from "../wait.ts";

/** What has no number of its own: the log, signals, and probes of load balancers. */
export const operation: readonly Attack[] = [
  {
    id: "A1",
    title: "nobody reads the log",
    expected: "clients are served as before",
    on: { ...ONE_TRANSPORT, versions: [5], access: [true] },
    server: {},
    async run(t) {
      t.program.holdLog();
      const attempts = Object.fromEntries(Array.from({ length: 1500 }, (_, index) => [`${index}`, index]));
      await each(
        attempts,
        async (index) => {
          // Somebody else: whoever guesses so often is not let in any more.
          const peer = await t.peer({ localAddress: "127.0.0.2" });
          const clientId = `${"c".repeat(400)}${index}`;
          await peer.connect({ clientId, username: "u".repeat(200), password: Buffer.from("x") }, 5000);
          peer.destroy();
        },
        8,
      );
      const peer = await t.peer();
      t.check((await peer.connect(credentials("alice"), 5000))?.reasonCode === 0, "a new client does not get in");
      t.check(await peer.isServed(5000), "a client is not served");
      t.program.releaseLog();
    },
  },
  {
    id: "A2",
    title: "values of 60 kB, and hundreds of refusals, for the log",
    expected: "values cut, lines left out and counted",
    cheap: true,
    on: { access: [true] },
    async run(t) {
      const long = await t.peer();
      await long.connect({ clientId: "x", username: "u".repeat(60_000), password: Buffer.from("p") });
      const cases = Object.fromEntries(Array.from({ length: 300 }, (_, index) => [`${index}`, index]));
      await each(cases, async () => {
        const peer = await t.client({ clientId: t.clientId() });
        peer.channel.send(hex("30 80 80 80 80"));
        await peer.ending(5000);
      });
      await sleep(200);
      const lines = t.log.filter(({ level }) => level >= 30);
      const longest = Math.max(0, ...lines.map(({ text }) => text.length));
      t.note(`${lines.length} lines, the longest ${longest} characters`);
      t.check(longest < 4000, `a line of ${longest} characters`);
      t.check(lines.length < 200, `${lines.length} lines for 301 clients`);
      await t.logs(/hostile-/, "why a client was thrown out");
    },
  },
  {
    id: "A3",
    title: "a broker that was stopped for longer than keep-alive",
    expected: "clients whose PINGREQ lay there are not thrown out",
    on: { transports: ["tcp", "wss"] },
    bounds: { p99Factor: 1000 },
    async run(t) {
      const peers = await Promise.all(Array.from({ length: 20 }, () => t.client({ keepAlive: 2 })));
      t.program.kill("SIGSTOP");
      const end = performance.now() + 5000;
      while (performance.now() < end) {
        for (const peer of peers) {
          peer.channel.send(hex("c0 00"));
        }
        await sleep(1000);
      }
      t.program.kill("SIGCONT");
      const served = await Promise.all(peers.map((peer) => peer.isServed()));
      t.check(served.every(Boolean), `${served.filter((is) => !is).length} of 20 were thrown out`);
    },
  },
  {
    id: "A4",
    title: "probes of a load balancer: connect, and leave",
    expected: "counted, not a line each",
    cheap: true,
    on: { transports: ["tls", "wss", "ws", "tcp"], versions: [5] },
    async run(t) {
      for (let count = 0; count < 20; count += 1) {
        const socket = await t.bareSocket();
        socket.end();
        await until(() => socket.destroyed, 3000);
      }
      await sleep(100);
      const lines = t.log.filter(({ level }) => level >= 30).length;
      t.check(lines <= 2, `${lines} lines for 20 probes`);
    },
  },
  {
    id: "A5",
    title: "secrets that every user of the machine may read",
    expected: "warned of at the start",
    cheap: true,
    on: { transports: ["tcp"], versions: [5], access: [true], stores: ["memory"] },
    async run(t) {
      const warned = (file: RegExp) => t.program.log.some(({ level, text }) => level === 40 && file.test(text));
      t.check(warned(/key\.pem.*read by every user/), "the TLS key is not warned of");
      t.check(warned(/users.*read by every user/), "the users file is not warned of");
    },
  },
];
