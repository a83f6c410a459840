import type { SubscribeOptions } from "@tidewire/client";
import { PacketType } from "@tidewire/codec";
import { expect, test } from "vitest";
import { setUpConnected } from "./harness.ts";
import { message } from "./scripted-server.ts";

// Several subscriptions of one client that are for the same messages: each gets what it asked for.

async function setUp() {
  const harness = await setUpConnected();
  const { network, server, client } = harness;
  return {
    ...harness,
    /** Subscribes, and returns what it gets. */
    async subscribe(filters: string | string[], options: SubscribeOptions = {}): Promise<string[]> {
      const got: string[] = [];
      void client.subscribe(filters, { ...options, onMessage: ({ topic }) => void got.push(topic) });
      await network.settle();
      return got;
    },
    /** The identifiers by filter that the server has now. */
    identifiers(): Map<string, number> {
      return new Map(
        server
          .received(PacketType.SUBSCRIBE)
          .flatMap(({ subscriptions, properties }) =>
            subscriptions.map(({ filter }): [string, number] => [filter, properties!.subscriptionIdentifiers![0]!]),
          ),
      );
    },
    async send(topic: string, identifiers: number[], retain = false) {
      server.last.send(message(topic, { retain, properties: { subscriptionIdentifiers: identifiers } }));
      await network.settle();
    },
  };
}

test("one call with overlapping filters gets a message once, where the server sends a copy for each and where not", async () => {
  const { subscribe, identifiers, send } = await setUp();
  const got = await subscribe(["a/+", "a/b", "#"]);
  const other = await subscribe("+/b");
  const all = [...identifiers().values()];
  expect(new Set(all).size).toBe(4);
  for (const identifier of all) {
    await send("a/b", [identifier]);
  }
  expect([got, other]).toEqual([["a/b"], ["a/b"]]);
  await send("a/b", all);
  expect([got, other]).toEqual([
    ["a/b", "a/b"],
    ["a/b", "a/b"],
  ]);
});

test("what comes between the answers to two packets of one call is not lost", async () => {
  const { server, subscribe, identifiers, send } = await setUp();
  server.script = (packet) =>
    packet.type === PacketType.SUBSCRIBE && packet.subscriptions[0]!.filter === "a/+" ? undefined : "usual";
  const got = await subscribe(["a/+", "a/b"]);
  await send("a/b", [identifiers().get("a/b")!]);
  expect(got).toEqual(["a/b"]);
});

test("the server is asked for all that the subscriptions of one filter want together", async () => {
  const { server, subscribe } = await setUp();
  await subscribe("t", { qos: 2, noLocal: true, retainAsPublished: true });
  await subscribe("t", { qos: 0 });
  const asked = server.received(PacketType.SUBSCRIBE).map(({ subscriptions }) => subscriptions[0]);
  expect(asked).toMatchObject([
    { qos: 2, noLocal: true, retainAsPublished: true },
    { qos: 2, noLocal: false, retainAsPublished: true },
  ]);
});

test("retained messages that come again are for the subscription that came last; all else is for both", async () => {
  const { network, server, subscribe, identifiers, send } = await setUp();
  const first = await subscribe("t");
  const [one] = identifiers().values();
  await send("t", [one!], true);
  const second = await subscribe("t");
  const [two] = identifiers().values();
  expect(two).not.toBe(one);
  await send("t", [two!], true);
  // The rest of the first replay may still be on its way.
  await send("t", [one!], true);
  expect([first.length, second.length]).toEqual([2, 1]);
  await send("t", [two!]);
  expect([first.length, second.length]).toEqual([3, 2]);
  // A server that lost the session sends them to all, as it did before.
  network.cut();
  await network.pass(1_000);
  expect(server.peers).toHaveLength(2);
  await send("t", [two!], true);
  expect([first.length, second.length]).toEqual([4, 3]);
});

test("two that subscribe in one turn share a packet and its retained messages", async () => {
  const { network, client, server, send, identifiers } = await setUp();
  const got: string[] = [];
  void client.subscribe("t", { onMessage: () => void got.push("one") });
  void client.subscribe("t", { onMessage: () => void got.push("two") });
  await network.settle();
  expect(server.received(PacketType.SUBSCRIBE)).toHaveLength(1);
  await send("t", [identifiers().get("t")!], true);
  expect(got).toEqual(["one", "two"]);
});
