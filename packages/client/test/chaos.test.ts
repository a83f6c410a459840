import { createBroker } from "@tidewire/broker";
import { createClient } from "@tidewire/client";
import { createClient as createLiteClient, type LiteClient } from "@tidewire/client/lite";
import { mockNetwork, Random } from "@tidewire/transport-mock";
import { expect, test } from "vitest";
import { text } from "./harness.ts";
import { mockWebSocket } from "./mock-web-socket.ts";

// Our clients at our broker, in virtual time, over a network that cuts, stalls and chops as its seed says.

const MESSAGES = 60;

const kinds = ["whole", "lite"] as const;
const cases = kinds.flatMap((kind) =>
  ([4, 5] as const).flatMap((version) => ([1, 2] as const).map((qos) => ({ kind, version, qos }))),
);

test.each(cases)(
  "$kind client, version $version, QoS $qos: whatever the network does, nothing is lost and nothing is out of place",
  async ({ kind, version, qos }) => {
    for (let seed = 1; seed <= 12; seed += 1) {
      await run(seed, kind, version, qos);
    }
  },
);

async function run(seed: number, kind: "whole" | "lite", protocolVersion: 4 | 5, qos: 1 | 2): Promise<void> {
  const random = new Random(seed);
  const network = mockNetwork({ seed, latencyMs: [1, 40], chunking: "random", transcript: false });
  const { scheduler } = network;
  const broker = createBroker({ scheduler, wallClock: () => scheduler.now(), sysIntervalMs: 0 });
  await broker.start();
  await broker.listen(network.listen);
  const open = (clientId: string): LiteClient => {
    const options = {
      clientId,
      protocolVersion,
      cleanStart: false,
      sessionExpiryInterval: 3_600,
      keepAlive: 5,
      scheduler,
      reconnect: { minDelayMs: 50, maxDelayMs: 500, random: () => random.integer(0, 999) / 1_000 },
    };
    if (kind === "lite") {
      return createLiteClient("ws://mock", { ...options, WebSocket: mockWebSocket(network) });
    }
    const client = createClient(network.dial, options);
    client.on("error", () => {});
    return client;
  };
  const subscriber = open("subscriber");
  const got: number[] = [];
  const subscribing = subscriber.subscribe("t", {
    qos,
    onMessage: (message) => void got.push(Number(text(message.payload))),
  });
  await network.pass(5_000);
  await subscribing;

  const publisher = open("publisher");
  const published: Promise<unknown>[] = [];
  for (let i = 0; i < MESSAGES; i += 1) {
    published.push(publisher.publish("t", String(i), { qos }));
    const links = network.links;
    const chance = random.integer(0, 9);
    if (chance === 0) {
      network.cut();
    } else if (chance === 1 && links.length > 0) {
      links[random.integer(0, links.length - 1)]!.cut();
    } else if (chance === 2) {
      network.stall();
    } else if (chance === 3) {
      network.unstall();
    }
    await network.pass(random.integer(0, 300));
  }
  network.unstall();
  await network.pass(60_000);
  await Promise.all(published);
  await network.pass(60_000);

  const all = Array.from({ length: MESSAGES }, (_, i) => i);
  const place = `${kind}, seed ${seed}`;
  // QoS 1 may repeat, but the first of each comes in order; QoS 2 is exactly once.
  expect(qos === 2 ? got : [...new Set(got)], place).toEqual(all);
  void subscriber.close();
  void publisher.close();
  void broker.close();
  await network.pass(10_000);
}
