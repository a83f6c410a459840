import { matches, PacketType, type PublishPacket, type QoS } from "@tidewire/codec";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ack, connectPacket, disconnectPacket, Lab, type Peer, subscribePacket } from "./harness.ts";

/*
 * Random operations by a few clients, done both by the broker and by a reference model that knows no trees, caches,
 * queues or windows: a list of subscriptions per session, and for each publication every list is looked through.
 * After each operation everything comes to rest, and what each client has received must be the same in both.
 */

interface Subscribed {
  readonly filter: string;
  readonly qos: QoS;
  readonly noLocal: boolean;
  readonly retainAsPublished: boolean;
  readonly identifier: number | undefined;
}

interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly identifiers: readonly number[];
}

class ModelSession {
  connected = true;
  readonly persistent: boolean;
  readonly subscriptions: Subscribed[] = [];
  waiting: Received[] = [];
  received: Received[] = [];

  constructor(persistent: boolean) {
    this.persistent = persistent;
  }

  deliver(message: Received): void {
    if (this.connected) {
      this.received.push(message);
    } else if (message.qos > 0) {
      this.waiting.push(message);
    }
  }
}

class Model {
  readonly sessions = new Map<number, ModelSession>();
  readonly retained = new Map<string, { payload: string; qos: QoS; publisher: number }>();

  connect(client: number, persistent: boolean, clean: boolean): boolean {
    const before = this.sessions.get(client);
    const present = before !== undefined && !clean && before.persistent;
    const session = new ModelSession(persistent);
    if (present) {
      session.subscriptions.push(...before.subscriptions);
      session.received.push(...before.waiting);
    }
    this.sessions.set(client, session);
    return present;
  }

  disconnect(client: number): void {
    const session = this.sessions.get(client);
    if (session?.persistent) {
      session.connected = false;
      session.received = [];
    } else {
      this.sessions.delete(client);
    }
  }

  subscribe(client: number, subscribed: Subscribed, retainHandling: 0 | 1 | 2): void {
    const session = this.sessions.get(client)!;
    const index = session.subscriptions.findIndex(({ filter }) => filter === subscribed.filter);
    if (index >= 0) {
      session.subscriptions.splice(index, 1);
    }
    session.subscriptions.push(subscribed);
    if (retainHandling === 2 || (retainHandling === 1 && index >= 0)) {
      return;
    }
    for (const [topic, { payload, qos, publisher }] of this.retained) {
      if (matches(subscribed.filter, topic) && !(subscribed.noLocal && publisher === client)) {
        const identifiers = subscribed.identifier === undefined ? [] : [subscribed.identifier];
        session.deliver({ topic, payload, qos: Math.min(qos, subscribed.qos) as QoS, retain: true, identifiers });
      }
    }
  }

  unsubscribe(client: number, filter: string): void {
    const { subscriptions } = this.sessions.get(client)!;
    const index = subscriptions.findIndex((one) => one.filter === filter);
    if (index >= 0) {
      subscriptions.splice(index, 1);
    }
  }

  publish(publisher: number, topic: string, payload: string, qos: QoS, retain: boolean): void {
    if (retain) {
      if (payload === "") {
        this.retained.delete(topic);
      } else {
        this.retained.set(topic, { payload, qos, publisher });
      }
    }
    for (const [client, session] of this.sessions) {
      const matching = session.subscriptions.filter(
        ({ filter, noLocal }) => matches(filter, topic) && !(noLocal && client === publisher),
      );
      if (matching.length > 0) {
        session.deliver({
          topic,
          payload,
          qos: Math.min(qos, Math.max(...matching.map((one) => one.qos))) as QoS,
          retain: retain && matching.some((one) => one.retainAsPublished),
          identifiers: matching.flatMap(({ identifier }) => identifier ?? []).sort(),
        });
      }
    }
  }
}

const CLIENTS = 3;
const client = fc.nat(CLIENTS - 1);
const qos = fc.constantFrom<QoS>(0, 1, 2);
const topic = fc.constantFrom("a", "a/b", "a/b/c", "b", "$d/a");
const filter = fc.constantFrom("a", "a/b", "a/+", "a/#", "+/b", "#", "+", "$d/+", "b");

const operation = fc.oneof(
  {
    weight: 1,
    arbitrary: fc.record({ kind: fc.constant("connect"), client, persistent: fc.boolean(), clean: fc.boolean() }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("disconnect"), client, politely: fc.boolean() }) },
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("subscribe"),
      client,
      filter,
      qos,
      noLocal: fc.boolean(),
      retainAsPublished: fc.boolean(),
      retainHandling: fc.constantFrom<0 | 1 | 2>(0, 1, 2),
      identifier: fc.option(fc.integer({ min: 1, max: 9 }), { nil: undefined }),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("unsubscribe"), client, filter }) },
  {
    weight: 5,
    arbitrary: fc.record({
      kind: fc.constant("publish"),
      client,
      topic,
      qos,
      retain: fc.boolean(),
      payload: fc.constantFrom("", "x", "y", "z"),
    }),
  },
);

type Operation = typeof operation extends fc.Arbitrary<infer T> ? T : never;

/** The broker's side: peers that answer every message, and note what they got. */
class Real {
  readonly lab: Lab;
  readonly peers = new Map<number, Peer>();
  readonly #seen = new Map<Peer, number>();

