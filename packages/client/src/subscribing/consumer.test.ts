import type { QoS } from "@tidewire/codec";
import { expect, test } from "vitest";
import type { ClientError } from "../errors/index.ts";
import type { HeldMessage } from "../messages/index.ts";
import { Consumer } from "./consumer.ts";
import type { SubscribeOptions } from "./subscription.ts";

interface Sample extends HeldMessage {
  holds: number;
  manual: boolean;
}

function sample(topic: string, qos: QoS = 1): Sample {
  const unused = () => expect.unreachable();
  return {
    ...{ topic, payload: new Uint8Array(), qos, retain: false, dup: false, properties: undefined },
    ...{ text: unused, json: unused, acknowledge: unused, holds: 0, manual: false },
    hold(manual) {
      this.manual = manual;
      this.holds += 1;
    },
    release() {
      this.holds -= 1;
    },
  };
}

function setUp(options: SubscribeOptions = {}, bufferSize = 4) {
  const pressures: boolean[] = [];
  const errors: ClientError[] = [];
  const consumer: Consumer = new Consumer(["t", "t", "u"], options, bufferSize, {
    unsubscribe: (left) => {
      left.end();
      return Promise.resolve();
    },
    report: (error) => errors.push(error),
    onPressure: ({ full }) => pressures.push(full),
  });
  return { consumer, pressures, errors };
}

// Seen in Tidewire: it resumed only when it was empty, so that each burst cost a pause of the connection.
test("a full buffer pauses the connection, half an empty one resumes it", async () => {
  const { consumer, pressures } = setUp();
  for (let i = 0; i < 3; i += 1) {
    consumer.deliver(sample(String(i)));
  }
  expect(pressures).toEqual([]);
  consumer.deliver(sample("3"));
  expect(pressures).toEqual([true]);
  await consumer.next();
  expect(pressures).toEqual([true]);
  await consumer.next();
  expect(consumer.buffered).toBe(2);
  expect(pressures).toEqual([true, false]);
});

test("beyond a full buffer QoS 0 is discarded and reported once each time, QoS 1 is kept", async () => {
  const { consumer, errors } = setUp();
  for (let i = 0; i < 4; i += 1) {
    consumer.deliver(sample(String(i)));
  }
  for (let i = 0; i < 3; i += 1) {
    consumer.deliver(sample("lost", 0));
  }
  consumer.deliver(sample("4"));
  expect(errors.map(({ code }) => code)).toEqual(["buffer-overflow"]);
  expect(errors[0]!.message).toContain("t,u");
  const taken: string[] = [];
  for (let i = 0; i < 5; i += 1) {
    taken.push((await consumer.next()).value!.topic);
  }
  expect(taken).toEqual(["0", "1", "2", "3", "4"]);
  for (let i = 0; i < 5; i += 1) {
    consumer.deliver(sample("lost", 0));
  }
  expect(errors).toHaveLength(2);
});

test("an iterated message is let go when the loop comes back, or ends", async () => {
  const { consumer } = setUp();
  const messages = [sample("a"), sample("b"), sample("c")];
  consumer.deliver(messages[0]!);
  consumer.deliver(messages[1]!);
  await consumer.next();
  expect(messages.map(({ holds }) => holds)).toEqual([1, 1, 0]);
  await consumer.next();
  expect(messages.map(({ holds }) => holds)).toEqual([0, 1, 0]);
  const next = consumer.next();
  consumer.deliver(messages[2]!);
  await next;
  expect(messages.map(({ holds }) => holds)).toEqual([0, 0, 1]);
  await consumer.return();
  expect(messages.map(({ holds }) => holds)).toEqual([0, 0, 0]);
  consumer.deliver(messages[0]!);
  expect(messages[0]!.holds).toBe(0);
  expect(await consumer.next()).toEqual({ done: true, value: undefined });
});

test("what waits when it ends is let go", () => {
  const { consumer } = setUp();
  const messages = [sample("a"), sample("b")];
  for (const message of messages) {
    consumer.deliver(message);
  }
  consumer.end();
  expect(messages.map(({ holds }) => holds)).toEqual([0, 0]);
});

test("an asynchronous callback gets the next message when it is done, also after it failed", async () => {
  const got: string[] = [];
  const gates: (() => void)[] = [];
  const { consumer, errors } = setUp({
    onMessage: async ({ topic }) => {
      got.push(topic);
      await new Promise<void>((resolve) => gates.push(resolve));
      if (topic === "a") {
        throw new Error("mine");
      }
    },
  });
  const messages = [sample("a"), sample("b"), sample("c")];
  for (const message of messages) {
    consumer.deliver(message);
  }
  expect(got).toEqual(["a"]);
  expect(messages.map(({ holds }) => holds)).toEqual([1, 1, 1]);
  for (const count of [2, 3]) {
    gates.shift()!();
    await new Promise((resolve) => setImmediate(resolve));
    expect(got).toHaveLength(count);
  }
  expect(messages.map(({ holds }) => holds)).toEqual([0, 0, 1]);
  expect(errors).toMatchObject([{ code: "handler-failed", cause: { message: "mine" } }]);
  await expect(consumer.next()).rejects.toMatchObject({ code: "invalid-argument" });
});

test("a callback that throws is reported, and the message is let go", () => {
  const { consumer, errors } = setUp({
    onMessage: () => {
      throw new Error("mine");
    },
  });
  const message = sample("a");
  consumer.deliver(message);
  expect(message.holds).toBe(0);
  expect(errors).toMatchObject([{ code: "handler-failed", cause: { message: "mine" } }]);
});

test("with manual acknowledgement nothing is let go by itself", async () => {
  const { consumer } = setUp({ acknowledge: "manual" });
  const message = sample("a");
  consumer.deliver(message);
  await consumer.next();
  consumer.end();
  expect([message.manual, message.holds]).toEqual([true, 1]);
});

test("the same filter twice in one call is one; unsubscribing twice is one request", () => {
  const { consumer } = setUp();
  expect(consumer.filters).toEqual(["t", "u"]);
  expect(consumer.unsubscribe()).toBe(consumer.unsubscribe());
});
