import type { QoS } from "@tidewire/codec";
import { QUOTA_EXCEEDED } from "@tidewire/codec/codes";
import { describe, expect, it } from "vitest";
import { clientNamed, FakeConnection, partsOf } from "../../test/parts.ts";
import type { BrokerHooks } from "../hooks/index.ts";
import type { BrokerLimits } from "../limits.ts";
import { Delivery, Encodings, IncomingPublication } from "../messages/index.ts";
import type { Parts } from "../parts.ts";
import { Readiness, type RouteTarget } from "../routing/index.ts";
import { memoryStore } from "../storage/index.ts";
import { Session } from "./session.ts";

const { FULL, KEEPS, BUSY, READY } = Readiness;

describe("readiness", () => {
  it.each<[QoS, number, Readiness]>([
    [0, 2, READY],
    [2, 2, READY],
    [1, 0, BUSY],
    [0, -1, BUSY],
  ])("for QoS %i, where up to %i goes out, is %i", (qos, takes, readiness) => {
    const { session, connection } = connected();
    connection.takes = takes;
    expect(session.readiness(qos)).toBe(readiness);
  });

  it("is busy while others wait: nothing overtakes them", () => {
    const { session, connection, publish } = connected();
    connection.takes = -1;
    publish(1);
    connection.takes = 2;
    expect([session.readiness(1), session.readiness(0)]).toEqual([BUSY, READY]);
  });

  it("keeps what has to arrive while nobody is there", () => {
    const offline = setUp();
    expect([0, 1, 2].map((qos) => offline.session.readiness(qos as QoS))).toEqual([FULL, KEEPS, KEEPS]);
    const keeping = setUp({ limits: { queueQoS0Offline: true } });
    expect(keeping.session.readiness(0)).toBe(KEEPS);
  });

  it("is none where the queue has no room, and after the end", () => {
    const { session, publish } = setUp({ limits: { queueCount: 1 } });
    publish(1);
    expect(session.readiness(1)).toBe(FULL);
    const other = connected().session;
    other.end();
    expect(other.readiness(1)).toBe(FULL);
  });
});

describe("deliver", () => {
  it("sends at once, as bytes that others get where this client can have them", () => {
    const { connection, publish } = connected();
    publish(0);
    publish(1);
    publish(2);
    connection.encoding = false;
    publish(0);
    publish(1);
    expect(connection.sent).toEqual(["0 t at once", "1 t encoded", "2 t encoded", "0 t", "1 t"]);
  });

  it("gives no more QoS than was granted, and RETAIN where it was asked for", () => {
    const { connection, publish } = connected();
    publish(2, { qos: 1 });
    publish(1, { qos: 2 });
    publish(1, {}, true);
    publish(1, { retainAsPublished: true }, true);
    publish(1, { retainAsPublished: true }, false);
    expect(connection.deliveries.map(({ qos, retain }) => [qos, retain])).toEqual([
      [1, false],
      [1, false],
      [1, false],
      [1, true],
      [1, false],
    ]);
  });

  it("lets wait what cannot go out, in order, and sends it when it can", () => {
    const { session, connection, publish } = connected();
    connection.takes = -1;
    publish(1, {}, false, "a");
    publish(1, {}, false, "b");
    connection.takes = 2;
    // Behind those that wait; sending them is due now.
    publish(1, {}, false, "c");
    expect(connection.sent).toEqual(["1 a", "1 b", "1 c"]);
    const sequences = connection.deliveries.map(({ sequence }) => sequence);
    expect(sequences).toEqual(sequences.toSorted((x, y) => x - y));
    expect(session.queue.count).toBe(0);
  });

  it("keeps QoS 1 and 2 while nobody is there, QoS 0 only where that is wanted", () => {
    const { session, publish } = setUp();
    publish(0);
    publish(1);
    publish(2);
    expect(session.queue.count).toBe(2);
    const keeping = setUp({ limits: { queueQoS0Offline: true } });
    keeping.publish(0);
    expect(keeping.session.queue.count).toBe(1);
  });

  it("takes nothing after the end", () => {
    const { session, publish } = setUp();
    session.end();
    publish(1);
    expect(session.queue.count).toBe(0);
  });

  it("ends the connection of a client that is too slow, where the policy says so", () => {
    const { connection, publish } = connected({ limits: { queueCount: 1, queuePolicy: "disconnect" } });
    connection.takes = -1;
    publish(1);
    expect(connection.ended).toEqual([]);
    publish(1);
    expect(connection.ended).toEqual([QUOTA_EXCEEDED]);
  });

  /* A small message that waits must not keep its chunk of 64 KiB alive. */
  it.each([
    ["waits for a slow client", 0, -1, undefined, true],
    ["goes into a window", 1, 2, undefined, true],
    ["goes out with QoS 0", 0, 2, undefined, false],
    ["is allowed at once", 0, 2, (): boolean => true, false],
    ["is asked about", 0, 2, (): Promise<boolean> => Promise.resolve(true), true],
  ] as const)("of a message that %s it keeps a copy: %s", (_, qos, takes, authorizeDelivery, copied) => {
    const { connection, deliver } = connected(authorizeDelivery && { hooks: { authorizeDelivery } });
    connection.takes = takes;
    const chunk = new Uint8Array(64 * 1024);
    const publication = new IncomingPublication("t", chunk.subarray(0, 3), qos, false, undefined, undefined, 0);
    deliver(publication);
    expect(publication.payload.buffer !== chunk.buffer).toBe(copied);
  });
});

