import type { ConnectPacket, Properties, Will } from "@tidewire/codec";
import {
  ADMINISTRATIVE_ACTION,
  CLIENT_IDENTIFIER_NOT_VALID,
  DISCONNECT_WITH_WILL_MESSAGE,
  NORMAL_DISCONNECTION,
  QUOTA_EXCEEDED,
  SESSION_TAKEN_OVER,
  UNSPECIFIED_ERROR,
} from "@tidewire/codec/codes";
import { describe, expect, it } from "vitest";
import { connectPacket } from "../../test/harness.ts";
import { clientNamed, FakeConnection, partsOf } from "../../test/parts.ts";
import { local } from "../cluster/index.ts";
import type { BrokerHooks } from "../hooks/index.ts";
import type { BrokerLimits } from "../limits.ts";
import { Session } from "./session.ts";

const SECOND = 1000;

describe("open", () => {
  it("begins a session where there is none", () => {
    const { open, metrics, sessions } = setUp();
    expect(open("c")).toMatchObject({ sessionPresent: false, session: { clientId: "c", version: 5, stored: false } });
    expect([metrics.sessions, sessions.size]).toEqual([1, 1]);
    expect(sessions.get("c")).toBeInstanceOf(Session);
    expect(sessions.get("d")).toBeUndefined();
  });

  it("goes on with the one that is there, and with a clean start begins anew", () => {
    const { come, sessions, log } = setUp();
    const first = come("c", { cleanStart: false, properties: { sessionExpiryInterval: 100 } });
    first.go();
    const second = come("c", { cleanStart: false, properties: { sessionExpiryInterval: 100 } });
    expect(second).toMatchObject({ sessionPresent: true, session: first.session });
    second.go();
    const third = come("c", { cleanStart: true, properties: { sessionExpiryInterval: 100 } });
    expect(third.sessionPresent).toBe(false);
    expect(third.session).not.toBe(first.session);
    expect(first.session.ended).toBe(true);
    expect(sessions.size).toBe(1);
    expect(log).toEqual(["connection over 0", "connection over 0", "session over c"]);
  });

  it("takes a session over from a connection that is still there", () => {
    const { come, metrics } = setUp();
    const first = come("c", { cleanStart: false, properties: { sessionExpiryInterval: 100 } });
    const second = come("c", { cleanStart: false });
    expect(first.connection.ended).toEqual([SESSION_TAKEN_OVER]);
    expect(second).toMatchObject({ sessionPresent: true, session: first.session });
    expect(second.session.connection).toBe(second.connection);
    expect(metrics).toMatchObject({ takeovers: 1, clients: 1, clientsMaximum: 1, sessions: 1 });
    // What the old connection still has to say is about nobody any more.
    first.go(UNSPECIFIED_ERROR);
    expect(second.session.connection).toBe(second.connection);
  });

  it("has nothing to take over where the session ended with its connection", () => {
    const { come, metrics } = setUp();
    const first = come("c", { cleanStart: false });
    const second = come("c", { cleanStart: false });
    expect(second.sessionPresent).toBe(false);
    expect(first.session.ended).toBe(true);
    expect(metrics).toMatchObject({ takeovers: 1, sessions: 1, clients: 1 });
  });

  it.each<[string, Partial<ConnectPacket>, number]>([
    ["MQTT 5 without an interval", {}, 0],
    ["MQTT 5", { properties: { sessionExpiryInterval: 30 } }, 30],
    ["MQTT 5 beyond the limit", { properties: { sessionExpiryInterval: 5000 } }, 1000],
    ["MQTT 5 for ever", { properties: { sessionExpiryInterval: Number.POSITIVE_INFINITY } }, 1000],
    ["3.1.1 with Clean Session", { version: 4, cleanStart: true }, 0],
    ["3.1.1 without Clean Session", { version: 4, cleanStart: false }, 1000],
  ])("grants %s its time", (_, packet, seconds) => {
    const { come } = setUp({ limits: { sessionExpirySeconds: 1000 } });
    expect(come("c", packet).session.expirySeconds).toBe(seconds);
  });

  it("refuses one more session than the limit, not one that is there", () => {
    const { come, open } = setUp({ limits: { sessions: 2 } });
    come("a");
    come("b");
    expect(open("c")).toBe(QUOTA_EXCEEDED);
    expect(open("b")).toMatchObject({ sessionPresent: false });
  });

  it("refuses new sessions while memory is short", () => {
    const { come, open, parts } = setUp();
    come("a", { properties: { sessionExpiryInterval: 10 } });
    parts.memory.setConnections(parts.limits.memoryBytes);
    expect(open("b")).toBe(QUOTA_EXCEEDED);
    expect(open("a", { cleanStart: false })).toMatchObject({ sessionPresent: true });
    parts.memory.setConnections(0);
    expect(open("b")).toMatchObject({ sessionPresent: false });
  });

  it("counts the sessions of each user, where users sign in", () => {
    const limits = { sessionsPerUser: 1 };
    const { come, open, sessions } = setUp({ limits, hooks: { authenticate: () => true } });
    come("a", { username: "ann" });
    expect(open("b", { username: "ann" })).toBe(QUOTA_EXCEEDED);
    expect(open("b", { username: "bob" })).toMatchObject({ sessionPresent: false });
    sessions.delete("a");
    expect(open("c", { username: "ann" })).toMatchObject({ sessionPresent: false });
    const free = setUp({ limits });
    free.come("a", { username: "ann" });
    expect(free.open("b", { username: "ann" })).toMatchObject({ sessionPresent: false });
  });

  it("gives nobody another user's session, unless that user is gone", () => {
    const users = new Set<string | undefined>(["ann", "bob"]);
    const hooks = { authenticate: () => true, knowsUser: (name?: string) => users.has(name) };
    const { come, open } = setUp({ hooks });
    const ann = come("c", { username: "ann", properties: { sessionExpiryInterval: 10 } });
    expect(open("c", { username: "bob", cleanStart: false })).toBe(CLIENT_IDENTIFIER_NOT_VALID);
    expect(ann.connection.ended).toEqual([]);
    users.delete("ann");
    expect(open("c", { username: "bob", cleanStart: false })).toMatchObject({ sessionPresent: false });
    expect(ann.connection.ended).toEqual([ADMINISTRATIVE_ACTION]);
    expect(ann.session.ended).toBe(true);
  });

  it.each([
    ["nobody signs in", undefined, true],
    ["sessions have no owners", { authenticate: () => true }, false],
  ])("gives it to whoever has the client identifier where %s", (_, hooks, sessionsHaveOwners) => {
    const { come } = setUp({ sessionsHaveOwners, ...(hooks && { hooks }) });
    come("c", { username: "ann", properties: { sessionExpiryInterval: 10 } }).go();
    expect(come("c", { username: "bob", cleanStart: false }).sessionPresent).toBe(true);
  });
});

