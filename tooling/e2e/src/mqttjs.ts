import mqtt, { type IClientOptions, type MqttClient } from "mqtt";
import { until } from "./until.ts";

/** MQTT.js, as one of the clients that people have. */
export interface ForeignClient {
  readonly client: MqttClient;
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
  const client = await mqtt.connectAsync(url, { reconnectPeriod: 0, connectTimeout: 15_000, ...options });
  // Errors after the connection are part of what tests provoke.
  client.on("error", () => {});
  const received: ForeignClient["received"] = [];
  client.on("message", (topic, payload, { qos, retain }) => {
    received.push({ topic, text: payload.toString(), qos, retain });
  });
  return {
    client,
    received,
    message: (topic) => until(`a message on ${topic}`, () => received.find((message) => message.topic === topic)),
  };
}
