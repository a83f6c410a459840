import { createClient, type Message } from "@tidewire/client";
import { PacketType } from "@tidewire/codec";
import type { Dial } from "@tidewire/transport";
import { mockNetwork } from "@tidewire/transport-mock";
import { expect, test, vi } from "vitest";
import { outcome, setUp, setUpConnected, text } from "./harness.ts";
import { disconnect, message, ScriptedServer } from "./scripted-server.ts";

test("a subscription is iterated, and unsubscribe finishes the iteration", async () => {
  const { network, server, client } = await setUpConnected();
  const subscribing = client.subscribe("a/+", { qos: 2 });
  await network.settle();
  const subscription = await subscribing;
  expect(subscription.granted).toEqual([2]);
  const read: string[] = [];
  const reading = (async () => {
    for await (const message of subscription) {
      read.push(`${message.topic} ${message.text()}`);
    }
  })();
  server.last.send(message("a/1"), message("b"), message("a/2"));
  await network.settle();
  expect(read).toEqual(["a/1 x", "a/2 x"]);
  const unsubscribed = subscription.unsubscribe();
  await network.settle();
  await unsubscribed;
  await reading;
  expect(server.received(PacketType.UNSUBSCRIBE)).toMatchObject([{ filters: ["a/+"] }]);
});

test("leaving the loop, or the block of an await using, unsubscribes", async () => {
  const { network, server, client } = await setUpConnected();
  const done = (async () => {
    {
      await using subscription = await client.subscribe("a");
      expect(subscription.filters).toEqual(["a"]);
    }
    for await (const _ of await client.subscribe("b")) {
      break;
    }
  })();
  await network.settle();
  server.last.send(message("b"));
  await network.settle();
  await done;
  expect(server.received(PacketType.UNSUBSCRIBE).map(({ filters }) => filters)).toEqual([["a"], ["b"]]);
});

test("a callback gets every message in order; one that is asynchronous gets the next when it is done", async () => {
  const { network, server, client } = await setUpConnected();
  const log: string[] = [];
  let finish: () => void = () => {};
  void client.subscribe("a/#", {
    onMessage: async (message) => {
      log.push(`begin ${message.text()}`);
      await new Promise<void>((resolve) => {
        finish = resolve;
      });
      log.push(`end ${message.text()}`);
    },
  });
  await network.settle();
  for (const payload of ["1", "2"]) {
    server.last.send(message("a", { payload: new TextEncoder().encode(payload) }));
  }
  await network.settle();
  expect(log).toEqual(["begin 1"]);
  finish();
  await network.settle();
  expect(log).toEqual(["begin 1", "end 1", "begin 2"]);
});

test("messages sent right behind SUBACK, in the same chunk, are not lost", async () => {
  const { network, server, client } = await setUpConnected();
  server.script = (packet, peer) => {
    if (packet.type !== PacketType.SUBSCRIBE) {
      return "usual";
    }
    peer.sendTogether(
      { type: PacketType.SUBACK, packetId: packet.packetId, reasonCodes: [1], properties: undefined },
      message("a", { retain: true }),
    );
    return undefined;
  };
  const first = outcome(client.subscribe("a").then((subscription) => subscription.next()));
  await network.settle();
  expect(first.value).toMatchObject({ value: { topic: "a", retain: true } });
});

