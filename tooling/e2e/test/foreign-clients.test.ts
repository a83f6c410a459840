import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { mosquittoPub, mosquittoSub } from "../src/mosquitto.ts";
import { connectMqttJs } from "../src/mqttjs.ts";
import { describeWithPeers } from "../src/peers.ts";
import { type Server, startServer } from "../src/tidewire.ts";

let server: Server;
let tcpPort: number;
let urls: Readonly<Record<"tcp" | "websocket", string>>;

beforeAll(async () => {
  server = await startServer();
  tcpPort = server.ports[0] ?? 0;
  urls = { tcp: `mqtt://127.0.0.1:${tcpPort}`, websocket: String(server.urls[1]) };
});

afterAll(async () => {
  await server.program.stop();
});

const QOS = [0, 1, 2] as const;

describeWithPeers(["mosquitto_pub", "mosquitto_sub"], "mosquitto_pub and mosquitto_sub", () => {
  const versions = ["311", "5"] as const;
  const matrix = versions.flatMap((version) => QOS.map((qos) => [version, qos] as const));

  it.each(matrix)("version %s, QoS %i: what is published arrives", async (version, qos) => {
    const topic = `mosquitto/${version}/${qos}`;
    const flags = ["-V", version, "-q", String(qos), "-t", topic];
    const subscriber = await mosquittoSub(tcpPort, [...flags, "-F", "got %t %q %p", "-C", "3"]);
    for (const text of ["one", "two", "three"]) {
      await mosquittoPub(tcpPort, [...flags, "-m", text]);
    }
    expect(await subscriber.exited).toMatchObject({ code: 0 });
    expect(subscriber.stdout.filter((line) => line.startsWith("got "))).toEqual(
      ["one", "two", "three"].map((text) => `got ${topic} ${qos} ${text}`),
    );
  });

  it.each(versions)(
    "version %s: a retained message is there for who comes later, and can be cleared",
    async (version) => {
      const topic = `mosquitto/retained/${version}`;
      await mosquittoPub(tcpPort, ["-V", version, "-q", "1", "-r", "-t", topic, "-m", "kept"]);
      const subscriber = await mosquittoSub(tcpPort, ["-V", version, "-t", topic, "-F", "got %r %p", "-C", "1"]);
      await subscriber.exited;
      expect(subscriber.stdout).toContain("got 1 kept");

      await mosquittoPub(tcpPort, ["-V", version, "-r", "-n", "-t", topic]);
      await mosquittoPub(tcpPort, ["-V", version, "-r", "-t", `${topic}/end`, "-m", "end"]);
      const later = await mosquittoSub(tcpPort, ["-V", version, "-t", `${topic}/#`, "-F", "got %r %p", "-C", "1"]);
      await later.exited;
      expect(later.stdout.filter((line) => line.startsWith("got "))).toEqual(["got 1 end"]);
    },
  );

  it.each(versions)("version %s: the will of a client that is killed is published", async (version) => {
    const topic = `mosquitto/will/${version}`;
    const watcher = await mosquittoSub(tcpPort, ["-V", version, "-q", "1", "-t", topic, "-F", "got %p", "-C", "1"]);
    const will = ["--will-topic", topic, "--will-payload", "gone", "--will-qos", "1"];
    const doomed = await mosquittoSub(tcpPort, ["-V", version, "-t", "mosquitto/nothing", ...will]);
    // stdbuf became mosquitto_sub, so that this is its process.
    doomed.kill("SIGKILL");
    await watcher.exited;
    expect(watcher.stdout).toContain("got gone");
  });

  it.each(versions)("version %s: a persistent session gets what came while it was away", async (version) => {
    const topic = `mosquitto/away/${version}`;
    const expiry = version === "5" ? ["-x", "300"] : [];
    const session = ["-V", version, "-i", `away-${version}`, "-c", ...expiry, "-q", "1", "-t", topic];
    const before = await mosquittoSub(tcpPort, session);
    await before.stop("SIGKILL");
    await mosquittoPub(tcpPort, ["-V", version, "-q", "1", "-t", topic, "-m", "meanwhile"]);
    const after = await mosquittoSub(tcpPort, [...session, "-F", "got %p", "-C", "1"]);
    await after.exited;
    expect(after.stdout).toContain("got meanwhile");
  });
});

describe("MQTT.js", () => {
  const versions = [4, 5] as const;
  const transports = ["tcp", "websocket"] as const;
  const matrix = transports.flatMap((transport) => versions.map((version) => [transport, version] as const));

  it.each(matrix)("over %s, version %i: QoS 0, 1 and 2 both ways", async (transport, protocolVersion) => {
    const { client, message } = await connectMqttJs(urls[transport], { protocolVersion });
    for (const qos of QOS) {
      const topic = `mqttjs/${transport}/${protocolVersion}/${qos}`;
      await client.subscribeAsync(topic, { qos });
      await client.publishAsync(topic, `level ${qos}`, { qos });
      expect(await message(topic)).toMatchObject({ text: `level ${qos}`, qos, retain: false });
    }
    await client.endAsync();
  });

  it.each(matrix)("over %s, version %i: retained messages and wildcards", async (transport, protocolVersion) => {
    const root = `mqttjs/${transport}/${protocolVersion}/retained`;
    const { client, message } = await connectMqttJs(urls[transport], { protocolVersion });
    await client.publishAsync(`${root}/a/x`, "kept", { qos: 1, retain: true });
    await client.subscribeAsync(`${root}/+/x`, { qos: 1 });
    expect(await message(`${root}/a/x`)).toMatchObject({ text: "kept", retain: true });
    await client.endAsync();
  });

  it.each(matrix)("over %s, version %i: the will of a client that vanishes", async (transport, protocolVersion) => {
    const topic = `mqttjs/${transport}/${protocolVersion}/will`;
    const watcher = await connectMqttJs(urls[transport], { protocolVersion });
    await watcher.client.subscribeAsync(topic, { qos: 1 });
    const will = { topic, payload: Buffer.from("gone"), qos: 1, retain: false } as const;
    const doomed = await connectMqttJs(urls[transport], { protocolVersion, will });
    doomed.client.stream.destroy();
    expect((await watcher.message(topic)).text).toBe("gone");
    await watcher.client.endAsync();
    await doomed.client.endAsync(true);
  });

  it.each(transports)("over %s: a payload of 200 kB arrives whole", async (transport) => {
    const topic = `mqttjs/${transport}/large`;
    const { client, message } = await connectMqttJs(urls[transport], { protocolVersion: 5 });
    await client.subscribeAsync(topic, { qos: 1 });
    const payload = "0123456789".repeat(20_000);
    await client.publishAsync(topic, payload, { qos: 1 });
    expect((await message(topic)).text === payload).toBe(true);
    await client.endAsync();
  });
});
