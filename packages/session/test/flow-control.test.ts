import { createInflight } from "@tidewire/session";
import { describe, expect, test } from "vitest";
import { endOf, message, names, outline, Pair, payloads, publishPacket } from "./pair.ts";

describe("Receive Maximum", () => {
  // MQTT.js 5.16 had 51 messages in flight where 2 were allowed; a broker sent 2000 against 10.
  test("is obeyed by both ends, and sendQuota tells when there is room again", () => {
    const pair = new Pair({
      connect: { properties: { receiveMaximum: 3 } },
      accept: { properties: { receiveMaximum: 2 } },
      acknowledge: false,
    }).connect();
    expect([pair.client.sendQuota, pair.server.sendQuota]).toEqual([2, 3]);
    pair.client.publish(message("t", "a", 1), 0);
    pair.client.publish(message("t", "b", 2), 0);
    expect(pair.client.sendQuota).toBe(0);
    expect(() => pair.client.publish(message("t", "c", 1), 0)).toThrow(
      expect.objectContaining({ code: "quota-exhausted" }),
    );
    // [MQTT-3.3.4-8]: nothing else is held back.
    pair.client.publish(message("t", "d", 0), 0);
    pair.exchange();
    expect(payloads(pair.serverEvents)).toEqual(["a", "b", "d"]);
    pair.server.acknowledge(1, 0, 0);
    pair.exchange();
    expect(names(pair.clientEvents)).toEqual(["connack", "settled", "send-quota"]);
    expect(pair.client.sendQuota).toBe(1);
    pair.server.acknowledge(2, 0, 0);
    pair.exchange();
    expect(names(pair.clientEvents).slice(3)).toEqual(["settled"]);
    expect(pair.client.sendQuota).toBe(2);
  });

  test("exceeded by the peer ends it with 0x93", () => {
    const pair = new Pair({ accept: { properties: { receiveMaximum: 2 } }, acknowledge: false }).connect();
    for (const packetId of [1, 2, 3]) {
      pair.forgeToServer(publishPacket({ qos: 1, packetId }));
    }
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", reasonCode: 0x93 });
    pair.exchange();
    expect(endOf(pair.clientEvents)).toMatchObject({ kind: "remote", reasonCode: 0x93 });
  });

  test("a lower one after a reconnect lets the resumed messages out in their order as room comes, then live ones", () => {
    const clientInflight = createInflight();
    const serverInflight = createInflight();
    const common = { connect: { cleanStart: false }, clientInflight, serverInflight };
    const first = new Pair({ ...common, acknowledge: false }).connect();
    for (let i = 0; i < 5; i += 1) {
      first.client.publish(message("t", `${i}`, 1), 0);
    }
    first.cut();
    const second = new Pair({ ...common, accept: { sessionPresent: true, properties: { receiveMaximum: 2 } } });
    second.client.open(0);
    second.toServer();
    second.toClient();
    expect(second.client.sendQuota).toBe(0);
    expect(second.toServer()).toBe(2);
    second.exchange();
    second.client.publish(message("t", "live", 1), 0);
    second.exchange();
    expect(payloads(second.serverEvents)).toEqual(["0", "1", "2", "3", "4", "live"]);
    expect(clientInflight.outgoingCount).toBe(0);
  });

  test("a refused message frees its place", () => {
    const pair = new Pair({ accept: { properties: { receiveMaximum: 1 } }, acknowledge: false }).connect();
    pair.client.publish(message("t", "a", 2), 0);
    pair.exchange();
    pair.server.acknowledge(1, 0x97, 0);
    pair.exchange();
    expect(pair.clientEvents[1]).toMatchObject({ name: "settled", reasonCode: 0x97 });
    expect(pair.client.sendQuota).toBe(1);
    expect(pair.serverInflight.incomingCount).toBe(0);
  });
});

