import {
  type BrokerHooks,
  type BrokerLogger,
  type BrokerOptions,
  type BrokerStore,
  type ClusterBackend,
  local,
  memoryStore,
} from "@tidewire/broker";
import { PacketType } from "@tidewire/codec";
import type { Connection } from "@tidewire/transport";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { ack, bytesOf, connectPacket, disconnectPacket, Lab, type Peer } from "./harness.ts";

/*
 * Whatever throws, at once or later, ends one connection at most: an answer that did not fit was thrown in a promise's
 * continuation once, and the process ended. Every seam of the broker is made to fail here, while a pair of bystanders
 * goes on as if nothing were. (Field failures: "a corrupt packet throws and kills the process"; attack 26.)
 */

const strays: unknown[] = [];
const stray = (error: unknown): void => void strays.push(error);
beforeAll(() => {
  process.on("unhandledRejection", stray);
  process.on("uncaughtException", stray);
});
afterAll(() => {
  process.off("unhandledRejection", stray);
  process.off("uncaughtException", stray);
});
afterEach(() => {
  expect(strays.splice(0)).toEqual([]);
});

class Bystanders {
  readonly #lab: Lab;
  readonly #from: Peer;
  readonly #to: Peer;

  constructor(lab: Lab, from: Peer, to: Peer) {
    this.#lab = lab;
    this.#from = from;
    this.#to = to;
  }

  static async connect(lab: Lab): Promise<Bystanders> {
    const from = await lab.connect({ clientId: "bystander-from" });
    const to = await lab.connect({ clientId: "bystander-to" });
    await to.subscribe(lab, "bystanders");
    return new Bystanders(lab, from, to);
  }

