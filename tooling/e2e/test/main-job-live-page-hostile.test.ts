import mqtt, { type MqttClient } from "mqtt";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, it, vi } from "vitest";
import { launchChromium, openPage, screenshot, type WatchedPage } from "../src/chromium.ts";
import { describeWithPeers } from "../src/peers.ts";
import { type Demo, startDemo } from "../src/tidewire.ts";
import { until } from "../src/until.ts";

// 2,400 metrics and 3,000 alerts held the page up for 15 s, and a device id of 5,000 characters broke its layout. What is
// drawn is counted here: how long it takes says more about the machine than about the page.

vi.setConfig({ testTimeout: 120_000, hookTimeout: 60_000 });

const MARKUP = '<img src=x onerror="document.title=1"><script>document.title=2</script>';
const LONG_ID = `long-${"w".repeat(4995)}`;

const SCREENS = [
  { name: "phone", viewport: { width: 390, height: 844 }, isMobile: true },
  { name: "desktop", viewport: { width: 1280, height: 800 } },
] as const;

describeWithPeers(["chromium"], "the live page, fed by whoever may publish", () => {
  let browser: Browser;
  let demo: Demo;
  let publisher: MqttClient;

  beforeAll(async () => {
    [browser, demo] = await Promise.all([launchChromium(), startDemo()]);
    publisher = await mqtt.connectAsync(`mqtt://127.0.0.1:${demo.mqttPort}`, { protocolVersion: 5 });
  });

  afterAll(async () => {
    await publisher.endAsync(true);
    await browser.close();
    await demo.program.stop();
  });

  it.each(SCREENS)("keeps within what can be read, on a $name", async ({ name, ...screen }) => {
    const watched = await openPage(browser, demo.pageUrl, screen);
    const { page } = watched;
    await page.locator('#connection[data-status="connected"]').waitFor();
    await page.locator("#subscribe-filter").fill("#");
    await page.keyboard.press("Enter");
    await page.locator("#subscription-list .chip").first().waitFor();

    const publish = (topic: string, payload: string) => publisher.publish(topic, payload, { qos: 0 });
    publish(`devices/${LONG_ID}/status`, "online");
    publish(`devices/${LONG_ID}/metrics/cpu`, "1e15");
    publish(`devices/${LONG_ID}/metrics/${"m".repeat(5000)}`, "-123456789012345");
    publish(`devices/${MARKUP.replaceAll("/", "")}/metrics/${MARKUP.replaceAll("/", "")}`, "1");
    publish(`alerts/${LONG_ID}/${"n".repeat(5000)}`, MARKUP.repeat(1000));
    publish(`${"level/".repeat(100)}${MARKUP}`, MARKUP);
    for (let index = 0; index < 2400; index += 1) {
      publish(`devices/flood-${Math.floor(index / 40)}/metrics/m${index % 40}`, `${index}`);
    }
    for (let index = 0; index < 3000; index += 1) {
      publish(`alerts/flood/${index}`, JSON.stringify({ id: `${name} ${index}`, text: `${MARKUP} ${index}` }));
    }
    await publisher.publishAsync("alerts/flood/last", JSON.stringify({ id: `${name} last`, text: "the last" }), {
      qos: 1,
    });

    await page.locator("#alert-list .alert", { hasText: "the last" }).waitFor({ timeout: 60_000 });
    const counts = () =>
      page.evaluate(() => ({
        cards: document.querySelectorAll(".device-card[data-device]").length,
        metrics: document.querySelectorAll(".metric").length,
        canvases: document.querySelectorAll("canvas").length,
        alerts: document.querySelectorAll(".alert").length,
        rows: document.querySelectorAll(".log-row").length,
      }));
    // 50 cards: the device of the demo, two odd ones, 47 of the flood; all with up to 24 charts.
    await until("all charts", async () => (await counts()).metrics > 47 * 24, 60_000);
    const { cards, metrics, canvases, alerts, rows } = await counts();
    expect({ cards, alerts, rows }).toEqual({ cards: 50, alerts: 100, rows: 200 });
    expect(metrics).toBeLessThanOrEqual(50 * 24);
    // Those on the screen and a little around it.
    expect(canvases).toBeLessThan(100);

    // What is left out is said.
    const text = (selector: string) => page.locator(selector).first().textContent();
    expect(await text("#devices-summary")).toMatch(/of 50 online · 1\d more not shown$/);
    expect(await text('[data-device="flood-0"] .metrics-left-out')).toBe("16 more metrics not shown");
    expect(await text("#alerts-more")).toMatch(/^[\d,]+ older ones not shown$/);

    // The layout holds, and a name of any length is to be read without scrolling sideways.
    const overflow = () => page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    expect(await overflow()).toBeLessThanOrEqual(0);
    const card = page.locator(".device-card[data-device^='long-']");
    await card.scrollIntoViewIfNeeded();
    await card.locator("canvas").first().waitFor();
    expect(await overflow()).toBeLessThanOrEqual(0);
    const box = await card.locator(".device-head").boundingBox();
    expect(box?.height).toBeLessThan(250);
    expect((await card.locator(".device-name").textContent())?.length).toBeLessThan(200);
    // Only after it was scrolled away are its canvases given back.
    await page.evaluate(() => scrollTo(0, document.body.scrollHeight));
    await until("the canvases to go", async () => (await card.locator("canvas").count()) === 0);

    // Markup is text.
    const made = await page.evaluate(() => document.querySelectorAll("img[src='x'], body script").length);
    expect(made).toBe(0);
    expect(await page.title()).toBe("Tidewire Live");
    await screenshot(page, `live-hostile-${name}`);

    // It is as quick as before: the buttons work.
    await page.locator("#alerts-clear").click();
    await until("an empty list", async () => (await page.locator(".alert").count()) === 0);
    expect(await page.locator("#alerts-more").isVisible()).toBe(false);
    expect(watched.errors).toEqual([]);
    await (watched as WatchedPage).context.close();
  });
});
