import { createStoredInflight, memoryInflightStore } from "@tidewire/session";
import { describe, expect, test } from "vitest";
import { endOf, message, names, outline, Pair, payloads, publishPacket } from "./pair.ts";

/*
 * Failures of other MQTT software that a session can have. Limits of CONNACK are in connecting.test.ts and
 * flow-control.test.ts, slow handlers and handlers that throw in the tests of the link, storage that fails there and in
 * the simulation.
 */

const resumed = { connect: { cleanStart: false }, accept: { sessionPresent: true } };

describe("MQTT.js 5.16 and others, as a client", () => {
  test("resends without DUP, one message at a time (#1086), out of order (#450, #1254)", () => {
    const first = new Pair({ connect: { cleanStart: false } }).connect();
    for (let i = 0; i < 50; i += 1) {
      first.client.publish(message("t", `${i}`, i % 2 === 0 ? 1 : 2), 0);
    }
    first.cut();
    const second = new Pair({ ...resumed, clientInflight: first.clientInflight });
    second.client.open(0);
    second.toServer();
    second.toClient();
    // All of it is on its way with the CONNACK, before a single answer.
    second.toServer();
    expect(payloads(second.serverEvents)).toEqual(Array.from({ length: 50 }, (_, i) => `${i}`));
    expect(second.sentByClient.slice(1).every((packet) => packet.type === 3 && packet.dup)).toBe(true);
  });

  test("loses what is published during the replay, or sends it first (#2015)", () => {
    const first = new Pair({ connect: { cleanStart: false } }).connect();
    for (let i = 0; i < 3; i += 1) {
      first.client.publish(message("t", `old ${i}`, 1), 0);
    }
    first.cut();
    const second: Pair = new Pair({
      ...resumed,
      clientInflight: first.clientInflight,
      client: { onConnack: () => void second.client.publish(message("t", "new", 1), 0) },
    });
    second.connect();
    expect(payloads(second.serverEvents)).toEqual(["old 0", "old 1", "old 2", "new"]);
    expect(first.clientInflight.outgoingCount).toBe(0);
  });

  test("sends a stale acknowledgement on the next connection", () => {
    const first = new Pair({ connect: { cleanStart: false }, acknowledge: false }).connect();
    first.server.publish(message("t", "x", 1), 0);
    first.exchange();
    first.cut();
    const { clientInflight, serverInflight } = first;
    const second = new Pair({ ...resumed, clientInflight, serverInflight, acknowledge: false }).connect();
    // The application has only now come to the end of the first delivery.
    expect(first.client.acknowledge(1, 0, 0)).toBe(false);
    second.exchange();
    expect(outline(second.sentByClient)).toEqual(["CONNECT"]);
    second.client.acknowledge(1, 0, 0);
    second.exchange();
    expect(names(second.serverEvents)).toContain("settled");
  });

  test("replays PUBREL although the server has no session", () => {
    const first = new Pair({ connect: { cleanStart: false } }).connect();
    first.client.publish(message("t", "x", 2), 0);
    first.toServer();
    first.toClient();
    first.cut();
    expect(first.clientInflight.outgoingCount).toBe(1);
    const second = new Pair({ connect: { cleanStart: false }, clientInflight: first.clientInflight }).connect();
    expect(outline(second.sentByClient)).toEqual(["CONNECT"]);
  });

  test("reuses packet ids that are in use, SUBSCRIBE among them; ids become 0", () => {
    const store = memoryInflightStore();
    const pair = new Pair({
      clientInflight: createStoredInflight(store),
      server: { onSubscribe: () => {} },
      acknowledge: false,
    });
    pair.connect();
    const subscription = { filter: "a", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const requests = Array.from({ length: 10 }, () => pair.client.subscribe([subscription], 0));
    const ids = Array.from({ length: 65_525 }, () => pair.client.publish(message("t", "x", 1), 0));
    expect(new Set([...requests, ...ids]).size).toBe(65_535);
    expect(Math.min(...ids)).toBeGreaterThan(0);
    expect(pair.client.sendQuota).toBe(0);
    expect(() => pair.client.subscribe([subscription], 0)).toThrow(
      expect.objectContaining({ code: "packet-ids-exhausted" }),
    );
    // The ids of requests without answer are free again after the connection, those in flight are not.
    pair.cut();
    expect(pair.clientInflight.outgoingCount).toBe(65_525);
    expect(store.saved().outgoing).toHaveLength(65_525);
  });
});

test("requests without answer end with their connection", () => {
  const subscription = { filter: "a", qos: 0, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
  const first = new Pair({ connect: { cleanStart: false }, server: { onSubscribe: () => {} } }).connect();
  const packetId = first.client.subscribe([subscription], 0);
  first.cut();
  const second = new Pair({ ...resumed, clientInflight: first.clientInflight }).connect();
  expect(second.client.sendQuota).toBe(65_535);
  second.forgeToClient({ type: 9, packetId, reasonCodes: [0], properties: undefined });
  expect(endOf(second.clientEvents)).toMatchObject({ error: { code: "acknowledgement-mismatch" } });
});

describe("Aedes and others, as a broker", () => {
  test("sends 2000 messages without acknowledgement against Receive Maximum 10", () => {
    const pair = new Pair({ connect: { properties: { receiveMaximum: 10 } }, acknowledge: false }).connect();
    let sent = 0;
    while (pair.server.sendQuota > 0) {
      sent += Math.sign(pair.server.publish(message("t", "x", 1), 0));
    }
    expect(sent).toBe(10);
    pair.exchange();
    expect(pair.client.end).toBeUndefined();
  });

  test("keeps any number of unreleased QoS 2 ids", () => {
    const accept = { properties: { receiveMaximum: 100 } };
    const pair = new Pair({ accept }).connect();
    for (let packetId = 1; packetId <= 200; packetId += 1) {
      pair.forgeToServer(publishPacket({ qos: 2, packetId }));
    }
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "violation", reasonCode: 0x93 });
    expect(pair.serverInflight.incomingCount).toBe(100);
  });

  // CVE-2026-8741.
  test("hands a QoS 2 message on before its id is stored", () => {
    const store = memoryInflightStore();
    const order: string[] = [];
    const serverInflight = createStoredInflight({ ...store, putIncoming: (id) => order.push(`stored ${id}`) });
    const pair = new Pair({ serverInflight, acknowledge: false }).connect();
    pair.client.publish(message("t", "x", 2), 0);
    pair.toServer();
    pair.server.acknowledge(1, 0, 0);
    order.push("acknowledged");
    // In one turn with the application's own writes, before the PUBREC leaves.
    expect(order).toEqual(["stored 1", "acknowledged"]);
  });

  test("delivers again what it delivered, once the packet id was taken over by another connection", () => {
    const first = new Pair({ connect: { cleanStart: false } }).connect();
    first.client.publish(message("t", "x", 2), 0);
    first.toServer();
    first.cut();
    const { clientInflight, serverInflight } = first;
    const second = new Pair({ ...resumed, clientInflight, serverInflight }).connect();
    expect(outline(second.sentByClient)).toEqual(["CONNECT", "PUBLISH d1", "PUBREL 1"]);
    expect([...payloads(first.serverEvents), ...payloads(second.serverEvents)]).toEqual(["x"]);
    expect(serverInflight.incomingCount).toBe(0);
  });
});
