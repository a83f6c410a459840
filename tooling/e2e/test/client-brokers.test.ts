import { type Client, type ConnectOptions, connect, type Message, type Target } from "@tidewire/client";
import type { Connection } from "@tidewire/transport";
import { webSocket } from "@tidewire/transport-websocket/node";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  aedes,
  type ClientBroker,
  mosquitto,
  nats,
  type RunningBroker,
  type Transport,
  tidewire,
} from "../src/client-brokers.ts";
import { describeWithPeers } from "../src/peers.ts";
import { until } from "../src/until.ts";

/** What a case has to work with: clients of one version at one broker over one transport. */
interface Bench {
  readonly version: 4 | 5;
  /** A client id or topic that no other case uses. */
  readonly unique: (prefix: string) => string;
  open(options?: ConnectOptions): Promise<Client>;
  /** Cuts the client's connection. */
  cut(client: Client): void;
}

interface Case {
  readonly title: string;
  readonly versions?: readonly (4 | 5)[];
  run(bench: Bench): Promise<void>;
}

const cases: readonly Case[] = [
  {
    title: "QoS 0, 1 and 2 both ways",
    async run({ open, unique }) {
      const client = await open();
      for (const qos of [0, 1, 2] as const) {
        const topic = unique("qos");
        const subscription = await client.subscribe(topic, { qos });
        await client.publish(topic, `level ${qos}`, { qos });
        const { value } = await subscription.next();
        expect([value!.text(), value!.qos]).toEqual([`level ${qos}`, qos]);
      }
    },
  },
  {
    title: "1,000 messages of each QoS up to 1 in order, with acknowledgements",
    async run({ open, unique }) {
      const client = await open();
      const topic = unique("order");
      const got: string[] = [];
      await client.subscribe(topic, { qos: 1, onMessage: (message) => void got.push(message.text()) });
      const sent = Array.from({ length: 1_000 }, (_, i) => String(i));
      await Promise.all(sent.map((payload) => client.publish(topic, payload, { qos: 1 })));
      await until("all messages", () => got.length >= sent.length);
      expect(got).toEqual(sent);
    },
  },
  {
    title: "a payload of 40 KB comes whole",
    async run({ open, unique }) {
      const client = await open();
      const topic = unique("large");
      const subscription = await client.subscribe(topic, { qos: 1 });
      const payload = new Uint8Array(40_000).map((_, i) => i % 251);
      await client.publish(topic, payload, { qos: 1 });
      const { value } = await subscription.next();
      expect(Buffer.compare(value!.payload, payload)).toBe(0);
    },
  },
  {
    title: "a retained message comes with the subscription, marked as such",
    async run({ open, unique }) {
      const client = await open();
      const topic = unique("retained");
      await client.publish(topic, "kept", { qos: 1, retain: true });
      const subscription = await client.subscribe(`${topic}/#`, { qos: 1 });
      const { value } = await subscription.next();
      expect([value!.text(), value!.retain]).toEqual(["kept", true]);
      await client.publish(topic, "", { qos: 1, retain: true });
    },
  },
  {
    title: "each of two overlapping subscriptions gets a message once",
    async run({ open, unique, version }) {
      const client = await open();
      const topic = unique("overlap");
      const got: string[] = [];
      await client.subscribe([`${topic}/+`], { qos: 1, onMessage: () => void got.push("+") });
      await client.subscribe([`${topic}/#`], { qos: 1, onMessage: () => void got.push("#") });
      await client.publish(`${topic}/a`, "", { qos: 1 });
      await client.publish(`${topic}/end/of/test`, "", { qos: 1 });
      await until("the last message", () => got.filter((filter) => filter === "#").length >= 2);
      // A 3.1.1 server that sends a copy for each subscription cannot be told apart from one message published twice.
      if (version === 5) {
        expect(got.sort()).toEqual(["#", "#", "+"]);
      } else {
        expect(new Set(got)).toEqual(new Set(["#", "+"]));
      }
    },
  },
  {
    title: "unsubscribe ends the messages",
    async run({ open, unique }) {
      const client = await open();
      const topic = unique("unsubscribe");
      const got: string[] = [];
      const one = await client.subscribe(`${topic}/1`, { onMessage: () => void got.push("1") });
      await client.subscribe(`${topic}/2`, { onMessage: () => void got.push("2") });
      await one.unsubscribe();
      await client.publish(`${topic}/1`, "", { qos: 1 });
      await client.publish(`${topic}/2`, "", { qos: 1 });
      await until("the other subscription's message", () => got.length > 0);
      expect(got).toEqual(["2"]);
    },
  },
  {
    title: "the will is published when the connection is cut",
    async run({ open, unique, cut }) {
      const topic = unique("will");
      const watcher = await open();
      const subscription = await watcher.subscribe(topic, { qos: 1 });
      const doomed = await open({ reconnect: false, will: { topic, payload: "gone", qos: 1 } });
      doomed.on("error", () => {});
      cut(doomed);
      const { value } = await subscription.next();
      expect(value!.text()).toBe("gone");
    },
  },
  {
    title: "after a cut the client is back by itself, and so are its subscriptions",
    async run({ open, unique, cut }) {
      const client = await open();
      const topic = unique("cut");
      const got: string[] = [];
      await client.subscribe(topic, { qos: 1, onMessage: (message) => void got.push(message.text()) });
      for (let round = 1; round <= 3; round += 1) {
        cut(client);
        await client.publish(topic, `round ${round}`, { qos: 1 });
        await until(`round ${round}`, () => got.includes(`round ${round}`));
      }
    },
  },
  {
    title: "a session keeps what was published meanwhile, for a client that comes back",
    async run({ open, unique }) {
      const [clientId, topic] = [unique("session"), unique("kept")];
      const options: ConnectOptions = { clientId, cleanStart: false, sessionExpiryInterval: 60 };
      const before = await open(options);
      await before.subscribe(topic, { qos: 1 });
      await before.close();
      const other = await open();
      for (let i = 0; i < 20; i += 1) {
        await other.publish(topic, String(i), { qos: 1 });
      }
      const got: string[] = [];
      const after = await open(options);
      after.on("message", (message) => void got.push(message.text()));
      await after.subscribe(topic, { qos: 1, onMessage: () => {} });
      await until("what was kept", () => got.length >= 20);
      expect(got).toEqual(Array.from({ length: 20 }, (_, i) => String(i)));
    },
  },
  {
    title: "1,000 subscriptions are made and restored",
    async run({ open, unique, cut }) {
      const client = await open({ cleanStart: true });
      const topic = unique("many");
      const got: Message[] = [];
      const filters = Array.from({ length: 1_000 }, (_, i) => `${topic}/${i}`);
      await Promise.all(
        filters.map((filter) => client.subscribe(filter, { qos: 0, onMessage: (message) => void got.push(message) })),
      );
      cut(client);
      await until("the connection is back", () => client.connected);
      await client.publish(`${topic}/999`, "", { qos: 1 });
      await until("the message", () => got.length > 0);
    },
  },
  {
    title: "a shared subscription divides the messages",
    versions: [5],
    async run({ open, unique }) {
      const topic = unique("shared");
      const members = [await open(), await open()];
      const got: number[] = [];
      for (const [member, client] of members.entries()) {
        await client.subscribe(`$share/g/${topic}`, { qos: 1, onMessage: () => void got.push(member) });
      }
      for (let i = 0; i < 20; i += 1) {
        await members[0]!.publish(topic, "", { qos: 1 });
      }
      await until("all messages", () => got.length >= 20);
      expect(got).toHaveLength(20);
      expect(new Set(got).size).toBe(2);
    },
  },
  {
    title: "a request gets its response",
    versions: [5],
    async run({ open, unique }) {
      const topic = unique("ask");
      const server = await open();
      await server.subscribe(topic, {
        onMessage: async (message) => {
          const { responseTopic, correlationData } = message.properties!;
          await server.publish(responseTopic!, message.text().toUpperCase(), {
            properties: { correlationData: correlationData! },
          });
        },
      });
      const client = await open();
      const answers = await Promise.all(["one", "two"].map((text) => client.request(topic, text)));
      expect(answers.map((answer) => answer.text())).toEqual(["ONE", "TWO"]);
    },
  },
];

