import type { BrokerHooks, BrokerLogger, Verdict } from "@tidewire/broker";
import { PacketType } from "@tidewire/codec";
import { describe, expect, it, vi } from "vitest";
import {
  ack,
  bytesOf,
  connectPacket,
  disconnectPacket,
  Lab,
  publishPacket,
  subscribePacket,
  textOf,
} from "./harness.ts";

/** A promise and what settles it. */
function later<T>(): { promise: Promise<T>; resolve: (value: T) => void; reject: (error: Error) => void } {
  let resolve!: (value: T) => void;
  let reject!: (error: Error) => void;
  const promise = new Promise<T>((yes, no) => {
    resolve = yes;
    reject = no;
  });
  return { promise, resolve, reject };
}

describe("authenticate", () => {
  it("lets in, refuses with its own code and reason, and renames", async () => {
    const hooks: BrokerHooks = {
      authenticate: ({ username, password }) => {
        if (username === "moved") {
          return { reasonCode: 0x9d, serverReference: "elsewhere", reasonString: "moved" };
        }
        return textOf(password ?? new Uint8Array()) === "secret" ? { username: "known" } : false;
      },
    };
    const lab = await Lab.start({ hooks });
    const connected = vi.fn();
    lab.broker.on("clientConnected", ({ client }) => connected(client.username));
    const refused = await lab.connect({ username: "someone", password: bytesOf("wrong") });
    expect(refused.connack).toMatchObject({ reasonCode: 0x87 });
    expect(refused.closed).toBe(true);
    const moved = await lab.connect({ username: "moved" });
    expect(moved.connack).toMatchObject({
      reasonCode: 0x9d,
      properties: { serverReference: "elsewhere", reasonString: "moved" },
    });
    const old = await lab.connect({ version: 4, username: "someone", password: bytesOf("wrong") });
    expect(old.connack.reasonCode).toBe(5);
    const good = await lab.connect({ username: "someone", password: bytesOf("secret") });
    expect(good.connack.reasonCode).toBe(0);
    expect(connected.mock.calls).toEqual([["known"]]);
    expect(lab.broker.metrics()).toMatchObject({ connectionsRefused: 3, clients: 1 });
  });

  it("may take its time: packets behind CONNECT wait, other clients do not", async () => {
    const answer = later<boolean>();
    const hooks: BrokerHooks = { authenticate: ({ clientId }) => (clientId === "slow" ? answer.promise : true) };
    const lab = await Lab.start({ hooks });
    const slow = lab.dial();
    await slow.exchange(lab, connectPacket({ clientId: "slow" }), subscribePacket(1, [{ filter: "a" }]));
    const quick = await lab.connect({ clientId: "quick" });
    expect(quick.connack.reasonCode).toBe(0);
    expect(slow.received).toEqual([]);
    answer.resolve(true);
    await lab.settle();
    expect(slow.received.map(({ type }) => type)).toEqual([PacketType.CONNACK, PacketType.SUBACK]);
  });

  // The end of a broker under a flood of sign-ins (attack 54.3): 0x8B is no code of CONNACK, so closing failed half-way.
  it("does not keep the broker from closing: who still waits gets a code that CONNACK can carry", async () => {
    const answer = later<boolean>();
    const lab = await Lab.start({ hooks: { authenticate: () => answer.promise } });
    const waiting = lab.dial();
    await waiting.exchange(lab, connectPacket({ clientId: "waiting" }));
    const closed = lab.broker.close();
    await lab.settle();
    await closed;
    expect(waiting.received).toMatchObject([{ type: PacketType.CONNACK, reasonCode: 0x88 }]);
    expect(waiting.closed).toBe(true);
    answer.resolve(true);
  });

  it("is forgotten when the client goes before it has answered", async () => {
    const answer = later<boolean>();
    const lab = await Lab.start({ hooks: { authenticate: () => answer.promise } });
    const client = await lab.connect();
    client.cut();
    await lab.settle();
    answer.resolve(true);
    await lab.settle();
    expect(lab.broker.metrics()).toMatchObject({ clients: 0, sessions: 0, connections: 0 });
  });

  // Attack 54.2: who gave up was hashed first, for minutes. What was sent behind CONNECT made no client stay.
  it.each([
    ["nothing", []],
    ["SUBSCRIBE", [subscribePacket(1, [{ filter: "a" }])]],
    ["DISCONNECT", [disconnectPacket()]],
  ])("is told at once of a client that goes, with %s behind its CONNECT", async (_, behind) => {
    const signals: AbortSignal[] = [];
    const answer = later<boolean>();
    const authenticate: BrokerHooks["authenticate"] = ({ signal }) => {
      signals.push(signal);
      return answer.promise;
    };
    const lab = await Lab.start({ hooks: { authenticate } });
    const client = lab.dial();
    await client.exchange(lab, connectPacket({ clientId: "hasty" }), ...behind);
    expect(signals.map(({ aborted }) => aborted)).toEqual([false]);
    client.cut();
    await lab.settle();
    expect([signals[0]?.aborted, lab.broker.metrics().connections]).toEqual([true, 0]);
    answer.resolve(true);
    await lab.settle();
    expect(lab.broker.metrics()).toMatchObject({ clients: 0, sessions: 0, connections: 0 });
  });

  // MQTT 5.0, 3.1.4: clients need not wait for CONNACK. Some say all they have to say in one packet of TCP.
  it("is waited for by what a client sent behind CONNECT before it left in order", async () => {
    const answer = later<boolean>();
    const authenticate: BrokerHooks["authenticate"] = ({ clientId }) => clientId !== "hasty" || answer.promise;
    const lab = await Lab.start({ hooks: { authenticate } });
    const subscriber = await lab.connect({ clientId: "subscriber" });
    await subscriber.subscribe(lab, "a");
    const hasty = lab.dial();
    await hasty.exchange(lab, connectPacket({ clientId: "hasty" }), publishPacket("a", "all"), disconnectPacket());
    hasty.close();
    await lab.settle();
    answer.resolve(true);
    await lab.settle();
    expect(subscriber.messages).toEqual(["a=all"]);
  });

  it("that throws or rejects refuses, and is reported", async () => {
    const logger: BrokerLogger = { debug: vi.fn(), info: vi.fn(), warn: vi.fn(), error: vi.fn() };
    const authenticate = ({ clientId }: { clientId: string }): boolean | Promise<boolean> => {
      if (clientId === "throws") {
        throw new Error("broken");
      }
      return Promise.reject(new Error("broken"));
    };
    const lab = await Lab.start({ hooks: { authenticate }, logger });
    for (const clientId of ["throws", "rejects"]) {
      expect((await lab.connect({ clientId })).connack.reasonCode).toBe(0x80);
    }
    expect(lab.broker.metrics().hookFailures).toBe(2);
    expect(logger.error).toHaveBeenCalledTimes(2);
  });
});

