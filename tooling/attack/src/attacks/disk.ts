import { execFileSync } from "node:child_process";
import {
  closeSync,
  cpSync,
  existsSync,
  openSync,
  readdirSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { PacketType } from "@tidewire/codec";
import type { Attack } from "../attack.ts";
import type { Context } from "../context.ts";
import { type Program, runProgram } from "../program.ts";
import { sleep, until } from "../wait.ts";

const ALONE = { transports: ["tcp"], versions: [5, 4], stores: ["lmdb"], access: [false] } as const;
const FILE = "data.mdb";

/** Damaged files, and a disk without room. */
export const disk: readonly Attack[] = [
  {
    id: "53.5",
    title: "damaged data: short, zeroed, junk, empty, gone",
    expected: "one message with a remedy, exit code 2; never a crash, never silently empty",
    on: { ...ALONE, versions: [5] },
    standsAlone: true,
    async run(t) {
      const good = t.directory();
      const first = await t.serve(["--listen", "tcp://127.0.0.1:0", "--store", good]);
      await fill(t, first);
      first.kill("SIGTERM");
      await first.exited;
      for (const [name, damage] of Object.entries(DAMAGES)) {
        const directory = join(t.directory(), "data");
        cpSync(good, directory, { recursive: true });
        damage(join(directory, FILE));
        await startsOrExplains(t, name, directory);
      }
    },
  },
  {
    id: "53.6",
    title: "a disk that is as small as the reserve, and one that fills up",
    expected: "0x97, one line when it begins and one when it ends; clients are served",
    on: { ...ALONE, versions: [5] },
    standsAlone: true,
    async run(t) {
      const disk = t.directory();
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", "size=48m", "tmpfs", disk], { stdio: "ignore" });
      } catch {
        t.note("not run: no file system may be mounted here");
        return;
      }
      try {
        await fillDisk(t, disk);
      } finally {
        execFileSync("umount", ["-l", disk]);
      }
    },
  },
];

const DAMAGES: Readonly<Record<string, (file: string) => void>> = {
  "100 bytes": (file) => truncateSync(file, 100),
  "one page": (file) => truncateSync(file, 4096),
  "half of it": (file) => truncateSync(file, Math.floor(statSync(file).size / 2)),
  "a zeroed page": (file) => overwrite(file, 4096 * 3, Buffer.alloc(4096)),
  "both first pages zeroed": (file) => overwrite(file, 0, Buffer.alloc(8192)),
  junk: (file) => writeFileSync(file, Buffer.alloc(200_000, "junk")),
  "junk in the middle": (file) => overwrite(file, 4096 * 2, Buffer.alloc(8192, 0xa5)),
  empty: (file) => truncateSync(file, 0),
  gone: (file) => rmSync(file),
};

function overwrite(file: string, position: number, bytes: Uint8Array): void {
  const descriptor = openSync(file, "r+");
  writeSync(descriptor, bytes, 0, bytes.length, position);
  closeSync(descriptor);
}

/** A session with messages that wait, and retained ones. */
async function fill(t: Context, program: Program): Promise<void> {
  const away = await t.peerAt(program);
  await away.connect({ clientId: "away", cleanStart: false, properties: staying(t) });
  await away.subscribe("kept/#", 1);
  away.destroy();
  const publisher = await t.peerAt(program);
  await publisher.connect();
  for (let index = 0; index < 200; index += 1) {
    publisher.publish(`kept/${index}`, "x".repeat(200), { qos: 1, retain: true });
  }
  t.check(await publisher.isServed(), "the store could not be filled");
  publisher.destroy();
}

/** Serves with everything that was there, or says what is wrong and ends with exit code 2. */
async function startsOrExplains(t: Context, name: string, directory: string): Promise<void> {
  const { script } = t.server;
  const checked = await runProgram(["check-store", directory], { script });
  t.check(/^exit code [012]$/.test(checked.exit), `${name}: check-store ended with ${checked.exit}`);
  try {
    const program = await t.serve(["--listen", "tcp://127.0.0.1:0", "--store", directory]);
    const reader = await t.peerAt(program);
    await reader.connect();
    await reader.subscribe("kept/#", 0);
    await reader.isServed();
    t.check(reader.publishesReceived === 200, `${name}: it starts with ${reader.publishesReceived} of 200 messages`);
    t.check(program.exit === undefined, `${name}: it started, and ended with ${program.exit}`);
    program.kill("SIGKILL");
    await program.exited;
  } catch (error) {
    const { message } = error as Error;
    t.check(message.includes("exit code 2"), `${name}: ${message.slice(0, 300)}`);
    t.check(/backup|repair|--store/.test(message), `${name}: no remedy in "${message.slice(0, 300)}"`);
    t.check(!/\n\s+at /.test(message), `${name}: a stack trace in place of a message`);
  }
}

async function fillDisk(t: Context, disk: string): Promise<void> {
  const program = await t.serve(["--listen", "tcp://127.0.0.1:0", "--store", join(disk, "data")]);
  const peer = await t.peerAt(program);
  await peer.connect({ clientId: "filler", cleanStart: false, properties: staying(t) });
  await peer.subscribe("full/#", 1);
  const codeOf = async () => {
    peer.publish("full/x", "x".repeat(1000), { qos: 1 });
    return (await peer.next(PacketType.PUBACK, 5000))?.reasonCode;
  };
  t.check((await codeOf()) === 0, "refused while there is room");
  const ballast = join(disk, "ballast");
  writeFileSync(ballast, Buffer.alloc(20 * 1024 * 1024));
  t.check(await until(async () => (await codeOf()) === 0x97, 15_000), "never refused with 0x97");
  for (let count = 0; count < 200; count += 1) {
    await codeOf();
  }
  const lines = program.log.filter(({ level, text }) => level >= 40 || level === 0 || /disk|space|reserve/.test(text));
  t.check(lines.length > 0 && lines.length < 6, `${lines.length} lines in the log while it is full`);
  t.check(await peer.isServed(), "its client is not served");
  rmSync(ballast);
  t.check(await until(async () => (await codeOf()) === 0, 15_000), "refused when there is room again");
  t.check(await until(() => program.log.length > lines.length, 5000), "not logged that there is room again");
  t.check(program.exit === undefined, `the process ended: ${program.exit}`);
  program.kill("SIGKILL");
  await program.exited;
  // From the start with less than the reserve.
  const small = Buffer.alloc(24 * 1024 * 1024);
  writeFileSync(ballast, small);
  try {
    const second = await t.serve(["--listen", "tcp://127.0.0.1:0", "--store", join(disk, "other")]);
    await sleep(1500);
    t.check(
      second.log.some(({ level, text }) => level >= 40 && /free|space|disk|room/.test(text)),
      "it starts where there is no room, and does not say so",
    );
  } catch (error) {
    t.check(/room|space|free/.test((error as Error).message), `it did not start: ${(error as Error).message}`);
  }
  t.check(existsSync(ballast) && readdirSync(disk).length > 0, "the disk is gone");
}

function staying({ variant }: Context): { readonly sessionExpiryInterval: number } | undefined {
  return variant.version === 5 ? { sessionExpiryInterval: 600 } : undefined;
}
