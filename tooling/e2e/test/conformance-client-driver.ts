import {
  type ConnectOptions,
  createClient,
  enhancedAuthentication,
  type Subscription,
  type Target,
} from "@tidewire/client";
import type { ClientDriver, ClientOptions, DriverMessage } from "@tidewire/conformance/client";

/** The Tidewire client as the suite drives it. */
export function tidewireClient(target: Target, options: ClientOptions): ClientDriver {
  const client = createClient(target, connectOptions(options));
  const subscriptions = new Map<string, Subscription>();
  client.on("message", (message) => options.onMessage(message));
  client.on("error", () => {});
  return {
    ready: () =>
      new Promise<void>((resolve) => {
        if (client.status !== "connecting") {
          resolve();
        }
        client.on("status", (status) => status !== "connecting" && resolve());
      }),
    publish: ({ topic, payload, qos, retain }) => client.publish(topic, payload, { qos: level(qos), retain }),
    subscribe: async (filter, qos) => {
      subscriptions.set(filter, await client.subscribe(filter, { qos: level(qos), onMessage: () => {} }));
    },
    unsubscribe: async (filter) => subscriptions.get(filter)?.unsubscribe(),
    reauthenticate: () => client.reauthenticate(),
    disconnect: () => client.close(),
    destroy: () => void client.close(),
  };
}

function connectOptions(options: ClientOptions): ConnectOptions {
  const { clientId, keepAlive, username, password, will, authentication } = options;
  const properties = {
    ...(options.receiveMaximum === undefined ? {} : { receiveMaximum: options.receiveMaximum }),
    ...(options.topicAliasMaximum === undefined ? {} : { topicAliasMaximum: options.topicAliasMaximum }),
  };
  return {
    clientId,
    protocolVersion: options.version === "5.0" ? 5 : 4,
    cleanStart: options.clean,
    keepAlive,
    reconnect: options.reconnect ? { minDelayMs: 10, maxDelayMs: 10 } : false,
    sessionExpiryInterval: options.sessionExpiryInterval ?? 0,
    properties,
    // Not used unless asked for, and to be put to the test here.
    limits: { outgoingTopicAliases: 32 },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(will === undefined ? {} : { will: { ...will, qos: level(will.qos) } }),
    ...(authentication === undefined
      ? {}
      : {
          authenticator: () =>
            enhancedAuthentication({
              method: authentication.method,
              start: () => undefined,
              challenge: (data, respond) => respond(authentication.answer(data ?? new Uint8Array(0))),
            }),
        }),
  };
}

function level(qos: DriverMessage["qos"]): 0 | 1 | 2 {
  return qos === 0 || qos === 1 ? qos : 2;
}
