import { matches } from "@tidewire/codec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { local } from "../cluster/index.ts";
import { Encodings, IncomingPublication } from "../messages/index.ts";
import { MetricsRecorder } from "../metrics/index.ts";
import { Router } from "./router.ts";
import { Readiness, type RouteTarget, type Subscriber, Subscription } from "./subscription.ts";

class Recorder implements Subscriber {
  readonly clientId: string;
  readonly received: string[] = [];
  readyness: Readiness = Readiness.READY;

  constructor(clientId: string) {
    this.clientId = clientId;
  }

  readiness(): Readiness {
    return this.readyness;
  }

  deliver(publication: IncomingPublication, target: RouteTarget): void {
    const identifiers = target.identifiers === undefined ? "" : ` ${[...target.identifiers].sort()}`;
    this.received.push(`${publication.topic}:${target.qos}${identifiers}`);
  }

  redeliver(): void {}
  help(): void {}
  giveUp(): undefined {}
}

function routerOf(routeCacheSize: number): Router {
  return new Router({
    cluster: local(),
    limits: { routeCacheSize },
    metrics: new MetricsRecorder(),
    work: { spend() {} },
  });
}

function subscription(
  subscriber: Subscriber,
  filter: string,
  options: { qos?: 0 | 1 | 2; noLocal?: boolean; identifier?: number } = {},
): Subscription {
  const { qos = 0, noLocal = false, identifier } = options;
  return new Subscription(subscriber, {
    filter,
    qos,
    noLocal,
    retainAsPublished: false,
    retainHandling: 0,
    subscriptionIdentifier: identifier,
  });
}

function publish(router: Router, topic: string, publisher?: string): number {
  const publication = new IncomingPublication(topic, new Uint8Array(), 0, false, undefined, publisher, 0);
  return router.publish(publication, new Encodings(publication));
}

describe("Router", () => {
  it("sends one copy to overlapping subscriptions, with the highest QoS and every identifier", () => {
    const router = routerOf(1000);
    const client = new Recorder("client");
    router.add(subscription(client, "a/b", { qos: 1, identifier: 7 }), "a/b", undefined);
    router.add(subscription(client, "a/+", { qos: 2, identifier: 3 }), "a/+", undefined);
    router.add(subscription(client, "#", { qos: 0 }), "#", undefined);
    expect(publish(router, "a/b")).toBe(1);
    expect(client.received).toEqual(["a/b:2 3,7"]);
  });

  it("counts only subscriptions without No Local for a client's own messages", () => {
    const router = routerOf(1000);
    const client = new Recorder("client");
    router.add(subscription(client, "a", { qos: 2, noLocal: true }), "a", undefined);
    expect(publish(router, "a", "client")).toBe(0);
    router.add(subscription(client, "#", { qos: 1 }), "#", undefined);
    expect(publish(router, "a", "client")).toBe(1);
    expect(publish(router, "a", "other")).toBe(1);
    expect(client.received).toEqual(["a:1", "a:2"]);
  });

  it("has no stale route under churn", () => {
    const filters = ["a", "a/b", "a/+", "+/b", "a/#", "#", "+"];
    const topics = ["a", "a/b", "b", "b/b"];
    const change = fc.record({
      filter: fc.constantFrom(...filters),
      client: fc.nat(2),
      add: fc.boolean(),
      topic: fc.constantFrom(...topics),
    });
    fc.assert(
      fc.property(fc.array(change, { maxLength: 60 }), fc.constantFrom(20, 1000), (changes, cacheSize) => {
        const router = routerOf(cacheSize);
        const clients = [0, 1, 2].map((index) => new Recorder(`client${index}`));
        const active = new Map<string, Subscription>();
        for (const { filter, client, add, topic } of changes) {
          const key = `${client} ${filter}`;
          const existing = active.get(key);
          if (add && existing === undefined) {
            active.set(key, subscription(clients[client]!, filter));
            router.add(active.get(key)!, filter, undefined);
          } else if (!add && existing !== undefined) {
            router.remove(existing, filter, undefined);
            active.delete(key);
          }
          const expected = new Set<Subscriber>();
          for (const one of active.values()) {
            if (matches(one.filter, topic)) {
              expected.add(one.subscriber);
            }
          }
          expect(publish(router, topic)).toBe(expected.size);
        }
        expect(router.subscriptionCount).toBe(active.size);
      }),
    );
  });

  it("gives each message of a shared subscription to one member in turn, passing over those that are full", () => {
    const router = routerOf(1000);
    const members = ["a", "b", "c"].map((name) => new Recorder(name));
    for (const member of members) {
      router.add(subscription(member, "$share/g/t"), "t", "g");
    }
    for (let round = 0; round < 6; round += 1) {
      expect(publish(router, "t")).toBe(1);
    }
    expect(members.map((member) => member.received.length)).toEqual([2, 2, 2]);
    members[1]!.readyness = Readiness.BUSY;
    for (let round = 0; round < 4; round += 1) {
      publish(router, "t");
    }
    expect(members.map((member) => member.received.length)).toEqual([4, 2, 4]);
    for (const member of members) {
      member.readyness = Readiness.FULL;
    }
    expect(publish(router, "t")).toBe(0);
  });
});
