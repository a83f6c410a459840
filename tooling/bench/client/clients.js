// The two clients behind one face: connect, publish, subscribe, cut. Each is used as its documentation says.

import { connect } from "@tidewire/client";
import { tcp } from "@tidewire/transport-tcp";
import { webSocket } from "@tidewire/transport-websocket/node";
import mqtt from "mqtt";

const host = "127.0.0.1";

export const clients = {
  async tidewire({ transport, ports }) {
    const port = ports[transport];
    const dial = transport === "tcp" ? tcp({ host, port }) : webSocket(`ws://${host}:${port}/mqtt`);
    let connection;
    const client = await connect(
      async (options) => {
        connection = await dial(options);
        return connection;
      },
      { sessionExpiryInterval: 0, reconnect: { minDelayMs: 1 } },
    );
    return {
      publish: (topic, payload, qos, done) => void client.publish(topic, payload, { qos }).then(done),
      subscribe: (topic, qos, onMessage) => client.subscribe(topic, { qos, onMessage }),
      onMessage: () => {},
      cut: () => connection.abort(),
      close: () => client.close(),
    };
  },

  async mqttjs({ transport, ports }) {
    const port = ports[transport];
    const url = transport === "tcp" ? `mqtt://${host}:${port}` : `ws://${host}:${port}/mqtt`;
    const client = await mqtt.connectAsync(url, { protocolVersion: 5, reconnectPeriod: 1 });
    return {
      publish: (topic, payload, qos, done) => void client.publish(topic, payload, { qos }, done),
      subscribe: (topic, qos) => client.subscribeAsync(topic, { qos }),
      // One handler for all topics: this client leaves telling them apart to its caller.
      onMessage: (handler) => client.on("message", handler),
      cut: () => client.stream.destroy(),
      close: () => client.endAsync(),
    };
  },
};