describe("acknowledgements", () => {
  test("leave in the order of arrival whatever the order of the answers [MQTT-4.6.0-2]", () => {
    const pair = new Pair({ acknowledge: false }).connect();
    for (const qos of [1, 2, 1] as const) {
      pair.client.publish(message("t", "x", qos), 0);
    }
    pair.exchange();
    expect(pair.server.acknowledge(3, 0, 0)).toBe(true);
    expect(pair.server.acknowledge(2, 0, 0)).toBe(true);
    expect(pair.toClient()).toBe(0);
    pair.server.acknowledge(1, 0, 0);
    pair.toClient();
    expect(outline(pair.sentByServer).slice(1)).toEqual(["PUBACK 1", "PUBREC 2", "PUBACK 3"]);
  });

  test("given inside the handler wait for the answer to an older message as well", () => {
    const pair: Pair = new Pair({
      acknowledge: false,
      server: { onPublish: ({ packetId }) => void (packetId > 1 && pair.server.acknowledge(packetId, 0, 0)) },
    }).connect();
    for (const qos of [2, 2, 1] as const) {
      pair.client.publish(message("t", "x", qos), 0);
    }
    pair.exchange();
    expect(outline(pair.sentByServer)).toEqual(["CONNACK"]);
    pair.server.acknowledge(1, 0, 0);
    pair.toClient();
    expect(outline(pair.sentByServer).slice(1)).toEqual(["PUBREC 1", "PUBREC 2", "PUBACK 3"]);
  });

  test("are given once each", () => {
    const pair = new Pair({ acknowledge: false }).connect();
    pair.client.publish(message("t", "x", 1), 0);
    pair.exchange();
    pair.server.acknowledge(1, 0, 0);
    expect(() => pair.server.acknowledge(1, 0, 0)).toThrow(expect.objectContaining({ code: "answer-not-owed" }));
  });

  test("that cannot be put on the wire are misuse, and still owed", () => {
    const pair = new Pair({ acknowledge: false }).connect();
    pair.client.publish(message("t", "x", 1), 0);
    pair.exchange();
    expect(() => pair.server.acknowledge(1, 0x8f, 0)).toThrow(expect.objectContaining({ code: "reason-code-invalid" }));
    expect(pair.server.acknowledge(1, 0, 0)).toBe(true);
    pair.exchange();
    expect(names(pair.clientEvents)).toEqual(["connack", "settled"]);
  });

  test("thousands that wait are answered in reasonable time", () => {
    const pair = new Pair({ acknowledge: false }).connect();
    const ids = Array.from({ length: 5000 }, () => pair.client.publish(message("t", "x", 1), 0));
    pair.exchange();
    for (const id of ids.reverse()) {
      pair.server.acknowledge(id, 0, 0);
    }
    pair.exchange();
    expect(pair.clientInflight.outgoingCount).toBe(0);
  });

  test("in MQTT 3.1.1 a refusal is a success: there is no other answer", () => {
    const pair = new Pair({ connect: { version: 4 }, acknowledge: false }).connect();
    pair.client.publish(message("t", "x", 2), 0);
    pair.exchange();
    pair.server.acknowledge(1, 0x97, 0);
    pair.exchange();
    expect(pair.clientEvents.at(-1)).toMatchObject({ name: "settled", reasonCode: 0 });
  });
});

describe("topic aliases", () => {
  test("are given by themselves, to the topics used last, and resolved by the peer", () => {
    const pair = new Pair({ accept: { properties: { topicAliasMaximum: 2 } } }).connect();
    const topics = ["a/long/topic", "b/long/topic", "a/long/topic", "c/long/topic", "b/long/topic", "c/long/topic"];
    for (const topic of topics) {
      pair.client.publish(message(topic, topic, 0), 0);
    }
    pair.exchange();
    const wire = pair.sentByClient.slice(1).map((packet) => {
      if (packet.type !== 3) {
        throw new Error("not a PUBLISH");
      }
      return `${packet.topic} ${packet.properties?.topicAlias}`;
    });
    // `c` takes the place of `b`, which was used before `a`; `b` that of `a`.
    expect(wire).toEqual(["a/long/topic 1", "b/long/topic 2", " 1", "c/long/topic 2", "b/long/topic 1", " 2"]);
    const received = pair.serverEvents.filter(({ name }) => name === "publish");
    expect(received.map(({ topic }) => topic)).toEqual(topics);
    expect(received.map(({ payload }) => payload)).toEqual(topics);
  });

  test("keep the other properties, and never those of another connection", () => {
    const pair = new Pair({ accept: { properties: { topicAliasMaximum: 2 } } }).connect();
    const properties = { contentType: "text/plain", topicAlias: 9 };
    for (let i = 0; i < 2; i += 1) {
      pair.client.publish(message("long/topic", "x", 0, properties), 0);
    }
    pair.server.publish(message("down", "x", 0, properties), 0);
    pair.exchange();
    expect(pair.sentByClient.slice(1)).toMatchObject([
      { topic: "long/topic", properties: { contentType: "text/plain", topicAlias: 1 } },
      { topic: "", properties: { contentType: "text/plain", topicAlias: 1 } },
    ]);
    expect(pair.sentByServer.at(-1)).toMatchObject({ topic: "down", properties: { contentType: "text/plain" } });
    expect(pair.sentByServer.at(-1)).not.toMatchObject({ properties: { topicAlias: 9 } });
    expect(properties.topicAlias).toBe(9);
  });

  test.each([
    ["above the maximum", { topic: "t", properties: { topicAlias: 3 } }, 0x94],
    ["when none was allowed", { topic: "t", properties: { topicAlias: 3 } }, 0x94],
    ["that nobody gave", { topic: "", properties: { topicAlias: 2 } }, 0x82],
  ])("%s is a violation", (name, fields, reasonCode) => {
    const topicAliasMaximum = name === "when none was allowed" ? 0 : 2;
    const pair = new Pair({ accept: { properties: { topicAliasMaximum } } }).connect();
    pair.forgeToServer(publishPacket(fields));
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", reasonCode });
  });
});