test("overlapping filters: identifiers say which copy is whose", async () => {
  const { network, server, client } = await setUpConnected();
  const got: string[] = [];
  for (const filter of ["a/#", "a/+", "a/b"]) {
    void client.subscribe(filter, { onMessage: ({ topic }) => void got.push(`${filter} ${topic}`) });
  }
  await network.settle();
  const identifiers = new Map<string, number>();
  for (const { subscriptions, properties } of server.received(PacketType.SUBSCRIBE)) {
    for (const { filter } of subscriptions) {
      identifiers.set(filter, properties!.subscriptionIdentifiers![0]!);
    }
  }
  const of = (...filters: string[]) => ({ subscriptionIdentifiers: filters.map((filter) => identifiers.get(filter)!) });
  // A server may send a copy for each subscription, or one for all of them.
  server.last.send(message("a/b", { properties: of("a/#") }));
  server.last.send(message("a/b", { properties: of("a/+") }), message("a/b", { properties: of("a/b") }));
  await network.settle();
  expect(got.splice(0)).toEqual(["a/# a/b", "a/+ a/b", "a/b a/b"]);
  server.last.send(message("a/b", { properties: of("a/#", "a/+", "a/b") }));
  await network.settle();
  expect(got.splice(0).sort()).toEqual(["a/# a/b", "a/+ a/b", "a/b a/b"]);
  server.last.send(message("a/b"));
  await network.settle();
  expect(got).toHaveLength(3);
});

test("a server without identifiers is not sent any, and topics alone decide", async () => {
  const { network, server, client } = await setUpConnected({}, (server) => {
    server.connackProperties = { subscriptionIdentifierAvailable: false };
  });
  const got: Message[] = [];
  void client.subscribe("a/+", { onMessage: (message) => void got.push(message) });
  await network.settle();
  expect(server.received(PacketType.SUBSCRIBE)[0]!.properties).toBeUndefined();
  server.last.send(message("a/b"), message("c"));
  await network.settle();
  expect(got.map(({ topic }) => topic)).toEqual(["a/b"]);
});

test("two subscriptions to one filter both get each message; the filter goes when both have gone", async () => {
  const { network, server, client } = await setUpConnected();
  const got: number[] = [];
  const both = Promise.all([1, 2].map((n) => client.subscribe("a", { onMessage: () => void got.push(n) })));
  await network.settle();
  const [one, two] = await both;
  server.last.send(message("a"));
  await network.settle();
  expect(got.splice(0)).toEqual([1, 2]);
  void one!.unsubscribe();
  await network.settle();
  expect(server.received(PacketType.UNSUBSCRIBE)).toHaveLength(0);
  server.last.send(message("a"));
  await network.settle();
  expect(got).toEqual([2]);
  void two!.unsubscribe();
  await network.settle();
  expect(server.received(PacketType.UNSUBSCRIBE)).toHaveLength(1);
});

test("a refused filter shows in granted; when all are refused subscribe rejects", async () => {
  const { network, server, client } = await setUpConnected();
  server.script = (packet) =>
    packet.type === PacketType.SUBSCRIBE
      ? {
          type: PacketType.SUBACK,
          packetId: packet.packetId,
          reasonCodes: packet.subscriptions.map(({ filter }) => (filter.startsWith("no") ? 0x87 : 1)),
          properties: undefined,
        }
      : "usual";
  const some = outcome(client.subscribe(["yes", "no"]));
  const none = outcome(client.subscribe(["no/1", "no/2"]));
  await network.settle();
  expect(some.value).toMatchObject({ granted: [1, 0x87] });
  expect(none.value).toMatchObject({ code: "subscribe-refused", reasonCode: 0x87 });
});

test("invalid filters and those that CONNACK rules out are refused before anything is sent", async () => {
  const { network, server, client } = await setUpConnected({}, (server) => {
    server.connackProperties = { wildcardSubscriptionAvailable: false, sharedSubscriptionAvailable: false };
  });
  const values = ["", "a#", "a/+b", "$share//a", [], ["a", "#"], "$share/g/a"].map((f) => outcome(client.subscribe(f)));
  await network.settle();
  expect(values.map(({ value }) => (value as { code: string }).code)).toEqual([
    ...Array<string>(5).fill("invalid-argument"),
    ...Array<string>(2).fill("not-supported-by-server"),
  ]);
  expect(server.received(PacketType.SUBSCRIBE)).toHaveLength(0);
});

