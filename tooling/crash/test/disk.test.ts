import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PacketType } from "@tidewire/codec";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { program, Server } from "../src/server.ts";
import { sleep, until } from "../src/wait.ts";
import { Wire } from "../src/wire.ts";

const TOPIC = "kept";
const QUOTA_EXCEEDED = 0x97;
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "tidewire-crash-"));
});

afterEach(() => rmSync(root, { recursive: true, force: true }));

describe.skipIf(!mayMount())("on a disk that fills up", () => {
  // The store keeps 32 MiB in reserve: acknowledgements go on when messages no longer fit.
  const megabytes = 48;
  let disk: string;
  let server: Server;

  beforeEach(async () => {
    disk = mkdtempSync(join(root, "disk-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${megabytes}m`, "tmpfs", disk]);
    server = new Server(join(disk, "data"));
    await server.start();
  });

  afterEach(async () => {
    await server.stop();
    execFileSync("umount", [disk]);
  });

  test.each([4, 5] as const)(
    "version %i is refused, loses nothing and goes on when there is space",
    async (version) => {
      const subscriber = await Wire.open(server.port, "subscriber", version);
      await subscriber.wire.subscribe(TOPIC, 1);
      subscriber.wire.close();
      const acknowledged: string[] = [];
      let number = 0;
      /** The next message; false when it was refused. */
      const publish = async (wire: Wire): Promise<boolean> => {
        const payload = `${number}`.padEnd(1000);
        number += 1;
        wire.publish(1, 1, false, TOPIC, payload);
        const answer = await wire.poll(10_000);
        if (answer?.type !== PacketType.PUBACK || answer.reasonCode >= 0x80) {
          if (version === 5) {
            expect(answer).toMatchObject({ type: PacketType.PUBACK, reasonCode: QUOTA_EXCEEDED });
          } else {
            expect(wire.closed).toBe(true);
          }
          return false;
        }
        acknowledged.push(payload);
        return true;
      };

      let { wire } = await Wire.open(server.port, "publisher", version);
      for (let index = 0; index < 50; index += 1) {
        expect(await publish(wire)).toBe(true);
      }
      const ballast = join(disk, "ballast");
      writeFileSync(ballast, Buffer.alloc(20 * 1024 * 1024));
      for (let accepted = true; accepted; ) {
        accepted = await publish(wire);
        await sleep(20);
      }
      if (version === 5) {
        expect(await publish(wire)).toBe(false);
      }
      rmSync(ballast);
      // The store looks again within a second or so.
      await sleep(1500);
      if (version === 4) {
        ({ wire } = await Wire.open(server.port, "publisher", version));
      }
      for (let index = 0; index < 50; index += 1) {
        expect(await publish(wire)).toBe(true);
      }
      wire.close();
      await server.kill();
      await server.start();
      expect(await receiveAll(server, "subscriber", version, acknowledged.length)).toEqual(acknowledged);
    },
  );

  test("nothing is acknowledged when the reserve is gone as well", async () => {
    const subscriber = await Wire.open(server.port, "subscriber", 5);
    await subscriber.wire.subscribe(TOPIC, 1);
    subscriber.wire.close();
    const { wire } = await Wire.open(server.port, "publisher", 5);
    wire.publish(1, 1, false, TOPIC, "before");
    await wire.next(PacketType.PUBACK);
    fill(join(disk, "ballast"));
    const acknowledged = ["before"];
    for (let packetId = 2; packetId < 40 && !wire.closed; packetId += 1) {
      wire.publish(packetId, 1, false, TOPIC, `${packetId}`.padEnd(100_000));
      const answer = await wire.poll(2000);
      if (answer?.type === PacketType.PUBACK && answer.reasonCode < 0x80) {
        acknowledged.push(`${packetId}`);
      }
    }
    // Written in the background: a kill would take it along.
    const refused = /messages that have to be kept are refused/g;
    await until("a line about the full disk", () => server.log.search(refused) >= 0);
    await server.kill();
    // One line, and the database's own words once a second: not a stack for each commit.
    expect(server.log.length).toBeLessThan(4000);
    expect(server.log.match(refused)).toHaveLength(1);
    rmSync(join(disk, "ballast"));
    await server.start();
    const kept = (await receiveAll(server, "subscriber", 5, acknowledged.length)).map((payload) => payload.trim());
    // A message may be there although its acknowledgement never left; one that was acknowledged has to be.
    for (const payload of acknowledged) {
      expect(kept).toContain(payload);
    }
  });
});

// "Refusing everything for lack of disk without a word."
describe.skipIf(!mayMount())("on a disk that is smaller than the reserve from the start", () => {
  test("one line says so, whatever is refused", async () => {
    const disk = mkdtempSync(join(root, "small-"));
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=24m", "tmpfs", disk]);
    const server = new Server(join(disk, "data"));
    try {
      await server.start();
      const { wire } = await Wire.open(server.port, "publisher", 5);
      for (let count = 0; count < 50; count += 1) {
        wire.publish(1, 1, true, TOPIC, "refused");
        expect(await wire.poll(10_000)).toMatchObject({ reasonCode: QUOTA_EXCEEDED });
      }
      wire.close();
      await server.stop();
      const lines = server.log.trim().split("\n");
      expect(lines).toHaveLength(1);
      expect(lines[0]).toMatch(/messages that have to be kept are refused.*MiB free.*32 MiB.*make room/);
    } finally {
      await server.stop();
      execFileSync("umount", [disk]);
    }
  });
});

describe("a backup while the broker serves", () => {
  let server: Server;

  beforeEach(async () => {
    server = new Server(join(root, "data"));
    await server.start();
  });

  afterEach(() => server.stop());

  test("holds what was acknowledged before, and one that is killed leaves nothing that looks like one", async () => {
    const subscriber = await Wire.open(server.port, "subscriber", 5);
    await subscriber.wire.subscribe(TOPIC, 1);
    subscriber.wire.close();
    const { wire } = await Wire.open(server.port, "publisher", 5);
    const publish = async (count: number, from: number): Promise<void> => {
      for (let index = 0; index < count; index += 1) {
        wire.publish(1, 1, false, TOPIC, `${from + index}`.padEnd(2000));
        await wire.next(PacketType.PUBACK);
      }
    };
    await publish(300, 0);
    for (const delay of [5, 60, 150, 250]) {
      const target = join(root, `killed-${delay}`);
      const backup = startBackup(target);
      await Promise.all([sleep(delay), publish(20, 1000)]);
      backup.kill("SIGKILL");
      await ended(backup);
      if (existsSync(join(target, "data.mdb"))) {
        await expectBackup(target, 300);
      }
    }
    const target = join(root, "complete");
    const backup = startBackup(target);
    await publish(50, 2000);
    expect(await ended(backup)).toBe(0);
    wire.close();
    await expectBackup(target, 300 + 4 * 20);
    // The broker that was copied from has all of it, also after a kill.
    await server.kill();
    await server.start();
    const all = 300 + 4 * 20 + 50;
    expect(await receiveAll(server, "subscriber", 5, all)).toHaveLength(all);
  });

  test("a second broker on the same directory is refused by name", async () => {
    const second = new Server(join(root, "data"));
    await expect(second.start()).rejects.toThrow(/in use by process \d+/);
  });

  function startBackup(target: string): ChildProcess {
    const parameters = ["backup", target, "--store", join(root, "data")];
    return spawn(process.execPath, [program, ...parameters], { stdio: "ignore" });
  }
});

async function expectBackup(directory: string, atLeast: number): Promise<void> {
  const restored = new Server(directory);
  await restored.start();
  const kept = await receiveAll(restored, "subscriber", 5, atLeast);
  await restored.stop();
  expect(kept.length).toBeGreaterThanOrEqual(atLeast);
  expect(new Set(kept).size).toBeGreaterThanOrEqual(300);
}

/** What waits for a session, acknowledged as it comes: as much as is expected, and then whatever else comes. */
async function receiveAll(server: Server, clientId: string, version: 4 | 5, expected: number): Promise<string[]> {
  const { wire, connack } = await Wire.open(server.port, clientId, version);
  expect(connack.sessionPresent).toBe(true);
  const payloads: string[] = [];
  const next = (): ReturnType<Wire["poll"]> => wire.poll(payloads.length < expected ? 10_000 : 300);
  for (let packet = await next(); packet !== undefined; packet = await next()) {
    if (packet.type !== PacketType.PUBLISH) {
      continue;
    }
    payloads.push(Buffer.from(packet.payload).toString());
    wire.acknowledge(PacketType.PUBACK, packet.packetId);
  }
  wire.close();
  return payloads;
}

async function ended(child: ChildProcess): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) {
    await once(child, "exit");
  }
  return child.exitCode;
}

/** Writes until nothing more fits. */
function fill(path: string): void {
  const chunk = Buffer.alloc(16 * 1024);
  try {
    for (;;) {
      writeFileSync(path, chunk, { flag: "a" });
    }
  } catch {
    // It is full now.
  }
}

function mayMount(): boolean {
  const directory = mkdtempSync(join(tmpdir(), "tidewire-mount-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=1m", "tmpfs", directory], { stdio: "ignore" });
    execFileSync("umount", [directory]);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(directory, { recursive: true });
  }
}
