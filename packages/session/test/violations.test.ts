import { MqttError } from "@tidewire/codec";
import { createInflight, violations } from "@tidewire/session";
import { describe, expect, test } from "vitest";
import { endOf, message, names, outline, Pair, publishPacket } from "./pair.ts";

const ack = (type: 4 | 5 | 6 | 7, packetId: number) =>
  ({ type, packetId, reasonCode: 0, properties: undefined }) as const;

test("every violation has a code of its own, a reason code and statements by their numbers", () => {
  const all = Object.values(violations);
  expect(new Set(all.map(([code]) => code)).size).toBe(all.length);
  for (const [code, reasonCode, ...statements] of all) {
    expect(code).toMatch(/^[a-z0-9-]{10,}$/);
    expect(reasonCode).toBeGreaterThanOrEqual(0x81);
    for (const statement of statements) {
      expect(statement).toMatch(/^\d\.\d+\.\d+-\d+$/);
    }
  }
});

describe("an acknowledgement of the wrong type is a violation", () => {
  test.each([
    ["PUBACK for QoS 2", 2, ack(4, 1)],
    ["PUBREC for QoS 1", 1, ack(5, 1)],
    ["PUBCOMP for QoS 1", 1, ack(7, 1)],
    ["PUBCOMP before PUBREC", 2, ack(7, 1)],
  ] as const)("%s", (_name, qos, packet) => {
    const pair = new Pair({ acknowledge: false }).connect();
    pair.client.publish(message("t", "x", qos), 0);
    pair.forgeToClient(packet);
    expect(endOf(pair.clientEvents)).toMatchObject({ kind: "violation", error: { code: "acknowledgement-mismatch" } });
    pair.toServer();
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "remote", reasonCode: 0x82 });
  });

  test("PUBACK after PUBREC", () => {
    const pair = new Pair().connect();
    pair.client.publish(message("t", "x", 2), 0);
    pair.forgeToClient(ack(5, 1));
    pair.forgeToClient(ack(4, 1));
    expect(endOf(pair.clientEvents)).toMatchObject({ kind: "violation", error: { code: "acknowledgement-mismatch" } });
  });
});

describe("an acknowledgement of nothing", () => {
  test("is no reason to end: a peer may remember more than this side", () => {
    const pair = new Pair().connect();
    for (const type of [4, 5, 7] as const) {
      pair.forgeToServer(ack(type, 77));
    }
    pair.toClient();
    expect(pair.server.end).toBeUndefined();
    expect(pair.sentByServer.slice(1)).toMatchObject([{ type: 6, packetId: 77, reasonCode: 0x92 }]);
  });

  test("PUBREL of an unknown id is answered: the PUBCOMP was lost", () => {
    const pair = new Pair().connect();
    pair.forgeToServer(ack(6, 77));
    pair.toClient();
    expect(pair.sentByServer.slice(1)).toMatchObject([{ type: 7, packetId: 77, reasonCode: 0x92 }]);
    const old = new Pair({ connect: { version: 4 } }).connect();
    old.forgeToServer(ack(6, 77));
    old.toClient();
    expect(old.sentByServer.slice(1)).toMatchObject([{ type: 7, packetId: 77, reasonCode: 0 }]);
  });

  test("PUBCOMP 0x92 settles: an earlier PUBREL arrived", () => {
    const pair = new Pair().connect();
    pair.client.publish(message("t", "x", 2), 0);
    pair.forgeToClient(ack(5, 1));
    pair.forgeToClient({ ...ack(7, 1), reasonCode: 0x92 });
    expect(pair.clientEvents.at(-1)).toMatchObject({ name: "settled", reasonCode: 0 });
  });
});