test("a subscribe before the connection is sent with it, after signal or timeout it is not", async () => {
  const { network, server, client } = setUp();
  const abort = new AbortController();
  const wanted = outcome(client.subscribe("wanted"));
  const aborted = outcome(client.subscribe("aborted", { signal: abort.signal }));
  abort.abort();
  await network.settle();
  expect(aborted.value).toMatchObject({ code: "aborted" });
  expect(wanted.value).toMatchObject({ granted: [1] });
  expect(server.received(PacketType.SUBSCRIBE).flatMap((p) => p.subscriptions.map((s) => s.filter))).toEqual([
    "wanted",
  ]);
});

test("a server that does not answer SUBSCRIBE makes the call fail, not wait for ever", async () => {
  const { network, server, client } = await setUpConnected();
  server.script = (packet) => (packet.type === PacketType.SUBSCRIBE ? undefined : "usual");
  const late = outcome(client.subscribe("a"));
  const limited = outcome(client.subscribe("b", { timeoutMs: 1_000 }));
  await network.pass(1_001);
  expect(limited.value).toMatchObject({ code: "timeout" });
  await network.pass(30_000);
  expect(late.value).toMatchObject({ code: "timeout" });
});

test("payload helpers: text, JSON and a schema", async () => {
  const { network, server, client } = await setUpConnected();
  const got: Message[] = [];
  void client.subscribe("a", { onMessage: (message) => void got.push(message) });
  await network.settle();
  const send = (payload: string | number[]) =>
    server.last.send(
      message("a", {
        payload: typeof payload === "string" ? new TextEncoder().encode(payload) : new Uint8Array(payload),
      }),
    );
  send('{"n":1}');
  send("no json");
  send([0xff]);
  await network.settle();
  const [json, noJson, noText] = got;
  const schema = {
    "~standard": {
      version: 1,
      vendor: "test",
      validate: (value: unknown) =>
        typeof (value as { n?: unknown }).n === "number"
          ? { value: value as { n: number } }
          : { issues: [{ message: "no n" }] },
      types: undefined as { input: unknown; output: { n: number } } | undefined,
    },
  } as const;
  expect(json!.json(schema).n).toBe(1);
  expect(json!.text()).toBe('{"n":1}');
  expect(() => noJson!.json()).toThrow(expect.objectContaining({ code: "payload-invalid" }));
  expect(() => noText!.text()).toThrow(expect.objectContaining({ code: "payload-invalid" }));
  expect(text(noJson!.payload)).toBe("no json");
});

test("a full buffer pauses the connection; while an answer is awaited QoS 0 gives way instead", async () => {
  const { network, server, client, errors } = await setUpConnected();
  const subscribing = client.subscribe("t", { bufferSize: 3, qos: 1 });
  await network.settle();
  const subscription = await subscribing;
  server.script = (packet) => (packet.type === PacketType.PUBLISH ? undefined : "usual");
  void client.publish("awaits", "its PUBACK", { qos: 1 });
  const flood = (count: number, first: number) =>
    server.last.send(
      ...Array.from({ length: count }, (_, i) => message("t", { qos: i % 2 ? 1 : 0, packetId: i % 2 ? first + i : 0 })),
    );
  flood(20, 1);
  await network.settle();
  expect(errors).toMatchObject([{ code: "buffer-overflow" }]);
  // Three fit, then only QoS 1 is held, which Receive Maximum bounds.
  expect(Reflect.get(subscription, "buffered")).toBe(3 + 9);
  server.last.send({ type: PacketType.PUBACK, packetId: 2, reasonCode: 0, properties: undefined });
  await network.settle();
  flood(20, 101);
  await network.settle();
  expect(Reflect.get(subscription, "buffered")).toBe(12);
  for (let i = 0; i < 12 + 20; i += 1) {
    const next = outcome(subscription.next());
    await network.pass(1);
    expect(next.value).toMatchObject({ done: false });
  }
  expect(errors).toHaveLength(1);
});

