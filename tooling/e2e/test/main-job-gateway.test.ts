import { createServer } from "node:net";
import type { IClientOptions } from "mqtt";
import { afterEach, describe, expect, it, vi } from "vitest";
import { createCertificate } from "../src/certificate.ts";
import { connectMqttJs, type ForeignClient } from "../src/mqttjs.ts";
import { builtProgram } from "../src/paths.ts";
import { freePort } from "../src/ports.ts";
import { Program } from "../src/program.ts";
import { startServer } from "../src/tidewire.ts";
import { until } from "../src/until.ts";
import { upgradeStatus } from "../src/upgrade.ts";

// The gateway counts floods in windows of ten seconds.
vi.setConfig({ testTimeout: 60_000 });

const ORIGIN = "https://app.example";

interface Gateway {
  readonly program: Program;
  /** Where it listens, with the real port. */
  readonly url: string;
}

const running: Program[] = [];
afterEach(async () => {
  for (const program of running.splice(0)) {
    await program.stop();
  }
});

/** A broker that speaks TCP alone. */
async function startBroker(port = 0): Promise<{ program: Program; port: number }> {
  const listen = ["--listen", `tcp://127.0.0.1:${port}`, "--store", "memory", "--log-level", "warn"];
  const { program, ports } = await startServer(listen);
  running.push(program);
  return { program, port: ports[0] ?? 0 };
}

function gateway(args: readonly string[]): Program {
  return new Program(process.execPath, [builtProgram("gateway", "gateway.js"), ...args]);
}

async function startGateway(target: string, args: readonly string[] = ["--origin", ORIGIN]): Promise<Gateway> {
  const program = gateway(["--listen", "ws://127.0.0.1:0/mqtt", "--target", target, ...args]);
  running.push(program);
  await program.line(/^ready$/);
  const [, url = ""] = await program.line(/^listening (\S+)$/);
  return { program, url };
}

/** MQTT.js as a page of `ORIGIN` would use it. */
function connect(url: string, options: IClientOptions = {}): Promise<ForeignClient> {
  return connectMqttJs(url, { protocolVersion: 5, wsOptions: { origin: ORIGIN }, ...options });
}

function closed({ client }: ForeignClient): Promise<void> {
  return new Promise((resolve) => client.once("close", () => resolve()));
}

