import { createClient, type LiteOptions, type LiteSubscription, type LiteTarget } from "@tidewire/client/lite";
import { connect } from "@tidewire/client/minimal";
import type { ClientDriver, ClientOptions, DriverMessage } from "@tidewire/conformance/client";
import { nodeScheduler } from "@tidewire/link/node";
import { WebSocket } from "ws";

/** The lite client as the suite drives it. */
export function liteClient(target: LiteTarget, options: ClientOptions): ClientDriver {
  const subscriptions = new Map<string, LiteSubscription>();
  let settle = () => {};
  const ready = new Promise<void>((resolve) => {
    settle = resolve;
  });
  const client = createClient(target, {
    ...liteOptions(options),
    cleanStart: options.clean,
    sessionExpiryInterval: options.sessionExpiryInterval ?? 0,
    reconnect: options.reconnect ? { minDelayMs: 10, maxDelayMs: 10 } : false,
    onStatus: (status) => {
      if (status !== "connecting") {
        settle();
      }
    },
    onError: () => {},
  });
  return {
    ready: () => ready,
    publish: ({ topic, payload, qos, retain }) => client.publish(topic, payload, { qos: level(qos), retain }),
    subscribe: async (filter, qos) => {
      subscriptions.set(filter, await client.subscribe(filter, { qos: level(qos), onMessage: () => {} }));
    },
    unsubscribe: async (filter) => subscriptions.get(filter)?.unsubscribe(),
    disconnect: () => client.close(),
    destroy: () => void client.close(),
  };
}

/** The minimal client as the suite drives it. */
export function minimalClient(url: string, options: ClientOptions): ClientDriver {
  const connecting = connect(url, liteOptions(options));
  const ready = connecting.catch(() => {});
  return {
    ready: () => ready,
    publish: async ({ topic, payload, retain }) => (await connecting).publish(topic, payload, { retain }),
    subscribe: async (filter) => (await connecting).subscribe(filter),
    unsubscribe: async (filter) => (await connecting).unsubscribe(filter),
    disconnect: async () => (await connecting).close(),
    destroy: () => {
      connecting.then(
        (client) => client.close(),
        () => {},
      );
    },
  };
}

function liteOptions({
  version,
  clientId,
  keepAlive,
  will,
  username,
  password,
  ...options
}: ClientOptions): LiteOptions {
  return {
    clientId,
    protocolVersion: version === "5.0" ? 5 : 4,
    keepAlive,
    properties: options.receiveMaximum === undefined ? {} : { receiveMaximum: options.receiveMaximum },
    onMessage: (message) => options.onMessage(message),
    scheduler: nodeScheduler(),
    WebSocket: WebSocket as unknown as typeof globalThis.WebSocket,
    ...(will && { will: { ...will, qos: level(will.qos) } }),
    ...(username !== undefined && { username }),
    ...(password !== undefined && { password }),
  };
}

function level(qos: DriverMessage["qos"]): 0 | 1 | 2 {
  return qos === 0 || qos === 1 ? qos : 2;
}