test("messages of a resumed session wait for their subscription, and are given up when none comes", async () => {
  const { network, server, client, errors } = setUp({ cleanStart: false });
  server.sessionPresent = true;
  await network.settle();
  server.last.send(message("a", { qos: 1, packetId: 1 }), message("gone", { qos: 2, packetId: 2 }));
  await network.settle();
  expect(server.last.received(PacketType.PUBACK)).toHaveLength(0);
  const got: string[] = [];
  const stop = client.on("message", ({ topic }) => void got.push(topic));
  expect(got.splice(0)).toEqual(["a", "gone"]);
  stop();
  void client.subscribe("a", { onMessage: ({ topic }) => void got.push(topic) });
  await network.settle();
  expect(got).toEqual(["a"]);
  expect(server.last.received(PacketType.PUBACK)).toHaveLength(1);
  expect(server.last.received(PacketType.PUBREC)).toHaveLength(0);
  await network.pass(5_000);
  expect(server.last.received(PacketType.PUBREC)).toHaveLength(1);
  expect(errors).toMatchObject([{ code: "message-unclaimed" }]);
});

test("manual acknowledgement: nothing is answered before, and answers leave in order", async () => {
  const { network, server, client } = await setUpConnected();
  const got: Message[] = [];
  void client.subscribe("t", { qos: 1, acknowledge: "manual", onMessage: (message) => void got.push(message) });
  await network.settle();
  server.last.send(message("t", { qos: 1, packetId: 1 }), message("t", { qos: 1, packetId: 2 }));
  await network.settle();
  got[1]!.acknowledge(0x83);
  await network.settle();
  expect(server.last.received(PacketType.PUBACK)).toHaveLength(0);
  got[0]!.acknowledge();
  got[0]!.acknowledge();
  await network.settle();
  expect(server.last.received(PacketType.PUBACK)).toMatchObject([
    { packetId: 1, reasonCode: 0 },
    { packetId: 2, reasonCode: 0x83 },
  ]);
});

test("an iterated message is acknowledged when the iteration comes back", async () => {
  const { network, server, client } = await setUpConnected();
  const subscribing = client.subscribe("t", { qos: 1 });
  await network.settle();
  const subscription = await subscribing;
  server.last.send(message("t", { qos: 1, packetId: 1 }));
  await network.settle();
  await subscription.next();
  await network.settle();
  expect(server.last.received(PacketType.PUBACK)).toHaveLength(0);
  void subscription.next();
  await network.settle();
  expect(server.last.received(PacketType.PUBACK)).toHaveLength(1);
});

test("a subscribe and the publish after it, in one turn, leave in this order", async () => {
  const { network, server, client } = await setUpConnected();
  void client.subscribe(["a", "b"]);
  void client.subscribe("c");
  void client.publish("a", "", { qos: 1 });
  void client.subscribe("d");
  await network.settle();
  const types = server.last.packets.map(({ type }) => type);
  expect(types).toEqual([PacketType.CONNECT, PacketType.SUBSCRIBE, PacketType.PUBLISH, PacketType.SUBSCRIBE]);
});

test("what fills a packet leaves before the turn ends, what does not at its end, and nothing twice", async () => {
  const network = mockNetwork();
  const server = new ScriptedServer(network);
  const send = vi.fn();
  const dial: Dial = async (options) => {
    const connection = await network.dial(options);
    send.mockImplementation(connection.send.bind(connection));
    return Object.assign(connection, { send });
  };
  const client = createClient(dial, { scheduler: network.scheduler, limits: { filtersPerPacket: 4 } });
  await network.settle();
  send.mockClear();
  const all = outcome(Promise.all(filters(10).map((filter) => client.subscribe(filter))));
  expect(send).toHaveBeenCalledTimes(2);
  await network.settle();
  expect(send).toHaveBeenCalledTimes(3);
  expect(subscribed(server)).toEqual([filters(10).slice(0, 4), filters(10).slice(4, 8), filters(10).slice(8)]);
  expect(all.value).toHaveLength(10);
});

