import "./styles/index.css";
import { createClient, type Message } from "@tidewire/client";
import { AlertList } from "./alert-list.ts";
import { announce } from "./announcer.ts";
import { ConnectionView } from "./connection-view.ts";
import { DeviceList } from "./device-list.ts";
import { claimIdentity } from "./identity.ts";
import { MessageLog } from "./message-log.ts";
import { Notifier } from "./notifier.ts";
import { startPublishForm } from "./publish-form.ts";
import { SubscribeForm } from "./subscribe-form.ts";

const SECONDS_A_DAY = 24 * 60 * 60;

const identity = await claimIdentity();
const brokerUrl = new URL("mqtt", location.href.replace(/^http/, "ws"));
brokerUrl.hash = "";

const client = createClient(brokerUrl, {
  clientId: identity.clientId,
  keepAlive: 20,
  // The broker keeps a day of alerts for the page; nothing would ever come back for those of a passing tab.
  sessionExpiryInterval: identity.lasting ? SECONDS_A_DAY : 300,
  cleanStart: !identity.lasting,
  reconnect: { minDelayMs: 250, maxDelayMs: 5000 },
});

const connection = new ConnectionView(brokerUrl.href, identity.clientId, announce);
const devices = new DeviceList(sendCommand, announce);
const alerts = new AlertList(new Notifier(), announce);
const log = new MessageLog();
new SubscribeForm(client, (message) => log.add(message));
startPublishForm(client);

client.on("status", (status, detail) => connection.update(status, detail));
client.on("message", () => connection.count());

await Promise.all([
  client.subscribe(["devices/+/status"], {
    qos: 1,
    onMessage: text((topic, payload) => devices.receive(topic, payload)),
  }),
  client.subscribe(["devices/+/metrics/+"], {
    qos: 0,
    onMessage: text((topic, payload) => devices.receive(topic, payload)),
  }),
  client.subscribe(["alerts/#"], { qos: 1, onMessage: text((topic, payload) => alerts.receive(topic, payload)) }),
]);

function sendCommand(deviceId: string, command: string, payload: string): void {
  client
    .publish(`devices/${deviceId}/commands/${command}`, payload, { qos: 1 })
    .catch((error: unknown) => announce(`The command was not sent: ${error instanceof Error ? error.message : error}`));
}

/** For views that take text. Anybody may publish anything: what is not UTF-8 becomes replacement characters. */
function text(take: (topic: string, payload: string) => void): (message: Message) => void {
  const decoder = new TextDecoder();
  return ({ topic, payload }) => take(topic, decoder.decode(payload));
}