describe("authenticateStep", () => {
  const method = { authenticationMethod: "test", authenticationData: bytesOf("hello") };
  const hooks: BrokerHooks = {
    authenticateStep: ({ data, reauthentication, memory }) => {
      const said = textOf(data ?? new Uint8Array());
      if (reauthentication) {
        return { outcome: said === "again" ? "success" : "refuse", reasonCode: 0x87 } as never;
      }
      if (!memory.has("asked")) {
        memory.set("asked", true);
        return { outcome: "continue", data: bytesOf("who?") };
      }
      return said === "me"
        ? { outcome: "success", data: bytesOf("welcome"), username: "me" }
        : { outcome: "refuse", reasonCode: 0x87 };
    },
  };
  const auth = (reasonCode: number, text: string) => ({
    type: PacketType.AUTH,
    reasonCode,
    properties: { authenticationMethod: "test", authenticationData: bytesOf(text) },
  });

  it("goes as many rounds as it wants, then CONNACK; and again when connected", async () => {
    const lab = await Lab.start({ hooks });
    const client = await lab.connect({ properties: method });
    expect(client.last(PacketType.AUTH)).toMatchObject({ reasonCode: 0x18 });
    await client.exchange(lab, auth(0x18, "me"));
    expect(client.connack).toMatchObject({ reasonCode: 0, properties: { authenticationMethod: "test" } });
    expect(textOf(client.connack.properties!.authenticationData!)).toBe("welcome");
    await client.exchange(lab, auth(0x19, "again"));
    expect(client.last(PacketType.AUTH)).toMatchObject({ reasonCode: 0 });
    await client.exchange(lab, auth(0x19, "other"));
    expect(client.last(PacketType.DISCONNECT)).toMatchObject({ reasonCode: 0x87 });
  });

  it("is 0x8C where there is none", async () => {
    const lab = await Lab.start();
    expect((await lab.connect({ properties: method })).connack.reasonCode).toBe(0x8c);
  });
});