describe("expiry", () => {
  it("ends a session when its time is over, and not before", () => {
    const { come, sessions, scheduler, metrics, log } = setUp();
    come("c", { properties: { sessionExpiryInterval: 10 } }).go();
    scheduler.advance(10 * SECOND - 1);
    expect(sessions.size).toBe(1);
    scheduler.advance(1);
    expect(sessions.size).toBe(0);
    expect(metrics).toMatchObject({ sessionsExpired: 1, sessions: 0, clients: 0 });
    expect(log).toEqual(["connection over 0", "session over c"]);
  });

  it("is called off by a client that comes back", () => {
    const { come, sessions, scheduler } = setUp();
    come("c", { properties: { sessionExpiryInterval: 10 } }).go();
    scheduler.advance(9 * SECOND);
    come("c", { cleanStart: false, properties: { sessionExpiryInterval: 10 } });
    scheduler.advance(100 * SECOND);
    expect(sessions.size).toBe(1);
  });

  it("ends a session at once that has no time left, with everything it had", () => {
    const { come, sessions, metrics } = setUp();
    const { session, go } = come("c");
    go();
    expect([session.ended, sessions.size]).toEqual([true, 0]);
    expect(metrics).toMatchObject({ sessionsExpired: 0, sessions: 0 });
  });

  it("can be changed by DISCONNECT, within the limit", () => {
    const { come, sessions } = setUp({ limits: { sessionExpirySeconds: 100 } });
    const { session } = come("c", { properties: { sessionExpiryInterval: 10 } });
    sessions.clientDisconnects(session, disconnect(NORMAL_DISCONNECTION, { sessionExpiryInterval: 500 }));
    expect(session.expirySeconds).toBe(100);
    sessions.clientDisconnects(session, disconnect(NORMAL_DISCONNECTION, { sessionExpiryInterval: 5 }));
    expect(session.expirySeconds).toBe(5);
    sessions.clientDisconnects(session, disconnect(NORMAL_DISCONNECTION));
    expect(session.expirySeconds).toBe(5);
  });
});