  async check(): Promise<void> {
    const before = this.#to.received.length;
    this.#from.publish("bystanders", "still here");
    await this.#from.exchange(this.#lab, { type: PacketType.PINGREQ });
    expect([this.#from.closed, this.#to.closed]).toEqual([false, false]);
    expect(this.#to.received.length).toBe(before + 1);
    expect(this.#from.last(PacketType.PINGRESP)).toBeDefined();
    const fresh = await this.#lab.connect({ clientId: "bystander-fresh" });
    expect(fresh.connack.reasonCode).toBe(0);
    fresh.cut();
    await this.#lab.settle();
  }
}

/** A client's whole life: session, subscriptions, retained messages, all QoS both ways, a will, a cut and a return. */
async function live(lab: Lab): Promise<void> {
  const properties = { sessionExpiryInterval: 100 };
  const will = { topic: "victim/will", payload: bytesOf("w"), qos: 1 as const, retain: true, properties: undefined };
  const options = { clientId: "victim", cleanStart: false, properties, will };
  for (const round of [1, 2]) {
    const victim = lab.dial();
    await victim.exchange(lab, connectPacket(options));
    if (victim.closed) {
      continue;
    }
    victim.publish("victim/a", "retained", { qos: 1, retain: true, packetId: 100 + round });
    await lab.settle();
    await victim.subscribe(lab, "victim/#", { qos: 2 }).catch(() => undefined);
    for (const qos of [0, 1, 2] as const) {
      victim.publish("victim/b", `${qos}`, { qos, packetId: qos === 0 ? 0 : 10 * round + qos });
    }
    await lab.settle();
    await victim.exchange(lab, ack(PacketType.PUBREL, 10 * round + 2), ack(PacketType.PUBACK, 1));
    victim.cut();
    await lab.settle();
    try {
      lab.broker.publish("victim/b", "while away", { qos: 1 });
    } catch {
      // The caller is told.
    }
    await lab.advance(20);
  }
  const last = lab.dial();
  await last.exchange(lab, connectPacket({ ...options, cleanStart: true, properties: undefined }));
  await last.exchange(lab, disconnectPacket());
  await lab.advance(200_000);
}

/** How a call can fail; `later` only where a promise may come back. */
const ways = {
  "at once": (): never => {
    throw new Error("on purpose");
  },
  later: (): unknown => Promise.reject(new Error("on purpose")),
  "with what is no Error": (): never => {
    throw undefined;
  },
} as const;

/** The object, with one of its methods failing for everyone's calls but the bystanders'. */
function sabotage<Target extends object>(target: Target, name: keyof Target & string, way: () => unknown): Target {
  return new Proxy(target, {
    get(object, key) {
      const value: unknown = Reflect.get(object, key, object);
      if (typeof value !== "function") {
        return value;
      }
      return (...args: unknown[]) =>
        key === name && !args.some(isBystanders)
          ? way()
          : (value as (...args: unknown[]) => unknown).apply(object, args);
    },
  });
}

/** A client identifier or topic, or what has one. */
function isBystanders(arg: unknown): boolean {
  if (typeof arg === "string") {
    return arg.startsWith("bystander");
  }
  const { clientId, topic, filter } = (arg ?? {}) as { readonly [name: string]: unknown };
  return [clientId, topic, filter].some((text) => typeof text === "string" && text.startsWith("bystander"));
}

async function survive(options: BrokerOptions, act: (lab: Lab) => Promise<void> = live): Promise<Lab> {
  const lab = await Lab.start(options);
  const bystanders = await Bystanders.connect(lab);
  await act(lab);
  await bystanders.check();
  return lab;
}

describe.each(Object.entries(ways))("what fails %s", (when, way) => {
  const isLater = when === "later";
  const hooks: (keyof BrokerHooks)[] = [
    "authenticate",
    "authorizePublish",
    "authorizeSubscribe",
    "authorizeDelivery",
    "knowsUser",
    "onConnected",
    "onDisconnected",
    "onPublished",
  ];
  it.each(hooks)("in the hook %s ends nobody else's connection", async (name) => {
    const all: BrokerHooks = {
      authenticate: () => true,
      authorizePublish: () => true,
      authorizeSubscribe: () => true,
      authorizeDelivery: () => true,
      knowsUser: () => true,
      onConnected: () => undefined,
      onDisconnected: () => undefined,
      onPublished: () => undefined,
    };
    await survive({ hooks: sabotage(all, name, way) });
  });

  // Where no promise is expected, none is looked at.
  const storeCalls: (keyof BrokerStore & string)[] = [
    "putSession",
    "deleteSession",
    "putSubscription",
    "deleteSubscription",
    "enqueue",
    "dequeue",
    "readQueue",
    "inflight",
    "putRetained",
    "deleteRetained",
    "readRetained",
  ];
  it.skipIf(isLater).each(storeCalls)("in the store's %s ends nobody else's connection", async (name) => {
    await survive({ store: sabotage(memoryStore(), name, way) });
  });

  it("in the store's commit ends those whom it was to promise something, and nobody later", async () => {
    const store = memoryStore();
    let failing = false;
    const failures = new Proxy(store, {
      get: (object, key) => (key === "commit" && failing ? way : Reflect.get(object, key, object)?.bind?.(object)),
    });
    await survive({ store: failures }, async (lab) => {
      const victim = lab.dial();
      await victim.exchange(lab, connectPacket({ clientId: "victim" }));
      failing = true;
      victim.publish("t", "x", { qos: 1 });
      await lab.settle();
      expect(victim.last(PacketType.PUBACK)).toBeUndefined();
      expect(victim.closed).toBe(true);
      failing = false;
      await live(lab);
    });
  });

  const clusterCalls: (keyof ClusterBackend & string)[] = isLater
    ? ["claim"]
    : ["published", "retained", "claim", "ended", "subscribed", "unsubscribed"];
  it.each(clusterCalls)("in the cluster's %s ends nobody else's connection", async (name) => {
    await survive({ cluster: sabotage(local(), name, way) });
  });

  it.skipIf(isLater).each(["debug", "info", "warn", "error"] as const)(
    "in the logger's %s ends nobody's",
    async (name) => {
      const logger: BrokerLogger = { debug() {}, info() {}, warn() {}, error() {} };
      const hooks: BrokerHooks = { authorizePublish: ({ clientId }) => clientId.startsWith("bystander") || fail() };
      await survive({ hooks, logger: { ...logger, [name]: way } });
    },
  );

  it.skipIf(isLater)("in a listener or a local subscriber ends nobody's", async () => {
    await survive({}, async (lab) => {
      for (const event of [
        "clientConnected",
        "clientDisconnected",
        "sessionEnded",
        "subscribed",
        "unsubscribed",
      ] as const) {
        lab.broker.on(event, way as () => void);
      }
      lab.broker.subscribe("#", way as () => void);
      await live(lab);
      expect(lab.broker.metrics().hookFailures).toBeGreaterThan(0);
    });
  });

  it.skipIf(isLater).each(["start", "send", "pause", "resume", "close", "abort"] as const)(
    "in a connection's %s ends that connection",
    async (name) => {
      await survive({}, async (lab) => {
        const link = lab.network.pair();
        let failing = false;
        const hostile = new Proxy(link.server, {
          get(object, key) {
            const value: unknown = Reflect.get(object, key, object);
            const bound = typeof value === "function" ? value.bind(object) : value;
            return key === name ? (...args: unknown[]) => (failing ? way() : bound(...args)) : bound;
          },
        }) as Connection;
        failing = name === "start";
        try {
          lab.broker.handle(hostile);
        } catch {
          // A listener that hands over what cannot be started is told.
        }
        if (name !== "start") {
          link.client.start({ onData: () => {}, onDrain: () => {}, onClose: () => {} });
          link.client.send([connectBytes("hostile")]);
          await lab.settle();
          failing = true;
          link.client.send([Uint8Array.of(0xc0, 0, 0xc0, 0)]);
          await lab.settle();
          lab.broker.disconnect("hostile");
          await lab.settle();
          link.client.abort();
        }
        await lab.settle();
      });
    },
  );
});

describe("a client that takes no packet as large as its answer", () => {
  // MQTT 5 CONNECT with Maximum Packet Size 1 to 10: CONNACK does not fit, and the connection closes without [MQTT-3.1.2-24].
  it.each(
    [...Array(10).keys()].flatMap((index) => [
      [index + 1, "at once"],
      [index + 1, "later"],
    ]) as [number, string][],
  )("of %i bytes is let go, the hook answering %s", async (maximum, when) => {
    const hooks: BrokerHooks = { authenticate: () => (when === "later" ? Promise.resolve(true) : true) };
    const lab = await survive({ hooks }, async (lab) => {
      const peer = lab.dial();
      peer.sendBytes(
        Uint8Array.of(0x10, 0x12, 0, 4, 0x4d, 0x51, 0x54, 0x54, 5, 2, 0, 60, 5, 0x27, 0, 0, 0, maximum, 0, 0),
      );
      await lab.settle();
      expect({ closed: peer.closed, received: peer.received }).toEqual({ closed: true, received: [] });
    });
    expect(lab.broker.metrics()).toMatchObject({ clients: 2, connections: 2 });
  });
});

function connectBytes(clientId: string): Uint8Array {
  const id = bytesOf(clientId);
  return Uint8Array.of(0x10, 12 + id.length, 0, 4, 0x4d, 0x51, 0x54, 0x54, 4, 2, 0, 60, 0, id.length, ...id);
}

function fail(): never {
  throw new Error("on purpose");
}
