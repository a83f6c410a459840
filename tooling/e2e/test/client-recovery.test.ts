import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { connect } from "@tidewire/client";
import { createClient as createLite } from "@tidewire/client/lite";
import { connect as connectMinimal } from "@tidewire/client/minimal";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { WebSocket } from "ws";
import { aedes, mosquitto, nats, type RunningBroker, tidewire } from "../src/client-brokers.ts";
import { describeWithPeers } from "../src/peers.ts";
import { freePort } from "../src/ports.ts";

vi.setConfig({ testTimeout: 120_000, hookTimeout: 120_000 });

const Socket = WebSocket as unknown as typeof globalThis.WebSocket;

for (const broker of [tidewire, mosquitto, aedes, nats]) {
  describeWithPeers(broker.peers, `a client that says nothing about the version, at ${broker.name}`, () => {
    let running: RunningBroker;
    beforeAll(async () => {
      running = await broker.start();
    });
    afterAll(() => running.stop());

    it("speaks what the server speaks", async () => {
      const [target] = Object.values(running.targets);
      const client = await connect(target!, { connectTimeoutMs: 60_000 });
      const subscription = await client.subscribe("auto");
      await client.publish("auto", "x", { qos: 1 });
      expect((await subscription.next()).value!.text()).toBe("x");
      const version5 = client
        .request("nobody", "", { timeoutMs: 1 })
        .then(undefined, ({ code }) => code !== "needs-mqtt-5");
      expect(await version5).toBe(broker.versions.includes(5));
      await client.close();
    });
  });
}

// Seen with mosquitto 2.0: the 21st open message ended the connection, all were sent again at once, and it ended again.
describeWithPeers(mosquitto.peers, "400 messages of QoS 2 at once, in 3.1.1", () => {
  it("are all acknowledged, over one connection", async () => {
    const running = await mosquitto.start();
    const client = await connect(running.targets.tcp!, { protocolVersion: 4 });
    let lost = 0;
    client.on("status", (status) => {
      lost += Number(status === "reconnecting");
    });
    const messages = Array.from({ length: 400 }, (_, i) => client.publish("many", String(i), { qos: 2 }));
    await Promise.all(messages);
    expect(lost).toBe(0);
    await client.close();
    await running.stop();
  });
});

// Field failure: `error` without a listener in `ws` ends the process. Vitest fails for what is unhandled.
describe("the small clients in Node, as their documentation says", () => {
  it("survive a refused connection and a close while connecting", async () => {
    const url = `ws://127.0.0.1:${await freePort()}/mqtt`;
    await expect(connectMinimal(url, { WebSocket: Socket })).rejects.toMatchObject({ code: "connection-lost" });
    const errors: unknown[] = [];
    const client = createLite(url, {
      WebSocket: Socket,
      reconnect: { minDelayMs: 1 },
      onStatus: (_, error) => errors.push(error?.code),
    });
    await vi.waitUntil(() => errors.length >= 3, 60_000);
    await client.close();
    expect(errors.slice(0, 3)).toEqual(["connection-lost", "connection-lost", "connection-lost"]);
    const running = await tidewire.start();
    const closing = createLite(String(running.targets.websocket), { WebSocket: Socket });
    await Promise.resolve();
    await closing.close();
    await running.stop();
  });
});

describe("a WebSocket refused with an HTTP status", () => {
  it.each([403, 404])("%i ends connect at once and is told", async (status) => {
    let upgrades = 0;
    const server = createServer().on("upgrade", (_, socket) => {
      upgrades += 1;
      socket.end(`HTTP/1.1 ${status} No\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const { port } = server.address() as AddressInfo;
    await expect(connect(`ws://127.0.0.1:${port}/wrong`)).rejects.toMatchObject({
      code: "refused",
      httpStatus: status,
    });
    expect(upgrades).toBe(1);
    server.close();
  });
});
