import { MqttError, type Packet } from "@tidewire/codec";
import type { Authenticator } from "@tidewire/session";
import { describe, expect, test } from "vitest";
import { connectPacket, endOf, message, names, Pair, publishPacket } from "./pair.ts";

describe("CONNACK", () => {
  test("that refuses ends both: MQTT 5 in its own words", () => {
    const onConnect = (self: Pair): void => self.server.reject(0x9c, 0, { serverReference: "elsewhere:1883" });
    const pair = new Pair({ onConnect }).connect();
    expect(endOf(pair.clientEvents)).toMatchObject({
      kind: "remote",
      reasonCode: 0x9c,
      error: { code: "connection-refused" },
    });
    expect(pair.client.connack?.properties?.serverReference).toBe("elsewhere:1883");
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "local", reasonCode: 0x9c, flush: true });
  });

  test.each([
    [0x84, 1, 0x84],
    [0x85, 2, 0x85],
    [0x89, 3, 0x88],
    [0x86, 4, 0x86],
    [0x87, 5, 0x87],
    [0x8a, 5, 0x87],
  ])("that refuses with %i is return code %i in MQTT 3.1.1, and %i again at the client", (given, code, read) => {
    const pair = new Pair({ connect: { version: 4 }, onConnect: (self) => self.server.reject(given, 0) }).connect();
    expect(pair.sentByServer).toMatchObject([{ type: 2, reasonCode: code }]);
    expect(endOf(pair.clientEvents)).toMatchObject({ kind: "remote", reasonCode: read });
  });

  test("has no return code for every reason: MQTT 3.1.1 closes without [MQTT-3.2.2-6]", () => {
    const pair = new Pair({ connect: { version: 4 }, onConnect: (self) => self.server.reject(0x95, 0) }).connect();
    expect(pair.sentByServer).toEqual([]);
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "local", flush: true });
  });

  test("without session: the client forgets what the server forgot, and reports it", () => {
    const options = { connect: { cleanStart: false }, acknowledge: false };
    const first = new Pair(options).connect();
    first.client.publish(message("t", "never received", 1), 0);
    first.client.publish(message("t", "received", 2), 0);
    first.toServer();
    first.server.acknowledge(1, 0, 0);
    first.server.acknowledge(2, 0, 0);
    first.toClient();
    const lost = message("t", "unanswered", 2);
    first.client.publish(lost, 0);
    first.cut();
    const second = new Pair({ ...options, clientInflight: first.clientInflight }).connect();
    expect(second.clientEvents[0]).toMatchObject({ name: "connack", lost: [{ message: lost }] });
    expect(first.clientInflight.outgoingCount).toBe(0);
    // MQTT.js replayed PUBREL here.
    expect(second.sentByClient).toHaveLength(1);
  });

  test("with a session after a clean start is a violation [MQTT-3.2.2-4]", () => {
    const pair = new Pair({ onConnect: () => {} });
    pair.client.open(0);
    pair.forgeToClient({ type: 2, sessionPresent: true, reasonCode: 0, properties: undefined });
    expect(endOf(pair.clientEvents)).toMatchObject({
      kind: "violation",
      error: { code: "session-present-unexpected" },
    });
  });

  test("carries Response Information only to a client that asked [MQTT-3.1.2-28]", () => {
    const accept = { properties: { responseInformation: "reply/1" } };
    const without = new Pair({ accept }).connect();
    expect(without.client.connack?.properties?.responseInformation).toBeUndefined();
    const asked = new Pair({ accept, connect: { properties: { requestResponseInformation: true } } }).connect();
    expect(asked.client.connack?.properties?.responseInformation).toBe("reply/1");
  });
});

test("a clean start that no CONNACK confirmed is asked for again: the server may remember what the client forgot", () => {
  const first = new Pair({ connect: { cleanStart: false } }).connect();
  const inflight = first.clientInflight;
  first.client.publish(message("t", "x", 2), 0);
  first.cut();
  const clean = new Pair({ clientInflight: inflight });
  clean.client.open(0);
  clean.cut();
  const third = new Pair({ connect: { cleanStart: false }, clientInflight: inflight }).connect();
  expect(third.sentByClient[0]).toMatchObject({ cleanStart: true });
  expect(third.clientEvents[0]).toMatchObject({ lost: [{ message: { qos: 2 } }] });
});

