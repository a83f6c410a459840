// Checked by the compiler alone: what the types promise to callers. `tooling/types` checks it with TypeScript 5.6 to 7.
import {
  type Client,
  type ClientError,
  connect,
  jsonPayload,
  type Message,
  type PublishResult,
  type StandardSchema,
  type Status,
  type TemplateParameters,
  textPayload,
  topicTemplate,
} from "@tidewire/client";
import type { LiteClient } from "@tidewire/client/lite";
import { serveClient, workerClient } from "@tidewire/client/worker";

type Equal<One, Other> = (<T>() => T extends One ? 1 : 2) extends <T>() => T extends Other ? 1 : 2 ? true : false;
function holds<_Claim extends true>(): void {}

// Parameters are inferred from the text of the template.
holds<Equal<TemplateParameters<"devices/{id}/metrics/{name}">, { readonly id: string; readonly name: string }>>();
holds<Equal<keyof TemplateParameters<"a/b">, never>>();
holds<Equal<keyof TemplateParameters<"{only}">, "only">>();

declare const client: Client;

// What is written for a lite client works with a whole one.
export const lite: LiteClient = client;
declare const schema: StandardSchema<unknown, { readonly value: number }>;
const metric = topicTemplate("devices/{id}/metrics/{name}", jsonPayload(schema));
const status = topicTemplate("devices/{id}/status", textPayload);
const raw = topicTemplate("raw/{id}");

export async function templates(): Promise<void> {
  const topic: string = metric.topic({ id: "7", name: "cpu" });
  await metric.publish(client, { id: "7", name: "cpu" }, { value: 1 }, { qos: 1 });
  await status.publish(client, { id: topic }, "online");
  await raw.publish(client, { id: "7" }, new Uint8Array(1));
  // @ts-expect-error a parameter is missing
  metric.topic({ id: "7" });
  // @ts-expect-error no such parameter
  status.topic({ id: "7", name: "cpu" });
  // @ts-expect-error a parameter is text
  status.topic({ id: 7 });
  // @ts-expect-error the payload has another type
  await metric.publish(client, { id: "7", name: "cpu" }, { value: "1" });
  // @ts-expect-error bytes, when no payload codec is given
  await raw.publish(client, { id: "7" }, "text");
  // @ts-expect-error no such parameter to fix
  metric.filter({ nam: "cpu" });
  for await (const { params, value, message } of await metric.subscribe(client, { params: { name: "cpu" } })) {
    holds<Equal<typeof params, { readonly id: string; readonly name: string }>>();
    holds<Equal<typeof value, { readonly value: number }>>();
    holds<Equal<typeof message, Message>>();
  }
  await status.subscribe(client, {
    onMessage: ({ params, value }) => {
      holds<Equal<typeof params, { readonly id: string }>>();
      holds<Equal<typeof value, string>>();
    },
  });
}

export async function calls(): Promise<void> {
  const client: Client = await connect("wss://broker.example/mqtt", { protocolVersion: 5, keepAlive: 30 });
  const result: PublishResult = await client.publish("a", "text", { qos: 2, retain: true });
  holds<Equal<typeof result.reasonCode, number>>();
  await using subscription = await client.subscribe(["a", "b"], { qos: 1 });
  for await (const message of subscription) {
    holds<Equal<ReturnType<typeof message.text>, string>>();
    const value = message.json(schema);
    holds<Equal<typeof value, { readonly value: number }>>();
    // @ts-expect-error JSON is unknown until a schema has seen it
    message.json().value;
  }
  const stop: () => void = client.on("status", (status, detail) => {
    holds<Equal<typeof status, Status>>();
    holds<Equal<typeof detail.error, ClientError | undefined>>();
  });
  stop();
  // @ts-expect-error no such event
  client.on("connect", () => {});
  // @ts-expect-error QoS is 0, 1 or 2
  await client.publish("a", "", { qos: 3 });
  // @ts-expect-error payloads are text or bytes
  await client.publish("a", { value: 1 });
  // @ts-expect-error MQTT 3.1 is spoken by the codec only
  await connect("ws://localhost", { protocolVersion: 3 });
  const shared: Client = await workerClient(new SharedWorker("worker.js"));
  serveClient(() => shared);
}
