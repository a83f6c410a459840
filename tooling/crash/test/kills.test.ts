import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PersistentClient } from "../src/persistent-client.ts";
import { chooseSeed, seededRandom } from "../src/random.ts";
import { Publisher, RetainedPublisher, range, Subscriber, Subscribing } from "../src/roles.ts";
import { Server } from "../src/server.ts";
import { sleep, until } from "../src/wait.ts";

const kills = Number(process.env.TIDEWIRE_CRASH_KILLS ?? 20);
const seed = chooseSeed();

test(`what was acknowledged survives ${kills} kills (seed ${seed})`, { timeout: 60_000 + kills * 5000 }, async () => {
  const random = seededRandom(seed);
  const directory = mkdtempSync(join(tmpdir(), "tidewire-crash-"));
  const server = new Server(directory);
  const port = (): number => server.port;
  const one = new Publisher({ clientId: "publisher-1", version: 4, port }, "numbers/1", 1, 20);
  const two = new Publisher({ clientId: "publisher-2", version: 5, port }, "numbers/2", 2, 20);
  const subscribers = [
    new Subscriber({ clientId: "one", version: 5, port }, "numbers/1", 1),
    new Subscriber({ clientId: "two", version: 4, port }, "numbers/2", 2),
    new Subscriber({ clientId: "one-at-times", version: 4, port }, "numbers/1", 1),
    new Subscriber({ clientId: "two-at-times", version: 5, port }, "numbers/2", 2),
  ];
  const atTimes = subscribers.slice(2);
  const retained = new RetainedPublisher({ clientId: "retaining", version: 5, port }, 5);
  const subscribing = new Subscribing({ clientId: "subscribing", version: 4, port });

  await server.start();
  await Promise.all(subscribers.map((subscriber) => subscriber.start()));
  for (const role of [one, two, retained, subscribing]) {
    role.start();
  }
  for (let kill = 0; kill < kills; kill += 1) {
    // Mostly with messages under way, now and then while everybody is still connecting.
    const goals = [one, two].map(({ published }) => published + 10);
    if (random() < 0.8) {
      await until("messages flow", () => one.published > goals[0]! && two.published > goals[1]!);
    }
    await sleep(random() * 200);
    for (const { client } of atTimes) {
      if (random() < 0.3) {
        client.disconnect();
      }
    }
    await sleep(random() * 60);
    await server.kill();
    await server.start();
    for (const { client } of atTimes) {
      if (random() < 0.6) {
        client.start();
      }
    }
  }

  // Nobody publishes any more, everybody connects, and all that is owed arrives.
  for (const publisher of [one, two, retained]) {
    publisher.finish();
  }
  for (const { client } of atTimes) {
    client.start();
  }
  await until("every message is acknowledged", () =>
    [one, two, retained].every(({ client }) => client.unfinished === 0),
  );
  await subscribing.finish();
  const complete = (): boolean =>
    subscribers.every((subscriber) => subscriber.missing(publishedTo(subscriber)).length === 0);
  const publishedTo = ({ filter }: Subscriber): number => (filter === "numbers/1" ? one : two).published;
  await until("every message is delivered", complete, 10_000).catch(() => {});
  for (const subscriber of subscribers) {
    expect(subscriber.missing(publishedTo(subscriber)), `messages lost on ${subscriber.filter}`).toEqual([]);
    expect(subscriber.outOfOrder, `messages out of order on ${subscriber.filter}`).toBe(0);
    expect(subscriber.client.forgotten, "sessions forgotten").toBe(0);
  }
  for (const subscriber of subscribers.filter(({ filter }) => filter === "numbers/2")) {
    expect(subscriber.repeated(), "QoS 2 messages delivered twice").toEqual([]);
  }
  for (const { client } of [one, two, retained, subscribing]) {
    expect(client.forgotten, "sessions forgotten").toBe(0);
  }
  await expectSubscriptions(subscribing, one);
  await expectRetained(retained, port);

  for (const { client } of [one, two, retained, subscribing, ...subscribers]) {
    client.disconnect();
  }
  await server.stop();
  rmSync(directory, { recursive: true });
  expect(Math.min(one.published, two.published), "messages published").toBeGreaterThan(kills * 5);
});

/** Exactly the subscriptions that were acknowledged get a message each. */
async function expectSubscriptions(subscribing: Subscribing, publisher: Publisher): Promise<void> {
  for (const number of range(50)) {
    publisher.client.publish(`changing/${number}`, "probe", 1);
  }
  await until("the probes are acknowledged", () => publisher.client.unfinished === 0);
  await until("the probes arrive", () => subscribing.received.size >= subscribing.held.size, 5000).catch(() => {});
  await sleep(50);
  expect([...subscribing.received].sort()).toEqual([...subscribing.held].sort());
}

/** A new subscriber gets the last acknowledged value of each topic. */
async function expectRetained(retained: RetainedPublisher, port: () => number): Promise<void> {
  const seen = new Map<string, string>();
  const common = { clientId: "looking", version: 5, port } as const;
  const client = new PersistentClient({ ...common, onMessage: (topic, payload) => seen.set(topic, payload.trim()) });
  client.start();
  await client.subscribe("retained/+", 1);
  const expected = retained.values.flatMap(({ acknowledged }, topic) => {
    return acknowledged % 7 === 6 ? [] : [[`retained/${topic}`, `${acknowledged}`]];
  });
  await until("the retained messages arrive", () => seen.size >= expected.length, 5000).catch(() => {});
  await sleep(50);
  expect([...seen].sort()).toEqual(expected.sort());
  client.disconnect();
}
