import type { Attack } from "../attack.ts";
import { codeText } from "../cases.ts";
import { type Context, credentials } from "../context.ts";
import { connectPacket, type Peer } from "../peer.ts";
import type { Program } from "../program.ts";
import { sleep, within } from "../wait.ts";

/** As `tidewire passwd` makes them: about 80 ms of processor time each. */
const COST = { passwordCostLog2: 15 };
const ONE = { transports: ["tcp"], versions: [5], stores: ["memory"], access: [true] } as const;

export const passwords: readonly Attack[] = [
  {
    id: "54",
    title: "200 wrong passwords a second by clients that hang up",
    expected: "a first log-in from elsewhere gets in meanwhile",
    on: ONE,
    server: COST,
    // Each hash takes 32 MiB, two at a time.
    bounds: { p99Factor: 6, memoryMb: 200 },
    async run(t) {
      const flood = guess(t, 10_000);
      await sleep(2000);
      const peer = await t.peer();
      const from = performance.now();
      const connack = await peer.connect(credentials("alice"), 20_000);
      t.note(`let in after ${((performance.now() - from) / 1000).toFixed(1)} s`);
      t.check(connack?.reasonCode === 0, `a first log-in gets CONNACK ${codeText(connack?.reasonCode)}`);
      const again = await t.peer();
      const known = await again.connect(credentials("alice"), 5000);
      t.check(known?.reasonCode === 0, `one that was here before gets CONNACK ${codeText(known?.reasonCode)}`);
      await flood;
    },
  },
  {
    id: "54.2",
    title: "600 log-ins at once, of whom most give up",
    expected: "those who gave up are not hashed; whoever comes then gets in",
    on: ONE,
    server: COST,
    // Each hash takes 32 MiB, two at a time.
    bounds: { p99Factor: 6, memoryMb: 200 },
    async run(t) {
      const peers: Peer[] = [];
      for (let count = 0; count < 600; count += 1) {
        const peer = await t.peer({ localAddress: address(count) });
        peer.send(connectPacket({ clientId: `storm-${count}`, username: "bob", password: Buffer.from(`no ${count}`) }));
        peers.push(peer);
      }
      for (const peer of peers) {
        peer.destroy();
      }
      const before = (await t.program.read())?.processCpuMs ?? 0;
      const peer = await t.peer();
      const connack = await peer.connect(credentials("alice"), 20_000);
      const used = ((await t.program.read())?.processCpuMs ?? 0) - before;
      t.note(`let in after ${used.toFixed(0)} ms of processor time`);
      t.check(connack?.reasonCode === 0, `CONNACK ${codeText(connack?.reasonCode)}`);
      // 600 hashes would be about 50 s.
      t.check(used < 8000, "those who gave up were hashed first");
    },
  },
  {
    id: "54.3",
    title: "SIGTERM while 500 passwords wait to be checked",
    expected: "the program ends at once, in order",
    on: ONE,
    standsAlone: true,
    async run(t) {
      const { program } = await t.startServer(COST);
      for (let count = 0; count < 500; count += 1) {
        const peer = await t.peerAt(program, { localAddress: address(count) });
        peer.send(connectPacket({ clientId: `late-${count}`, username: "bob", password: Buffer.from(`no ${count}`) }));
      }
      program.kill("SIGTERM");
      const exit = await within(program.exited, 15_000, "not within 15 s");
      t.check(exit === "exit code 0", `it ended: ${exit}`);
    },
  },
];

/** Wrong passwords, a new connection each, which is left soon after. */
async function guess(t: Context, forMs: number): Promise<void> {
  const end = performance.now() + forMs;
  for (let count = 0; performance.now() < end && isRunning(t.program); count += 1) {
    void attempt(t, count);
    await sleep(5);
  }
}

async function attempt(t: Context, count: number): Promise<void> {
  try {
    const peer = await t.peer({ localAddress: "127.0.0.3" });
    const password = Buffer.from(`guess ${count}`);
    peer.send(connectPacket({ clientId: `guess-${count}`, username: "alice", password }));
    await sleep(100);
    peer.destroy();
  } catch {
    // Refused before CONNECT: that is an answer.
  }
}

function isRunning({ exit }: Program): boolean {
  return exit === undefined;
}

/** A few dozen of loopback's addresses. */
function address(count: number): string {
  return `127.0.1.${(count % 60) + 1}`;
}
