import mqtt, { type IClientOptions, type IConnackPacket, type MqttClient } from "mqtt";
import { until } from "./until.ts";

/** MQTT.js, as one of the clients that people have. */
export interface ForeignClient {
  readonly client: MqttClient;
  /** The broker's first answer. */
  readonly connack: IConnackPacket;
  /** Everything received, in order. */
  readonly received: {
    readonly topic: string;
    readonly text: string;
    readonly qos: number;
    readonly retain: boolean;
  }[];
  /** The first message received on a topic, past or to come. */
  message(topic: string): Promise<ForeignClient["received"][number]>;
}

/** Connects MQTT.js, without its reconnecting. */
export async function connectMqttJs(url: string, options: IClientOptions = {}): Promise<ForeignClient> {
  const client = mqtt.connect(url, { reconnectPeriod: 0, connectTimeout: 15_000, ...options });
  const connack = await firstAnswer(client);
  // Errors after the connection are part of what tests provoke.
  client.on("error", () => {});
  const received: ForeignClient["received"] = [];
  client.on("message", (topic, payload, { qos, retain }) => {
    received.push({ topic, text: payload.toString(), qos, retain });
  });
  return {
    client,
    connack,
    received,
    message: (topic) => until(`a message on ${topic}`, () => received.find((message) => message.topic === topic)),
  };
}

/** As `connectAsync` of MQTT.js, which keeps the packet to itself. */
function firstAnswer(client: MqttClient): Promise<IConnackPacket> {
  return new Promise((resolve, reject) => {
    const refused = (error: Error): void => {
      client.end(true);
      reject(error);
    };
    const ended = (): void => refused(new Error("the connection ended before it was answered"));
    client.once("error", refused);
    client.once("close", ended);
    client.once("connect", (packet) => {
      client.off("error", refused);
      client.off("close", ended);
      resolve(packet);
    });
  });
}
