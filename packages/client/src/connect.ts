import type { Client } from "./interfaces.ts";
import type { ConnectOptions, Target } from "./options.ts";

/** tmp */
export function connect(_target: Target, _options?: ConnectOptions): Promise<Client> {
  return Promise.reject(new Error("not there yet"));
}
export function createClient(_target: Target, _options?: ConnectOptions): Client {
  throw new Error("not there yet");
}
