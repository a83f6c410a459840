import { type Broker, createBroker } from "@tidewire/broker";
import { webSocketListener } from "@tidewire/transport-websocket/node";
import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, it } from "vitest";
import { serveApp } from "../src/browser-app.ts";
import { launchChromium } from "../src/chromium.ts";
import { describeWithPeers } from "../src/peers.ts";
import { until } from "../src/until.ts";

// The client in Chromium: in a page, in a worker, in a SharedWorker for several tabs.

const sharedWorkerScript = `
  import { createClient } from "@tidewire/client";
  import { serveClient } from "@tidewire/client/worker";
  serveClient(() => createClient(self.name, { clientId: "shared", keepAlive: 5 }));
`;

/** The whole client inside a worker; it does as it is told and says what came. */
const dedicatedWorkerScript = `
  import { connect } from "@tidewire/client";
  onmessage = async ({ data: url }) => {
    const client = await connect(url);
    const subscription = await client.subscribe("worker/#", { qos: 2 });
    for (const qos of [0, 1, 2]) await client.publish("worker/" + qos, "from a worker", { qos });
    const got = [];
    for await (const message of subscription) {
      got.push([message.topic, message.qos, message.text()]);
      if (got.length === 3) break;
    }
    await client.close();
    postMessage(got);
  };
`;

const pageScript = `
  import { connect, createClient } from "@tidewire/client";
  import { connect as connectLite } from "@tidewire/client/lite";
  import { connect as connectMinimal } from "@tidewire/client/minimal";
  import { workerClient } from "@tidewire/client/worker";
  import { indexedDbStore } from "@tidewire/store-indexeddb";
  const broker = new URLSearchParams(location.search).get("broker");
  globalThis.got = [];
  globalThis.connectPage = async (clientId) => {
    globalThis.client = await connect(broker, { clientId });
    await client.subscribe("page/#", { qos: 2, onMessage: (message) => void got.push([message.topic, message.qos, message.text()]) });
    for (const qos of [0, 1, 2]) await client.publish("page/" + qos, "from a page", { qos });
    const reply = client.request("ask", "?");
    return (await reply).text();
  };
  const text = (payload) => new TextDecoder().decode(payload);
  class CutWebSocket extends WebSocket {
    constructor(...options) {
      super(...options);
      globalThis.cut = () => this.close(4000);
    }
  }
  // The connection is cut in the middle of its messages, again and again.
  globalThis.runLite = async (protocolVersion) => {
    const client = await connectLite(broker, {
      protocolVersion,
      cleanStart: false,
      reconnect: { minDelayMs: 20 },
      WebSocket: CutWebSocket,
    });
    await client.subscribe("lite/#", { qos: 2, onMessage: ({ payload }) => got.push(text(payload)) });
    const published = [];
    for (let i = 0; i < 60; i += 1) {
      published.push(client.publish("lite/" + i, String(i), { qos: 2 }));
      if (i % 20 === 10) cut();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await Promise.all(published);
    globalThis.client = client;
  };
  globalThis.runMinimal = () =>
    new Promise(async (resolve) => {
      const client = await connectMinimal(broker, {
        onMessage: ({ topic, payload }) => got.push([topic, text(payload)]),
        onClose: ({ code }) => resolve(code),
      });
      await client.subscribe("minimal/#");
      client.publish("minimal/a", "one");
      client.publish("minimal/b", new Uint8Array([0x74, 0x77, 0x6f]));
      globalThis.client = client;
    });
  globalThis.connectShared = async () => {
    const worker = new SharedWorker("/shared.js", { type: "module", name: broker });
    globalThis.client = await workerClient(worker);
    await client.subscribe("tabs/#", { qos: 1, onMessage: (message) => void got.push(message.text()) });
    return client.clientId;
  };
  globalThis.connectWorker = () =>
    new Promise((resolve) => {
      const worker = new Worker("/dedicated.js", { type: "module" });
      worker.onmessage = ({ data }) => resolve(data);
      worker.postMessage(broker);
    });
  globalThis.connectStored = async (clientId) => {
    const stored = createClient(broker, { clientId, store: indexedDbStore({ lockTimeoutMs: 300 }) });
    for await (const status of stored.statusUpdates()) if (status !== "connecting") break;
    return stored.status;
  };
  globalThis.ready = true;
`;

