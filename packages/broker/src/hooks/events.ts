import type { ClientInfo } from "./hooks.ts";

/** What `broker.on` tells of, by name of the event. */
export interface BrokerEvents {
  clientConnected: { readonly client: ClientInfo; readonly sessionPresent: boolean };
  clientDisconnected: { readonly client: ClientInfo; readonly reasonCode: number };
  sessionEnded: { readonly clientId: string };
  subscribed: { readonly clientId: string; readonly filter: string; readonly qos: number };
  unsubscribed: { readonly clientId: string; readonly filter: string };
}

/** Listeners by event; called in the order they were added. */
export class EventHub {
  readonly #listeners = new Map<keyof BrokerEvents, Set<(event: never) => void>>();
  readonly #call: (name: string, call: () => void) => void;

  /** `call` calls a listener, and knows what to do when it throws. */
  constructor(call: (name: string, call: () => void) => void) {
    this.#call = call;
  }

  on<Name extends keyof BrokerEvents>(name: Name, listener: (event: BrokerEvents[Name]) => void): () => void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) {
      listeners = new Set();
      this.#listeners.set(name, listeners);
    }
    listeners.add(listener);
    return () => listeners.delete(listener);
  }

  /** Whether anybody listens: what happens very often is only told then. */
  has(name: keyof BrokerEvents): boolean {
    return (this.#listeners.get(name)?.size ?? 0) > 0;
  }

  emit<Name extends keyof BrokerEvents>(name: Name, event: BrokerEvents[Name]): void {
    for (const listener of this.#listeners.get(name) ?? []) {
      this.#call(`listener of ${name}`, () => (listener as (event: BrokerEvents[Name]) => void)(event));
    }
  }
}
