import type { Scheduler } from "@tidewire/link";
import { platformScheduler } from "#platform";
import { EngineClient } from "./client.ts";
import { defaultConnectTimeoutMs, Engine } from "./engine.ts";
import { ClientError } from "./errors.ts";
import type { Client } from "./interfaces.ts";
import type { ConnectOptions, Target } from "./options.ts";
import { checkUrl } from "./target.ts";
import { aborted, limitWait } from "./wait-limit.ts";

/**
 * Connects, and resolves when the server has accepted (CONNACK). Tries again meanwhile, with back-off, until
 * `connectTimeoutMs` or `signal`; rejects with a `ClientError` at once when the server refuses for good.
 */
export async function connect(target: Target, options: ConnectOptions = {}): Promise<Client> {
  if (options.signal?.aborted === true) throw aborted(options.signal);
  const scheduler = options.scheduler ?? platformScheduler();
  const client = start(target, options, scheduler);
  try {
    await firstConnection(client, options, scheduler);
    return client;
  } catch (error) {
    await client.close();
    throw error;
  }
}

/**
 * A client that begins to connect now and keeps trying. Publish and subscribe at once: what cannot be sent yet waits.
 */
export function createClient(target: Target, options: ConnectOptions = {}): Client {
  return start(target, options, options.scheduler ?? platformScheduler());
}

function start(target: Target, options: ConnectOptions, scheduler: Scheduler): Client {
  if (typeof target !== "function") checkUrl(target);
  if (options.store !== undefined && !options.clientId) {
    throw new ClientError("invalid-argument", "A store needs a clientId, under which its content is found again.");
  }
  const engine = new Engine(target, options, scheduler);
  const responseTopic = () => options.responseTopic ?? `tidewire/responses/${engine.clientId}`;
  const client = new EngineClient(engine, options.protocolVersion === 4 ? undefined : responseTopic);
  options.signal?.addEventListener("abort", () => void client.close(), { once: true });
  if (options.signal?.aborted === true) void client.close();
  else void engine.start();
  return client;
}

function firstConnection(client: Client, options: ConnectOptions, scheduler: Scheduler): Promise<void> {
  return new Promise((resolve, reject) => {
    let last: ClientError | undefined;
    // Until then it is this promise that reports.
    const stopErrors = client.on("error", () => {});
    const stop = client.on("status", (status, { error }) => {
      last = error ?? last;
      if (status === "connected") end(resolve);
      else if (status === "closed") end(() => reject(error ?? closedEarly(options.signal)));
    });
    const limits = { timeoutMs: options.connectTimeoutMs ?? defaultConnectTimeoutMs, ...options };
    const endWait = limitWait(limits, scheduler, (error) =>
      end(() => reject(new ClientError(error.code, error.message, { cause: last ?? error.cause }))),
    );
    const end = (settle: () => void) => {
      stop();
      stopErrors();
      endWait?.();
      settle();
    };
  });
}

function closedEarly(signal: AbortSignal | undefined): ClientError {
  return signal?.aborted === true ? aborted(signal) : new ClientError("closed", "The client was closed.");
}