describe("a will", () => {
  it("is published when the connection is lost, and once", () => {
    const { come, published, scheduler } = setUp();
    come("c", { will: will(), properties: { sessionExpiryInterval: 10 } }).go(UNSPECIFIED_ERROR);
    expect(published).toEqual(["will"]);
    scheduler.advance(100 * SECOND);
    expect(published).toEqual(["will"]);
  });

  it("is withdrawn by reason 0 alone [MQTT-3.1.2-8]", () => {
    const { come, sessions, published } = setUp();
    const first = come("c", { will: will() });
    sessions.clientDisconnects(first.session, disconnect(NORMAL_DISCONNECTION));
    first.go();
    expect(published).toEqual([]);
    const second = come("c", { will: will() });
    sessions.clientDisconnects(second.session, disconnect(DISCONNECT_WITH_WILL_MESSAGE));
    second.go();
    expect(published).toEqual(["will"]);
  });

  it("waits for its delay, and does not happen to a client that is back in time [MQTT-3.1.3-9]", () => {
    const { come, published, scheduler, store } = setUp();
    const properties = { sessionExpiryInterval: 100 };
    const first = come("c", { will: will(10), properties });
    first.go();
    expect(first.session.willAtMs).toBe(first.session.nowMs() + 10 * SECOND);
    scheduler.advance(9 * SECOND);
    const second = come("c", { cleanStart: false, will: will(10), properties });
    scheduler.advance(100 * SECOND);
    expect(published).toEqual([]);
    expect(second.session.willAtMs).toBeUndefined();
    second.go();
    scheduler.advance(10 * SECOND - 1);
    expect(published).toEqual([]);
    scheduler.advance(1);
    expect(published).toEqual(["will"]);
    // Nor after a restart.
    expect(store.records.at(-1)).toMatchObject({ will: undefined, willAtMs: undefined });
  });

  it("is published when the session ends, at the latest", () => {
    const { come, published, scheduler } = setUp();
    const { session, go } = come("c", { will: will(100), properties: { sessionExpiryInterval: 10 } });
    go();
    expect(session.willAtMs).toBe(session.nowMs() + 10 * SECOND);
    scheduler.advance(10 * SECOND - 1);
    expect(published).toEqual([]);
    scheduler.advance(1);
    expect(published).toEqual(["will"]);
  });

  it("is published at once where the session ends with its connection, or with a clean start", () => {
    const { come, published } = setUp();
    come("a", { will: will(100) }).go();
    expect(published).toEqual(["will"]);
    come("b", { will: will(100), properties: { sessionExpiryInterval: 1000 } }).go();
    come("b", { cleanStart: true });
    expect(published).toEqual(["will", "will"]);
  });
});

describe("the end by others", () => {
  it("comes to a session and its connection when it is deleted", () => {
    const { come, sessions, published, log } = setUp();
    const { connection, session } = come("c", { will: will(), properties: { sessionExpiryInterval: 10 } });
    expect(sessions.delete("c")).toBe(true);
    expect(connection.ended).toEqual([ADMINISTRATIVE_ACTION]);
    expect(session.ended).toBe(true);
    expect(published).toEqual(["will"]);
    expect(log).toEqual([`connection over ${ADMINISTRATIVE_ACTION}`, "session over c"]);
    expect(sessions.delete("c")).toBe(false);
  });

  it("is told once, also of a session that ended with the connection that was closed for it", () => {
    const { come, sessions, log } = setUp();
    come("c");
    sessions.delete("c");
    expect(log.filter((line) => line.startsWith("session"))).toEqual(["session over c"]);
  });

  it("takes a session to another node without its will, which is that node's now", () => {
    const { come, sessions, published } = setUp();
    const away = come("a", { will: will(10), properties: { sessionExpiryInterval: 100 } });
    away.go();
    sessions.release("a");
    expect([away.session.ended, sessions.size]).toEqual([true, 0]);
    const here = come("b", { will: will(10), properties: { sessionExpiryInterval: 100 } });
    sessions.release("b");
    expect(here.connection.ended).toEqual([SESSION_TAKEN_OVER]);
    expect(here.session.ended).toBe(true);
    sessions.release("nobody");
    expect(published).toEqual([]);
  });
});

