import { PacketType, type PublishPacket } from "@tidewire/codec";
import { expect, it } from "vitest";
import { bytesOf, connectPacket, Lab, type Peer, textOf } from "./harness.ts";

/* Mosquitto as a bridge, as it comes by default (level 0x84, a retained notification below $SYS/broker/connection). */

const state = "$SYS/broker/connection/bridge.site/state";
const will = { topic: state, payload: bytesOf("0"), qos: 1 as const, retain: true, properties: undefined };

function received(peer: Peer): string[] {
  const packets = peer.received.filter((packet): packet is PublishPacket => packet.type === PacketType.PUBLISH);
  return packets.map(({ topic, payload, retain }) => `${topic} ${textOf(payload)}${retain ? " retained" : ""}`);
}

it.each([4, 3] as const)(
  "comes in with MQTT level %i, says that it is there, and gets nothing of its own back",
  async (version) => {
    const lab = await Lab.start();
    const bridge = await lab.connect({ version, clientId: "bridge.site", bridge: true, will });
    expect(bridge.connack.reasonCode).toBe(0);
    bridge.publish(state, "1", { qos: 1, retain: true });
    await bridge.subscribe(lab, "site/#", { qos: 1 });
    bridge.publish("site/own", "echo", { qos: 1 });
    lab.broker.publish("site/other", "live", { qos: 1, retain: true });
    await lab.settle();
    expect(received(bridge)).toEqual(["site/other live retained"]);
    const watcher = await lab.connect({ clientId: "watcher" });
    await watcher.subscribe(lab, "$SYS/broker/connection/#");
    bridge.cut();
    await lab.settle();
    expect(received(watcher)).toEqual([`${state} 1 retained`, `${state} 0`]);
  },
);

it("has that one place below $SYS, and only a bridge has it", async () => {
  const lab = await Lab.start();
  const watcher = await lab.connect({ clientId: "watcher" });
  await watcher.subscribe(lab, "$SYS/#");
  const bridge = await lab.connect({ version: 4, clientId: "bridge.site", bridge: true });
  bridge.publish("$SYS/broker/uptime", "0", { qos: 1 });
  bridge.publish("$SYS/broker/connection/a/b/state", "0", { qos: 1 });
  const other = await lab.connect({ version: 4, clientId: "other" });
  other.publish(state, "1", { qos: 1 });
  await lab.settle();
  // MQTT 3.1.1 can only acknowledge what is not allowed [MQTT-3.3.5-2]; nobody is thrown out for it.
  expect([bridge.closed, other.closed]).toEqual([false, false]);
  expect([bridge, other].map((peer) => peer.received.filter(({ type }) => type === PacketType.PUBACK).length)).toEqual([
    2, 1,
  ]);
  expect(received(watcher)).toEqual([]);
  const forbidden = lab.dial(4);
  await forbidden.exchange(lab, connectPacket({ version: 4, clientId: "forged", will }));
  expect(forbidden.connack.reasonCode).toBe(5);
});

it("keeps MQTT 3.1 to its client identifiers: 1 to 23 characters unless a limit allows more", async () => {
  const lab = await Lab.start();
  const codes = async (limits: Lab): Promise<number[]> => {
    const answers: number[] = [];
    for (const clientId of ["", "x".repeat(23), "x".repeat(24)]) {
      answers.push((await limits.connect({ version: 3, clientId })).connack.reasonCode);
    }
    return answers;
  };
  expect(await codes(lab)).toEqual([2, 0, 2]);
  expect(await codes(await Lab.start({ limits: { clientIdLength31: 100 } }))).toEqual([2, 0, 0]);
});
