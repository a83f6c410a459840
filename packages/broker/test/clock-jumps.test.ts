import { PacketType } from "@tidewire/codec";
import { expect, it } from "vitest";
import { Lab } from "./harness.ts";

/* "Wall-clock differences used as durations": a clock that is set, by hours or by decades, at every step. */

const START = 1_700_000_000_000;
const HOUR = 3_600_000;

it.each([1, 2, 3, 4, 5, 6])(
  "nothing ends early and nothing lives longer when the wall clock is set, seed %i",
  async (seed) => {
    const random = randomly(seed);
    let offsetMs = 0;
    const jump = (): void => {
      offsetMs += (random(2) === 0 ? 1 : -1) * random([10_000, HOUR, 55 * 365 * 24 * HOUR][random(3)]!);
    };
    let now = (): number => 0;
    const lab = await Lab.start({ wallClock: () => START + now() + offsetMs, sysIntervalMs: 1000 });
    now = () => lab.network.scheduler.now();
    const client = await lab.connect({
      clientId: "away",
      cleanStart: false,
      properties: { sessionExpiryInterval: 60 },
    });
    await client.subscribe(lab, "t", { qos: 1 });
    client.cut();
    await lab.settle();
    const publisher = await lab.connect({ clientId: "publisher", keepAlive: 0 });
    const expiring = { qos: 1 as const, properties: { messageExpiryInterval: 30 } };
    publisher.publish("t", "short", expiring);
    publisher.publish("t", "long", { qos: 1 });
    publisher.publish("kept", "short", { ...expiring, retain: true });
    await lab.settle();
    const uptimes: string[] = [];
    lab.broker.subscribe("$SYS/broker/uptime", ({ payload }) => uptimes.push(new TextDecoder().decode(payload)));
    for (let second = 0; second < 25; second += 1) {
      jump();
      await lab.advance(1000);
    }
    expect(lab.broker.metrics().sessions).toBe(2);
    expect(Number.parseInt(uptimes.at(-1)!, 10)).toBe(Math.floor(now() / 1000));
    expect(Math.round(lab.broker.metrics().uptimeMs / 1000)).toBe(Math.round(now() / 1000));
    jump();
    const reader = await lab.connect({ clientId: "reader" });
    await reader.subscribe(lab, "kept", { qos: 1 });
    const [retained] = reader.received.filter((packet) => packet.type === PacketType.PUBLISH);
    expect(retained?.properties?.messageExpiryInterval).toBe(5);
    for (let second = 0; second < 10; second += 1) {
      jump();
      await lab.advance(1000);
    }
    const late = await lab.connect({ clientId: "late" });
    await late.subscribe(lab, "kept", { qos: 1 });
    expect(late.last(PacketType.PUBLISH)).toBeUndefined();
    const back = await lab.connect({ clientId: "away", cleanStart: false });
    const received = back.received.filter((packet) => packet.type === PacketType.PUBLISH);
    expect(received.map(({ payload }) => new TextDecoder().decode(payload))).toEqual(["long"]);
    back.cut();
  },
);

it("a session that expires does so when its time has passed, whatever the wall clock says", async () => {
  let offsetMs = 0;
  const lab = await Lab.start({ wallClock: () => START + offsetMs });
  const client = await lab.connect({ clientId: "away", cleanStart: false, properties: { sessionExpiryInterval: 60 } });
  client.cut();
  await lab.settle();
  offsetMs = 10 * HOUR;
  await lab.advance(59_000);
  expect(lab.broker.metrics().sessions).toBe(1);
  offsetMs = -10 * HOUR;
  await lab.advance(2000);
  expect(lab.broker.metrics().sessions).toBe(0);
});

function randomly(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}
