import { MessageChannel } from "node:worker_threads";
import type { Client } from "@tidewire/client";
import { type Port, serveClient, workerClient } from "@tidewire/client/worker";
import { PacketType } from "@tidewire/codec";
import { afterEach, expect, test } from "vitest";
import { type Harness, outcome, setUpConnected, text } from "./harness.ts";
import { message } from "./scripted-server.ts";

// The page's and the worker's half in one process, over real message channels: as in a SharedWorker with several tabs.

const scope = globalThis as { onconnect?: ((event: { ports: readonly Port[] }) => void) | null };
const channels: MessageChannel[] = [];

afterEach(() => {
  delete scope.onconnect;
  for (const { port1, port2 } of channels.splice(0)) {
    port1.close();
    port2.close();
  }
});

/** A worker with a connected client, and as many pages. */
async function serve(pages: number): Promise<Harness & { readonly pages: readonly Client[] }> {
  const harness = await setUpConnected();
  scope.onconnect = null;
  serveClient(() => harness.client);
  const clients = await Promise.all(
    Array.from({ length: pages }, () => {
      const channel = new MessageChannel();
      channels.push(channel);
      scope.onconnect!({ ports: [channel.port1 as unknown as Port] });
      return workerClient(channel.port2 as unknown as Port);
    }),
  );
  return { ...harness, pages: clients };
}

/** Lets messages between page and worker, and the network, come to rest. */
async function settle({ network }: Harness): Promise<void> {
  for (let i = 0; i < 5; i += 1) {
    await network.pass(1);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

test("every page has the whole client over one connection", async () => {
  const harness = await serve(2);
  const { server, pages } = harness;
  const [one, two] = pages as [Client, Client];
  expect([one.clientId, one.status, two.connected]).toEqual(["c", "connected", true]);
  const got: string[] = [];
  void one.subscribe("t/+", { onMessage: (m) => void got.push(`one ${m.topic} ${m.text()}`) });
  void two.subscribe("t/+", { onMessage: (m) => void got.push(`two ${m.topic} ${m.text()}`) });
  const published = outcome(two.publish("t/a", "hello", { qos: 2 }));
  await settle(harness);
  expect(published.value).toMatchObject({ reasonCode: 0 });
  expect(server.peers).toHaveLength(1);
  expect(text(server.received(PacketType.PUBLISH)[0]!.payload)).toBe("hello");
  server.last.send(message("t/b"));
  await settle(harness);
  expect(got.sort()).toEqual(["one t/b x", "two t/b x"]);
});

test("a message is acknowledged when the page is done with it", async () => {
  const harness = await serve(1);
  const { server, pages } = harness;
  const subscribing = pages[0]!.subscribe("t", { qos: 1 });
  await settle(harness);
  const subscription = await subscribing;
  server.last.send(message("t", { qos: 1, packetId: 1 }));
  await settle(harness);
  const { value } = await subscription.next();
  expect(value!.text()).toBe("x");
  await settle(harness);
  expect(server.received(PacketType.PUBACK)).toHaveLength(0);
  void subscription.next();
  await settle(harness);
  expect(server.received(PacketType.PUBACK)).toMatchObject([{ packetId: 1 }]);
});

test("a page that reads slowly holds up a bounded number of messages", async () => {
  const harness = await serve(1);
  const subscribing = harness.pages[0]!.subscribe("t", { bufferSize: 10 });
  await settle(harness);
  const subscription = await subscribing;
  for (let i = 0; i < 600; i += 1) {
    harness.server.last.send(message("t"));
  }
  await settle(harness);
  expect(Reflect.get(subscription, "buffered")).toBeLessThan(300);
  for (let i = 0; i < 600; i += 1) {
    const next = outcome(subscription.next());
    while (next.value === "pending") {
      await settle(harness);
    }
    expect(next.value).toMatchObject({ done: false });
  }
});

test("errors, time limits and signals come across", async () => {
  const harness = await serve(1);
  const page = harness.pages[0]!;
  const invalid = outcome(page.publish("a/#", "", { qos: 1 }));
  const aborted = outcome(page.publish("t", "", { signal: AbortSignal.abort() }));
  harness.server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
  const late = outcome(page.publish("t", "", { qos: 1, timeoutMs: 5 }));
  const unanswered = outcome(page.request("t", "", { timeoutMs: 50 }));
  await settle(harness);
  await new Promise((resolve) => setTimeout(resolve, 60));
  expect(invalid.value).toMatchObject({ name: "ClientError", code: "invalid-argument" });
  expect(aborted.value).toMatchObject({ code: "aborted" });
  expect(late.value).toMatchObject({ code: "timeout" });
  expect(unanswered.value).toMatchObject({ code: "timeout" });
});

test("a page that closes ends what it had, and the connection stays for the others", async () => {
  const harness = await serve(2);
  const [one, two] = harness.pages as [Client, Client];
  const subscribing = one.subscribe("t", { qos: 1 });
  await settle(harness);
  const subscription = await subscribing;
  const read = outcome(subscription.next());
  await one.close();
  await settle(harness);
  expect(read.value).toMatchObject({ done: true });
  expect(one.status).toBe("closed");
  expect(two.connected).toBe(true);
  expect(harness.server.received(PacketType.UNSUBSCRIBE)).toMatchObject([{ filters: ["t"] }]);
  await expect(one.publish("t", "")).rejects.toMatchObject({ code: "closed" });
});

test("statuses and messages are told to listeners in the page", async () => {
  const harness = await serve(1);
  const page = harness.pages[0]!;
  const statuses: string[] = [];
  page.on("status", (status) => statuses.push(status));
  const topics: string[] = [];
  page.on("message", ({ topic }) => topics.push(topic));
  await settle(harness);
  harness.server.last.send(message("any"));
  await settle(harness);
  harness.server.last.connection.abort();
  await settle(harness);
  await harness.network.pass(1_000);
  await settle(harness);
  expect(topics).toEqual(["any"]);
  expect(statuses).toEqual(["reconnecting", "connected"]);
});