describe("a packet id that is in use", () => {
  test.each([
    ["by a message without answer", publishPacket({ qos: 1, packetId: 1 })],
    ["by a message, for a SUBSCRIBE", { type: 8, packetId: 1, subscriptions: [], properties: undefined }],
    ["by a message, for an UNSUBSCRIBE", { type: 10, packetId: 1, filters: [], properties: undefined }],
  ] as const)("%s, is a violation", (_name, packet) => {
    const pair = new Pair({ acknowledge: false }).connect();
    pair.forgeToServer(publishPacket({ qos: 1, packetId: 1 }));
    pair.forgeToServer(packet);
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", error: { code: "packet-id-in-use" } });
  });

  test("by a SUBSCRIBE without answer, is a violation for a message", () => {
    const pair = new Pair({ server: { onSubscribe: () => {} } }).connect();
    pair.forgeToServer({ type: 8, packetId: 1, subscriptions: [], properties: undefined });
    pair.forgeToServer(publishPacket({ qos: 2, packetId: 1 }));
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", error: { code: "packet-id-in-use" } });
  });

  test("by a QoS 2 message of an earlier connection, is refused for QoS 1 with 0x91", () => {
    const serverInflight = createInflight();
    new Pair({ serverInflight }).connect().forgeToServer(publishPacket({ qos: 2, packetId: 1 }));
    const accept = { sessionPresent: true };
    const pair = new Pair({ serverInflight, accept, connect: { cleanStart: false } }).connect();
    pair.forgeToServer(publishPacket({ qos: 1, packetId: 1 }));
    pair.toClient();
    expect(pair.sentByServer.at(-1)).toMatchObject({ type: 4, packetId: 1, reasonCode: 0x91 });
    expect(names(pair.serverEvents)).not.toContain("publish");
  });

  test("PUBREL before PUBREC is a violation", () => {
    const pair = new Pair({ acknowledge: false }).connect();
    pair.forgeToServer(publishPacket({ qos: 2, packetId: 1 }));
    pair.forgeToServer(ack(6, 1));
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", error: { code: "release-unexpected" } });
  });
});

test("a QoS 2 message that comes again is held back and gets its PUBREC again [MQTT-4.3.3-10]", () => {
  const pair = new Pair().connect();
  for (const dup of [false, true, true]) {
    pair.forgeToServer(publishPacket({ qos: 2, packetId: 5, dup }));
  }
  pair.forgeToServer(ack(6, 5));
  pair.forgeToServer(publishPacket({ qos: 2, packetId: 5, dup: true }));
  pair.toClient();
  expect(outline(pair.sentByServer).slice(1)).toEqual(["PUBREC 5", "PUBREC 5", "PUBREC 5", "PUBCOMP 5", "PUBREC 5"]);
  // After PUBREL the id means a new message [MQTT-4.3.3-12].
  expect(names(pair.serverEvents).filter((name) => name === "publish")).toHaveLength(2);
});

describe("a QoS 2 message that comes again while an older one has no answer", () => {
  test("gets its PUBREC again at once: the order of first answers is kept", () => {
    const pair = new Pair({ acknowledge: false }).connect();
    pair.forgeToServer(publishPacket({ qos: 2, packetId: 5 }));
    pair.server.acknowledge(5, 0, 0);
    pair.forgeToServer(publishPacket({ qos: 1, packetId: 6 }));
    pair.forgeToServer(publishPacket({ qos: 2, packetId: 5, dup: true }));
    pair.forgeToServer(ack(6, 5));
    pair.server.acknowledge(6, 0, 0);
    pair.toClient();
    expect(outline(pair.sentByServer).slice(1)).toEqual(["PUBREC 5", "PUBREC 5", "PUBCOMP 5", "PUBACK 6"]);
  });

  test("is a violation before its first PUBREC, and so is a PUBREL", () => {
    for (const packet of [publishPacket({ qos: 2, packetId: 5, dup: true }), ack(6, 5)]) {
      const pair = new Pair({ acknowledge: false }).connect();
      pair.forgeToServer(publishPacket({ qos: 1, packetId: 6 }));
      pair.forgeToServer(publishPacket({ qos: 2, packetId: 5 }));
      pair.server.acknowledge(5, 0, 0);
      pair.forgeToServer(packet);
      expect(endOf(pair.serverEvents).kind).toBe("violation");
    }
  });
});

