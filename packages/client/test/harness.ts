import { type Client, type ClientError, type ConnectOptions, createClient } from "@tidewire/client";
import { type MockNetwork, type MockNetworkOptions, mockNetwork } from "@tidewire/transport-mock";
import { ScriptedServer } from "./scripted-server.ts";

/** A client and a scripted server on a network in virtual time. */
export interface Harness {
  readonly network: MockNetwork;
  readonly server: ScriptedServer;
  readonly client: Client;
  /** What was reported to nobody in particular. */
  readonly errors: ClientError[];
}

export function setUp(options: ConnectOptions = {}, networkOptions: MockNetworkOptions = {}): Harness {
  const network = mockNetwork(networkOptions);
  const server = new ScriptedServer(network);
  const client = newClient(network, options);
  const errors: ClientError[] = [];
  client.on("error", (error) => errors.push(error));
  return { network, server, client, errors };
}

export function newClient(network: MockNetwork, options: ConnectOptions = {}): Client {
  return createClient(network.dial, {
    clientId: "c",
    scheduler: network.scheduler,
    reconnect: { random: () => 0.5 },
    ...options,
  });
}

/** The harness, connected. */
export async function setUpConnected(
  options: ConnectOptions = {},
  prepare: (server: ScriptedServer) => void = () => {},
): Promise<Harness> {
  const harness = setUp(options);
  prepare(harness.server);
  await harness.network.settle();
  if (!harness.client.connected) {
    throw new Error(`not connected: ${harness.client.status}`);
  }
  return harness;
}

/** The outcome of a promise so far: its value, its error, or "pending". */
export function outcome<Value>(promise: Promise<Value>): { readonly value: unknown } {
  const result: { value: unknown } = { value: "pending" };
  promise.then(
    (value) => {
      result.value = value;
    },
    (error: unknown) => {
      result.value = error;
    },
  );
  return result;
}

export const text = (payload: Uint8Array): string => new TextDecoder().decode(payload);
