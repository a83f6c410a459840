import { createBroker } from "@tidewire/broker";
import { type Client, createClient } from "@tidewire/client";
import { mockNetwork, Random } from "@tidewire/transport-mock";
import { expect, test } from "vitest";

// Our client at our broker, in virtual time, over a network that cuts, stalls and chops as its seed says.

const MESSAGES = 60;

test.each([
  [4, 1],
  [4, 2],
  [5, 1],
  [5, 2],
] as const)(
  "version %i, QoS %i: whatever the network does, nothing is lost and nothing is out of place",
  async (version, qos) => {
    for (let seed = 1; seed <= 12; seed++) await run(seed, version, qos);
  },
);

async function run(seed: number, protocolVersion: 4 | 5, qos: 1 | 2): Promise<void> {
  const random = new Random(seed);
  const network = mockNetwork({ seed, latencyMs: [1, 40], chunking: "random", transcript: false });
  const { scheduler } = network;
  const broker = createBroker({ scheduler, wallClock: () => scheduler.now(), sysIntervalMs: 0 });
  await broker.start();
  await broker.listen(network.listen);
  const open = (clientId: string): Client => {
    const client = createClient(network.dial, {
      clientId,
      protocolVersion,
      cleanStart: false,
      sessionExpiryInterval: 3_600,
      keepAlive: 5,
      scheduler,
      reconnect: { minDelayMs: 50, maxDelayMs: 500, random: () => random.integer(0, 999) / 1_000 },
    });
    client.on("error", () => {});
    return client;
  };
  const subscriber = open("subscriber");
  const got: number[] = [];
  const subscribing = subscriber.subscribe("t", { qos, onMessage: (message) => void got.push(Number(message.text())) });
  await network.pass(5_000);
  await subscribing;

  const publisher = open("publisher");
  const published: Promise<unknown>[] = [];
  for (let i = 0; i < MESSAGES; i++) {
    published.push(publisher.publish("t", String(i), { qos }));
    const links = network.links;
    const chance = random.integer(0, 9);
    if (chance === 0) network.cut();
    else if (chance === 1 && links.length > 0) links[random.integer(0, links.length - 1)]!.cut();
    else if (chance === 2) network.stall();
    else if (chance === 3) network.unstall();
    await network.pass(random.integer(0, 300));
  }
  network.unstall();
  await network.pass(60_000);
  await Promise.all(published);
  await network.pass(60_000);

  const all = Array.from({ length: MESSAGES }, (_, i) => i);
  const place = `seed ${seed}`;
  // QoS 1 may repeat, but the first of each comes in order; QoS 2 is exactly once.
  expect(qos === 2 ? got : [...new Set(got)], place).toEqual(all);
  void subscriber.close();
  void publisher.close();
  void broker.close();
  await network.pass(10_000);
}
