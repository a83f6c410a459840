import { type BrokerHooks, memoryStore } from "@tidewire/broker";
import { PacketType, type PublishPacket } from "@tidewire/codec";
import { describe, expect, it } from "vitest";
import { ack, bytesOf, Lab, type Peer, textOf } from "./harness.ts";

/*
 * What a session holds belongs to the user who began it, and every message that leaves is judged by the rights of now
 * (attacks 43 and 44; field failures: "messages in flight go to the next owner of a client id without being judged").
 */

const kept = { cleanStart: false, properties: { sessionExpiryInterval: 600 } };
const signedIn: BrokerHooks = { authenticate: () => true };

function received(peer: Peer): string[] {
  const packets = peer.received.filter((packet): packet is PublishPacket => packet.type === PacketType.PUBLISH);
  return packets.map(({ topic, payload }) => `${topic} ${textOf(payload)}`);
}

/** A session with one message in flight, and its client gone. */
async function leaveInFlight(lab: Lab, username: string | undefined): Promise<void> {
  const client = await lab.connect({ clientId: "gauge", username, ...kept });
  await client.subscribe(lab, "secret", { qos: 1 });
  lab.broker.publish("secret", "for the first owner", { qos: 1 });
  await lab.settle();
  expect(received(client)).toEqual(["secret for the first owner"]);
  client.cut();
  await lab.settle();
}

describe("the owner of a session", () => {
  it.each([
    ["another user", "alice", "bob"],
    ["a user, of an anonymous client's", undefined, "bob"],
    ["an anonymous client", "alice", undefined],
  ])("is not %s, with or without a clean start, before and after a restart", async (_, owner, other) => {
    const store = memoryStore();
    const first = await Lab.start({ hooks: signedIn, store });
    await leaveInFlight(first, owner);
    for (const lab of [first, await Lab.start({ hooks: signedIn, store })]) {
      for (const options of [kept, { cleanStart: true }]) {
        const taker = await lab.connect({ clientId: "gauge", username: other, ...options });
        expect(taker.connack.reasonCode).toBe(0x85);
        expect(received(taker)).toEqual([]);
      }
      expect((await lab.connect({ clientId: "gauge", username: other, version: 4 })).connack.reasonCode).toBe(2);
    }
    const second = await Lab.start({ hooks: signedIn, store });
    const again = await second.connect({ clientId: "gauge", username: owner, ...kept });
    expect(again.connack).toMatchObject({ reasonCode: 0, sessionPresent: true });
    expect(received(again)).toEqual(["secret for the first owner"]);
  });

  it("keeps its connection when somebody else comes with its identifier", async () => {
    const lab = await Lab.start({ hooks: signedIn });
    const owner = await lab.connect({ clientId: "gauge", username: "alice" });
    expect((await lab.connect({ clientId: "gauge", username: "bob" })).connack.reasonCode).toBe(0x85);
    expect(owner.closed).toBe(false);
  });

  it("is nobody where nobody has to sign in, or where the application says so", async () => {
    for (const options of [{}, { hooks: signedIn, sessionsHaveOwners: false }]) {
      const lab = await Lab.start(options);
      await leaveInFlight(lab, "alice");
      const next = await lab.connect({ clientId: "gauge", username: "bob", ...kept });
      expect(next.connack).toMatchObject({ reasonCode: 0, sessionPresent: true });
    }
  });

  it("has as many sessions as a user may have; all without a name count as one user", async () => {
    const lab = await Lab.start({ hooks: signedIn, limits: { sessionsPerUser: 2 } });
    for (const username of ["alice", undefined]) {
      const codes: number[] = [];
      for (const number of [1, 2, 3, 1]) {
        const client = await lab.connect({ clientId: `${username}-${number}`, username, ...kept });
        codes.push(client.connack.reasonCode);
      }
      expect(codes).toEqual([0, 0, 0x97, 0]);
    }
    lab.broker.deleteSession("alice-1");
    expect((await lab.connect({ clientId: "alice-3", username: "alice", ...kept })).connack.reasonCode).toBe(0);
  });

  it("may be gone: whoever comes then begins anew, and gets nothing that was not theirs", async () => {
    const users = new Set<string | undefined>(["alice", "bob"]);
    const hooks: BrokerHooks = { ...signedIn, knowsUser: (name) => users.has(name) };
    const lab = await Lab.start({ hooks });
    await leaveInFlight(lab, "alice");
    expect((await lab.connect({ clientId: "gauge", username: "bob", ...kept })).connack.reasonCode).toBe(0x85);
    users.delete("alice");
    const next = await lab.connect({ clientId: "gauge", username: "bob", ...kept });
    expect(next.connack).toMatchObject({ reasonCode: 0, sessionPresent: false });
    lab.broker.publish("secret", "more", { qos: 1 });
    await lab.settle();
    expect(received(next)).toEqual([]);
  });

  it("loses it to an operator: connected or not, with all that it holds", async () => {
    const lab = await Lab.start({ hooks: signedIn });
    await leaveInFlight(lab, "squatter");
    expect(lab.broker.deleteSession("gauge")).toBe(true);
    expect(lab.broker.deleteSession("gauge")).toBe(false);
    const owner = await lab.connect({ clientId: "gauge", username: "alice", ...kept });
    expect(owner.connack).toMatchObject({ reasonCode: 0, sessionPresent: false });
    expect(lab.broker.deleteSession("gauge")).toBe(true);
    await lab.settle();
    expect(owner.last(PacketType.DISCONNECT)).toMatchObject({ reasonCode: 0x98 });
    expect(lab.broker.metrics()).toMatchObject({ sessions: 0, clients: 0 });
  });
});