test("what filled a packet while there was no connection is sent once, and so is what a lost session had", async () => {
  const { network, server, client } = setUp({ limits: { filtersPerPacket: 4 } });
  const all = outcome(Promise.all(filters(4).map((filter) => client.subscribe(filter))));
  await network.settle();
  expect(all.value).toHaveLength(4);
  expect(subscribed(server).flat()).toEqual(filters(4));
  server.last.connection.abort();
  await network.pass(60_000);
  expect(subscribed(server).flat()).toEqual([...filters(4), ...filters(4)]);
});

test("a call with more filters than fit in a packet is granted each of them, in their order", async () => {
  const { network, server, client } = await setUpConnected({ limits: { filtersPerPacket: 4, unansweredPackets: 1 } });
  server.script = (packet) =>
    packet.type === PacketType.SUBSCRIBE
      ? {
          type: PacketType.SUBACK,
          packetId: packet.packetId,
          reasonCodes: packet.subscriptions.map(({ filter }) => Number(filter.slice(1)) % 3),
          properties: undefined,
        }
      : "usual";
  const all = outcome(client.subscribe(filters(10), { qos: 2 }));
  await network.settle();
  expect(all.value).toMatchObject({ granted: [0, 1, 2, 0, 1, 2, 0, 1, 2, 0] });
  expect(subscribed(server).map(({ length }) => length)).toEqual([4, 4, 2]);
});

test("unsubscribing from a client that is closed ends at once, so that `await using` does not wait for ever", async () => {
  const { network, server, client } = await setUpConnected();
  const subscribed = client.subscribe("t");
  await network.settle();
  const subscription = await subscribed;
  server.last.send(disconnect(0x8e));
  await network.settle();
  expect(client.status).toBe("closed");
  const ended = outcome(subscription.unsubscribe());
  await network.settle();
  expect(ended.value).toBeUndefined();
});

function filters(count: number): string[] {
  return Array.from({ length: count }, (_, i) => `t${i}`);
}

/** The filters of each SUBSCRIBE. */
function subscribed(server: ScriptedServer): string[][] {
  return server.received(PacketType.SUBSCRIBE).map((packet) => packet.subscriptions.map(({ filter }) => filter));
}

test("both of two callers who left the same filter are told, though the connection ended in between", async () => {
  const { network, server, client } = await setUpConnected({}, (server) => {
    server.sessionPresent = true;
  });
  const subscribe = async () => {
    const subscribing = client.subscribe("t");
    await network.settle();
    return await subscribing;
  };
  server.script = (packet) => (packet.type === PacketType.UNSUBSCRIBE ? undefined : "usual");
  const first = outcome((await subscribe()).unsubscribe());
  await network.settle();
  const second = outcome((await subscribe()).unsubscribe());
  await network.settle();
  expect(server.last.received(PacketType.UNSUBSCRIBE)).toHaveLength(2);
  server.script = () => "usual";
  network.cut();
  await network.pass(1_000);
  expect([first.value, second.value]).toEqual([undefined, undefined]);
});

test("a packet identifier used anew for another topic is another message, DUP or not", async () => {
  const { network, server, client } = await setUpConnected({ sessionExpiryInterval: 60 }, (server) => {
    server.sessionPresent = true;
  });
  const got: string[] = [];
  void client.subscribe("#", { acknowledge: "manual", onMessage: ({ topic }) => void got.push(topic) });
  await network.settle();
  const copies = [
    message("a", { qos: 1, packetId: 7 }),
    message("a", { qos: 1, packetId: 7, dup: true }),
    message("b", { qos: 1, packetId: 7, dup: true }),
    message("b", { qos: 1, packetId: 7 }),
  ];
  for (const copy of copies) {
    server.last.send(copy);
    await network.settle();
    network.cut();
    await network.pass(30_000);
  }
  expect(got).toEqual(["a", "b", "b"]);
});