describe("limits of CONNACK are misuse to break, before anything is sent", () => {
  const properties = {
    maximumQoS: 1,
    retainAvailable: false,
    wildcardSubscriptionAvailable: false,
    sharedSubscriptionAvailable: false,
    subscriptionIdentifierAvailable: false,
  } as const;
  const subscription = (filter: string) =>
    [{ filter, qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }] as const;

  test.each<[string, (pair: Pair) => unknown]>([
    ["qos-not-supported", ({ client }) => client.publish(message("t", "x", 2), 0)],
    ["retain-not-supported", ({ client }) => client.publish({ ...message("t", "x", 0), retain: true }, 0)],
    ["wildcard-not-supported", ({ client }) => client.subscribe(subscription("a/#"), 0)],
    ["shared-not-supported", ({ client }) => client.subscribe(subscription("$share/g/a"), 0)],
    [
      "subscription-identifier-not-supported",
      ({ client }) => client.subscribe(subscription("a"), 0, { subscriptionIdentifiers: [1] }),
    ],
  ])("%s", (code, request) => {
    const pair = new Pair({ accept: { properties } }).connect();
    expect(() => request(pair)).toThrow(expect.objectContaining({ kind: "misuse", code }));
    expect(pair.toServer()).toBe(0);
  });

  test.each([
    ["qos-not-supported", 0x9b, publishPacket({ qos: 2, packetId: 1 })],
    ["retain-not-supported", 0x9a, publishPacket({ retain: true })],
    ["wildcard-not-supported", 0xa2, { type: 8, packetId: 1, subscriptions: subscription("+"), properties: undefined }],
    [
      "shared-not-supported",
      0x9e,
      { type: 8, packetId: 1, subscriptions: subscription("$share/g/a"), properties: undefined },
    ],
    [
      "subscription-identifier-not-supported",
      0xa1,
      { type: 8, packetId: 1, subscriptions: subscription("a"), properties: { subscriptionIdentifiers: [1] } },
    ],
  ] as const)("%s is a violation when a client does so", (code, reasonCode, packet) => {
    const pair = new Pair({ accept: { properties } }).connect();
    pair.forgeToServer(packet);
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", reasonCode, error: { code } });
  });
});

