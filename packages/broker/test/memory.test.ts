import type { BrokerLogger } from "@tidewire/broker";
import { PacketType } from "@tidewire/codec";
import { describe, expect, it } from "vitest";
import { connectPacket, Lab } from "./harness.ts";

/*
 * Memory as a whole is bounded: not only what one session or connection may hold, but all of them together. Two hundred
 * sessions of one user with full queues ended the process once, as did a thousand slow senders (attacks 50 and 53).
 */

const kept = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };

async function start(memoryBytes: number): Promise<{ lab: Lab; lines: string[] }> {
  const lines: string[] = [];
  const logger: BrokerLogger = { debug() {}, info() {}, warn: (line) => lines.push(line), error() {} };
  return { lab: await Lab.start({ limits: { memoryBytes }, logger }), lines };
}

describe("the memory of all clients", () => {
  it("bounds what waits for sessions, however many there are, and serves those that take their messages", async () => {
    const { lab, lines } = await start(1_000_000);
    const reader = await lab.connect({ clientId: "reader" });
    await reader.subscribe(lab, "t", { qos: 1 });
    for (let i = 0; i < 50; i += 1) {
      const sleeper = await lab.connect({ clientId: `sleeper-${i}`, ...kept });
      await sleeper.subscribe(lab, "t", { qos: 1 });
      sleeper.cut();
    }
    await lab.settle();
    await lab.advance(1000);
    for (let i = 0; i < 300; i += 1) {
      lab.broker.publish("t", "x".repeat(100), { qos: 1 });
      await lab.settle();
      const { packetId } = reader.last(PacketType.PUBLISH) as { packetId: number };
      reader.send({ type: PacketType.PUBACK, packetId, reasonCode: 0, properties: undefined });
    }
    await lab.settle();
    const metrics = lab.broker.metrics();
    expect(metrics.memoryBytes).toBeLessThan(1_001_000);
    expect(metrics.droppedMemory).toBeGreaterThan(10_000);
    expect(reader.received.filter(({ type }) => type === PacketType.PUBLISH)).toHaveLength(300);
    expect(lines.map((line) => line.replace(/^memory: (\d+) %.*: /, "$1 "))).toEqual([
      expect.stringMatching(/^75 QoS 0/),
      expect.stringMatching(/^90 no new sessions/),
    ]);
    // New sessions are refused in words that a client understands; an existing one gets in and makes room.
    expect((await lab.connect({ clientId: "new", ...kept })).connack.reasonCode).toBe(0x97);
    expect((await lab.connect({ clientId: "sleeper-1", ...kept })).connack.reasonCode).toBe(0);
    for (let i = 0; i < 50; i += 1) {
      lab.broker.deleteSession(`sleeper-${i}`);
    }
    await lab.advance(1000);
    expect(lab.broker.metrics()).toMatchObject({ queued: 0, memoryLevel: 0 });
    expect((await lab.connect({ clientId: "new", ...kept })).connack.reasonCode).toBe(0);
  });

  it("bounds unfinished packets: the heaviest senders rest, then are closed, and others go on", async () => {
    const { lab } = await start(2_000_000);
    const bystander = await lab.connect({ clientId: "bystander" });
    const senders = [];
    for (let i = 0; i < 20; i += 1) {
      senders.push(await lab.connect({ clientId: `sender-${i}` }));
    }
    for (const [i, sender] of senders.entries()) {
      // PUBLISH of 1,000,000 bytes, of which a part comes.
      sender.sendBytes(Uint8Array.of(0x30, 0xc0, 0x84, 0x3d, 0, 1, 0x74));
      sender.sendBytes(new Uint8Array(150_000 + i * 1000));
      await lab.advance(300);
    }
    await lab.advance(2000);
    const { memoryBytes, connectionsClosedMemory } = lab.broker.metrics();
    expect(memoryBytes).toBeLessThan(2_000_000);
    expect(connectionsClosedMemory).toBeGreaterThan(5);
    const closed = senders.filter((sender) => sender.closed);
    expect(closed.length).toBe(connectionsClosedMemory);
    expect(closed[0]!.last(PacketType.DISCONNECT)).toMatchObject({ reasonCode: 0x97 });
    expect(bystander.closed).toBe(false);
    await bystander.exchange(lab, { type: PacketType.PINGREQ });
    expect(bystander.last(PacketType.PINGRESP)).toBeDefined();
  });

  it("goes back to normal when the connections are gone", async () => {
    const { lab } = await start(1_000_000);
    const sender = await lab.connect({ clientId: "sender" });
    sender.sendBytes(Uint8Array.of(0x30, 0xc0, 0x84, 0x3d, 0, 1, 0x74));
    sender.sendBytes(new Uint8Array(800_000));
    await lab.advance(300);
    expect(lab.broker.metrics()).toMatchObject({ memoryLevel: 1 });
    sender.cut();
    const next = lab.dial();
    await next.exchange(lab, connectPacket({ clientId: "next" }));
    await lab.advance(600);
    expect(lab.broker.metrics()).toMatchObject({ memoryLevel: 0 });
  });
});
