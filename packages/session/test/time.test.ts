import { describe, expect, test } from "vitest";
import { endOf, message, outline, Pair } from "./pair.ts";

describe("a client", () => {
  test("pings when it has sent nothing for the keep-alive time, and not before [MQTT-3.1.2-20]", () => {
    const pair = new Pair({ connect: { keepAlive: 10 } }).connect();
    pair.now = 6000;
    pair.client.publish(message("t", "x", 1), 6000);
    pair.exchange();
    expect(pair.client.nextDeadline()).toBe(16_000);
    pair.advance(9999);
    expect(outline(pair.sentByClient)).toEqual(["CONNECT", "PUBLISH 1"]);
    pair.advance(1);
    expect(outline(pair.sentByClient).at(-1)).toBe("PINGREQ");
    pair.advance(100_000);
    expect(pair.client.end).toBeUndefined();
    expect(outline(pair.sentByClient).filter((name) => name === "PINGREQ")).toHaveLength(11);
  });

  test("that sends but hears nothing pings as well: a dead connection shows", () => {
    const pair = new Pair({ connect: { keepAlive: 10 }, clientLimits: { pingTimeoutMs: 3000 } }).connect();
    for (let now = 1000; now <= 13_000; now += 1000) {
      pair.now = now;
      pair.client.tick(now);
      if (pair.client.end === undefined) {
        pair.client.publish(message("t", "x", 0), now);
      }
    }
    expect(endOf(pair.clientEvents)).toMatchObject({ kind: "timeout", error: { code: "ping-timeout" }, flush: false });
  });

  test("gives up without PINGRESP, but anything that comes shows that the server is there", () => {
    const pair = new Pair({ connect: { keepAlive: 10 }, clientLimits: { pingTimeoutMs: 3000 } }).connect();
    pair.now = 10_000;
    pair.client.tick(10_000);
    pair.now = 12_000;
    pair.server.publish(message("t", "x", 0), 12_000);
    pair.toClient();
    expect(pair.client.nextDeadline()).toBe(15_000);
    pair.client.tick(14_999);
    expect(pair.client.end).toBeUndefined();
    pair.client.tick(15_000);
    expect(endOf(pair.clientEvents)).toMatchObject({ kind: "timeout", reasonCode: 0x8d });
  });

  test("adopts Server Keep Alive [MQTT-3.2.2-21]", () => {
    const pair = new Pair({ connect: { keepAlive: 10 }, accept: { properties: { serverKeepAlive: 60 } } }).connect();
    expect(pair.client.keepAlive).toBe(60);
    expect(pair.client.nextDeadline()).toBe(60_000);
    expect(pair.server.nextDeadline()).toBe(90_000);
  });

  test("with keep-alive 0 has no deadline", () => {
    const pair = new Pair().connect();
    expect([pair.client.nextDeadline(), pair.server.nextDeadline()]).toEqual([
      Number.POSITIVE_INFINITY,
      Number.POSITIVE_INFINITY,
    ]);
  });

  test("gives up without CONNACK", () => {
    const pair = new Pair({ onConnect: () => {}, clientLimits: { connackTimeoutMs: 700 } }).connect();
    expect(pair.client.nextDeadline()).toBe(700);
    pair.advance(700);
    expect(endOf(pair.clientEvents)).toMatchObject({ kind: "timeout", error: { code: "connack-timeout" } });
  });
});

describe("a server", () => {
  test.each([4, 5] as const)("ends it after 1.5 times keep-alive, MQTT %i [MQTT-3.1.2-22]", (version) => {
    const pair = new Pair({ connect: { version, keepAlive: 10 } }).connect();
    pair.server.tick(14_999);
    expect(pair.server.end).toBeUndefined();
    pair.server.tick(15_000);
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "timeout", reasonCode: 0x8d, flush: true });
    pair.toClient();
    expect(outline(pair.sentByServer).at(-1)).toBe(version === 5 ? "DISCONNECT" : "CONNACK");
  });

  test("does not wait for a CONNECT for ever", () => {
    const pair = new Pair({ serverLimits: { connectTimeoutMs: 400 } });
    expect(pair.server.nextDeadline()).toBe(400);
    pair.advance(400);
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "timeout", error: { code: "connect-timeout" } });
  });

  test("has no deadline while its application thinks about a CONNECT", () => {
    const pair = new Pair({ onConnect: () => {} }).connect();
    expect(pair.server.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
  });
});

describe("an end that does not read", () => {
  test("misses nobody meanwhile, and counts anew afterwards", () => {
    const pair = new Pair({ connect: { keepAlive: 10 }, clientLimits: { pingTimeoutMs: 3000 } }).connect();
    pair.server.holdInput(true, 5000);
    expect(pair.server.nextDeadline()).toBe(Number.POSITIVE_INFINITY);
    pair.server.holdInput(false, 60_000);
    expect(pair.server.nextDeadline()).toBe(75_000);
    pair.client.tick(10_000);
    pair.client.holdInput(true, 10_500);
    // Its own PINGREQ goes on: the server counts on it.
    expect(pair.client.nextDeadline()).toBe(20_000);
    pair.client.tick(20_000);
    expect(pair.client.end).toBeUndefined();
    pair.client.holdInput(false, 21_000);
    expect(pair.client.nextDeadline()).toBe(24_000);
  });
});

describe("Session Expiry Interval in DISCONNECT", () => {
  test("goes to the server's application", () => {
    const pair = new Pair({ connect: { properties: { sessionExpiryInterval: 100 } } }).connect();
    pair.client.disconnect(0, 0, { sessionExpiryInterval: 0 });
    pair.exchange();
    expect(pair.serverEvents.at(-2)).toMatchObject({
      name: "disconnect",
      packet: { properties: { sessionExpiryInterval: 0 } },
    });
  });

  test("cannot ask for a session that CONNECT did not: misuse here, a violation there", () => {
    const pair = new Pair().connect();
    const properties = { sessionExpiryInterval: 100 };
    expect(() => pair.client.disconnect(0, 0, properties)).toThrow(
      expect.objectContaining({ code: "session-expiry-changed" }),
    );
    expect(pair.client.state).toBe("connected");
    pair.forgeToServer({ type: 14, reasonCode: 0, properties });
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", reasonCode: 0x82 });
  });

  test("is not the server's to say [MQTT-3.14.2-2]", () => {
    const pair = new Pair().connect();
    pair.forgeToClient({ type: 14, reasonCode: 0, properties: { sessionExpiryInterval: 1 } });
    expect(endOf(pair.clientEvents)).toMatchObject({
      kind: "violation",
      error: { code: "session-expiry-from-server" },
    });
  });
});