describe("what a client may have", () => {
  it("is asked for each message, also for QoS 0", () => {
    const { connection, publish, metrics } = connected({
      hooks: { authorizeDelivery: (_, { topic }) => topic === "yes" },
    });
    publish(0, {}, false, "yes");
    publish(1, {}, false, "no");
    publish(0, {}, false, "no");
    publish(1, {}, false, "yes");
    expect(connection.sent).toEqual(["0 yes encoded", "1 yes encoded"]);
    expect(metrics.droppedUnauthorized).toBe(2);
  });

  it("may be told later: then the message waits, and those behind it", async () => {
    const answers: ((allowed: boolean) => void)[] = [];
    const authorizeDelivery = (): Promise<boolean> => new Promise<boolean>((resolve) => answers.push(resolve));
    const { connection, publish, session, metrics } = connected({ hooks: { authorizeDelivery } });
    publish(1, {}, false, "a");
    publish(1, {}, false, "b");
    expect([connection.sent, session.queue.count, answers.length]).toEqual([[], 2, 1]);
    answers[0]?.(true);
    await turn();
    expect([connection.sent, session.queue.count, answers.length]).toEqual([["1 a"], 1, 2]);
    answers[1]?.(false);
    await turn();
    expect([connection.sent, session.queue.count, metrics.droppedUnauthorized]).toEqual([["1 a"], 0, 1]);
  });

  it("is asked again before what is unacknowledged goes out once more", async () => {
    let answer: boolean | Promise<boolean> = true;
    const { parts } = partsOf({ hooks: { authorizeDelivery: (): boolean | Promise<boolean> => answer } });
    const session = withInflight(parts, [1, 2], undefined);
    expect(session.judgeInflight()).toBeUndefined();
    expect(session.inflight.outgoingCount).toBe(2);
    answer = Promise.resolve(false);
    const judged = session.judgeInflight();
    expect(session.inflight.outgoingCount).toBe(2);
    await judged;
    expect(session.inflight.outgoingCount).toBe(0);
    expect(parts.metrics.droppedUnauthorized).toBe(2);
  });

  it("is not asked about where nothing was sent", () => {
    const { session } = connected({ hooks: { authorizeDelivery: () => expect.unreachable() } });
    expect(session.judgeInflight()).toBeUndefined();
  });
});

