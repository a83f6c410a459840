import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { WebSocket } from "ws";
import { createCertificate } from "../src/certificate.ts";
import { connectMqttJs } from "../src/mqttjs.ts";
import { startNginx } from "../src/nginx.ts";
import { ROOT } from "../src/paths.ts";
import { describeWithPeers } from "../src/peers.ts";
import { freePort } from "../src/ports.ts";
import { type Server, startServer } from "../src/tidewire.ts";
import { until } from "../src/until.ts";
import { upgradeStatus } from "../src/upgrade.ts";

const MEMORY = ["--store", "memory"];
const GUIDE = readFileSync(join(ROOT, "docs/guides/operations.md"), "utf8");

/** The field `address` of the line that says that the client has come. */
function addressOf(server: Server, clientId: string): Promise<string> {
  return until(`${clientId} in the log`, () => {
    const line = server.program.stderr.find((one) => one.includes(`"${clientId}"`) && one.includes('"connected"'));
    return line === undefined ? undefined : String(JSON.parse(line).address);
  });
}

describeWithPeers(["nginx"], "tidewire serve behind nginx, as the guide has it", () => {
  it("knows its clients by their own addresses, and no address that they made up", async () => {
    const [port, target] = [await freePort(), await freePort()];
    const { cert, certFile, keyFile } = await createCertificate();
    const example = /```nginx\n([\s\S]*?)```/.exec(GUIDE)?.[1] ?? "";
    const server = await startServer([
      ...["--listen", `ws://127.0.0.1:${target}/mqtt`, "--listen", `ws://127.0.0.1:${target}/ws`, ...MEMORY],
      ...["--trusted-proxy", "127.0.0.1", "--ws-ping", "30", "--keep-alive", "45", "--log-level", "debug"],
      ...["--origin", "https://app.example.org"],
    ]);
    expect(server.urls.map(({ pathname }) => pathname)).toEqual(["/mqtt", "/ws"]);
    const nginx = startNginx(
      example
        .replace("listen 443 ssl", `listen 127.0.0.1:${port} ssl`)
        .replace("http://127.0.0.1:8080", `http://127.0.0.1:${target}`)
        .replace("/etc/tidewire/chain.pem", certFile)
        .replace("/etc/tidewire/key.pem", keyFile),
    );
    const url = `wss://127.0.0.1:${port}/mqtt`;
    const options = { ca: cert, protocolVersion: 5, clientId: "behind-nginx" } as const;
    const wsOptions = { headers: { "X-Forwarded-For": "203.0.113.99" }, origin: "https://app.example.org" };
    // Not from the proxy's own address, which is believed.
    Object.assign(wsOptions, { localAddress: "127.0.0.2" });
    const through = await until("nginx", () => connectMqttJs(url, { ...options, wsOptions }).catch(() => undefined));
    expect(await addressOf(server, "behind-nginx")).toBe("127.0.0.2");
    expect(through.connack.properties?.serverKeepAlive).toBe(45);
    await through.client.subscribeAsync("a");
    await through.client.publishAsync("a", "b", { qos: 1 });
    await through.message("a");
    await through.client.endAsync();

    // A proxy's word is believed; here the test is the proxy.
    const plain = `ws://127.0.0.1:${target}/ws/`;
    const forwarded = { headers: { "X-Forwarded-For": "203.0.113.7" } };
    const direct = await connectMqttJs(plain, { clientId: "forwarded", wsOptions: forwarded });
    expect(await addressOf(server, "forwarded")).toBe("203.0.113.7");
    await direct.client.endAsync();
    expect(await upgradeStatus(plain, "https://elsewhere.example")).toBe(403);
    await nginx.stop("SIGTERM");
    await server.program.stop();
  });
});

describe("tidewire serve --proxy-protocol", () => {
  const CONNECT = Buffer.from("101000044d5154540402003c000474657374", "hex");

  /** Sends a PROXY header and a CONNECT; resolves with the first answer, or nothing when the connection was closed. */
  function connectAs(port: number, header: string): Promise<string> {
    return new Promise((resolve) => {
      const socket: Socket = connect(port, "127.0.0.1", () =>
        socket.write(Buffer.concat([Buffer.from(header), CONNECT])),
      );
      socket.on("error", () => {}).once("close", () => resolve(""));
      socket.once("data", (data) => {
        resolve(data.toString("hex"));
        socket.end();
      });
    });
  }

  it("believes the header of a trusted proxy, and of nobody else", async () => {
    const header = "PROXY TCP4 203.0.113.7 127.0.0.1 4711 1883\r\n";
    for (const [proxy, answer] of [
      ["127.0.0.0/8", "20020000"],
      ["192.0.2.1", ""],
    ] as const) {
      const args = [
        "--trusted-proxy",
        proxy,
        "--proxy-protocol",
        "--connect-timeout",
        "2",
        "--log-level",
        "debug",
        ...MEMORY,
      ];
      const server = await startServer(["--listen", "tcp://127.0.0.1:0", ...args]);
      expect(await connectAs(server.ports[0] ?? 0, header)).toBe(answer);
      if (answer !== "") {
        expect(await addressOf(server, "test")).toMatch(/^203\.0\.113\.7(:4711)?$/);
      }
      await server.program.stop();
    }
  });
});

describe("tidewire serve and web pages", () => {
  it("lets in pages of its own host and port, without --origin, and every page with '*'", async () => {
    const own = await startServer(["--listen", "ws://127.0.0.1:0/mqtt", ...MEMORY]);
    const [url] = own.urls;
    expect(await upgradeStatus(String(url), `http://127.0.0.1:${own.ports[0]}`)).toBe(101);
    expect(await upgradeStatus(String(url), "https://elsewhere.example")).toBe(403);
    expect(await upgradeStatus(String(url), undefined)).toBe(101);
    await own.program.stop();

    const open = await startServer(["--listen", "ws://127.0.0.1:0/mqtt", "--origin", "*", ...MEMORY]);
    expect(await upgradeStatus(String(open.urls[0]), "https://elsewhere.example")).toBe(101);
    const warned = () =>
      open.program.stderr.some((line) => /every web page that somebody opens may publish/.test(line));
    await until("the warning", warned);
    await open.program.stop();
  });

  it("pings WebSockets where that is asked for", async () => {
    const server = await startServer(["--listen", "ws://127.0.0.1:0/mqtt", "--ws-ping", "1", ...MEMORY]);
    const socket = new WebSocket(String(server.urls[0]), "mqtt");
    await new Promise((resolve) => socket.once("ping", resolve));
    socket.terminate();
    await server.program.stop();
  });
});

describe("the log of tidewire serve", () => {
  it("says why a client was refused, with client, address and reason as fields", async () => {
    const server = await startServer(["--listen", "tcp://127.0.0.1:0", "--max-client-id-length", "5", ...MEMORY]);
    const url = `mqtt://127.0.0.1:${server.ports[0]}`;
    await expect(connectMqttJs(url, { protocolVersion: 5, clientId: "too-long" })).rejects.toMatchObject({
      code: 0x85,
    });
    const line = await until("the line", () => server.program.stderr.find((one) => one.includes('"too-long"')));
    expect(JSON.parse(line)).toMatchObject({
      level: 30,
      clientId: "too-long",
      address: expect.stringMatching(/^127\.0\.0\.1:\d+$/),
      reasonCode: 0x85,
      reason: expect.stringMatching(/0x85 Client identifier not valid/i),
    });
    await server.program.stop();
  });
});
