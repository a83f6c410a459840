import { createBroker } from "@tidewire/broker";
import { webSocketListener } from "@tidewire/transport-websocket/node";
import { expect, it } from "vitest";
import { serveApp } from "../src/browser-app.ts";
import { launchChromium, openPage } from "../src/chromium.ts";
import { describeWithPeers } from "../src/peers.ts";
import { until } from "../src/until.ts";

// Three minutes of real time: keep-alive dies in a background tab elsewhere (#1257, #1577).

const sharedWorkerScript = `
  import { createClient } from "@tidewire/client";
  import { serveClient } from "@tidewire/client/worker";
  serveClient(() => createClient(self.name, { clientId: "shared", keepAlive: 20 }));
`;

const pageScript = `
  import { connect } from "@tidewire/client";
  import { workerClient } from "@tidewire/client/worker";
  const query = new URLSearchParams(location.search);
  const broker = query.get("broker");
  globalThis.got = [];
  const client = query.has("shared")
    ? await workerClient(new SharedWorker("/shared.js", { type: "module", name: broker }))
    : await connect(broker, { clientId: "page", keepAlive: 20 });
  await client.subscribe("news", { qos: 1, onMessage: (message) => void got.push(message.text()) });
  globalThis.ready = true;
`;

describeWithPeers(["chromium"], "a tab in the background for three minutes", () => {
  it.each(["shared", "page"])("keeps its session (%s)", { timeout: 300_000 }, async (kind) => {
    const broker = createBroker({ sysIntervalMs: 0 });
    await broker.start();
    const listener = await broker.listen(
      webSocketListener({ host: "127.0.0.1", port: 0, path: "/mqtt", origins: "*" }),
    );
    const app = await serveApp({ "/page.js": pageScript, "/shared.js": sharedWorkerScript });
    const browser = await launchChromium();
    try {
      const url = `${app.url}?broker=${encodeURIComponent(listener.addresses[0]!)}&${kind}`;
      const { context, page } = await openPage(browser, url);
      await page.waitForFunction("globalThis.ready");
      const front = await context.newPage();
      await front.bringToFront();
      const session = await context.newCDPSession(page);
      // What a browser does to a tab that nobody has looked at for long; the page of a SharedWorker may even be frozen.
      await session.send("Emulation.setCPUThrottlingRate", { rate: 20 });
      if (kind === "shared") {
        await session.send("Page.setWebLifecycleState", { state: "frozen" });
      }
      await new Promise((resolve) => setTimeout(resolve, 180_000));
      expect(broker.metrics()).toMatchObject({ connectionsTotal: 1, clients: 1, keepAliveTimeouts: 0 });
      if (kind === "shared") {
        await session.send("Page.setWebLifecycleState", { state: "active" });
      }
      broker.publish("news", "welcome back", { qos: 1 });
      await until("the message", async () =>
        (await page.evaluate<string[]>("globalThis.got")).includes("welcome back"),
      );
    } finally {
      await browser.close();
      app.close();
      await broker.close();
    }
  });
});
