import { MqttError } from "@tidewire/codec";
import { createInflight, createStoredInflight, type InflightStore, memoryInflightStore } from "@tidewire/session";
import { describe, expect, test } from "vitest";
import { endOf, message, names, Pair, payloads } from "./pair.ts";

// Corners where a changed condition went unnoticed.

describe("what the server does not take", () => {
  test("a server without retained messages takes those that are not retained", () => {
    const pair = new Pair({ accept: { properties: { retainAvailable: false } } }).connect();
    pair.client.publish(message("t", "a", 1), 0);
    expect(() => pair.client.publish({ ...message("t", "b", 1), retain: true }, 0)).toThrow(
      expect.objectContaining({ code: "retain-not-supported" }),
    );
    pair.exchange();
    expect(payloads(pair.serverEvents)).toEqual(["a"]);
  });

  test("a resumed message above the server's Maximum QoS is given up, and its sender told", () => {
    const clientInflight = createInflight();
    const first = new Pair({ connect: { cleanStart: false }, clientInflight, acknowledge: false }).connect();
    first.client.publish(message("t", "a", 2), 0);
    first.cut();
    const second = new Pair({
      connect: { cleanStart: false },
      clientInflight,
      accept: { sessionPresent: true, properties: { maximumQoS: 1 } },
    }).connect();
    expect(payloads(second.serverEvents)).toEqual([]);
    expect(names(second.clientEvents)).toEqual(["connack", "settled", "send-quota"]);
    expect(second.clientEvents[1]).toMatchObject({ reasonCode: 0x9b });
    expect(clientInflight.outgoingCount).toBe(0);
  });

  // MQTT 5.0, 3.14.2.2.2
  test.each([
    [undefined, 1, false],
    [0, 1, false],
    [1, 2, true],
    [1, 0, true],
    [undefined, 0, true],
  ])("DISCONNECT after CONNECT with session expiry %s may say %s: %s", (connected, disconnected, allowed) => {
    const properties = connected === undefined ? undefined : { sessionExpiryInterval: connected };
    const pair = new Pair({ connect: { properties } }).connect();
    const disconnect = () => pair.client.disconnect(0, 0, { sessionExpiryInterval: disconnected });
    if (allowed) {
      disconnect();
    } else {
      expect(disconnect).toThrow(expect.objectContaining({ code: "session-expiry-changed" }));
    }
  });
});

describe("keep-alive", () => {
  test("a client that is held and publishes does not ask whether the server is there", () => {
    const pair = new Pair({ connect: { keepAlive: 10 } }).connect();
    pair.client.holdInput(true, 0);
    for (let now = 0; now <= 40_000; now += 4_000) {
      pair.now = now;
      pair.client.tick(now);
      pair.client.publish(message("t", "a", 0), now);
      pair.exchange();
    }
    expect(pair.sentByClient.filter(({ type }) => type === 12)).toEqual([]);
  });

  test("input that was not held and is said to go on moves no deadline", () => {
    const pair = new Pair({ connect: { keepAlive: 10 } }).connect();
    const before = pair.server.nextDeadline();
    pair.server.holdInput(false, 5_000);
    expect(pair.server.nextDeadline()).toBe(before);
    pair.server.holdInput(true, 6_000);
    expect(pair.server.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    pair.server.holdInput(false, 8_000);
    expect(pair.server.nextDeadline()).toBe(8_000 + 15_000);
  });
});

test("an error of bytes that begin no packet says so without a packet's name", () => {
  const pair = new Pair().connect();
  pair.server.receiveError(new MqttError("packet-type-invalid", 0x81), 0);
  expect(endOf(pair.serverEvents).error?.message).toContain("what it sent");
});

test("a client that says nothing is late with CONNECT, one that was asked for more with AUTH", () => {
  const silent = new Pair();
  silent.server.tick(silent.server.nextDeadline());
  expect(endOf(silent.serverEvents).error?.message).toContain("CONNECT");
  const asked = new Pair({
    authenticator: { method: "m", start: () => undefined, challenge: () => {} },
    onConnect: (pair) => pair.server.authContinue(undefined, 0),
  });
  asked.client.open(0);
  asked.toServer();
  asked.server.tick(asked.server.nextDeadline());
  expect(endOf(asked.serverEvents).error?.message).toContain("AUTH");
});

test("a PUBREL for an id that is not remembered asks nothing of the store", () => {
  const deleted: number[] = [];
  const nothing = (): void => {};
  const store: InflightStore = {
    putOutgoing: nothing,
    releaseOutgoing: nothing,
    deleteOutgoing: nothing,
    putIncoming: nothing,
    deleteIncoming: (packetId) => deleted.push(packetId),
    clear: nothing,
    commit: () => undefined,
  };
  const serverInflight = createStoredInflight(store, undefined);
  const pair = new Pair({ serverInflight }).connect();
  pair.forgeToServer({ type: 6, packetId: 7, reasonCode: 0, properties: undefined });
  expect(deleted).toEqual([]);
  pair.client.publish(message("t", "a", 2), 0);
  pair.exchange();
  expect(deleted).toEqual([1]);
});

describe("how a server's connection ended", () => {
  const serverEnd = (end: (pair: Pair) => void) => {
    const pair = new Pair({ connect: { keepAlive: 10 } }).connect();
    end(pair);
    pair.exchange();
    return endOf(pair.serverEvents);
  };

  test.each([
    [0x00, undefined],
    [0x04, undefined],
    [0x80, { code: "ended-by-client", message: expect.stringContaining("0x80 (UnspecifiedError)") }],
    [0x82, { code: "ended-by-client", message: expect.stringContaining("0x82 (ProtocolError)") }],
  ])("by the client's DISCONNECT with 0x%s", (reasonCode, error) => {
    const end = serverEnd((pair) => pair.client.disconnect(reasonCode, 0));
    expect(end).toMatchObject({ kind: "remote", reasonCode, ...(error && { error }) });
    expect(end.error === undefined).toBe(error === undefined);
  });

  test.each([
    [0x00, undefined],
    [0x80, { code: "ended-by-server", reasonCode: 0x80 }],
    [0x8b, { code: "ended-by-server", reasonCode: 0x8b }],
  ])("by its own DISCONNECT with 0x%s", (reasonCode, error) => {
    const end = serverEnd((pair) => pair.server.disconnect(reasonCode, 0));
    expect(end.error === undefined).toBe(error === undefined);
    expect(end).toMatchObject({ reasonCode, ...(error && { error }) });
  });

  test("by a connection that went, with the reason where there is one", () => {
    expect(serverEnd((pair) => pair.server.receiveEnd(0)).error).toMatchObject({ code: "connection-lost" });
    const reset = new Error("reset");
    expect(serverEnd((pair) => pair.server.receiveEnd(0, reset)).error).toBe(reset);
  });

  test("by keep-alive, with the time that the client had", () => {
    const end = serverEnd((pair) => pair.server.tick(15_000));
    expect(end.error).toMatchObject({ code: "keep-alive-timeout", message: expect.stringContaining("for 15 s") });
  });
});

test("a clean start clears the store", () => {
  const store = memoryInflightStore();
  store.putIncoming(9);
  store.putOutgoing(4, 2, message("t", "second", 1));
  store.putOutgoing(3, 1, message("t", "first", 1));
  expect(store.saved().outgoing.map(({ packetId }) => packetId)).toEqual([3, 4]);
  const clientInflight = createStoredInflight(store, store.saved());
  new Pair({ connect: { cleanStart: true }, clientInflight }).connect();
  expect(store.saved()).toEqual({ outgoing: [], incoming: [] });
});