describe("enhanced authentication", () => {
  const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
  const text = (data: unknown): string => new TextDecoder().decode(data as Uint8Array);

  /** Counts down: each challenge is answered by one less. */
  function countdown(later?: (respond: () => void) => void): Authenticator {
    return {
      method: "countdown",
      start: () => bytes("3"),
      challenge: (data, respond) => {
        const answer = (): void => respond(bytes(`${Number(text(data)) - 1}`));
        if (later === undefined) {
          answer();
        } else {
          later(answer);
        }
      },
    };
  }

  function server(pair: Pair): { onAuth: (data: Uint8Array | undefined, method: string, again: boolean) => void } {
    return {
      onAuth: (data, _method, again) => {
        const left = Number(text(data));
        if (left > 0) {
          pair.server.authContinue(bytes(`${left}`), 0);
        } else if (again) {
          pair.server.authSuccess(undefined, 0);
        } else {
          pair.accept();
        }
      },
    };
  }

  function auth(reasonCode: number, authenticationMethod: string): Packet {
    return { type: 15, reasonCode, properties: { authenticationMethod } };
  }

  const connack: Packet = { type: 2, sessionPresent: false, reasonCode: 0, properties: undefined };

  function connected(authenticator: Authenticator): Pair {
    const pair: Pair = new Pair({
      authenticator,
      server: { onAuth: (...args) => server(pair).onAuth(...args) },
      onConnect: (self, packet) => server(self).onAuth(packet.properties?.authenticationData, "", false),
    });
    return pair.connect();
  }

  test("goes back and forth until CONNACK, which names the method [MQTT-4.12.0-5]", () => {
    const pair = connected(countdown());
    expect(pair.client.state).toBe("connected");
    expect(pair.sentByClient.map(({ type }) => type)).toEqual([1, 15, 15, 15]);
    expect(pair.client.connack?.properties?.authenticationMethod).toBe("countdown");
  });

  test("may answer later, and a late answer after the end does nothing", () => {
    const waiting: (() => void)[] = [];
    const pair = connected(countdown((respond) => waiting.push(respond)));
    expect(pair.client.state).toBe("authenticating");
    while (waiting.length > 0) {
      waiting.shift()?.();
      pair.exchange();
    }
    expect(pair.client.state).toBe("connected");
    pair.client.reauthenticate(0);
    pair.exchange();
    pair.client.disconnect(0, 0);
    pair.exchange();
    const packets = pair.sentByClient.length;
    waiting.shift()?.();
    pair.exchange();
    expect(pair.sentByClient).toHaveLength(packets);
  });

  test("takes one answer to each challenge", () => {
    const twice: Authenticator = {
      ...countdown(),
      challenge: (_data, respond) => {
        respond(bytes("0"));
        respond(bytes("0"));
      },
    };
    expect(connected(twice).sentByClient.map(({ type }) => type)).toEqual([1, 15]);
  });

  test("runs again while messages flow", () => {
    const pair = connected(countdown());
    pair.client.reauthenticate(0);
    pair.client.publish(message("t", "meanwhile", 1), 0);
    pair.exchange();
    expect(names(pair.clientEvents)).toEqual(expect.arrayContaining(["settled", "reauthenticated"]));
    expect(pair.client.state).toBe("connected");
    // It is over at the server, too.
    expect(() => pair.server.authSuccess(undefined, 0)).toThrow(
      expect.objectContaining({ code: "authentication-not-running" }),
    );
    expect(() => pair.client.reauthenticate(0)).not.toThrow();
    expect(() => pair.client.reauthenticate(0)).toThrow(expect.objectContaining({ code: "authentication-running" }));
  });

  test("failing again ends the connection [MQTT-4.12.1-2]", () => {
    const pair: Pair = new Pair({
      authenticator: countdown(),
      server: { onAuth: () => pair.server.reject(0x87, 0) },
    });
    pair.connect();
    pair.client.reauthenticate(0);
    pair.exchange();
    expect(endOf(pair.clientEvents)).toMatchObject({ kind: "remote", reasonCode: 0x87 });
  });

  test.each([
    ["of a client that asked for no method", undefined, { authenticationMethod: "m" }, "authentication-unexpected"],
    ["under another method", countdown(), { authenticationMethod: "other" }, "authentication-method-changed"],
  ] as const)("AUTH %s is a violation", (_name, authenticator, properties, code) => {
    const pair = new Pair({ ...(authenticator && { authenticator }) }).connect();
    pair.forgeToServer({ type: 15, reasonCode: 0x19, properties });
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", reasonCode: 0x82, error: { code } });
  });

  test.each([
    ["without an authenticator", undefined, auth(0x18, "countdown"), "authentication-unexpected"],
    ["that says success before CONNACK does", countdown(), auth(0x00, "countdown"), "authentication-unexpected"],
    ["under another method", countdown(), auth(0x18, "other"), "authentication-method-changed"],
    ["for a CONNACK that names no method", countdown(), connack, "authentication-method-changed"],
  ] as const)("of a server is a violation at a client %s", (_name, authenticator, packet, code) => {
    const pair = new Pair({ ...(authenticator && { authenticator }), onConnect: () => {} }).connect();
    pair.forgeToClient(packet);
    expect(endOf(pair.clientEvents)).toMatchObject({ kind: "violation", reasonCode: 0x82, error: { code } });
  });

  test("a client that hears nothing more of it is given up after the time limit", () => {
    const pair = new Pair({
      authenticator: { ...countdown(), challenge: () => {} },
      onConnect: (self) => self.server.authContinue(undefined, self.now),
      serverLimits: { connectTimeoutMs: 500 },
    }).connect();
    pair.advance(499);
    expect(pair.server.state).toBe("authenticating");
    pair.advance(1);
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "timeout" });
  });
});

test("a second CONNECT ends it [MQTT-3.1.0-2]", () => {
  const pair = new Pair().connect();
  pair.forgeToServer(connectPacket());
  expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", error: { statement: "MQTT-3.1.0-2" } });
});

test("an unknown protocol version is answered with return code 1 of 3.1.1 [MQTT-3.1.2-2]", () => {
  const pair = new Pair({ connect: { version: 4 } });
  pair.server.receiveError(new MqttError("unsupported-protocol-version", 0x84, "version"), 0);
  expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", reasonCode: 0x84, flush: true });
  pair.client.open(0);
  pair.toClient();
  expect(pair.sentByServer).toMatchObject([{ type: 2, reasonCode: 1 }]);
});
