import { type Broker, createBroker } from "@tidewire/broker";
import { type Client, connect } from "@tidewire/client";
import { lmdbStore } from "@tidewire/store-lmdb";
import { tcp, tcpListener } from "@tidewire/transport-tcp";
import { webSocketListener } from "@tidewire/transport-websocket/node";
import type { Page } from "playwright-core";
import { expect } from "vitest";
import { serveApp } from "./browser-app.ts";
import { launchChromium, openPage } from "./chromium.ts";
import { temporaryDirectory } from "./paths.ts";
import { freePort } from "./ports.ts";
import { shakyNetwork } from "./shaky-network.ts";
import { until } from "./until.ts";

/*
 * A page publishes QoS 2 messages and keeps them in IndexedDB; meanwhile it is reloaded at any moment, the broker is
 * restarted and the network drops. Every message that the page has stored has to come exactly once. One whose storing
 * the reload interrupted may have come, once, or not at all; then it is published again.
 */

const pageScript = `
  import { createClient } from "@tidewire/client";
  import { indexedDbStore } from "@tidewire/store-indexeddb";
  const client = createClient(new URLSearchParams(location.search).get("broker"), {
    clientId: "page",
    sessionExpiryInterval: 3600,
    store: indexedDbStore(),
    reconnect: { minDelayMs: 20, maxDelayMs: 100 },
  });
  client.on("error", (error) => console.info(error.code));
  globalThis.publish = async (first, count) => {
    for (let i = first; i < first + count; i += 1) client.publish("once", String(i), { qos: 2 }).catch(() => {});
    await client.persisted();
  };
  globalThis.flush = () => client.flush({ timeoutMs: 20000 });
`;

declare const publish: (first: number, count: number) => Promise<void>;
declare const flush: () => Promise<void>;

export interface Disturbances {
  readonly rounds: number;
  readonly messagesPerRound: number;
  /** Source of all chance; printed by the caller when something fails. */
  readonly random: () => number;
}

export async function provesExactlyOnce({ rounds, messagesPerRound, random }: Disturbances): Promise<void> {
  const directory = temporaryDirectory();
  const [tcpPort, webPort] = [await freePort(), await freePort()];
  let broker = await startBroker(directory, tcpPort, webPort);
  const network = await shakyNetwork(webPort);
  const app = await serveApp({ "/page.js": pageScript });
  const browser = await launchChromium();
  const received = new Map<number, number>();
  const subscriber = await subscribe(tcpPort, received);
  try {
    const { page } = await openPage(browser, `${app.url}?broker=ws://127.0.0.1:${network.port}/mqtt`);
    const uncertain: number[] = [];
    let next = 0;
    for (let round = 0; round < rounds; round += 1) {
      const first = next;
      next += messagesPerRound;
      const stored = page
        .evaluate(([from, count]) => publish(from, count), [first, messagesPerRound] as const)
        .then(
          () => true,
          () => false,
        );
      await pause(random() * 60);
      const kind = Math.floor(random() * 4);
      if (kind === 0) {
        network.cut();
      }
      if (kind === 1) {
        await broker.close();
        broker = await startBroker(directory, tcpPort, webPort);
      }
      await page.reload();
      if (!(await stored)) {
        for (let i = first; i < next; i += 1) {
          uncertain.push(i);
        }
      }
      network.restore();
    }
    await settle(page);
    // Published last, so what has not come before it does not come any more.
    await page.evaluate((end) => publish(end, 1), END);
    await until("the end", () => received.delete(END));
    const missing = uncertain.filter((i) => !received.has(i));
    for (const i of missing) {
      await page.evaluate((from) => publish(from, 1), i);
    }
    await settle(page);
    await until("all messages", () => received.size >= next, 10_000).catch(() => {});
    const lost = Array.from({ length: next }, (_, i) => i).filter((i) => !received.has(i));
    const repeated = [...received].filter(([, count]) => count !== 1);
    expect({ lost, repeated }).toEqual({ lost: [], repeated: [] });
  } finally {
    await browser.close();
    await subscriber.close();
    app.close();
    network.close();
    await broker.close();
  }
}

const END = -1;

/** Repeatable chance: the same seed gives the same run, as far as a real browser allows. */
export function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

async function settle(page: Page): Promise<void> {
  await page.waitForFunction("globalThis.flush !== undefined");
  await page.evaluate(() => flush());
}

async function startBroker(directory: string, tcpPort: number, webPort: number): Promise<Broker> {
  const broker = createBroker({ store: lmdbStore({ directory }), sysIntervalMs: 0 });
  await broker.start();
  await broker.listen(tcpListener({ host: "127.0.0.1", port: tcpPort }));
  await broker.listen(webSocketListener({ host: "127.0.0.1", port: webPort, path: "/mqtt", origins: "*" }));
  return broker;
}

async function subscribe(port: number, received: Map<number, number>): Promise<Client> {
  const client = await connect(tcp({ host: "127.0.0.1", port }), {
    clientId: "subscriber",
    sessionExpiryInterval: 3_600,
    reconnect: { minDelayMs: 20, maxDelayMs: 100 },
  });
  client.on("error", () => {});
  await client.subscribe("once", {
    qos: 2,
    onMessage: (message) => {
      const number = Number(message.text());
      received.set(number, (received.get(number) ?? 0) + 1);
    },
  });
  return client;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
