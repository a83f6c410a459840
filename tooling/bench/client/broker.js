// The broker of `pnpm bench client`: tells its ports, and publishes how many subscriptions there are when asked over MQTT.

import { createBroker } from "@tidewire/broker";
import { tcpListener } from "@tidewire/transport-tcp";
import { webSocketListener } from "@tidewire/transport-websocket/node";

const broker = createBroker({ sysIntervalMs: 0 });
await broker.start();
const tcp = await broker.listen(tcpListener({ host: "127.0.0.1", port: 0 }));
const web = await broker.listen(webSocketListener({ host: "127.0.0.1", port: 0, path: "/mqtt", origins: "*" }));
// Retained, so that whoever wants to know subscribes anew.
let told = -1;
setInterval(() => {
  const { subscriptions } = broker.metrics();
  if (subscriptions !== told) {
    broker.publish("bench/subscriptions", String(subscriptions), { retain: true });
  }
  told = subscriptions;
}, 2);
process.send({ tcp: portOf(tcp), websocket: portOf(web) });

function portOf({ addresses }) {
  return Number(new URL(addresses[0]).port);
}