describe("Maximum Packet Size", () => {
  // MQTT.js 5.16 sent 50 of 50 packets that were too large.
  test("refuses a message before it has any effect", () => {
    const pair = new Pair({ accept: { properties: { maximumPacketSize: 40 } } }).connect();
    const large = message("t", "x".repeat(40), 1);
    expect(() => pair.client.publish(large, 0)).toThrow(expect.objectContaining({ reasonCode: 0x95 }));
    expect(pair.clientInflight.outgoingCount).toBe(0);
    expect(pair.client.publish(message("t", "small", 1), 0)).toBeGreaterThan(0);
    pair.exchange();
    expect(payloads(pair.serverEvents)).toEqual(["small"]);
  });

  test("leaves the alias out where it would make the packet too large", () => {
    const properties = { maximumPacketSize: 40, topicAliasMaximum: 5 };
    const pair = new Pair({ accept: { properties } }).connect();
    // 40 bytes without an alias.
    pair.client.publish(message("0123456789", "x".repeat(25), 0), 0);
    pair.exchange();
    expect(pair.sentByClient.at(-1)).toMatchObject({ topic: "0123456789", properties: undefined });
  });

  test("leaves reason string and user properties out where they are too much [MQTT-3.4.2-2]", () => {
    const pair = new Pair({ connect: { properties: { maximumPacketSize: 30 } }, acknowledge: false }).connect();
    pair.client.publish(message("t", "x", 1), 0);
    pair.client.publish(message("t", "x", 1), 0);
    pair.exchange();
    pair.server.acknowledge(1, 0x97, 0, { reasonString: "x".repeat(40) });
    pair.server.acknowledge(2, 0x97, 0, { reasonString: "short" });
    pair.exchange();
    expect(pair.sentByServer.slice(1)).toMatchObject([
      { reasonCode: 0x97, properties: undefined },
      { reasonCode: 0x97, properties: { reasonString: "short" } },
    ]);
  });

  test("lower after a reconnect: what no longer fits is given up, and its id cannot hide a later message", () => {
    const clientInflight = createInflight();
    const serverInflight = createInflight();
    const common = { connect: { cleanStart: false }, clientInflight, serverInflight };
    const first = new Pair(common).connect();
    first.client.publish(message("t", "x".repeat(50), 2), 0);
    first.toServer();
    first.cut();
    expect(serverInflight.incomingCount).toBe(1);
    const accept = { sessionPresent: true, properties: { maximumPacketSize: 40 } };
    const second = new Pair({ ...common, accept }).connect();
    expect(second.clientEvents.filter(({ name }) => name === "settled")).toMatchObject([{ reasonCode: 0x95 }]);
    expect([clientInflight.outgoingCount, serverInflight.incomingCount]).toEqual([0, 0]);
  });

  // The first one would fit once the second has told its topic's alias, and go out after it.
  test("what is given up does not slip behind what was sent after it", () => {
    const common = { connect: { cleanStart: false }, clientInflight: createInflight() };
    const first = new Pair({ ...common, acknowledge: false }).connect();
    for (const text of ["x".repeat(26), "small"]) {
      first.client.publish(message("0123456789", text, 1), 0);
    }
    first.cut();
    const properties = { maximumPacketSize: 40, topicAliasMaximum: 1 };
    const second = new Pair({ ...common, accept: { sessionPresent: true, properties } }).connect();
    expect(payloads(second.serverEvents)).toEqual(["small"]);
    const settled = second.clientEvents.filter(({ name }) => name === "settled");
    expect(settled).toMatchObject([{ reasonCode: 0x95 }, { reasonCode: 0 }]);
  });

  test("what is given up makes room, and the handler hears of it", () => {
    const common = { connect: { cleanStart: false }, clientInflight: createInflight(), acknowledge: false };
    const first = new Pair(common).connect();
    first.client.publish(message("t", "x".repeat(50), 1), 0);
    first.cut();
    const properties = { maximumPacketSize: 40, receiveMaximum: 1 };
    const second = new Pair({ ...common, accept: { sessionPresent: true, properties } }).connect();
    expect(names(second.clientEvents)).toEqual(["connack", "settled", "send-quota"]);
    expect(second.client.sendQuota).toBe(1);
  });
});

test("a message encoded before goes out as it is, with the id of its own", () => {
  const pair = new Pair({ connect: { version: 4 } }).connect();
  const bytes = new Uint8Array([0x32, 7, 0, 1, 0x74, 0, 0, 0x68, 0x69]);
  for (let i = 0; i < 2; i += 1) {
    pair.server.publish(message("t", "hi", 1), 0, { type: 0, bytes, packetIdOffset: 5, packetId: 0 });
  }
  pair.exchange();
  expect(payloads(pair.clientEvents)).toEqual(["hi", "hi"]);
  expect(outline(pair.sentByServer).slice(1)).toEqual(["PUBLISH 1", "PUBLISH 2"]);
  expect(bytes[6]).toBe(0);
});
