import { PacketType } from "@tidewire/codec";
import { MANY } from "../attack.ts";
import { Channel } from "../channel.ts";
import { Peer } from "../peer.ts";
import { environmentOf } from "../plan.ts";
import { seededRandom } from "../random.ts";
import { Stage } from "../stage.ts";
import type { Variant } from "../variant.ts";
import { type Judgement, judge } from "../verdict.ts";
import { sleep, until } from "../wait.ts";
import { life } from "./traffic.ts";

/*
 * Sessions that do nearly what they should, many at once and their packets interleaved, over all transports, with users
 * and rules and without, on both stores.
 */

export interface Round extends Judgement {
  readonly seed: number;
  readonly environment: string;
  readonly lives: number;
  readonly bytes: number;
}

const ROUND_MS = 20_000;
const AT_ONCE = 12;
const LEAVING_MS = 15_000;
/** Mutated traffic makes connections come and go all the time, and its own load. */
const BOUNDS = { ...MANY, memoryMb: 200, p99Factor: 10 };
const ENVIRONMENTS: readonly Pick<Variant, "access" | "store">[] = [
  { access: true, store: "lmdb" },
  { access: true, store: "memory" },
  { access: false, store: "lmdb" },
  { access: false, store: "memory" },
];
/** What only alice may read, and writes all the time. */
const SECRET = "private/secret";

/** Rounds of 20 s, each with a seed of its own, until the time is over; stops at the first that fails. */
export async function fuzz(
  minutes: number,
  seed: number,
  script: string | undefined,
  onRound: (round: Round) => void,
): Promise<boolean> {
  const end = performance.now() + minutes * 60_000;
  for (let number = seed; number === seed || performance.now() < end; number += 1) {
    const round = await play(number, script, Math.min(ROUND_MS, minutes * 60_000));
    onRound(round);
    if (round.verdict !== "held") {
      return false;
    }
  }
  return true;
}

async function play(seed: number, script: string | undefined, forMs: number): Promise<Round> {
  const environment = ENVIRONMENTS[seed % ENVIRONMENTS.length]!;
  const stage = await Stage.open({ ...environment, transport: "tcp", version: 5 }, script);
  const { program } = stage.server;
  const openBefore = program.openFiles();
  await program.begin();
  await stage.canaries.begin();
  const findings = new Set<string>();
  const totals = { lives: 0, bytes: 0 };
  const end = performance.now() + forMs;
  const alice = environment.access ? keepSecret(stage, end) : undefined;
  const actors = Array.from({ length: AT_ONCE }, async (_, actor) => {
    for (let count = 0; performance.now() < end && program.exit === undefined; count += 1) {
      const random = seededRandom(seed * 1_000_003 + actor * 10_007 + count);
      totals.lives += 1;
      const sent = await live(stage, random, environment.access, findings);
      totals.bytes += sent;
    }
  });
  await Promise.all([...actors, alice]);
  const reading = await program.read();
  const during = await stage.canaries.report();
  const isGone = await until(() => program.exit !== undefined || program.openFiles() <= openBefore, LEAVING_MS);
  const errors = program.log.filter(({ level }) => level >= 50 || level === 0);
  const failures = [...findings, ...errors.slice(0, 3).map(({ text }) => `in the log: ${text.slice(0, 400)}`)];
  const seen = {
    failures,
    unlogged: [],
    exit: program.exit === undefined ? undefined : `${program.exit}: ${program.lastWords()}`,
    reading,
    canaries: during && { before: stage.quiet, during },
    leftOpen: isGone ? 0 : program.openFiles() - openBefore,
  };
  const stopped = await stage.close();
  if (program.exit !== "exit code 0" || !stopped.inTime) {
    const made = stopped.inTime ? "" : ", and had to be killed";
    failures.push(`on SIGTERM it ended with ${stopped.exit}${made}: ${program.lastWords()}`);
  }
  return { ...judge(seen, BOUNDS), seed, environment: environmentOf({ ...VARIANT, ...environment }), ...totals };
}

const VARIANT: Variant = { transport: "tcp", version: 5, access: true, store: "memory" };

/** One connection from CONNECT to its end; returns how many bytes it sent. */
async function live(stage: Stage, random: () => number, access: boolean, findings: Set<string>): Promise<number> {
  const { transport, version, pieces, isReadable } = life(random);
  let sent = 0;
  try {
    const channel = await Channel.open(stage.server.program, transport);
    const peer = new Peer(channel, { version, acknowledges: random() < 0.7 });
    for (const piece of pieces) {
      if (channel.isEnded) {
        break;
      }
      channel.send(piece);
      sent += piece.length;
      await sleep(random() < 0.3 ? 1 : 0);
    }
    await sleep(5);
    if (isReadable && peer.isBroken) {
      findings.add("the broker sent what no server may send");
    }
    const secrets = peer.received.some((packet) => packet.type === PacketType.PUBLISH && packet.topic === SECRET);
    if (access && secrets) {
      findings.add("a message came to one who may not read it");
    }
    channel.destroy();
  } catch {
    // Refused: the canaries tell whether others are.
  }
  return sent;
}

/** Retained and live messages that nobody else may get, for as long as the round takes. */
async function keepSecret(stage: Stage, end: number): Promise<void> {
  const alice = await Peer.open(stage.server.program, { transport: "tcp", version: 5 });
  await alice.connect({ username: "alice", password: Buffer.from("alice-password") });
  for (let retain = true; performance.now() < end && !alice.closed; retain = !retain) {
    alice.publish(SECRET, "secret", { qos: 1, retain });
    alice.received.length = 0;
    await sleep(20);
  }
  alice.destroy();
}