describeWithPeers(["chromium"], "our client in Chromium", () => {
  let browser: Browser;
  let broker: Broker;
  let app: Awaited<ReturnType<typeof serveApp>>;
  let context: BrowserContext;
  let brokerUrl: string;

  beforeAll(async () => {
    broker = createBroker({ sysIntervalMs: 0 });
    await broker.start();
    const listener = await broker.listen(
      webSocketListener({ host: "127.0.0.1", port: 0, path: "/mqtt", origins: "*" }),
    );
    brokerUrl = listener.addresses[0]!;
    broker.subscribe("ask", (message) => {
      const { responseTopic, correlationData } = message.properties ?? {};
      broker.publish(responseTopic!, "!", { properties: { correlationData: correlationData! } });
    });
    app = await serveApp({
      "/page.js": pageScript,
      "/shared.js": sharedWorkerScript,
      "/dedicated.js": dedicatedWorkerScript,
    });
    browser = await launchChromium();
    context = await browser.newContext();
  });

  afterEach(async () => {
    await context.close();
    context = await browser.newContext();
  });

  afterAll(async () => {
    await browser.close();
    app.close();
    await broker.close();
  });

  const errors: string[] = [];

  async function open(): Promise<Page> {
    const page = await context.newPage();
    page.on("pageerror", (error) => errors.push(String(error)));
    page.on("console", (message) => message.type() === "error" && errors.push(message.text()));
    await page.goto(`${app.url}?broker=${encodeURIComponent(brokerUrl)}`);
    await page.waitForFunction("globalThis.ready");
    return page;
  }

  const got = (page: Page): Promise<unknown[]> => page.evaluate("globalThis.got");

  it("publishes, subscribes and asks from a page, without Buffer or process (#1294, #1338, #1412)", async () => {
    const page = await open();
    expect(await page.evaluate("typeof Buffer + typeof process")).toBe("undefinedundefined");
    expect(await page.evaluate("connectPage('page-1')")).toBe("!");
    await until("three messages", async () => (await got(page)).length === 3);
    expect(await got(page)).toEqual([0, 1, 2].map((qos) => [`page/${qos}`, qos, "from a page"]));
    await page.evaluate("client.close()");
    expect(errors).toEqual([]);
  });

  it.each([4, 5])("lite: loses and repeats nothing over cut connections (version %i)", async (version) => {
    const page = await open();
    await page.evaluate(`runLite(${version})`);
    await until("all messages", async () => (await got(page)).length >= 60);
    expect(await got(page)).toEqual(Array.from({ length: 60 }, (_, i) => String(i)));
    await page.evaluate("client.close()");
    expect(errors).toEqual([]);
  });

  it("minimal: publishes and receives, and says when it is over", async () => {
    const page = await open();
    await page.evaluate("void (globalThis.over = runMinimal())");
    await until("both messages", async () => (await got(page)).length === 2);
    expect(await got(page)).toEqual([
      ["minimal/a", "one"],
      ["minimal/b", "two"],
    ]);
    await page.evaluate("client.close()");
    expect(await page.evaluate("over")).toBe("closed");
    expect(errors).toEqual([]);
  });

  it("does the same in a worker", async () => {
    const page = await open();
    expect(await page.evaluate("connectWorker()")).toEqual(
      [0, 1, 2].map((qos) => [`worker/${qos}`, qos, "from a worker"]),
    );
  });

  it("serves two tabs over one connection, and notices when a tab is gone", async () => {
    const before = broker.metrics();
    const [one, two] = [await open(), await open()];
    expect(await one.evaluate("connectShared()")).toBe("shared");
    expect(await two.evaluate("connectShared()")).toBe("shared");
    expect(broker.metrics().connections - before.connections).toBe(1);
    await one.evaluate("client.publish('tabs/1', 'to both', { qos: 1 })");
    for (const page of [one, two]) {
      await until("the message", async () => (await got(page)).includes("to both"));
    }
    await one.close();
    await two.evaluate("client.publish('tabs/1', 'still here', { qos: 1 })");
    await until("the message", async () => (await got(two)).includes("still here"));
    await two.evaluate("client.close()");
    await until("no subscription left", () => broker.metrics().subscriptions === before.subscriptions);
  });

  it("keeps a second tab from using a stored client id, until the first is closed", async () => {
    const [one, two] = [await open(), await open()];
    expect(await one.evaluate("connectStored('locked')")).toBe("connected");
    expect(await two.evaluate("connectStored('locked')")).toBe("closed");
    await one.close();
    expect(await two.evaluate("connectStored('locked')")).toBe("connected");
  });

  it("stays connected through a SharedWorker while its tab is frozen (#1257, #1577)", async () => {
    const page = await open();
    await page.evaluate("connectShared()");
    const taken = broker.metrics().connectionsTotal;
    const session = await context.newCDPSession(page);
    await session.send("Page.setWebLifecycleState", { state: "frozen" });
    // Longer than one and a half times the worker's keep-alive of 5 seconds.
    await new Promise((resolve) => setTimeout(resolve, 9_000));
    await session.send("Page.setWebLifecycleState", { state: "active" });
    broker.publish("tabs/1", "welcome back", { qos: 1 });
    await until("the message", async () => (await got(page)).includes("welcome back"));
    expect(broker.metrics().connectionsTotal).toBe(taken);
  });
});
