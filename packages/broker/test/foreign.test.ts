import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createRequire } from "node:module";
import { promisify } from "node:util";
import { type Broker, createBroker } from "@tidewire/broker";
import { tcpListener } from "@tidewire/transport-tcp";
import { webSocketListener } from "@tidewire/transport-websocket/node";
import mqtt from "mqtt";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { WebSocket } from "ws";

// Clients that others wrote, over real sockets.

let broker: Broker;
let tcpUrl: URL;
let wsUrl: URL;

beforeAll(async () => {
  broker = createBroker({ sysIntervalMs: 0 });
  await broker.start();
  const tcp = await broker.listen(tcpListener({ host: "127.0.0.1", port: 0 }));
  const ws = await broker.listen(webSocketListener({ host: "127.0.0.1", port: 0 }));
  tcpUrl = new URL(tcp.addresses[0]!);
  wsUrl = new URL(ws.addresses[0]!);
});

afterAll(() => broker.close());

const run = promisify(execFile);
const hasMosquitto = await run("mosquitto_pub", ["--help"]).then(
  () => true,
  (error: NodeJS.ErrnoException) => error.code !== "ENOENT",
);
if (!hasMosquitto && process.env.CI !== "true") {
  console.warn("skipped: mosquitto_pub and mosquitto_sub are not installed (apt-get install mosquitto-clients)");
}

describe.skipIf(!hasMosquitto && process.env.CI !== "true").each(["311", "5"])(
  "mosquitto clients, -V %s",
  (version) => {
    const common = () => ["-h", "127.0.0.1", "-p", tcpUrl.port, "-V", version === "5" ? "5" : "mqttv311"];
    const publish = (...options: string[]) => run("mosquitto_pub", [...common(), ...options]);

    it("publish and subscribe with QoS 0, 1 and 2", async () => {
      const topic = `mosquitto/${version}`;
      const before = broker.metrics().subscriptions;
      const subscriber = spawn("mosquitto_sub", [...common(), "-t", `${topic}/#`, "-q", "2", "-C", "3", "-v"]);
      const closed = once(subscriber, "close");
      let output = "";
      subscriber.stdout.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
      await waitFor(() => broker.metrics().subscriptions > before);
      for (const qos of ["0", "1", "2"]) {
        await publish("-t", `${topic}/${qos}`, "-m", `message ${qos}`, "-q", qos);
      }
      const [code] = await closed;
      expect(code).toBe(0);
      for (const qos of [0, 1, 2]) {
        expect(output).toContain(`${topic}/${qos} message ${qos}`);
      }
    });

    it("retain, and leave a will when killed", async () => {
      const topic = `mosquitto/${version}`;
      await publish("-t", `${topic}/retained`, "-m", "kept", "-r", "-q", "1");
      const { stdout } = await run("mosquitto_sub", [...common(), "-t", `${topic}/retained`, "-C", "1", "-W", "10"]);
      expect(stdout.trim()).toBe("kept");

      const wills: string[] = [];
      const watching = broker.subscribe(`${topic}/will`, ({ payload }) =>
        wills.push(new TextDecoder().decode(payload)),
      );
      const will = ["--will-topic", `${topic}/will`, "--will-payload", "gone", "--will-qos", "1"];
      const before = broker.metrics().clients;
      const client = spawn("mosquitto_sub", [...common(), "-t", "nothing", ...will]);
      await waitFor(() => broker.metrics().clients > before);
      client.kill("SIGKILL");
      await waitFor(() => wills.length > 0);
      expect(wills).toEqual(["gone"]);
      watching.unsubscribe();
    });
  },
);