describe("subscriptions", () => {
  it("replace those with the same filter [MQTT-3.8.4-3]", () => {
    const { session, parts } = setUp();
    expect(session.subscribe(subscription("a", 0))).toBe(true);
    expect(session.subscribe(subscription("a", 1))).toBe(false);
    expect([session.subscriptionCount, parts.router.subscriptionCount]).toEqual([1, 1]);
    expect([session.hasSubscription("a"), session.hasSubscription("b")]).toEqual([true, false]);
    const publication = new IncomingPublication("a", new Uint8Array(1), 2, false, undefined, undefined, 0);
    expect(parts.router.publish(publication, new Encodings(publication))).toBe(1);
    expect(session.queue.peek(1)?.qos).toBe(1);
    expect([session.unsubscribe("a"), session.unsubscribe("a")]).toEqual([true, false]);
    expect([session.subscriptionCount, parts.router.subscriptionCount]).toEqual([0, 0]);
  });

  it("have identifiers that are shared where they are the same, and no others", () => {
    const { session, parts } = setUp();
    session.subscribe({ ...subscription("a", 1), subscriptionIdentifier: 7 });
    session.subscribe({ ...subscription("a/#", 1), subscriptionIdentifier: 8 });
    const publication = new IncomingPublication("a", new Uint8Array(1), 1, false, undefined, undefined, 0);
    parts.router.publish(publication, new Encodings(publication));
    expect([...(session.queue.peek(1)?.subscriptionIdentifiers ?? [])].sort()).toEqual([7, 8]);
  });

  it("are held by the limit, but for those that are there", () => {
    const { session } = setUp({ limits: { subscriptionsPerSession: 1 } });
    expect(session.admits("a")).toBe(true);
    session.subscribe(subscription("a", 1));
    expect([session.admits("a"), session.admits("b")]).toEqual([true, false]);
  });

  it("are gone from the routes at the end, and from the store", async () => {
    const { session, parts } = setUp();
    session.subscribe(subscription("a", 1));
    session.subscribe(subscription("$share/g/b", 1));
    session.save();
    session.end();
    expect([parts.router.subscriptionCount, parts.router.groupCount]).toEqual([0, 0]);
    expect([...(await parts.storage.durable.open()).sessions]).toEqual([]);
  });
});

describe("what is kept", () => {
  const durable = () => Object.assign(memoryStore(), { durable: true });

  it("is everything of a session that outlives its connection", async () => {
    const { session, parts, publish } = setUp({ store: durable() });
    session.subscribe(subscription("a", 1));
    session.subscribe(subscription("b", 1));
    session.unsubscribe("b");
    publish(1);
    session.save();
    const [kept] = [...(await parts.storage.durable.open()).sessions];
    expect(kept).toMatchObject({ clientId: "c", sessionExpiryInterval: 100, queuedCount: 1 });
    expect(kept?.subscriptions.map(({ filter }) => filter)).toEqual(["a"]);
  });

  it("is of another one its will alone, for as long as it may have to be published", async () => {
    const { session, parts, publish } = setUp({ store: durable(), expirySeconds: 0 });
    const sessions = async () => [...(await parts.storage.durable.open()).sessions];
    session.subscribe(subscription("a", 1));
    publish(1);
    session.save();
    expect(await sessions()).toEqual([]);
    session.will = { topic: "w", payload: new Uint8Array(1), qos: 0, retain: false, properties: undefined };
    session.save();
    expect(await sessions()).toMatchObject([
      { clientId: "c", will: { topic: "w" }, subscriptions: [], queuedCount: 0 },
    ]);
    session.end();
    expect(await sessions()).toEqual([]);
  });
});

