import { local, memoryStore } from "@tidewire/broker";
import { PacketType, type PublishPacket } from "@tidewire/codec";
import { describe, expect, it } from "vitest";
import { ack, Lab, type Peer, textOf } from "./harness.ts";

const ONE_AT_A_TIME = { properties: { receiveMaximum: 1, sessionExpiryInterval: 1000 } };

function texts(peer: Peer): string[] {
  return peer.publishes.map(({ payload }) => textOf(payload));
}

/** Acknowledges whatever comes, one after the other. */
async function work(lab: Lab, peer: Peer): Promise<void> {
  for (let done = 0; done < peer.publishes.length; done += 1) {
    const { packetId } = peer.publishes[done] as PublishPacket;
    await peer.exchange(lab, ack(PacketType.PUBACK, packetId));
  }
}

async function member(lab: Lab, clientId: string, filters: readonly string[]): Promise<Peer> {
  const peer = await lab.connect({ clientId, cleanStart: false, ...ONE_AT_A_TIME });
  for (const filter of filters) {
    await peer.subscribe(lab, filter, { qos: 1 });
  }
  return peer;
}

describe("a shared subscription", () => {
  it("gives what waits for a member that hangs to one that has nothing to do, oldest first", async () => {
    const lab = await Lab.start();
    const hung = await member(lab, "hung", ["$share/g/t"]);
    const quick = await member(lab, "quick", ["$share/g/t"]);
    for (let index = 0; index < 100; index += 1) {
      lab.broker.publish("t", String(index), { qos: 1 });
    }
    await lab.settle();
    await work(lab, quick);
    const got = texts(quick).map(Number);
    expect(hung.publishes.length).toBe(1);
    expect(got.length).toBe(99);
    // Each member's own came in turn; what was taken over came behind it, in order too.
    expect(new Set([...got, ...texts(hung).map(Number)]).size).toBe(100);
    expect(lab.broker.metrics()).toMatchObject({ queued: 0, droppedQueueFull: 0 });
    const taken = got.filter((index) => index % 2 === Number(texts(hung)[0]) % 2);
    expect(taken).toEqual([...taken].sort((a, b) => a - b));
  });

  it("leaves alone what is a member's own, and takes from between it", async () => {
    const lab = await Lab.start();
    const hung = await member(lab, "hung", ["own", "$share/g/t", "$share/g/u"]);
    const quick = await member(lab, "quick", ["$share/g/t"]);
    for (let index = 0; index < 20; index += 1) {
      lab.broker.publish("own", `own ${index}`, { qos: 1 });
      lab.broker.publish("t", `t ${index}`, { qos: 1 });
      lab.broker.publish("u", `u ${index}`, { qos: 1 });
    }
    await lab.settle();
    await work(lab, quick);
    expect(texts(quick).length).toBe(20);
    await work(lab, hung);
    const expected = Array.from({ length: 20 }, (_, index) => [`own ${index}`, `u ${index}`]).flat();
    expect(texts(hung)).toEqual(expected);
    expect(lab.broker.metrics()).toMatchObject({ queued: 0, queuedBytes: 0 });
  });

  it("keeps a message of QoS 2 with whom it was sent to", async () => {
    const lab = await Lab.start();
    const hung = await member(lab, "hung", []);
    await hung.subscribe(lab, "$share/g/t", { qos: 2 });
    lab.broker.publish("t", "sent", { qos: 2 });
    await lab.settle();
    const quick = await member(lab, "quick", ["$share/g/t"]);
    hung.cut();
    await lab.settle();
    expect([texts(hung), texts(quick)]).toEqual([["sent"], []]);
  });

  it("gives what waits for members that are away to one that comes, also after a restart", async () => {
    const store = memoryStore();
    const first = await Lab.start({ store });
    for (const name of ["a", "b"]) {
      const peer = await member(first, name, ["$share/g/t", `own/${name}`]);
      peer.cut();
      await first.settle();
    }
    for (let index = 0; index < 100; index += 1) {
      first.broker.publish("t", String(index), { qos: 1 });
    }
    await first.broker.close();
    const lab = await Lab.start({ store });
    await lab.settle();
    const comes = await member(lab, "comes", ["$share/g/t"]);
    await lab.settle();
    await work(lab, comes);
    expect(
      texts(comes)
        .map(Number)
        .sort((a, b) => a - b),
    ).toEqual(Array.from({ length: 100 }, (_, index) => index));
    expect(lab.broker.metrics()).toMatchObject({ queued: 0 });
  });

  it("gives what waits to a member in the broker's own process", async () => {
    const lab = await Lab.start();
    const hung = await member(lab, "hung", ["$share/g/t"]);
    for (let index = 0; index < 10; index += 1) {
      lab.broker.publish("t", String(index), { qos: 1 });
    }
    await lab.settle();
    const seen: string[] = [];
    lab.broker.subscribe("$share/g/t", ({ payload }) => seen.push(textOf(payload)));
    hung.cut();
    await lab.settle();
    expect(seen).toEqual(Array.from({ length: 9 }, (_, index) => String(index + 1)));
  });
});

describe("a SUBSCRIBE that changes nothing", () => {
  it("is no news to anyone, and drops no route", async () => {
    const told: string[] = [];
    const cluster = {
      ...local(),
      subscribed: (filter: string) => told.push(`+ ${filter}`),
      unsubscribed: (filter: string) => told.push(`- ${filter}`),
    };
    const lab = await Lab.start({ cluster });
    const peer = await lab.connect();
    await peer.subscribe(lab, "a/+", { qos: 1 });
    await peer.subscribe(lab, "a/+", { qos: 1 });
    expect(told).toEqual(["+ a/+"]);
    await peer.subscribe(lab, "a/+", { qos: 0 });
    expect(told).toEqual(["+ a/+", "- a/+", "+ a/+"]);
    lab.broker.publish("a/b", "x", { qos: 1 });
    await lab.settle();
    expect(peer.publishes).toMatchObject([{ topic: "a/b", qos: 0 }]);
  });
});

describe("a retained message that has to wait", () => {
  it("is read again before it is sent, so that no older value follows a newer one", async () => {
    const answers: ((allowed: boolean) => void)[] = [];
    const lab = await Lab.start({
      hooks: {
        authorizeDelivery: (_client, message) =>
          message.retain ? new Promise<boolean>((resolve) => answers.push(resolve)) : true,
      },
    });
    lab.broker.publish("t", "old", { retain: true });
    const peer = await lab.connect();
    await peer.subscribe(lab, "#", { qos: 0 });
    expect(answers.length).toBe(1);
    lab.broker.publish("t", "new", { retain: true });
    await lab.settle();
    answers[0]!(true);
    await lab.settle();
    expect(peer.messages).toEqual(["t=new"]);
    answers[1]!(true);
    await lab.settle();
    expect(peer.messages).toEqual(["t=new", "t=new"]);
  });

  it("is the newest where the client's window was closed", async () => {
    const lab = await Lab.start();
    const peer = await lab.connect({ properties: { receiveMaximum: 1 } });
    lab.broker.publish("a", "first", { qos: 1, retain: true });
    lab.broker.publish("b", "old", { qos: 1, retain: true });
    await peer.subscribe(lab, "+", { qos: 1 });
    lab.broker.publish("b", "new", { qos: 1, retain: true });
    await lab.settle();
    await work(lab, peer);
    expect(peer.messages).toEqual(["a=first", "b=new", "b=new"]);
  });
});