describe("authorizePublish", () => {
  const hooks: BrokerHooks = { authorizePublish: (_client, { topic }) => !topic.startsWith("secret") };

  it("refuses with 0x87 in MQTT 5, and silently in 3.1.1", async () => {
    const lab = await Lab.start({ hooks });
    const seen: string[] = [];
    lab.broker.subscribe("#", ({ topic }) => seen.push(topic));
    const five = await lab.connect({ clientId: "five" });
    const four = await lab.connect({ clientId: "four", version: 4 });
    for (const client of [five, four]) {
      client.publish("secret", "x", { qos: 1, packetId: 9 });
      client.publish("open", "x", { qos: 1, packetId: 10 });
    }
    await lab.settle();
    expect(five.received.slice(1)).toMatchObject([
      { type: PacketType.PUBACK, packetId: 9, reasonCode: 0x87 },
      { type: PacketType.PUBACK, packetId: 10, reasonCode: 0 },
    ]);
    expect(four.received.slice(1)).toMatchObject([{ packetId: 9 }, { packetId: 10 }]);
    expect(seen).toEqual(["open", "open"]);
  });

  it("holds up its own client alone, and keeps that one's order", async () => {
    const answers = [later<Verdict>(), later<Verdict>()];
    let asked = 0;
    const lab = await Lab.start({
      hooks: {
        authorizePublish: ({ clientId }) => {
          if (clientId !== "slow") {
            return true;
          }
          asked += 1;
          return answers[asked - 1]!.promise;
        },
      },
    });
    const seen: string[] = [];
    lab.broker.subscribe("#", ({ topic }) => seen.push(topic));
    const slow = await lab.connect({ clientId: "slow" });
    const quick = await lab.connect({ clientId: "quick" });
    slow.publish("slow/1", "x", { qos: 1 });
    slow.publish("slow/2", "x", { qos: 1 });
    await lab.settle();
    quick.publish("quick", "x");
    await lab.settle();
    expect(asked).toBe(1);
    expect(seen).toEqual(["quick"]);
    answers[0]!.resolve(true);
    await lab.settle();
    answers[1]!.resolve(true);
    await lab.settle();
    expect(seen).toEqual(["quick", "slow/1", "slow/2"]);
  });

  it.each([
    ["at once", (allowed: boolean) => allowed],
    ["later", async (allowed: boolean) => allowed],
    [
      "by throwing",
      (allowed: boolean) => {
        if (!allowed) {
          throw new Error("broken");
        }
        return true;
      },
    ],
  ])("is asked about wills, and answers %s", async (_name, answer) => {
    const lab = await Lab.start({
      hooks: { authorizePublish: (_client, { topic }) => answer(!topic.startsWith("secret")) },
    });
    const seen: string[] = [];
    lab.broker.subscribe("#", ({ topic }) => seen.push(topic));
    for (const topic of ["secret/will", "open/will"]) {
      const will = { topic, payload: bytesOf("x"), qos: 0 as const, retain: true, properties: undefined };
      const client = await lab.connect({ will });
      client.cut();
      await lab.settle();
    }
    expect(seen).toEqual(["open/will"]);
    expect(lab.broker.metrics().retained).toBe(1);
  });
});