describe("a shared subscription", () => {
  const FILTER = "$share/g/t";

  it("gives what one member may not have to another, and to none that refused it", () => {
    const { parts, session, other } = pair({ hooks: { authorizeDelivery: ({ clientId }) => clientId === "d" } });
    const connections = [connect(session, "c"), connect(other, "d")];
    for (let count = 0; count < 4; count += 1) {
      route(parts, "t");
    }
    expect(connections.map(({ sent }) => sent.length)).toEqual([0, 4]);
    expect(parts.metrics.droppedUnauthorized).toBe(0);
  });

  it("drops and counts what no member may have", () => {
    const { parts, session, other } = pair({ hooks: { authorizeDelivery: () => false } });
    connect(session, "c");
    connect(other, "d");
    route(parts, "t");
    expect(parts.metrics.droppedUnauthorized).toBe(1);
  });

  it("gives what waits for a member that ends to the others", () => {
    const { parts, session, other } = pair({});
    route(parts, "t");
    route(parts, "t");
    // In turn.
    expect([session.queue.count, other.queue.count]).toEqual([1, 1]);
    session.end();
    expect(other.queue.count).toBe(2);
  });

  it("gives what was sent and not acknowledged to another member with QoS 1, and with QoS 2 to none [MQTT-4.8.2-5]", () => {
    const { parts } = partsOf();
    const session = withInflight(parts, [1, 2], FILTER);
    const other = new Session(parts, { ...RECORD, clientId: "d" });
    session.subscribe(subscription(FILTER, 2));
    other.subscribe(subscription(FILTER, 2));
    session.end();
    expect(other.queue.count).toBe(1);
    expect(other.queue.peek(1)?.qos).toBe(1);
  });

  function pair(options: Options): ReturnType<typeof setUp> & { other: Session } {
    const made = setUp(options);
    const other = new Session(made.parts, { ...RECORD, clientId: "d" });
    made.session.subscribe(subscription(FILTER, 2));
    other.subscribe(subscription(FILTER, 2));
    return { ...made, other };
  }

  function route(parts: Parts, topic: string, qos: QoS = 1): void {
    const publication = new IncomingPublication(topic, new Uint8Array(1), qos, false, undefined, undefined, 0);
    parts.router.publish(publication, new Encodings(publication));
  }
});

const RECORD = { clientId: "c", version: 5, sessionExpiryInterval: 100, username: undefined } as const;

/** A session of a store, which has sent messages with these QoS that nobody has acknowledged. */
function withInflight(parts: Parts, sent: readonly QoS[], sharedFilter: string | undefined): Session {
  const store = parts.storage.durable;
  const receiver = { version: 5 as const, maybeSentBelow: undefined, nowMs: () => 0 };
  for (const [index, qos] of sent.entries()) {
    const publication = new IncomingPublication("t", new Uint8Array(1), qos, false, undefined, undefined, 0);
    const delivery = new Delivery(receiver, index, publication, qos, false, undefined, sharedFilter);
    store.inflight("c").putOutgoing(index + 1, index, delivery);
  }
  return new Session(parts, RECORD, {
    ...RECORD,
    disconnectedAtMs: undefined,
    will: undefined,
    willAtMs: undefined,
    maybeSentBelow: undefined,
    subscriptions: [],
    queuedCount: 0,
    queuedBytes: 0,
    nextSequence: sent.length,
  });
}

interface Options {
  readonly hooks?: BrokerHooks;
  readonly limits?: Partial<BrokerLimits>;
  readonly store?: ReturnType<typeof memoryStore>;
  readonly expirySeconds?: number;
}

const TARGET = {
  qos: 2,
  retainAsPublished: false,
  identifiers: undefined,
  noLocal: false,
  own: undefined,
  sharedFilter: undefined,
} as const;

function setUp({ expirySeconds = 100, ...options }: Options = {}) {
  const { parts } = partsOf(options);
  const session = new Session(parts, { ...RECORD, sessionExpiryInterval: expirySeconds });
  const deliver = (publication: IncomingPublication, changes: Partial<RouteTarget> = {}): void =>
    session.deliver(publication, { ...TARGET, subscriber: session, ...changes }, new Encodings(publication));
  const publish = (qos: QoS, changes: Partial<RouteTarget> = {}, retain = false, topic = "t"): void =>
    deliver(new IncomingPublication(topic, new Uint8Array(1), qos, retain, undefined, undefined, 0), changes);
  return { parts, session, deliver, publish, metrics: parts.metrics };
}

function connected(options?: Options): ReturnType<typeof setUp> & { connection: FakeConnection } {
  const made = setUp(options);
  return { ...made, connection: connect(made.session, "c") };
}

function connect(session: Session, clientId: string): FakeConnection {
  const connection = new FakeConnection();
  session.attach(connection, clientNamed(clientId));
  return connection;
}

function subscription(filter: string, qos: QoS) {
  const retainHandling = 0 as const;
  return { filter, qos, noLocal: false, retainAsPublished: false, retainHandling, subscriptionIdentifier: undefined };
}

function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