describe.each([
  ["TCP", () => `mqtt://127.0.0.1:${tcpUrl.port}`],
  ["WebSocket", () => wsUrl.href],
])("MQTT.js over %s", (name, url) => {
  it.each([4, 5] as const)(
    "in version %i: QoS 0, 1 and 2, retained, will, and a session that waits",
    async (protocolVersion) => {
      const topic = `mqttjs/${name}/${protocolVersion}`;
      const options = { protocolVersion, reconnectPeriod: 0 };
      const session = {
        ...options,
        clientId: `${name}-${protocolVersion}`,
        clean: false,
        ...(protocolVersion === 5 ? { properties: { sessionExpiryInterval: 100 } } : {}),
      };
      const subscriber = await mqtt.connectAsync(url(), session);
      const received: string[] = [];
      const collect = (from: string, payload: Buffer): void => {
        received.push(`${from}=${payload}`);
      };
      subscriber.on("message", collect);
      await subscriber.subscribeAsync(`${topic}/#`, { qos: 2 });
      const publisher = await mqtt.connectAsync(url(), {
        ...options,
        will: { topic: `${topic}/will`, payload: Buffer.from("gone"), qos: 1 },
      });
      for (const qos of [0, 1, 2] as const) {
        await publisher.publishAsync(`${topic}/${qos}`, "x", { qos, retain: qos === 1 });
      }
      await waitFor(() => received.length === 3);
      await subscriber.endAsync();
      await publisher.publishAsync(`${topic}/later`, "y", { qos: 2 });
      const again = mqtt.connect(url(), session);
      again.on("message", collect);
      await waitFor(() => received.length === 4);
      publisher.stream.destroy();
      await waitFor(() => received.length === 5);
      expect(received).toEqual(
        [0, 1, 2].map((qos) => `${topic}/${qos}=x`).concat([`${topic}/later=y`, `${topic}/will=gone`]),
      );
      const late = await mqtt.connectAsync(url(), options);
      const retained: string[] = [];
      late.on("message", (_topic, payload) => retained.push(payload.toString()));
      await late.subscribeAsync(`${topic}/1`);
      await waitFor(() => retained.length > 0);
      expect(retained).toEqual(["x"]);
      await Promise.all([again.endAsync(), late.endAsync()]);
    },
  );
});

describe("Paho JavaScript over WebSocket", () => {
  it("publishes and subscribes with QoS 0, 1 and 2", async () => {
    // Paho is made for browsers: it takes these from the global object when it is loaded.
    Object.assign(globalThis, { WebSocket, localStorage: emptyStorage() });
    const { Client, Message } = createRequire(import.meta.url)("paho-mqtt") as PahoModule;
    const client = new Client(wsUrl.hostname, Number(wsUrl.port), wsUrl.pathname, "paho");
    const received: string[] = [];
    client.onMessageArrived = ({ destinationName, payloadString }) =>
      received.push(`${destinationName}=${payloadString}`);
    await new Promise<void>((resolve, reject) => client.connect({ onSuccess: () => resolve(), onFailure: reject }));
    await new Promise<void>((resolve) => client.subscribe("paho/#", { qos: 2, onSuccess: () => resolve() }));
    for (const qos of [0, 1, 2]) {
      const message = new Message("x");
      message.destinationName = `paho/${qos}`;
      message.qos = qos;
      client.send(message);
    }
    await waitFor(() => received.length === 3);
    expect(received.sort()).toEqual(["paho/0=x", "paho/1=x", "paho/2=x"]);
    client.disconnect();
  });
});

interface PahoMessage {
  destinationName: string;
  qos: number;
  readonly payloadString: string;
}

interface PahoModule {
  readonly Client: new (
    host: string,
    port: number,
    path: string,
    clientId: string,
  ) => {
    onMessageArrived: (message: PahoMessage) => void;
    connect(options: { onSuccess: () => void; onFailure: (error: unknown) => void }): void;
    subscribe(filter: string, options: { qos: number; onSuccess: () => void }): void;
    send(message: PahoMessage): void;
    disconnect(): void;
  };
  readonly Message: new (payload: string) => PahoMessage;
}

function emptyStorage(): object {
  const items = new Map<string, string>();
  return {
    getItem: (key: string) => items.get(key) ?? null,
    setItem: (key: string, value: string) => items.set(key, value),
    removeItem: (key: string) => items.delete(key),
    key: (index: number) => [...items.keys()][index] ?? null,
    get length() {
      return items.size;
    },
  };
}

/** For what another process does in its own time; the limit is only for a test that fails. */
async function waitFor(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 10) {
    if (waited > 15_000) {
      throw new Error("waited in vain");
    }
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