describe("after a restart", () => {
  it("waiting goes on from when it began", () => {
    const { sessions, scheduler, published } = setUp();
    const now = 1_700_000_000_000;
    sessions.load([
      loaded("over", { sessionExpiryInterval: 10, disconnectedAtMs: now - 10 * SECOND }),
      loaded("away", { sessionExpiryInterval: 10, disconnectedAtMs: now - 4 * SECOND }),
      loaded("here", { sessionExpiryInterval: 10, disconnectedAtMs: undefined }),
      // The clock was set back: nobody waits longer than was agreed.
      loaded("ahead", { sessionExpiryInterval: 10, disconnectedAtMs: now + 3600 * SECOND }),
    ]);
    const left = () => ["over", "away", "here", "ahead"].filter((id) => sessions.get(id) !== undefined);
    expect(left()).toEqual(["away", "here", "ahead"]);
    scheduler.advance(6 * SECOND - 1);
    expect(left()).toEqual(["away", "here", "ahead"]);
    scheduler.advance(1);
    expect(left()).toEqual(["here", "ahead"]);
    scheduler.advance(4 * SECOND);
    expect(left()).toEqual([]);
    expect(published).toEqual([]);
  });

  it("wills are published when they are due, or were", () => {
    const { sessions, scheduler, published } = setUp();
    const now = 1_700_000_000_000;
    const away = { sessionExpiryInterval: 100, disconnectedAtMs: now - 10 * SECOND };
    sessions.load([
      loaded("due", { ...away, will: will(10, "due") }),
      loaded("later", { ...away, will: will(15, "later") }),
      // Connected when the process died.
      loaded("armed", { sessionExpiryInterval: 100, disconnectedAtMs: undefined, will: will(0, "armed") }),
    ]);
    expect(published).toEqual(["due", "armed"]);
    scheduler.advance(5 * SECOND - 1);
    expect(published).toEqual(["due", "armed"]);
    scheduler.advance(1);
    expect(published).toEqual(["due", "armed", "later"]);
  });
});

function setUp({
  hooks,
  limits,
  sessionsHaveOwners = true,
}: {
  hooks?: BrokerHooks;
  limits?: Partial<BrokerLimits>;
  sessionsHaveOwners?: boolean;
} = {}) {
  const log: string[] = [];
  const published: string[] = [];
  const { parts, scheduler } = partsOf({
    ...(limits && { limits }),
    sessionsHaveOwners,
    cluster: { ...local(), ended: (clientId) => log.push(`session over ${clientId}`) },
    hooks: {
      ...hooks,
      onDisconnected: (_, reasonCode) => log.push(`connection over ${reasonCode}`),
      onPublished: (_, message) => published.push(message.topic),
    },
  });
  const { sessions, metrics } = parts;
  const records: unknown[] = [];
  const store = parts.storage.durable;
  const putSession = store.putSession.bind(store);
  store.putSession = (record) => {
    records.push(record);
    putSession(record);
  };
  const infoOf = (clientId: string, { username, version = 5 }: Partial<ConnectPacket>) =>
    clientNamed(clientId, { username, version });
  const open = (clientId: string, packet: Partial<ConnectPacket> = {}) =>
    sessions.open(connectPacket({ clientId, ...packet }), infoOf(clientId, packet));
  /** A client all the way in, as its connection does it. */
  const come = (clientId: string, packet: Partial<ConnectPacket> = {}) => {
    const opened = open(clientId, packet);
    if (typeof opened === "number") {
      throw new TypeError(`${clientId} was refused with ${opened}.`);
    }
    const { session, sessionPresent } = opened;
    const connection = new FakeConnection();
    const go = (reasonCode = 0): void => sessions.connectionEnded(connection, session, reasonCode);
    connection.onDisconnect = go;
    sessions.connected(session, connection, infoOf(clientId, packet));
    sessions.accepted(session, packet.will);
    return { session, sessionPresent, connection, go: (reasonCode?: number) => go(reasonCode) };
  };
  return { parts, sessions, metrics, scheduler, open, come, log, published, store: { records } };
}

function will(delaySeconds = 0, topic = "will"): Will {
  const properties = delaySeconds === 0 ? undefined : { willDelayInterval: delaySeconds };
  return { topic, payload: new Uint8Array(1), qos: 1, retain: false, properties };
}

function disconnect(reasonCode: number, properties?: Properties) {
  return { type: 14 as const, reasonCode, properties };
}

function loaded(
  clientId: string,
  record: { sessionExpiryInterval: number; disconnectedAtMs: number | undefined; will?: Will },
) {
  return {
    clientId,
    version: 5 as const,
    username: undefined,
    will: undefined,
    willAtMs: undefined,
    maybeSentBelow: undefined,
    subscriptions: [],
    queuedCount: 0,
    queuedBytes: 0,
    nextSequence: 0,
    ...record,
  };
}