describe("authorizeSubscribe", () => {
  it("grants, lowers, refuses each filter on its own, at once or later", async () => {
    const lab = await Lab.start({
      hooks: {
        authorizeSubscribe: async (_client, { filter }) => {
          if (filter === "lower") {
            return { qos: 0 };
          }
          return filter === "refused" ? { reasonCode: 0x83 } : filter !== "forbidden";
        },
      },
    });
    const client = await lab.connect();
    const filters = ["granted", "lower", "refused", "forbidden"].map((filter) => ({ filter }));
    await client.exchange(lab, subscribePacket(1, filters));
    expect(client.last(PacketType.SUBACK)).toMatchObject({ reasonCodes: [2, 0, 0x83, 0x87] });
    expect(lab.broker.metrics()).toMatchObject({ subscriptions: 2, subscriptionsRefused: 2 });
  });
});

describe.each([
  ["at once", (allowed: boolean) => allowed],
  ["later", async (allowed: boolean) => allowed],
])("authorizeDelivery that answers %s", (_name, answer) => {
  const hooks: BrokerHooks = { authorizeDelivery: (_client, { topic }) => answer(!topic.endsWith("secret")) };

  it("is asked on every way: live, retained, queued, will and shared", async () => {
    const lab = await Lab.start({ hooks });
    lab.broker.publish("retained/secret", "x", { retain: true });
    lab.broker.publish("retained/open", "x", { retain: true });
    const options = { clientId: "reader", cleanStart: false, properties: { sessionExpiryInterval: 60 } };
    const reader = await lab.connect(options);
    await reader.subscribe(lab, "#");
    await reader.subscribe(lab, "$share/g/shared/#");
    for (const qos of [0, 1] as const) {
      lab.broker.publish("live/secret", "x", { qos });
      lab.broker.publish("live/open", "x", { qos });
      lab.broker.publish("shared/secret", "x", { qos });
    }
    await lab.settle();
    expect(reader.publishes.map(({ topic }) => topic)).toEqual(["retained/open", "live/open", "live/open"]);
    await reader.exchange(lab, ack(PacketType.PUBACK, 1), disconnectPacket());
    lab.broker.publish("queued/secret", "x", { qos: 1 });
    lab.broker.publish("queued/open", "x", { qos: 1 });
    const will = { topic: "will/secret", payload: bytesOf("x"), qos: 1 as const, retain: false, properties: undefined };
    const dying = await lab.connect({ clientId: "dying", will });
    dying.cut();
    await lab.settle();
    const again = await lab.connect(options);
    expect(again.publishes.map(({ topic }) => topic)).toEqual(["queued/open"]);
    expect(lab.broker.metrics().queued).toBe(0);
  });

  it("gives a shared message to a member that may have it", async () => {
    const lab = await Lab.start({
      hooks: { authorizeDelivery: ({ clientId }) => answer(clientId === "allowed") },
    });
    for (const clientId of ["one", "two", "allowed"]) {
      await (await lab.connect({ clientId })).subscribe(lab, "$share/g/t");
    }
    const before = lab.broker.metrics().publishSent;
    for (let index = 0; index < 6; index += 1) {
      lab.broker.publish("t", "x", { qos: 1 });
    }
    await lab.settle();
    expect(lab.broker.metrics().publishSent - before).toBe(6);
  });
});

describe("notifications", () => {
  it("tell of clients and publications, and harm nobody when they throw", async () => {
    const calls: string[] = [];
    const hooks: BrokerHooks = {
      onConnected: ({ clientId }, sessionPresent) => {
        calls.push(`connected ${clientId} ${sessionPresent}`);
        throw new Error("broken");
      },
      onPublished: (client, { topic }) => {
        calls.push(`published ${topic} by ${client?.clientId}`);
        throw new Error("broken");
      },
      onDisconnected: ({ clientId }, reasonCode) => {
        calls.push(`disconnected ${clientId} ${reasonCode}`);
        throw new Error("broken");
      },
    };
    const lab = await Lab.start({ hooks });
    const client = await lab.connect({ clientId: "c" });
    client.publish("t", "x", { qos: 1 });
    await client.exchange(lab, disconnectPacket());
    expect(client.last(PacketType.PUBACK)).toBeDefined();
    expect(calls).toEqual(["connected c false", "published t by c", "disconnected c 0"]);
    expect(lab.broker.metrics().hookFailures).toBe(3);
  });
});
