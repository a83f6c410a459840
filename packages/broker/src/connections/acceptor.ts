import type { Scheduler } from "@tidewire/link";
import type { Connection } from "@tidewire/transport";
import { ClientConnection, type ConnectionNeeds } from "./client-connection.ts";
import { CountedConnection } from "./counted-connection.ts";

/** What accepting connections needs of a broker. */
export type AcceptorNeeds = ConnectionNeeds & { readonly scheduler: Scheduler };

/** Open network connections: how many there may be, and how they all end. */
export class Acceptor {
  readonly #needs: AcceptorNeeds;
  readonly #connections = new Set<ClientConnection>();
  readonly #perAddress = new Map<string, number>();
  #open = true;
  #onEmpty: (() => void) | undefined;

  constructor(needs: AcceptorNeeds) {
    this.#needs = needs;
  }

  accept(transport: Connection): void {
    const { limits, metrics } = this.#needs;
    metrics.connectionsTotal += 1;
    if (!this.#open || this.#connections.size >= limits.connections) {
      metrics.connectionsRefused += 1;
      transport.abort();
      return;
    }
    const counted = new CountedConnection(transport, metrics);
    const connection = new ClientConnection(this.#needs, counted, (closed) => this.#closed(closed));
    this.#connections.add(connection);
    metrics.connections = this.#connections.size;
    this.#countAddress(connection, 1);
    connection.crowded = this.#perAddress.get(addressOf(connection))! > limits.connectionsPerAddress;
  }

  /** Takes no more connections, ends all there are, and resolves when the last is gone or has been given up. */
  async close(reasonCode: number, timeoutMs: number): Promise<void> {
    this.#open = false;
    const connections = [...this.#connections];
    for (const connection of connections) {
      connection.disconnect(reasonCode, undefined);
    }
    if (this.#connections.size === 0) {
      return;
    }
    const { scheduler } = this.#needs;
    await new Promise<void>((resolve) => {
      const timer = scheduler.setTimer(() => {
        for (const connection of [...this.#connections]) {
          connection.link.abort();
        }
        resolve();
      }, timeoutMs);
      this.#onEmpty = () => {
        scheduler.clearTimer(timer);
        resolve();
      };
    });
  }

  #closed(connection: ClientConnection): void {
    this.#connections.delete(connection);
    this.#needs.metrics.connections = this.#connections.size;
    this.#countAddress(connection, -1);
    if (this.#connections.size === 0) {
      this.#onEmpty?.();
    }
  }

  #countAddress(connection: ClientConnection, change: 1 | -1): void {
    const address = addressOf(connection);
    const count = (this.#perAddress.get(address) ?? 0) + change;
    if (count === 0) {
      this.#perAddress.delete(address);
    } else {
      this.#perAddress.set(address, count);
    }
  }
}

/** Without the port. */
function addressOf(connection: ClientConnection): string {
  const address = connection.transport.info.remoteAddress ?? "";
  const colon = address.lastIndexOf(":");
  return colon < 0 ? address : address.slice(0, colon);
}