test("a client's PUBLISH has no subscription identifier [MQTT-3.3.4-6], a server's may", () => {
  const packet = publishPacket({ properties: { subscriptionIdentifiers: [1] } });
  const pair = new Pair().connect();
  pair.forgeToClient(packet);
  expect(names(pair.clientEvents)).toContain("publish");
  pair.forgeToServer(packet);
  expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", reasonCode: 0x82 });
});

test.each([
  ["SUBACK", { type: 9, packetId: 1, reasonCodes: [0, 0], properties: undefined }, "reason-code-count"],
  [
    "UNSUBACK for a SUBSCRIBE",
    { type: 11, packetId: 1, reasonCodes: [0], properties: undefined },
    "acknowledgement-mismatch",
  ],
] as const)("%s that does not fit its request is a violation", (_name, packet, code) => {
  const pair = new Pair().connect();
  pair.client.subscribe([{ filter: "a", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 }], 0);
  pair.forgeToClient(packet);
  expect(endOf(pair.clientEvents)).toMatchObject({ kind: "violation", error: { code } });
});

describe("an error of the decoder", () => {
  const error = new MqttError("malformed", 0x81, "malformed");

  test.each([5, 4] as const)("ends it, MQTT %i", (version) => {
    const pair = new Pair({ connect: { version } }).connect();
    pair.server.receiveError(error, 0);
    expect(endOf(pair.serverEvents)).toMatchObject({
      kind: "violation",
      reasonCode: 0x81,
      error: { code: "malformed", cause: error },
      flush: true,
    });
    pair.toClient();
    // Before MQTT 5 a server just closes.
    expect(outline(pair.sentByServer).at(-1)).toBe(version === 5 ? "DISCONNECT" : "CONNACK");
  });

  test("in a client of MQTT 3.1.1 sends no DISCONNECT, which would say that all is well", () => {
    const pair = new Pair({ connect: { version: 4 } }).connect();
    pair.client.receiveError(error, 0);
    expect(pair.toServer()).toBe(0);
    expect(endOf(pair.clientEvents)).toMatchObject({ kind: "violation", flush: false });
  });

  test("between CONNECT and CONNACK is refused with CONNACK", () => {
    const pair = new Pair({ onConnect: () => {} }).connect();
    pair.server.receiveError(error, 0);
    pair.toClient();
    expect(pair.sentByServer).toMatchObject([{ type: 2, reasonCode: 0x81 }]);
  });
});

test("nothing that comes after the end does anything", () => {
  const pair = new Pair().connect();
  pair.server.disconnect(0x8b, 0);
  pair.forgeToServer(publishPacket({}));
  pair.server.receiveError(new MqttError("malformed", 0x81, "malformed"), 0);
  pair.server.receiveEnd(0);
  pair.server.tick(1e9);
  pair.server.fail(new Error("late"), 0);
  pair.server.reject(0x87, 0);
  expect(endOf(pair.serverEvents)).toMatchObject({ kind: "local", reasonCode: 0x8b });
});

test("a peer that does not want reason strings gets none [MQTT-3.1.2-29]", () => {
  const connect = { properties: { requestProblemInformation: false } };
  const pair = new Pair({ connect, acknowledge: false }).connect();
  pair.client.publish(message("t", "x", 1), 0);
  pair.exchange();
  const properties = { reasonString: "because", userProperties: [["a", "b"]] } as const;
  pair.server.acknowledge(1, 0x97, 0, properties);
  pair.server.disconnect(0x8b, 0, properties);
  pair.exchange();
  expect(pair.sentByServer.slice(1)).toMatchObject([
    { type: 4, properties: undefined },
    { type: 14, properties },
  ]);
});
