import "./styles/index.css";
import { createClient, type Message } from "@tidewire/client";
import { indexedDbStore } from "@tidewire/store-indexeddb";
import { AlertList } from "./alert-list.ts";
import { announce } from "./announcer.ts";
import { ConnectionView } from "./connection-view.ts";
import { DeviceList } from "./device-list.ts";
import { errorText } from "./error-text.ts";
import { claimIdentity } from "./identity.ts";
import { limits } from "./limits.ts";
import { MessageLog } from "./message-log.ts";
import { Notifier } from "./notifier.ts";
import { startPublishForm } from "./publish-form.ts";
import { type QoS, SubscribeForm } from "./subscribe-form.ts";

const SECONDS_A_DAY = 24 * 60 * 60;

const identity = await claimIdentity();
const brokerUrl = new URL("mqtt", location.href.replace(/^http/, "ws"));
brokerUrl.hash = "";

const client = createClient(brokerUrl, {
  clientId: identity.clientId,
  keepAlive: 20,
  reconnect: { minDelayMs: 250, maxDelayMs: 5000 },
  // With a lasting id the broker keeps a day of alerts for the page, and the page what it has not finished sending.
  ...(identity.lasting ? { sessionExpiryInterval: SECONDS_A_DAY, store: indexedDbStore() } : {}),
});

const connection = new ConnectionView(brokerUrl.href, identity.clientId, announce);
const devices = new DeviceList(sendCommand, announce);
const alerts = new AlertList(new Notifier(), announce);
const log = new MessageLog();

client.on("status", (status, detail) => connection.update(status, detail));
client.on("message", () => connection.count());

follow("devices/+/status", 1, (topic, payload) => devices.receive(topic, payload));
follow("devices/+/metrics/+", 0, (topic, payload) => devices.receive(topic, payload));
follow("alerts/#", 1, (topic, payload) => alerts.receive(topic, payload));
new SubscribeForm(client, (message) => log.add(message)).restore();
startPublishForm(client);

/** Subscribes for as long as the page lives. What is not UTF-8 comes with replacement characters. */
function follow(filter: string, qos: QoS, take: (topic: string, payload: string) => void): void {
  const decoder = new TextDecoder();
  const onMessage = ({ topic, payload }: Message): void =>
    take(topic, decoder.decode(payload.subarray(0, limits.readPayload + 1)));
  client.subscribe(filter, { qos, onMessage }).catch((error: unknown) => announce(`${filter}: ${errorText(error)}`));
}

function sendCommand(deviceId: string, command: string, payload: string): void {
  client
    .publish(`devices/${deviceId}/commands/${command}`, payload, { qos: 1 })
    .catch((error: unknown) => announce(`The command was not sent: ${errorText(error)}`));
}
