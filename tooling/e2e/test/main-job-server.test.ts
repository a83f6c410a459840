import { readFileSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { createCertificate } from "../src/certificate.ts";
import { connectMqttJs } from "../src/mqttjs.ts";
import { temporaryDirectory } from "../src/paths.ts";
import { runTidewire, type Server, startServer } from "../src/tidewire.ts";
import { until } from "../src/until.ts";
import { upgradeStatus } from "../src/upgrade.ts";

describe("tidewire serve", () => {
  it.each(["SIGTERM", "SIGINT"] as const)(
    "says where it listens, then ready, and ends with 0 on %s",
    async (signal) => {
      const { program, urls } = await startServer();
      expect(urls.map(({ protocol, pathname }) => protocol + pathname)).toEqual(["tcp:", "ws:/mqtt"]);
      expect(program.stdout.at(-1)).toBe("ready");
      expect(program.stdout).toHaveLength(3);
      expect(await program.stop(signal)).toEqual({ code: 0, signal: null });
    },
  );

  it("tells MQTT 5 clients why it stops (0x8B)", async () => {
    const server = await startServer();
    const clients = await Promise.all(
      server.urls.map((url) => connectMqttJs(String(url).replace("tcp:", "mqtt:"), { protocolVersion: 5 })),
    );
    const reasons: (number | undefined)[] = [];
    for (const { client } of clients) {
      client.on("disconnect", ({ reasonCode }) => reasons.push(reasonCode));
    }
    expect(await server.program.stop("SIGTERM")).toEqual({ code: 0, signal: null });
    await until("both DISCONNECT packets", () => reasons.length === 2);
    expect(reasons).toEqual([0x8b, 0x8b]);
    for (const { client } of clients) {
      await client.endAsync(true);
    }
  });

  it("speaks TLS on tls:// and wss://", async () => {
    const { certFile, keyFile, cert } = await createCertificate();
    const server = await startServer([
      ...["--listen", "tls://127.0.0.1:0", "--listen", "wss://127.0.0.1:0/mqtt", "--store", "memory"],
      ...["--tls-cert", certFile, "--tls-key", keyFile, "--log-level", "warn"],
    ]);
    const [tls, wss] = server.ports;
    for (const url of [`mqtts://127.0.0.1:${tls}`, `wss://127.0.0.1:${wss}/mqtt`]) {
      const { client, message } = await connectMqttJs(url, { protocolVersion: 5, ca: cert });
      await client.subscribeAsync("secret");
      await client.publishAsync("secret", url, { qos: 1 });
      expect((await message("secret")).text).toBe(url);
      await client.endAsync();
    }
    await server.program.stop();
  });

  it("takes up a new certificate on SIGHUP, and keeps the old one when the new one is bad", async () => {
    const { certFile, keyFile, cert: old } = await createCertificate();
    const server = await startServer([
      ...["--listen", "tls://127.0.0.1:0", "--store", "memory", "--log-level", "warn"],
      ...["--tls-cert", certFile, "--tls-key", keyFile],
    ]);
    const url = `mqtts://127.0.0.1:${server.ports[0]}`;
    const before = await connectMqttJs(url, { ca: old });
    writeFileSync(certFile, "not a certificate");
    server.program.kill("SIGHUP");
    await until("the complaint", () => server.program.stderr.some((line) => line.includes("nothing is changed")));
    await (await connectMqttJs(url, { ca: old })).client.endAsync();

    const { cert } = await createCertificate(certFile, keyFile);
    server.program.kill("SIGHUP");
    const after = await until("the new one", () => connectMqttJs(url, { ca: cert }).catch(() => undefined));
    expect(before.client.connected).toBe(true);
    for (const { client } of [before, after]) {
      await client.endAsync();
    }
    await server.program.stop();
  });

  it("keeps the old certificate while only half of a renewal is there", async () => {
    const { certFile, keyFile, cert: old } = await createCertificate();
    const server = await startServer([
      ...["--listen", "tls://127.0.0.1:0", "--listen", "wss://127.0.0.1:0/mqtt", "--store", "memory"],
      ...["--tls-cert", certFile, "--tls-key", keyFile, "--log-level", "warn"],
    ]);
    const [tls, wss] = server.ports;
    // The renewed certificate has another kind of key: TLS would take it beside the old key, and fail from then on.
    const renewed = await createCertificate(undefined, undefined, "rsa");
    writeFileSync(certFile, renewed.cert);
    server.program.kill("SIGHUP");
    const said = () => server.program.stderr.find((line) => line.includes("nothing is changed"));
    expect(await until("the complaint", said)).toMatch(/key.pem \(ec\) is not the key of .* \(rsa\); .* reload again/);
    for (const url of [`mqtts://127.0.0.1:${tls}`, `wss://127.0.0.1:${wss}/mqtt`]) {
      await (await connectMqttJs(url, { ca: old })).client.endAsync();
    }
    writeFileSync(keyFile, readFileSync(renewed.keyFile));
    server.program.kill("SIGHUP");
    const url = `mqtts://127.0.0.1:${tls}`;
    const after = await until("the new one", () => connectMqttJs(url, { ca: renewed.cert }).catch(() => undefined));
    await after.client.endAsync();
    await server.program.stop();
  });

  it("goes on after a SIGHUP that has nothing to read anew", async () => {
    const server = await startServer(["--listen", "tcp://127.0.0.1:0", "--store", "memory"]);
    server.program.kill("SIGHUP");
    await until("the line", () => server.program.stderr.some((line) => line.includes("there is no file to read anew")));
    await (await connectMqttJs(`mqtt://127.0.0.1:${server.ports[0]}`)).client.endAsync();
    expect(await server.program.stop()).toEqual({ code: 0, signal: null });
  });

  it("logs a load balancer's probes once, and each with its address at debug", async () => {
    const { certFile, keyFile } = await createCertificate();
    const listen = ["--listen", "tls://127.0.0.1:0", "--listen", "wss://127.0.0.1:0/mqtt", "--store", "memory"];
    const tls = ["--tls-cert", certFile, "--tls-key", keyFile];
    for (const level of ["info", "debug"] as const) {
      const server = await startServer([...listen, ...tls, "--log-level", level]);
      for (let probe = 0; probe < 20; probe += 1) {
        for (const port of server.ports) {
          await new Promise<void>((resolve) => {
            const socket = connect(port, "127.0.0.1", () => socket.end());
            socket.on("error", () => {}).once("close", () => resolve());
          });
        }
      }
      // A handshake of a client comes after those of the probes.
      const { client } = await connectMqttJs(`mqtts://127.0.0.1:${server.ports[0]}`, { rejectUnauthorized: false });
      await client.endAsync();
      await server.program.stop();
      const lines = server.program.stderr.filter((line) => line.includes("refused a connection"));
      if (level === "info") {
        expect(lines.length).toBeLessThanOrEqual(2);
      } else {
        expect(lines.length).toBeGreaterThanOrEqual(20);
      }
    }
  });

  it("keeps to the limits that it is given, on TCP and WebSocket", async () => {
    const listen = ["--listen", "tcp://127.0.0.1:0", "--listen", "ws://127.0.0.1:0/mqtt", "--store", "memory"];
    const size = ["--max-packet-size", "8000000", "--max-queue-bytes", "9000000"];
    const others = [
      "--max-qos",
      "1",
      "--retain",
      "off",
      "--receive-maximum",
      "7",
      "--keep-alive",
      "25",
      "--wildcards",
      "off",
    ];
    const server = await startServer([...listen, ...size, ...others]);
    for (const url of server.urls) {
      const { client, connack, message } = await connectMqttJs(String(url).replace("tcp:", "mqtt:"), {
        protocolVersion: 5,
      });
      expect(connack.properties).toMatchObject({
        ...{ maximumPacketSize: 8_000_000, receiveMaximum: 7, serverKeepAlive: 25 },
        ...{ maximumQoS: 1, retainAvailable: false, wildcardSubscriptionAvailable: false },
      });
      await client.subscribeAsync("large", { qos: 1 });
      // Above 4 MiB, which was the most that a WebSocket took.
      await client.publishAsync("large", "x".repeat(6_000_000), { qos: 1 });
      expect((await message("large")).text).toHaveLength(6_000_000);
      await client.endAsync();
    }
    await server.program.stop();
  });

  it("lets only pages of the origins in --origin connect", async () => {
    const listen = ["--listen", "ws://127.0.0.1:0/mqtt", "--store", "memory", "--log-level", "warn"];
    const server = await startServer([...listen, "--origin", "https://app.example"]);
    const status = (origin: string | undefined) => upgradeStatus(String(server.urls[0]), origin);
    expect(await status("https://app.example")).toBe(101);
    expect(await status("https://app.example.elsewhere.example")).toBe(403);
    expect(await status("http://app.example")).toBe(403);
    // What is no browser sends no origin, and could send any.
    expect(await status(undefined)).toBe(101);
    await server.program.stop();
  });

  it("keeps what is retained over a restart, by default, and its backup too", async () => {
    const cwd = temporaryDirectory();
    const copy = join(cwd, "copy");
    const args = ["--listen", "tcp://127.0.0.1:0", "--log-level", "warn"];
    const first = await startServer(args, { cwd });
    await publishRetained(first, "config/lamp", "warm");
    const backup = await runTidewire(["backup", copy, "--store", join(cwd, "tidewire-data")]);
    expect(backup).toMatchObject({ code: 0, stderr: "" });
    await publishRetained(first, "config/lamp", "cold");
    await first.program.stop();

    const second = await startServer(args, { cwd });
    expect(await readRetained(second, "config/lamp")).toBe("cold");
    await second.program.stop();

    const restored = await startServer([...args, "--store", copy]);
    expect(await readRetained(restored, "config/lamp")).toBe("warm");
    await restored.program.stop();
  });

  it("refuses a data directory that another broker uses, in one line", async () => {
    const directory = join(temporaryDirectory(), "data");
    const args = ["--listen", "tcp://127.0.0.1:0", "--store", directory, "--log-level", "warn"];
    const first = await startServer(args);
    const second = await runTidewire(["serve", ...args]);
    expect(second).toMatchObject({ code: 2, stdout: "" });
    expect(second.stderr.split("\n")).toHaveLength(1);
    expect(second.stderr).toContain("choose another directory with --store DIR");
    await first.program.stop();
  });
});

describe("tidewire backup", () => {
  it("says in one line what is missing", async () => {
    const directory = temporaryDirectory();
    const { code, stderr } = await runTidewire(["backup", join(directory, "copy"), "--store", join(directory, "none")]);
    expect(code).toBe(2);
    expect(stderr.split("\n")).toHaveLength(1);
    expect(stderr).toMatch(/cannot back up .*none to .*copy: .*; name the broker's data directory/);
  });
});

async function publishRetained(server: Server, topic: string, text: string): Promise<void> {
  const { client } = await connectMqttJs(`mqtt://127.0.0.1:${server.ports[0]}`, { protocolVersion: 5 });
  await client.publishAsync(topic, text, { qos: 1, retain: true });
  await client.endAsync();
}

async function readRetained(server: Server, topic: string): Promise<string> {
  const { client, message } = await connectMqttJs(`mqtt://127.0.0.1:${server.ports[0]}`, { protocolVersion: 5 });
  await client.subscribeAsync(topic);
  const { text, retain } = await message(topic);
  expect(retain).toBe(true);
  await client.endAsync();
  return text;
}