for (const broker of [tidewire, mosquitto, aedes, nats]) {
  describeWithPeers(broker.peers, `our client at ${broker.name}`, () => suite(broker));
}

function suite(broker: ClientBroker): void {
  let running: RunningBroker;
  const clients: Client[] = [];
  let count = 0;

  beforeAll(async () => {
    running = await broker.start();
  });
  afterEach(async () => {
    await Promise.all(clients.splice(0).map((client) => client.close({ timeoutMs: 500 })));
  });
  afterAll(() => running.stop());

  function bench(transport: Transport, version: 4 | 5): Bench {
    const connections = new Map<Client, () => Connection>();
    return {
      version,
      unique: (prefix) => {
        count += 1;
        return `${prefix}${count}`;
      },
      async open(options) {
        let last: Connection;
        const dial = dialOf(running.targets[transport]!);
        const client = await connect(
          async (dialOptions) => {
            last = await dial(dialOptions);
            return last;
          },
          { protocolVersion: version, reconnect: { minDelayMs: 20 }, ...options },
        );
        connections.set(client, () => last);
        clients.push(client);
        return client;
      },
      cut: (client) => connections.get(client)!().abort(),
    };
  }

  describe.each(
    broker.transports.flatMap((transport) => broker.versions.map((version) => [transport, version] as const)),
  )("over %s, version %i", (transport, version) => {
    for (const { title, versions, run } of cases) {
      if (versions?.includes(version as 5) === false) {
        continue;
      }
      const reason = broker.expectedFailures[title];
      if (reason === undefined) {
        it(title, () => run(bench(transport, version)));
      } else {
        it.fails(`${title} (known: ${reason})`, { timeout: 3_000 }, () => run(bench(transport, version)));
      }
    }
  });
}

function dialOf(target: Target): Extract<Target, (...args: never) => Promise<Connection>> {
  return (typeof target === "function" ? target : webSocket(String(target))) as ReturnType<typeof webSocket>;
}
