import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { PacketType } from "@tidewire/codec";
import type { Attack } from "../attack.ts";
import { codeText } from "../cases.ts";
import type { Context } from "../context.ts";
import { sleep } from "../wait.ts";

const ALONE = { transports: ["tcp"], versions: [5, 4], stores: ["lmdb"], access: [false] } as const;

/** What must outlive a kill, a restart and a wrong clock. */
export const data: readonly Attack[] = [
  {
    id: "71",
    title: "SIGKILL between every two steps of QoS 2",
    expected: "the message comes exactly once",
    on: ALONE,
    standsAlone: true,
    async run(t) {
      for (const step of ["after PUBREC", "after PUBREL", "before the subscriber's PUBREC", "before its PUBCOMP"]) {
        const copies = await exactlyOnce(t, step);
        t.check(copies === 1, `killed ${step}: ${copies} copies came`);
      }
    },
  },
  {
    id: "72",
    title: "a clock that is an hour ahead for some seconds, then a restart",
    expected: "sessions and what waits for them are kept",
    on: ALONE,
    standsAlone: true,
    async run(t) {
      const clock = join(t.directory(), "clock");
      await jump(t, clock, 3_600_000, 0);
      await jump(t, clock, -3_600_000, 0);
    },
  },
  {
    id: "72.2",
    title: "a start in 1972, the right time set later, a restart",
    expected: "sessions and what waits for them are kept; uptime is that of the process",
    on: ALONE,
    standsAlone: true,
    async run(t) {
      const clock = join(t.directory(), "clock");
      await jump(t, clock, 0, new Date("1972-01-01").getTime() - Date.now());
    },
  },
  {
    id: "54.4",
    title: "1,000 clients that all come back after a restart",
    expected: "all of them have their sessions",
    on: { ...ALONE, access: [false] },
    standsAlone: true,
    async run(t) {
      const directory = t.directory();
      const fields = (index: number) => ({ clientId: `fleet-${index}`, cleanStart: false, properties: staying(t) });
      for (const isBack of [false, true]) {
        const program = await t.serve(["--listen", "tcp://127.0.0.1:0", "--store", directory]);
        let present = 0;
        const come = async (index: number) => {
          const peer = await t.peerAt(program);
          const connack = await peer.connect(fields(index), 30_000);
          present += connack?.sessionPresent === true ? 1 : 0;
        };
        for (let from = 0; from < 1000; from += 250) {
          await Promise.all(Array.from({ length: 250 }, (_, index) => come(from + index)));
        }
        t.check(
          present === (isBack ? 1000 : 0),
          `${present} of 1,000 sessions present ${isBack ? "after" : "before"} the restart`,
        );
        program.kill("SIGKILL");
        await program.exited;
      }
    },
  },
];

/** A client that leaves, messages that wait, a clock that jumps, a restart, and what the client finds then. */
async function jump(t: Context, clock: string, duringMs: number, startMs: number): Promise<void> {
  const directory = t.directory();
  const preload = ["--import", new URL("../clock.js", import.meta.url).href];
  const options = { env: { TIDEWIRE_ATTACK_CLOCK: clock }, nodeArguments: preload };
  const args = ["--listen", "tcp://127.0.0.1:0", "--store", directory];
  writeFileSync(clock, String(startMs));
  const first = await t.serve(args, options);
  const away = await t.peerAt(first);
  await away.connect({ clientId: "away", cleanStart: false, properties: { ...staying(t) } });
  await away.subscribe("kept", 1);
  away.destroy();
  const publisher = await t.peerAt(first);
  await publisher.connect();
  publisher.publish("kept", "acknowledged", { qos: 1 });
  t.check((await publisher.next(PacketType.PUBACK))?.reasonCode === 0, "the message was not acknowledged");
  const put = async (aheadMs: number) => {
    writeFileSync(clock, String(aheadMs));
    first.kill("SIGUSR2");
    await sleep(1500);
  };
  await put(duringMs);
  await put(0);
  await publisher.subscribe("$SYS/broker/uptime", 0);
  const uptime = await publisher.next(PacketType.PUBLISH, 3000);
  const seconds = Number.parseInt(Buffer.from(uptime?.payload ?? []).toString(), 10);
  t.check(seconds < 3600, `uptime ${seconds} s`);
  first.kill("SIGKILL");
  await first.exited;
  const second = await t.serve(args, options);
  const back = await t.peerAt(second);
  const connack = await back.connect({ clientId: "away", cleanStart: false, properties: staying(t) });
  await back.isServed();
  t.check(connack?.sessionPresent === true, "the session is gone");
  t.check(back.publishesReceived === 1, "the acknowledged message is gone");
  second.kill("SIGKILL");
  await second.exited;
}

/** A QoS 2 message through a broker that is killed at one step; how many copies the subscriber counts. */
async function exactlyOnce(t: Context, step: string): Promise<number> {
  const directory = t.directory();
  const args = ["--listen", "tcp://127.0.0.1:0", "--store", directory];
  let program = await t.serve(args);
  const got = new Set<number>();
  let copies = 0;
  const open = async (clientId: string) => {
    const peer = await t.peerAt(program, { acknowledges: false });
    const connack = await peer.connect({ clientId, cleanStart: false, properties: staying(t) });
    t.check(connack?.reasonCode === 0, `CONNACK ${codeText(connack?.reasonCode)}`);
    return peer;
  };
  const restart = async () => {
    program.kill("SIGKILL");
    await program.exited;
    program = await t.serve(args);
  };
  let [subscriber, publisher] = [await open("subscriber"), await open("publisher")];
  const reopen = async () => {
    await restart();
    [subscriber, publisher] = [await open("subscriber"), await open("publisher")];
  };
  const take = async () => {
    const message = await subscriber.next(PacketType.PUBLISH, 5000);
    if (message !== undefined && !got.has(message.packetId)) {
      got.add(message.packetId);
      copies += 1;
    }
    return message?.packetId ?? 1;
  };
  await subscriber.subscribe("once", 2);
  publisher.publish("once", "x", { qos: 2, packetId: 1 });
  await publisher.next(PacketType.PUBREC);
  if (step === "after PUBREC") {
    await reopen();
    publisher.publish("once", "x", { qos: 2, packetId: 1, dup: true });
    await publisher.next(PacketType.PUBREC);
  }
  publisher.acknowledge(PacketType.PUBREL, 1);
  await publisher.next(PacketType.PUBCOMP);
  if (step === "after PUBREL") {
    await reopen();
    publisher.acknowledge(PacketType.PUBREL, 1);
    await publisher.next(PacketType.PUBCOMP);
  }
  let packetId = await take();
  if (step === "before the subscriber's PUBREC") {
    await reopen();
    packetId = await take();
  }
  subscriber.acknowledge(PacketType.PUBREC, packetId);
  await subscriber.next(PacketType.PUBREL);
  got.clear();
  if (step === "before its PUBCOMP") {
    await reopen();
    await subscriber.next(PacketType.PUBREL);
  }
  subscriber.acknowledge(PacketType.PUBCOMP, packetId);
  while ((await subscriber.next(PacketType.PUBLISH, 500)) !== undefined) {
    copies += 1;
  }
  program.kill("SIGKILL");
  await program.exited;
  return copies;
}

function staying({ variant }: Context): { readonly sessionExpiryInterval: number } | undefined {
  return variant.version === 5 ? { sessionExpiryInterval: 600 } : undefined;
}
