import type { Scheduler } from "@tidewire/link";
import { platformScheduler } from "#platform";
import { aborted, Calls } from "../calls/index.ts";
import { ClientError, callError } from "../errors/index.ts";
import type { ConnectOptions, Target } from "../handshake/index.ts";
import { checkUrl } from "../handshake/index.ts";
import { defaultConnectTimeoutMs } from "../limits.ts";
import type { Client } from "./client.ts";
import { MqttClient } from "./mqtt-client.ts";

/**
 * Connects, and resolves when the server has accepted (CONNACK). Tries again meanwhile, with back-off, until
 * `connectTimeoutMs` or `signal`; rejects with a `ClientError` at once when the server refuses for good.
 *
 * @example
 * const client = await connect("wss://broker.example/mqtt", { username: "meter-17", password: secret });
 */
export async function connect(target: Target, options: ConnectOptions = {}): Promise<Client> {
  const { signal, scheduler = platformScheduler(), connectTimeoutMs = defaultConnectTimeoutMs } = options;
  if (signal?.aborted === true) {
    throw callError("connect", undefined, aborted(signal));
  }
  const client = start(target, options, scheduler);
  let last: ClientError | undefined;
  // Until it is connected it is this promise that reports.
  const stopErrors = client.on("error", () => {});
  let stop = () => {};
  try {
    await new Calls(scheduler, () => {}).run<void>("connect", undefined, { timeoutMs: connectTimeoutMs }, (call) => {
      stop = client.on("status", (status, { error }) => {
        last = error ?? last;
        if (status === "connected") {
          call.resolve();
        } else if (status === "closed") {
          call.reject(error ?? aborted(signal!));
        }
      });
    });
    return client;
  } catch (error) {
    if ((error as ClientError).code !== last?.code) {
      (error as ClientError).cause ??= last;
    }
    await client.close();
    throw error;
  } finally {
    stop();
    stopErrors();
  }
}

/**
 * A client that begins to connect now and keeps trying. Publish and subscribe at once: what cannot be sent yet waits.
 *
 * @example
 * const client = createClient(tcp({ host: "broker.example", port: 1883 }), { clientId: "meter-17" });
 * client.on("status", (status, { error }) => console.log(status, error?.message));
 */
export function createClient(target: Target, options: ConnectOptions = {}): Client {
  return start(target, options, options.scheduler ?? platformScheduler());
}

function start(target: Target, options: ConnectOptions, scheduler: Scheduler): Client {
  if (typeof target !== "function") {
    checkUrl(target);
  }
  if (options.store !== undefined && !options.clientId) {
    throw new ClientError("invalid-argument", "A store needs a clientId, under which its content is found again.");
  }
  const client = new MqttClient(target, options, scheduler);
  const { signal } = options;
  if (signal?.aborted === true) {
    void client.close();
  } else {
    void client.start();
  }
  return client;
}
