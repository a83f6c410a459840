import { type Client, connect, type Message } from "@tidewire/client";
import { tcp } from "@tidewire/transport-tcp";
import { webSocket } from "@tidewire/transport-websocket/node";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Mosquitto, startMosquitto } from "../src/mosquitto.ts";
import { describeWithPeers } from "../src/peers.ts";
import { until } from "../src/until.ts";

describeWithPeers(["mosquitto"], "our client at Debian's mosquitto", () => {
  let mosquitto: Mosquitto;

  beforeAll(async () => {
    mosquitto = await startMosquitto();
  });

  afterAll(async () => {
    await mosquitto.program.stop();
  });

  const transports = ["tcp", "websocket"] as const;
  const matrix = transports.flatMap((transport) => ([4, 5] as const).map((version) => [transport, version] as const));

  function open(transport: (typeof transports)[number], options: Parameters<typeof connect>[1]): Promise<Client> {
    const dial =
      transport === "tcp"
        ? tcp({ host: "127.0.0.1", port: mosquitto.port })
        : webSocket(`ws://127.0.0.1:${mosquitto.webSocketPort}/mqtt`);
    return connect(dial, options);
  }

  it.each(matrix)("over %s, version %i: QoS 0, 1 and 2 both ways", async (transport, protocolVersion) => {
    const client = await open(transport, { protocolVersion });
    for (const qos of [0, 1, 2] as const) {
      const topic = `ours/${transport}/${protocolVersion}/${qos}`;
      const received: Message[] = [];
      const subscription = await client.subscribe(topic, { qos, onMessage: (message) => void received.push(message) });
      expect(subscription.granted).toEqual([qos]);
      await client.publish(topic, `level ${qos}`, { qos });
      const message = await until(`QoS ${qos}`, () => received[0]);
      expect({ qos: message.qos, text: message.text() }).toEqual({ qos, text: `level ${qos}` });
      await subscription.unsubscribe();
    }
    await client.close();
  });

  it.each(matrix)("over %s, version %i: retained messages, as an iterator", async (transport, protocolVersion) => {
    const client = await open(transport, { protocolVersion });
    const topic = `ours/${transport}/${protocolVersion}/retained`;
    await client.publish(topic, "kept", { qos: 1, retain: true });
    await using subscription = await client.subscribe(topic);
    for await (const message of subscription) {
      expect({ retain: message.retain, text: message.text() }).toEqual({ retain: true, text: "kept" });
      break;
    }
    await client.close();
  });

  it.each(matrix)(
    "over %s, version %i: the client recovers from a restart of the broker",
    async (transport, protocolVersion) => {
      const received: string[] = [];
      const topic = `ours/${transport}/${protocolVersion}/restart`;
      const client = await open(transport, { protocolVersion, reconnect: { minDelayMs: 50, maxDelayMs: 200 } });
      await client.subscribe(topic, { qos: 1, onMessage: (message) => void received.push(message.text()) });
      await client.publish(topic, "before", { qos: 1 });
      await until("the first message", () => received.includes("before"));

      await restartMosquitto();
      // Without persistence mosquitto has forgotten the session: the client has to notice and subscribe again.
      await client.publish(topic, "after", { qos: 1 });
      await until("the second message", () => received.includes("after"));
      await client.close();
    },
  );

  /** Ends mosquitto and starts it again on the same ports. */
  async function restartMosquitto(): Promise<void> {
    const { port, webSocketPort } = mosquitto;
    await mosquitto.program.stop();
    mosquitto = await startMosquitto({ port, webSocketPort });
  }
});