describe("tidewire-gateway", () => {
  it.each([4, 5] as const)("carries MQTT from a WebSocket to a broker, version %i", async (protocolVersion) => {
    const broker = await startBroker();
    const { program, url } = await startGateway(`tcp://127.0.0.1:${broker.port}`, ["--origin", ORIGIN]);
    expect(program.stdout).toEqual([`listening ${url}`, "ready"]);
    expect(new URL(url)).toMatchObject({ protocol: "ws:", hostname: "127.0.0.1", pathname: "/mqtt" });

    const page = await connect(url, { protocolVersion });
    const device = await connectMqttJs(`mqtt://127.0.0.1:${broker.port}`, { protocolVersion });
    await page.client.subscribeAsync("to/page/#", { qos: 2 });
    await device.client.subscribeAsync("to/device/#", { qos: 2 });
    for (const qos of [0, 1, 2] as const) {
      await page.client.publishAsync(`to/device/${qos}`, "x".repeat(200_000), { qos });
      await device.client.publishAsync(`to/page/${qos}`, `level ${qos}`, { qos });
      expect((await device.message(`to/device/${qos}`)).text).toHaveLength(200_000);
      expect(await page.message(`to/page/${qos}`)).toMatchObject({ text: `level ${qos}`, qos });
    }
    for (const { client } of [page, device]) {
      await client.endAsync();
    }
    expect(program.stderr).toEqual([]);
  });

  it.each(["SIGTERM", "SIGINT"] as const)("ends its clients and itself with 0 on %s", async (signal) => {
    const broker = await startBroker();
    const { program, url } = await startGateway(`tcp://127.0.0.1:${broker.port}`);
    const page = await connect(url);
    const ended = closed(page);
    expect(await program.stop(signal)).toEqual({ code: 0, signal: null });
    await ended;
    expect(program.stderr).toEqual([]);
  });

  it("lets the broker send the will of a page that vanished", async () => {
    const broker = await startBroker();
    const { url } = await startGateway(`tcp://127.0.0.1:${broker.port}`);
    const watcher = await connectMqttJs(`mqtt://127.0.0.1:${broker.port}`);
    await watcher.client.subscribeAsync("wills/page", { qos: 1 });
    const will = { topic: "wills/page", payload: Buffer.from("gone"), qos: 1, retain: false } as const;
    const page = await connect(url, { will });
    page.client.stream.destroy();
    expect((await watcher.message("wills/page")).text).toBe("gone");
    await watcher.client.endAsync();
  });

  it("speaks TLS to the page", async () => {
    const broker = await startBroker();
    const { cert, certFile, keyFile } = await createCertificate();
    const program = gateway([
      ...["--listen", "wss://127.0.0.1:0/mqtt", "--cert", certFile, "--key", keyFile],
      ...["--target", `tcp://127.0.0.1:${broker.port}`, "--origin", ORIGIN],
    ]);
    running.push(program);
    const [, url = ""] = await program.line(/^listening (wss:\S+)$/);
    const { client } = await connect(url, { ca: cert });
    await client.endAsync();
  });

  it("takes pages of the listed origins alone, and no more clients than it may", async () => {
    const broker = await startBroker();
    const limits = ["--origin", ORIGIN, "--max-connections", "1"];
    const { program, url } = await startGateway(`tcp://127.0.0.1:${broker.port}`, limits);
    expect(await upgradeStatus(url, "https://elsewhere.example")).toBe(403);
    const page = await connect(url);
    await upgradeStatus(url, ORIGIN);
    await until("the refusal", () => program.stderr.some((line) => /^refused 127\.0\.0\.1.*: 1 clients/.test(line)));
    expect(page.client.connected).toBe(true);
    await page.client.endAsync();
  });

  it("takes pages of its own host and port where no origin is listed, and every page with '*'", async () => {
    const broker = await startBroker();
    const own = await startGateway(`tcp://127.0.0.1:${broker.port}`, []);
    expect(await upgradeStatus(own.url, ORIGIN)).toBe(403);
    expect(await upgradeStatus(own.url, `http://${new URL(own.url).host}`)).toBe(101);
    const open = await startGateway(`tcp://127.0.0.1:${broker.port}`, ["--origin", "*"]);
    expect(await upgradeStatus(open.url, ORIGIN)).toBe(101);
  });

  it("does not write a line for each of a flood of refusals", async () => {
    const { program, url } = await startGateway("tcp://127.0.0.1:1", ["--origin", "https://own.example"]);
    for (let index = 0; index < 30; index += 1) {
      expect(await upgradeStatus(url, ORIGIN)).toBe(403);
    }
    await until("the count", () => program.stderr.some((line) => line.endsWith("were left out")), 30_000);
    expect(program.stderr.filter((line) => line.startsWith("refused")).length).toBeLessThan(30);
  });

  it("outlives its broker", async () => {
    const port = await freePort();
    const first = await startBroker(port);
    const { program, url } = await startGateway(`tcp://127.0.0.1:${port}`);
    const ended = closed(await connect(url));
    await first.program.stop("SIGKILL");
    await ended;
    await upgradeStatus(url, ORIGIN);
    await until("the complaint", () => program.stderr.some((line) => line.startsWith("cannot reach the target: ")));
    await startBroker(port);
    const { client } = await connect(url);
    await client.endAsync();
  });

  it.each([
    [[], /^tidewire-gateway: --listen is missing; .*see --help$/],
    [["--listen", "ws://127.0.0.1:0/mqtt", "--target", "nonsense"], /--target "nonsense"/],
    [["--lisen", "x"], /--lisen/],
  ])("says in one line what is wrong with %j", async (args, message) => {
    const program = gateway(args);
    expect(await program.exited).toEqual({ code: 2, signal: null });
    expect(program.stdout).toEqual([]);
    expect(program.stderr).toEqual([expect.stringMatching(message)]);
  });

  it("says in one line that its port is taken", async () => {
    const blocker = createServer();
    const port = await freePort();
    await new Promise<void>((resolve) => blocker.listen(port, "127.0.0.1", resolve));
    const program = gateway(["--listen", `ws://127.0.0.1:${port}/mqtt`, "--target", "tcp://127.0.0.1:1883"]);
    expect(await program.exited).toEqual({ code: 1, signal: null });
    expect(program.stderr).toEqual([expect.stringMatching(/^tidewire-gateway: .*in use/)]);
    await new Promise((resolve) => blocker.close(resolve));
  });

  it.each(["--help", "--version"])("answers %s on standard output", async (flag) => {
    const program = gateway([flag]);
    expect(await program.exited).toEqual({ code: 0, signal: null });
    expect(program.stdout).not.toEqual([]);
    expect(program.stderr).toEqual([]);
  });
});
