import { type BrokerStore, memoryStore } from "@tidewire/broker";
import { PacketType } from "@tidewire/codec";
import { expect, it } from "vitest";
import { ack, Lab } from "./harness.ts";

/** A durable store whose commits take as long as the test wants. */
class SlowDisk {
  readonly store: BrokerStore;
  #waiting: (() => void)[] = [];
  #stuck = false;

  constructor() {
    const memory = memoryStore();
    const commit = () => (this.#stuck ? new Promise<void>((resolve) => this.#waiting.push(resolve)) : undefined);
    this.store = new Proxy(memory, {
      get: (_, name: keyof BrokerStore) => {
        const value = name === "durable" ? true : name === "commit" ? commit : memory[name];
        return typeof value === "function" ? value.bind(memory) : value;
      },
    });
  }

  stick(): void {
    this.#stuck = true;
  }

  goOn(): void {
    this.#stuck = false;
    for (const resolve of this.#waiting.splice(0)) {
      resolve();
    }
  }
}

const kept = { cleanStart: false, properties: { sessionExpiryInterval: 60 } };

it("a message reaches subscribers before the disk, unless it is published with QoS 2", async () => {
  const disk = new SlowDisk();
  const lab = await Lab.start({ store: disk.store });
  const subscribers = [];
  for (const qos of [0, 1, 2] as const) {
    const subscriber = await lab.connect({ clientId: `subscriber-${qos}`, ...kept });
    await subscriber.subscribe(lab, "t", { qos });
    subscribers.push(subscriber);
  }
  const publisher = await lab.connect({ clientId: "publisher" });
  disk.stick();

  publisher.publish("t", "one", { qos: 1 });
  await lab.settle();
  expect(subscribers.map(({ messages }) => messages)).toEqual([["t=one"], ["t=one"], ["t=one"]]);
  expect(publisher.last(PacketType.PUBACK)).toBeUndefined();

  // With any QoS granted: the publisher sends it again when the broker dies now.
  publisher.publish("t", "two", { qos: 2 });
  await lab.settle();
  expect(subscribers.map(({ messages }) => messages)).toEqual([["t=one"], ["t=one"], ["t=one"]]);
  expect(publisher.last(PacketType.PUBREC)).toBeUndefined();

  disk.goOn();
  await lab.settle();
  const both = ["t=one", "t=two"];
  expect(subscribers.map(({ messages }) => messages)).toEqual([both, both, both]);
  expect([PacketType.PUBACK, PacketType.PUBREC].map((type) => publisher.last(type) !== undefined)).toEqual([
    true,
    true,
  ]);
});

it("a queue is sent on while the disk is slow, as its client acknowledges", async () => {
  const disk = new SlowDisk();
  const lab = await Lab.start({ store: disk.store });
  const receiving = {
    clientId: "away",
    cleanStart: false,
    properties: { sessionExpiryInterval: 60, receiveMaximum: 1 },
  };
  const away = await lab.connect(receiving);
  await away.subscribe(lab, "t", { qos: 1 });
  away.cut();
  const publisher = await lab.connect({ clientId: "publisher" });
  for (const text of ["1", "2", "3"]) {
    publisher.publish("t", text, { qos: 1 });
  }
  await lab.settle();
  const back = await lab.connect(receiving);
  disk.stick();
  for (let count = 1; count <= 3; count += 1) {
    expect(back.messages).toHaveLength(count);
    await back.exchange(lab, ack(PacketType.PUBACK, back.publishes.at(-1)!.packetId));
  }
  expect(back.messages).toEqual(["t=1", "t=2", "t=3"]);
});
