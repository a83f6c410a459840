import { createInflight, createStoredInflight, memoryInflightStore } from "@tidewire/session";
import { describe, expect, test } from "vitest";
import { endOf, message, names, outline, Pair, payloads } from "./pair.ts";

describe.each([3, 4, 5] as const)("version %i", (version) => {
  test.each([0, 1, 2] as const)("a message of QoS %i goes each way and is settled", (qos) => {
    const pair = new Pair({ connect: { version } }).connect();
    pair.client.publish(message("up", "a", qos), 0);
    pair.server.publish(message("down", "b", qos), 0);
    pair.exchange();
    expect(payloads(pair.serverEvents)).toEqual(["a"]);
    expect(payloads(pair.clientEvents)).toEqual(["b"]);
    const settled = qos === 0 ? [] : ["settled"];
    expect(names(pair.clientEvents)).toEqual(expect.arrayContaining(settled));
    expect(pair.clientInflight.outgoingCount + pair.serverInflight.outgoingCount).toBe(0);
    expect(pair.clientInflight.incomingCount + pair.serverInflight.incomingCount).toBe(0);
  });

  test("subscribe and unsubscribe are answered", () => {
    const pair = new Pair({ connect: { version } }).connect();
    const subscription = { filter: "a", qos: 1, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    pair.client.subscribe([subscription], 0);
    pair.client.unsubscribe(["a"], 0);
    pair.exchange();
    expect(names(pair.clientEvents)).toEqual(["connack", "suback", "unsuback"]);
  });

  test("both ends know how it ended", () => {
    const pair = new Pair({ connect: { version } }).connect();
    pair.client.disconnect(0, 0);
    pair.exchange();
    expect(endOf(pair.clientEvents)).toMatchObject({ kind: "local", reasonCode: 0, flush: true });
    expect(endOf(pair.serverEvents)).toMatchObject({ kind: "remote", reasonCode: 0 });
    expect(pair.client.state).toBe("closed");
    expect(pair.server.state).toBe("closed");
  });
});

describe("resume", () => {
  test("sends again in the original order, DUP set, PUBREL where PUBREC came, live messages after", () => {
    const store = memoryInflightStore();
    const inflight = createStoredInflight(store);
    const serverInflight = createInflight();
    const options = { connect: { cleanStart: false }, clientInflight: inflight, serverInflight };
    const first = new Pair({ ...options, acknowledge: false }).connect();
    for (const [index, qos] of ([1, 2, 1, 2] as const).entries()) {
      first.client.publish(message("t", `${index}`, qos), 0);
    }
    first.toServer();
    first.server.acknowledge(1, 0, 0);
    first.server.acknowledge(2, 0, 0);
    first.exchange();
    first.cut();
    expect(outline(first.sentByClient)).toEqual([
      "CONNECT",
      "PUBLISH 1",
      "PUBLISH 2",
      "PUBLISH 3",
      "PUBLISH 4",
      "PUBREL 2",
    ]);
    // The same from the store, as after a restart.
    const second = new Pair({
      ...options,
      clientInflight: createStoredInflight(store, store.saved()),
      accept: { sessionPresent: true },
    });
    second.client.open(0);
    second.toServer();
    second.toClient();
    second.client.publish(message("t", "live", 1), 0);
    second.exchange();
    expect(outline(second.sentByClient).slice(0, 4)).toEqual(["CONNECT", "PUBLISH d3", "PUBLISH d4", "PUBLISH 5"]);
    expect(payloads(second.serverEvents)).toEqual(["2", "3", "live"]);
    expect(store.saved()).toEqual({ outgoing: [], incoming: [] });
  });
});
