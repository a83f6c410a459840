import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { launchChromium, openPage, screenshot, type WatchedPage } from "../src/chromium.ts";
import { connectMqttJs } from "../src/mqttjs.ts";
import { describeWithPeers } from "../src/peers.ts";
import type { Program } from "../src/program.ts";
import { type Demo, startAgent, startDemo } from "../src/tidewire.ts";
import { until } from "../src/until.ts";

const SCREENS = [
  { name: "phone", viewport: { width: 390, height: 844 }, colorScheme: "dark", hasTouch: true, isMobile: true },
  { name: "desktop", viewport: { width: 1280, height: 800 }, colorScheme: "light" },
] as const;

// A browser starts slowly on a loaded machine, and waits for a locator take up to half a minute.
vi.setConfig({ testTimeout: 90_000, hookTimeout: 60_000 });

/** What the page promises: a change on the other side shows within this time. */
const PROMPTLY_MS = 3000;

describeWithPeers(["chromium"], "the live page, fed by a device through the broker", () => {
  let browser: Browser;
  let demo: Demo;

  beforeAll(async () => {
    [browser, demo] = await Promise.all([launchChromium(), startDemo()]);
  });

  afterAll(async () => {
    await browser.close();
    await demo.program.stop();
  });

  describe.each(SCREENS)("on a $name", ({ name, ...screen }) => {
    const deviceId = `probe-${name}`;
    let watched: WatchedPage;
    let page: Page;
    let agent: Program;

    beforeAll(async () => {
      agent = await startAgent(demo.mqttPort, deviceId, ["--interval", "0.25", "--threshold", "cpu=1000"]);
      watched = await openPage(browser, demo.pageUrl, screen);
      page = watched.page;
      await page.locator('#connection[data-status="connected"]').waitFor();
    });

    afterAll(async () => {
      await watched.context.close();
      await agent.stop();
    });

    const card = () => page.locator(`[data-device="${deviceId}"]`);
    const status = () => card().locator(".device-status").textContent();
    const alerts = (text: string) => page.locator("#alert-list .alert", { hasText: text });
    const figures = () => card().locator(".metric-number").allTextContents();

    /** How long until one of the figures is another one: on a busy machine CPU alone may stay at 100 %. */
    async function nextValueMs(): Promise<number> {
      const before = String(await figures());
      const startedMs = performance.now();
      await until("another value", async () => String(await figures()) !== before, 30_000);
      return performance.now() - startedMs;
    }

    it("shows every metric in a chart, and its value changes", async () => {
      await card().waitFor();
      expect(await status()).toBe("Online");
      await card().locator('[data-metric="memory"] canvas').waitFor();
      expect(await card().locator("canvas").count()).toBe(5);
      await expectPromptly(nextValueMs);
    });

    it("fits the screen, without a shift of the layout or a word on the console", async () => {
      expect(await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)).toBeLessThanOrEqual(0);
      // Web Vitals call a page good below 0.1.
      expect(await layoutShift(page)).toBeLessThan(0.1);
      await screenshot(page, `live-${name}`);
      expect(watched.errors).toEqual([]);
    });

    it("is used by keyboard: subscribes, publishes and logs", async () => {
      await page.locator("#subscribe-filter").fill("room/+/light");
      await page.keyboard.press("Enter");
      await page.locator("#subscription-list .chip", { hasText: "room/+/light" }).waitFor();
      await page.locator("#publish-topic").fill("room/7/light");
      await page.keyboard.press("Tab");
      await page.keyboard.press("ControlOrMeta+a");
      await page.keyboard.type(`on, says the ${name}`);
      for (const _ of ["QoS", "retain", "button"]) {
        await page.keyboard.press("Tab");
      }
      await page.keyboard.press("Enter");
      await page.locator("#publish-status", { hasText: "Acknowledged" }).waitFor();
      await page.locator("#log .log-row", { hasText: `on, says the ${name}` }).waitFor();
      expect(await page.locator("#log .log-topic").first().textContent()).toBe("room/7/light");

      await page.getByRole("button", { name: "Unsubscribe from room/+/light" }).press("Enter");
      await page.locator("#subscribe-status", { hasText: "Unsubscribed" }).waitFor();
      expect(await page.locator("#subscription-list .chip").count()).toBe(0);
    });

    it("says what is wrong with a topic filter", async () => {
      await page.locator("#subscribe-filter").fill("room/#/light");
      await page.keyboard.press("Enter");
      await page.locator('#subscribe-status[data-kind="error"]').waitFor();
    });

    it("shows an alert as a browser notification once that is allowed", async () => {
      await watched.context.grantPermissions(["notifications"]);
      await page.locator("#notify-button").click();
      await page.locator("#notify-button", { hasText: "Notifications on" }).waitFor();
      await page.evaluate(() => navigator.serviceWorker.ready.then(() => undefined));
      const shown = await followNotifications(page);
      await card().getByRole("button", { name: "Test alert" }).click();
      await alerts(`Test alert from ${deviceId}`).first().waitFor();
      const title = `Alert from ${deviceId}`;
      await until("a notification", () => shown.includes(title));
      // The demo's own device may raise alerts, too.
      const bodies = (await notifications(page)).flatMap((one) => (one.title === title ? [one.body] : []));
      expect(bodies).toEqual([`Test alert from ${deviceId}`]);
    });

    it("says offline when the device is killed", async () => {
      await expectPromptly(async () => {
        expect(await status()).toBe("Online");
        const killedMs = performance.now();
        agent.kill("SIGKILL");
        await until("offline", async () => (await status()) === "Offline", 30_000);
        const tookMs = performance.now() - killedMs;
        await screenshot(page, `live-${name}-offline`);
        agent = await startAgent(demo.mqttPort, deviceId, ["--interval", "0.25"]);
        await until("online again", async () => (await status()) === "Online");
        return tookMs;
      });
    });

    it("gets an alert that was raised while the browser was offline, once", async () => {
      const text = `Raised while the ${name} was away`;
      await watched.context.setOffline(true);
      await sendAlertTest(demo.mqttPort, deviceId, text);
      // Chromium holds all traffic back; half a second is long for a message that could come.
      await page.waitForTimeout(500);
      expect(await alerts(text).count()).toBe(0);
      await watched.context.setOffline(false);
      await alerts(text).waitFor();
      // A second one, sent after it, has come: a duplicate of the first would be here by now.
      await sendAlertTest(demo.mqttPort, deviceId, `After that, on the ${name}`);
      await alerts(`After that, on the ${name}`).waitFor();
      expect(await alerts(text).count()).toBe(1);
    });

    it("keeps its session, alerts and subscriptions over a reload", async () => {
      const text = `Raised while the ${name} was closed`;
      await page.locator("#subscribe-filter").fill("kept/#");
      await page.keyboard.press("Enter");
      await page.locator("#subscription-list .chip", { hasText: "kept/#" }).waitFor();
      await page.goto("about:blank");
      await sendAlertTest(demo.mqttPort, deviceId, text);
      await page.goto(demo.pageUrl);
      await alerts(text).waitFor();
      expect(await page.locator("#fact-session").textContent()).toBe("resumed");
      expect(await alerts(`Raised while the ${name} was away`).count()).toBe(1);
      await page.locator("#subscription-list .chip", { hasText: "kept/#" }).waitFor();
    });

    it("lets a second tab in without pushing the first one out", async () => {
      const connected = '#connection[data-status="connected"]';
      const second = await watched.context.newPage();
      await second.goto(demo.pageUrl);
      await second.locator(connected).waitFor();
      const text = `Seen in both tabs of the ${name}`;
      await sendAlertTest(demo.mqttPort, deviceId, text);
      await second.locator("#alert-list .alert", { hasText: text }).waitFor();
      await alerts(text).waitFor();
      const ids = await Promise.all([page, second].map((tab) => tab.locator("#fact-client").textContent()));
      expect(ids[0]).not.toBe(ids[1]);
      expect(await page.locator(connected).count()).toBe(1);
      await second.close();
    });

    it("recovers by itself when the broker is stopped and started", async () => {
      const { httpPort, mqttPort } = demo;
      await demo.program.stop();
      await page.locator('#connection[data-status="reconnecting"]').waitFor();
      await screenshot(page, `live-${name}-reconnecting`);
      demo = await startDemo({ http: httpPort, mqtt: mqttPort });
      await page.locator('#connection[data-status="connected"]').waitFor();
      await until("the device back", async () => (await status()) === "Online");
      await nextValueMs();
      // The browser itself reports each attempt that failed; nothing else may be on the console.
      expect(watched.errors.filter((text) => !/^WebSocket connection to|net::ERR_/.test(text))).toEqual([]);
    });
  });
});