  constructor(lab: Lab) {
    this.lab = lab;
  }

  connect(index: number, persistent: boolean, clean: boolean): boolean {
    const peer = this.lab.dial();
    const properties = { sessionExpiryInterval: persistent ? 1000 : 0, receiveMaximum: 2 };
    peer.send(connectPacket({ clientId: `client${index}`, cleanStart: clean, properties }));
    this.peers.set(index, peer);
    this.#settle();
    return peer.connack.sessionPresent;
  }

  /** Without hooks, and with a store in memory, no promise is at work: nothing needs turns of the real loop. */
  #settle(): void {
    const { network } = this.lab;
    while (network.run() + network.scheduler.advance(0) > 0) {}
  }

  /** Answers until nobody has anything to answer. */
  rest(): void {
    for (let busy = true; busy; ) {
      this.#settle();
      busy = false;
      for (const peer of this.peers.values()) {
        const from = this.#seen.get(peer) ?? 0;
        this.#seen.set(peer, peer.received.length);
        for (const packet of peer.received.slice(from)) {
          if (packet.type === PacketType.PUBLISH && packet.qos > 0) {
            peer.send(ack(packet.qos === 1 ? PacketType.PUBACK : PacketType.PUBREC, packet.packetId));
            busy = true;
          } else if (packet.type === PacketType.PUBREL) {
            peer.send(ack(PacketType.PUBCOMP, packet.packetId));
            busy = true;
          } else if (packet.type === PacketType.PUBREC) {
            peer.send(ack(PacketType.PUBREL, packet.packetId));
            busy = true;
          }
        }
      }
    }
  }

  received(index: number): Received[] {
    return this.peers.get(index)!.publishes.map(toReceived);
  }
}

function toReceived({ topic, payload, qos, retain, properties }: PublishPacket): Received {
  const identifiers = [...(properties?.subscriptionIdentifiers ?? [])].sort();
  return { topic, payload: new TextDecoder().decode(payload), qos, retain, identifiers };
}

/** Order is promised within one topic and QoS; retained messages of one SUBSCRIBE have none. */
function comparable(messages: readonly Received[]): string[] {
  const keyed = messages.map((message, index) => ({ message, index, key: `${message.topic} ${message.qos}` }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : a.index - b.index));
  return keyed.map(({ message }) => JSON.stringify(message));
}

function apply(model: Model, real: Real, step: Operation): void {
  const peer = real.peers.get(step.client);
  const connected = model.sessions.get(step.client)?.connected === true;
  switch (step.kind) {
    case "connect": {
      const { persistent, clean } = step as { persistent: boolean; clean: boolean };
      const present = real.connect(step.client, persistent, clean);
      expect(present).toBe(model.connect(step.client, persistent, clean));
      return;
    }
    case "disconnect":
      if (!connected) {
        return;
      }
      if ((step as { politely: boolean }).politely) {
        peer!.send(disconnectPacket());
      } else {
        peer!.cut();
      }
      real.peers.delete(step.client);
      model.disconnect(step.client);
      return;
    case "subscribe": {
      if (!connected) {
        return;
      }
      const { filter, qos, noLocal, retainAsPublished, retainHandling, identifier } = step as unknown as Subscribed & {
        retainHandling: 0 | 1 | 2;
      };
      peer!.send(subscribePacket(60_000, [{ filter, qos, noLocal, retainAsPublished, retainHandling }], identifier));
      model.subscribe(step.client, { filter, qos, noLocal, retainAsPublished, identifier }, retainHandling);
      return;
    }
    case "unsubscribe": {
      if (!connected) {
        return;
      }
      const { filter } = step as { filter: string };
      peer!.send({ type: PacketType.UNSUBSCRIBE, packetId: 60_000, filters: [filter], properties: undefined });
      model.unsubscribe(step.client, filter);
      return;
    }
    default: {
      if (!connected) {
        return;
      }
      const { topic, payload, qos, retain } = step as { topic: string; payload: string; qos: QoS; retain: boolean };
      peer!.publish(topic, payload, { qos, retain });
      model.publish(step.client, topic, payload, qos, retain);
    }
  }
}

const seed = Number(process.env.FC_SEED ?? Date.now() % 0x7fff_ffff);

describe(`delivery (FC_SEED=${seed})`, () => {
  it("is what a naive reference model says, whatever clients do", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { minLength: 20, maxLength: 60 }), async (steps) => {
        const real = new Real(await Lab.start({ limits: { routeCacheSize: 30 } }, { transcript: false }));
        const model = new Model();
        for (let index = 0; index < CLIENTS; index += 1) {
          apply(model, real, { kind: "connect", client: index, persistent: index > 0, clean: true });
        }
        for (const step of steps) {
          apply(model, real, step);
          real.rest();
        }
        for (const [index, session] of model.sessions) {
          if (session.connected) {
            expect(comparable(real.received(index))).toEqual(comparable(session.received));
          }
        }
        expect(real.lab.broker.metrics()).toMatchObject({
          sessions: model.sessions.size,
          retained: model.retained.size,
          queued: [...model.sessions.values()].reduce((sum, { waiting }) => sum + waiting.length, 0),
          protocolErrors: 0,
        });
      }),
      { seed, numRuns: Number(process.env.MODEL_RUNS ?? 200) },
    );
  });
});
