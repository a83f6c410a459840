import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { LocalPeer } from "@tidewire/conformance/transport";
import type { Listener } from "@tidewire/transport";
import { attachWebSocket, webSocketListener } from "@tidewire/transport-websocket/node";
import type { Browser } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { bundle, launchChromium, missingChromium } from "./browser/chromium.ts";
import { until } from "./support.ts";

interface SuiteResult {
  readonly id: string;
  readonly outcome: string;
  readonly message: string | undefined;
}

/** The listeners and peers that the page calls by number. */
class Station {
  readonly #listeners: { readonly listener: Listener; readonly accepted: LocalPeer[] }[] = [];
  readonly #peers: LocalPeer[] = [];

  readonly openListener = async (): Promise<{ listener: number; url: string }> => {
    const accepted: LocalPeer[] = [];
    const marks = { highWaterMark: 65_536, lowWaterMark: 16_384 };
    const settings = { ...marks, closeTimeoutMs: 3_000, firstInputBytes: 16_777_216, origins: "*" } as const;
    const listener = await webSocketListener({ host: "127.0.0.1", ...settings })((connection) => {
      accepted.push(new LocalPeer(connection));
    });
    this.#listeners.push({ listener, accepted });
    return { listener: this.#listeners.length - 1, url: listener.addresses[0] ?? "" };
  };

  readonly callListener = async (number: number, method: "accept" | "close"): Promise<number> => {
    const entry = this.#listeners[number];
    if (method === "close") {
      await entry?.listener.close();
      return -1;
    }
    await until(() => entry !== undefined && entry.accepted.length > 0);
    // The last one: those before are of dials that were cancelled.
    const peer = entry?.accepted.splice(0).at(-1) as LocalPeer;
    return this.#peers.push(peer) - 1;
  };

  readonly callPeer = (number: number, method: keyof LocalPeer, args: number[]): Promise<unknown> => {
    const peer = this.#peers[number] as unknown as Record<string, (...args: number[]) => Promise<unknown>>;
    return peer[method]?.(...args) ?? Promise.reject(new Error(`no method ${method}`));
  };

  async close(): Promise<void> {
    for (const { listener } of this.#listeners) {
      await listener.close();
    }
    for (const peer of this.#peers) {
      await peer.abort();
    }
  }
}

describe.skipIf(missingChromium !== undefined)(`Chromium ${missingChromium ?? ""}`, () => {
  let browser: Browser;
  let pages: Server;
  beforeAll(async () => {
    browser = await launchChromium();
    pages = createServer((_request, response) => {
      response.setHeader("content-type", "text/html").end("<!doctype html><title>Test</title>");
    });
    await new Promise<void>((resolve) => {
      pages.listen(0, "127.0.0.1", resolve);
    });
  }, 60_000);
  afterAll(async () => {
    await browser?.close();
    pages?.close();
  });

  const origin = (): string => `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;

  it("keeps the transport contract to Node", { timeout: 120_000 }, async () => {
    const station = new Station();
    const page = await browser.newPage();
    await page.exposeFunction("openListener", station.openListener);
    await page.exposeFunction("callListener", station.callListener);
    await page.exposeFunction("callPeer", station.callPeer);
    await page.goto(origin());
    await page.addScriptTag({ type: "module", content: await bundle("./suite.ts") });
    await page.waitForFunction("typeof runSuite === 'function'");
    const results: SuiteResult[] = await page.evaluate("runSuite()");
    await station.close();
    await page.close();
    const bad = results.filter(({ outcome }) => outcome !== "passed" && outcome !== "skipped");
    expect(bad).toEqual([]);
    expect(results.filter(({ outcome }) => outcome === "passed").length).toBeGreaterThan(25);
  });

  it("shares a port with its page, and is refused from another one's", async () => {
    const listener = await attachWebSocket(pages, { origins: [origin()] })((connection) => {
      connection.start({ onData: (chunk) => connection.send([chunk]), onDrain() {}, onClose() {} });
    });
    const open = `new Promise((resolve) => {
      const ws = new WebSocket("${origin().replace("http", "ws")}/mqtt", "mqtt");
      ws.onopen = () => resolve(ws.protocol);
      ws.onclose = () => resolve("refused");
    })`;
    const page = await browser.newPage();
    await page.goto(origin());
    expect(await page.evaluate(open)).toBe("mqtt");
    await page.goto(origin().replace("127.0.0.1", "localhost"));
    expect(await page.evaluate(open)).toBe("refused");
    await page.close();
    await listener.close();
    pages.closeAllConnections();
  });
});
