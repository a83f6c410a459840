import { CONNECTION_RATE_EXCEEDED, QUOTA_EXCEEDED } from "@tidewire/codec/codes";
import type { Scheduler } from "@tidewire/link";
import { addressKey, type Connection } from "@tidewire/transport";
import { ADDRESS_SWEEP_MS } from "../limits.ts";
import type { Deadlines } from "../time/index.ts";
import { type Address, Addresses } from "./addresses.ts";
import { ClientConnection, type ConnectionNeeds } from "./client-connection.ts";
import { CountedConnection } from "./counted-connection.ts";
import type { Gatekeeper, Rejection } from "./gatekeeper.ts";
import { MemoryWatch, type MemoryWatchNeeds } from "./memory-watch.ts";

/** What accepting connections needs of a broker. */
export type AcceptorNeeds = ConnectionNeeds &
  MemoryWatchNeeds & {
    readonly deadlines: Pick<Deadlines, "after">;
    readonly scheduler: Scheduler;
  };

/**
 * Open network connections: how many there may be, and how they all end. A connection counts as a client from its CONNECT
 * on, which is answered when there is no room. Before that it is silent, and takes part in a pool of its own: when that is
 * full, the oldest silent connection of the address with the most of them makes room, so that one address cannot keep out
 * the others, and no newcomer is turned away unread.
 */
export class Acceptor implements Gatekeeper<ClientConnection> {
  readonly #needs: AcceptorNeeds;
  readonly #connections = new Map<ClientConnection, Address<ClientConnection>>();
  readonly #addresses: Addresses<ClientConnection>;
  readonly #memoryWatch: MemoryWatch;
  #open = true;
  #sweeping = false;
  #onEmpty: (() => void) | undefined;

  constructor(needs: AcceptorNeeds) {
    this.#needs = needs;
    this.#addresses = new Addresses(needs.limits);
    this.#memoryWatch = new MemoryWatch(needs, () => this.#connections.keys());
  }

  accept(transport: Connection): void {
    const { limits, metrics } = this.#needs;
    metrics.connectionsTotal += 1;
    if (!this.#open) {
      metrics.connectionsRefused += 1;
      transport.abort();
      return;
    }
    if (this.#addresses.silent >= limits.silentConnections) {
      this.#evict();
    }
    const counted = new CountedConnection(transport, metrics);
    const connection = new ClientConnection(this.#needs, counted, this);
    const address = this.#addresses.add(addressKey(transport.info.remoteAddress), connection);
    this.#connections.set(connection, address);
    metrics.connections = this.#connections.size;
    this.#scheduleSweep();
    this.#memoryWatch.start();
  }

  speaks(connection: ClientConnection): Rejection | undefined {
    const { limits, loop } = this.#needs;
    const address = this.#connections.get(connection)!;
    this.#addresses.speaks(address, connection);
    if (this.#connections.size - this.#addresses.silent > limits.connections) {
      return { reasonCode: QUOTA_EXCEEDED, why: `all ${limits.connections} connections are taken` };
    }
    // What has no address, such as a Unix socket, comes from this machine.
    if (address.key === "") {
      return undefined;
    }
    if (address.count - address.silent.size > limits.connectionsPerAddress) {
      return rejection(`its address has ${limits.connectionsPerAddress} connections already`);
    }
    if (!address.connects.take(loop.now)) {
      return rejection(`its address connects more than ${limits.connectsPerSecondPerAddress} times a second`);
    }
    if (address.failures.isEmpty(loop.now)) {
      return rejection(`its address failed to sign in ${limits.failuresPerMinutePerAddress} times within a minute`);
    }
    return undefined;
  }

  failed(connection: ClientConnection): void {
    this.#connections.get(connection)?.failures.take(this.#needs.loop.now);
  }

  closed(connection: ClientConnection): void {
    const address = this.#connections.get(connection);
    if (address === undefined) {
      return;
    }
    this.#connections.delete(connection);
    this.#addresses.remove(address, connection);
    this.#memoryWatch.closed(connection);
    this.#needs.metrics.connections = this.#connections.size;
    if (this.#connections.size === 0) {
      this.#onEmpty?.();
    }
  }

  /** Takes no more connections, ends all there are, and resolves when the last is gone or has been given up. */
  async close(reasonCode: number, timeoutMs: number): Promise<void> {
    this.#open = false;
    for (const connection of [...this.#connections.keys()]) {
      connection.disconnect(reasonCode, undefined);
    }
    if (this.#connections.size === 0) {
      return;
    }
    const { scheduler } = this.#needs;
    await new Promise<void>((resolve) => {
      const timer = scheduler.setTimer(() => {
        for (const connection of [...this.#connections.keys()]) {
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

  #evict(): void {
    const { metrics, notices } = this.#needs;
    const oldest = this.#addresses.heaviest();
    if (oldest === undefined) {
      return;
    }
    metrics.connectionsEvicted += 1;
    const subject = { address: oldest.transport.info.remoteAddress };
    notices.tell(
      "refused",
      subject,
      "it sent nothing while others waited, and its address has the most such connections",
    );
    // Not again while its end is on its way.
    this.#addresses.speaks(this.#connections.get(oldest)!, oldest);
    oldest.link.abort();
  }

  #scheduleSweep(): void {
    if (this.#sweeping) {
      return;
    }
    this.#sweeping = true;
    this.#needs.deadlines.after(ADDRESS_SWEEP_MS, () => {
      this.#sweeping = false;
      this.#addresses.sweep(this.#needs.loop.now);
      if (this.#addresses.size > 0) {
        this.#scheduleSweep();
      }
    });
  }
}

function rejection(why: string): Rejection {
  return { reasonCode: CONNECTION_RATE_EXCEEDED, why };
}