describe("rights that were taken away", () => {
  function revocable(answer: (allowed: boolean) => boolean | Promise<boolean>): {
    hooks: BrokerHooks;
    rights: Set<string>;
  } {
    const rights = new Set(["read", "write"]);
    const hooks: BrokerHooks = {
      authenticate: () => true,
      authorizeDelivery: () => answer(rights.has("read")),
      authorizePublish: () => answer(rights.has("write")),
    };
    return { hooks, rights };
  }

  it.each([
    ["at once", (allowed: boolean) => allowed],
    ["later", (allowed: boolean) => Promise.resolve(allowed)],
  ])("hold for what is in flight, queued and retained: the hook answers %s", async (_, answer) => {
    const { hooks, rights } = revocable(answer);
    const lab = await Lab.start({ hooks });
    await leaveInFlight(lab, "alice");
    lab.broker.publish("secret", "queued", { qos: 1, retain: true });
    rights.delete("read");
    const client = await lab.connect({ clientId: "gauge", username: "alice", ...kept });
    await client.subscribe(lab, "secret", { qos: 1 });
    expect(client.connack).toMatchObject({ reasonCode: 0, sessionPresent: true });
    expect(received(client)).toEqual([]);
    expect(lab.broker.metrics().droppedUnauthorized).toBe(3);
    // The packet identifier that it had is free.
    rights.add("read");
    lab.broker.publish("secret", "new", { qos: 1 });
    await lab.settle();
    expect(received(client)).toEqual(["secret new"]);
  });

  it.each([
    ["at once", (allowed: boolean) => allowed],
    ["later", (allowed: boolean) => Promise.resolve(allowed)],
  ])("of a publisher hide what it retained, where that is asked for: the hook answers %s", async (_, answer) => {
    for (const checkRetainedPublisher of [true, false]) {
      const trusted = new Set<string | undefined>(["alice", "carol"]);
      const hooks: BrokerHooks = {
        authenticate: () => true,
        authorizePublish: ({ username }) => answer(trusted.has(username)),
      };
      const store = memoryStore();
      const lab = await Lab.start({ hooks, store, checkRetainedPublisher });
      for (const username of ["alice", "carol"]) {
        const publisher = await lab.connect({ clientId: `of ${username}`, username });
        publisher.publish(`state/${username}`, "x", { qos: 1, retain: true });
        await lab.settle();
      }
      lab.broker.publish("state/broker", "x", { retain: true });
      trusted.delete("alice");
      const again = await Lab.start({ hooks, store, checkRetainedPublisher });
      for (const each of [lab, again]) {
        const reader = await each.connect({ clientId: "reader", username: "reader" });
        await reader.subscribe(each, "state/#");
        const expected = ["state/broker x", "state/carol x", ...(checkRetainedPublisher ? [] : ["state/alice x"])];
        expect(received(reader).sort()).toEqual(expected.sort());
      }
    }
  });

  it("take a QoS 2 message back, and let its exchange end that had begun", async () => {
    const { hooks, rights } = revocable((allowed) => allowed);
    const lab = await Lab.start({ hooks });
    const client = await lab.connect({ clientId: "gauge", username: "alice", ...kept });
    await client.subscribe(lab, "secret", { qos: 2 });
    lab.broker.publish("secret", "one", { qos: 2 });
    lab.broker.publish("secret", "two", { qos: 2 });
    await lab.settle();
    await client.exchange(lab, ack(PacketType.PUBREC, (client.received.find(isPublish) as PublishPacket).packetId));
    client.cut();
    rights.delete("read");
    const again = await lab.connect({ clientId: "gauge", username: "alice", ...kept });
    expect(received(again)).toEqual([]);
    expect(again.received.map(({ type }) => type)).toEqual([PacketType.CONNACK, PacketType.PUBREL]);
  });

  it("give what is in flight of a shared subscription to a member that may have it", async () => {
    const rights = new Set(["gauge", "other"]);
    const hooks: BrokerHooks = {
      authenticate: () => true,
      authorizeDelivery: ({ clientId }) => rights.has(clientId),
    };
    const lab = await Lab.start({ hooks });
    const member = await lab.connect({ clientId: "gauge", ...kept });
    await member.subscribe(lab, "$share/g/work", { qos: 1 });
    lab.broker.publish("work", "job", { qos: 1 });
    await lab.settle();
    member.cut();
    await lab.settle();
    const other = await lab.connect({ clientId: "other" });
    await other.subscribe(lab, "$share/g/work", { qos: 1 });
    rights.delete("gauge");
    await lab.connect({ clientId: "gauge", ...kept });
    expect(received(other)).toEqual(["work job"]);
  });

  it.each([
    ["at once", (allowed: boolean) => allowed],
    ["later", (allowed: boolean) => Promise.resolve(allowed)],
  ])("silence a will, also after a restart: the hook answers %s", async (_, answer) => {
    const { hooks, rights } = revocable(answer);
    const store = memoryStore();
    const first = await Lab.start({ hooks, store });
    const will = {
      topic: "w",
      payload: bytesOf("gone"),
      qos: 1 as const,
      retain: true,
      properties: { willDelayInterval: 5 },
    };
    const client = await first.connect({ clientId: "gauge", username: "alice", ...kept, will });
    client.cut();
    await first.settle();
    rights.delete("write");
    for (const lab of [first, await Lab.start({ hooks, store })]) {
      const watcher = await lab.connect({ clientId: "watcher" });
      await watcher.subscribe(lab, "w");
      await lab.advance(10_000);
      expect(received(watcher)).toEqual([]);
    }
    rights.add("write");
    const third = await Lab.start({ hooks, store });
    expect(third.broker.metrics().willsPublished).toBe(0);
  });
});

function isPublish({ type }: { readonly type: number }): boolean {
  return type === PacketType.PUBLISH;
}
