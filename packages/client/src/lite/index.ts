import { browserScheduler } from "@tidewire/link/browser";
import { ClientError } from "../errors/index.ts";
import type { LiteClient, LiteOptions, LiteTarget } from "./lite-client.ts";
import { LiteMqttClient } from "./lite-mqtt-client.ts";

export type { ClientErrorCode } from "../errors/index.ts";
export { ClientError } from "../errors/index.ts";
export type {
  LiteClient,
  LiteMessage,
  LiteOptions,
  LitePublishOptions,
  LiteSubscribeOptions,
  LiteSubscription,
  LiteTarget,
} from "./lite-client.ts";

/**
 * A client that begins to connect now and keeps trying. Publish and subscribe at once: what cannot be sent yet waits.
 */
export function createClient(target: LiteTarget, options: LiteOptions = {}): LiteClient {
  return new LiteMqttClient(target, options, options.scheduler ?? browserScheduler());
}

/**
 * Resolves when the server has accepted; rejects when it refuses for good, or has not accepted in 30 seconds.
 *
 * @example
 * const client = await connect("wss://broker.example/mqtt", { onStatus: (status, error) => console.log(status, error) });
 */
export function connect(target: LiteTarget, options: LiteOptions = {}): Promise<LiteClient> {
  const { onStatus, connectTimeoutMs = 30_000, scheduler = browserScheduler() } = options;
  return new Promise((resolve, reject) => {
    let last: ClientError | undefined;
    const client: LiteClient = createClient(target, {
      ...options,
      scheduler,
      onStatus: (status, error) => {
        last = error ?? last;
        if (status === "connected") {
          resolve(client);
        } else if (status === "closed") {
          reject(error);
        }
        if (status === "connected" || status === "closed") {
          scheduler.clearTimer(timer);
        }
        onStatus?.(status, error);
      },
    });
    const timer = scheduler.setTimer(() => {
      reject(
        new ClientError("timeout", `connect(): Not done within ${connectTimeoutMs} ms (connectTimeoutMs).`, {
          cause: last,
        }),
      );
      void client.close();
    }, connectTimeoutMs);
  });
}
