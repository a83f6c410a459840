import { MqttError } from "@tidewire/codec";
import { createInflight, createStoredInflight, type InflightStore, memoryInflightStore } from "@tidewire/session";
import { describe, expect, test } from "vitest";
import { connectPacket, endOf, message, names, Pair, payloads, publishPacket } from "./pair.ts";

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

describe("after CONNACK", () => {
  /** What is in flight of a client that lost its connection, `released` of it between PUBREC and PUBCOMP. */
  function inFlight(qos: 1 | 2, count: number, released: boolean) {
    const inflight = createInflight();
    const pair = new Pair({ connect: { cleanStart: false }, clientInflight: inflight, acknowledge: false }).connect();
    for (let index = 1; index <= count; index += 1) {
      pair.client.publish(message("t", `${index}`, qos), 0);
      if (released) {
        pair.forgeToClient({ type: 5, packetId: index, reasonCode: 0, properties: undefined });
      }
    }
    pair.cut();
    return inflight;
  }

  // [MQTT-3.2.2-15]
  test("a server that takes no PUBREL is left, and nobody is told that the connection is there", () => {
    const { clientEvents } = new Pair({
      connect: { cleanStart: false },
      clientInflight: inFlight(2, 1, true),
      accept: { sessionPresent: true, properties: { maximumPacketSize: 3 } },
    }).connect();
    expect(names(clientEvents)).toEqual(["end"]);
    expect(endOf(clientEvents)).toMatchObject({ kind: "local", error: { code: "packet-too-large" } });
  });

  test("an acknowledgement of what waits to be sent again settles nothing", () => {
    const clientInflight = inFlight(1, 2, false);
    const pair = new Pair({
      connect: { cleanStart: false },
      clientInflight,
      accept: { sessionPresent: true, properties: { receiveMaximum: 1 } },
      acknowledge: false,
    }).connect();
    pair.forgeToClient({ type: 4, packetId: 2, reasonCode: 0, properties: undefined });
    expect([clientInflight.outgoingCount, names(pair.clientEvents)]).toEqual([2, ["connack"]]);
    pair.server.acknowledge(1, 0, 0);
    pair.exchange();
    expect(payloads(pair.serverEvents)).toEqual(["1", "2"]);
  });
});

// Two ends that remember different sessions: 3.1.1 has no word for that, and its exchange ends all the same.
test.each([
  [4, 0],
  [5, 0x92],
] as const)(
  "in version %i a PUBREC for an unknown message is answered by PUBREL with reason code %i",
  (version, code) => {
    const pair = new Pair({ connect: { version } }).connect();
    pair.forgeToServer({ type: 5, packetId: 7, reasonCode: 0, properties: undefined });
    pair.toClient();
    expect(pair.sentByServer.at(-1)).toMatchObject({ type: 6, packetId: 7, reasonCode: code });
  },
);

test("a malformed CONNECT is answered in its version", () => {
  const pair = new Pair();
  const error = Object.assign(new MqttError("string-malformed", 0x81), { version: 5, packetType: 1 });
  pair.server.receiveError(error, 0);
  pair.client.open(0);
  pair.toClient();
  expect(pair.sentByServer).toMatchObject([{ type: 2, reasonCode: 0x81 }]);
});

test("a QoS 1 message under the identifier of an open QoS 2 exchange breaks the protocol", () => {
  const pair = new Pair({ acknowledge: false }).connect();
  pair.forgeToServer(publishPacket({ packetId: 1, qos: 2 }));
  pair.server.acknowledge(1, 0, 0);
  pair.forgeToServer(publishPacket({ packetId: 1, qos: 1 }));
  expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", error: { code: "packet-id-in-use" } });
});

test("what the server's log is told of a violation names the rule", () => {
  const pair = new Pair().connect();
  pair.forgeToServer(connectPacket());
  expect(endOf(pair.serverEvents).error?.message).toMatch(/a CONNECT.*\[MQTT-3\.1\.0-2\]\.$/);
});

test("a session that began anew is not asked to begin anew again", () => {
  const clientInflight = createInflight();
  const first = new Pair({ connect: { cleanStart: true }, clientInflight }).connect();
  first.cut();
  const second = new Pair({ connect: { cleanStart: false }, clientInflight }).connect();
  expect(second.sentByClient[0]).toMatchObject({ type: 1, cleanStart: false });
});

test("a SUBSCRIBE is answered once: the second SUBACK of its packet identifier breaks the protocol", () => {
  const pair = new Pair().connect();
  pair.client.subscribe([{ filter: "a", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }], 0);
  pair.exchange();
  const [suback] = pair.sentByServer.slice(-1);
  pair.forgeToClient(suback!);
  expect(endOf(pair.clientEvents)).toMatchObject({ kind: "violation", error: { code: "acknowledgement-mismatch" } });
});

test("a PINGRESP is told of", () => {
  const pongs: string[] = [];
  const pair = new Pair({ client: { onPong: () => pongs.push("pong") } }).connect();
  pair.client.probe(0, 1000);
  pair.exchange();
  expect(pongs).toEqual(["pong"]);
});

test("an MQTT 3.1 server takes client identifiers of 23 characters, or of as many as its limit says", () => {
  const codes = (length: number, limit?: number) => {
    const pair = new Pair({
      connect: { version: 3, clientId: "x".repeat(length) },
      ...(limit !== undefined && { serverLimits: { clientIdLength: limit } }),
    }).connect();
    return pair.clientEvents[0]?.name;
  };
  expect([codes(23), codes(24), codes(30, 30), codes(31, 30)]).toEqual(["connack", "end", "connack", "end"]);
});

test("a server says of a client that only vanished that its connection was lost, and nothing of one that took its leave", () => {
  const lost = new Pair().connect();
  lost.cut();
  expect(endOf(lost.serverEvents).error).toMatchObject({ code: "connection-lost" });
  const left = new Pair().connect();
  left.client.disconnect(0, 0);
  left.exchange();
  left.cut();
  expect(endOf(left.serverEvents).error).toBeUndefined();
});

test("an MQTT 3.1.1 client ends with a reason code for its caller and none for the server", () => {
  const pair = new Pair({ connect: { version: 4 } }).connect();
  pair.client.disconnect(4, 0);
  pair.exchange();
  expect(pair.sentByClient.at(-1)).toMatchObject({ type: 14, reasonCode: 0 });
  expect(endOf(pair.clientEvents)).toMatchObject({ kind: "local", reasonCode: 4 });
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