/** A machine that is busy with other things may hold any one attempt up, but not each of three. */
async function expectPromptly(attemptMs: () => Promise<number>): Promise<void> {
  const tookMs: number[] = [];
  while (tookMs.length < 3 && !tookMs.some((ms) => ms < PROMPTLY_MS)) {
    tookMs.push(await attemptMs());
  }
  expect(Math.min(...tookMs), `took ${tookMs.map(Math.round)} ms`).toBeLessThan(PROMPTLY_MS);
}

/** Asks a device for an alert with this text, and waits until it has been raised. */
async function sendAlertTest(mqttPort: number, deviceId: string, text: string): Promise<void> {
  const { client, received } = await connectMqttJs(`mqtt://127.0.0.1:${mqttPort}`, { protocolVersion: 5 });
  await client.subscribeAsync(`alerts/${deviceId}/test`, { qos: 1 });
  await client.publishAsync(`devices/${deviceId}/commands/alert-test`, text, { qos: 1 });
  await until("the alert", () => received.some((message) => message.text.includes(text)));
  await client.endAsync();
}

/**
 * The titles of the notifications that are shown from now on, each once the browser is done with it. Chromium must not
 * be asked for its notifications earlier: it takes one that is kept already and not yet on the screen for closed by the
 * user, and forgets it. Asked all the time, it lost two of three on an idle machine.
 */
async function followNotifications(page: Page): Promise<readonly string[]> {
  const titles: string[] = [];
  await page.exposeFunction("notificationShown", (title: string) => titles.push(title));
  await page.evaluate(() => {
    const { prototype } = ServiceWorkerRegistration;
    const { showNotification } = prototype;
    prototype.showNotification = async function (title, options) {
      await showNotification.call(this, title, options);
      Reflect.get(window, "notificationShown")(title);
    };
  });
  return titles;
}

/** What the browser shows as notifications of the page. */
function notifications(page: Page): Promise<{ title: string; body: string }[]> {
  return page.evaluate(async () => {
    const registration = await navigator.serviceWorker.ready;
    return (await registration.getNotifications()).map(({ title, body }) => ({ title, body }));
  });
}

/** The sum of all shifts of the layout since the page was opened, as browsers score them. */
function layoutShift(page: Page): Promise<number> {
  return page.evaluate(
    () =>
      new Promise<number>((resolve) => {
        new PerformanceObserver((list) => {
          const shifts = list.getEntries().map((entry) => ("value" in entry ? Number(entry.value) : 0));
          resolve(shifts.reduce((sum, value) => sum + value, 0));
        }).observe({ type: "layout-shift", buffered: true });
        // Without any shift the observer is never called.
        setTimeout(() => resolve(0), 500);
      }),
  );
}
