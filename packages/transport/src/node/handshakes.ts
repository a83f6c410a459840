import type { Socket } from "node:net";
import { addressKey } from "../address-key.ts";
import { TransportError } from "../errors.ts";
import { addressText } from "./address-text.ts";
import { afterReading } from "./after-reading.ts";
import { limits } from "./limits.ts";
import { type OnRefused, report } from "./report.ts";

/** How much peers that have not finished their handshake may hold; shared by the options of all listeners. */
export interface HandshakeOptions {
  /** From accept to the end of PROXY header, TLS and upgrade together; a slow drip does not extend it. Default 10 s. */
  readonly handshakeTimeoutMs?: number;
  /** Connections in their handshake at a time. Default 2,000. */
  readonly pendingHandshakes?: number;
  /** The same from one address, an IPv6 address by its /64. Trusted proxies are exempt. Default 500. */
  readonly pendingHandshakesPerAddress?: number;
  /** Told of each peer that did not get as far as a connection, for the log. */
  readonly onRefused?: OnRefused;
}

/**
 * Bounds what peers that have not finished their handshake can hold: how many there are, in all and of one address, and
 * how long each may take. A newcomer is never refused for those who wait: the oldest that has sent nothing makes room,
 * of the address that has most. Whoever ends here is reported once.
 *
 * A TLS server hands out another socket object than the one that was accepted, without saying which belongs to which.
 * Both have the same addresses, so those are the key.
 */
export class Handshakes {
  readonly #timeLimitMs: number;
  readonly #countLimit: number;
  readonly #addressLimit: number;
  readonly #onRefused: OnRefused | undefined;
  /** In the order of their deadlines, since all have the same time. */
  readonly #pending = new Map<string, Pending>();
  /** The same by address, oldest first. */
  readonly #byAddress = new Map<string, Set<Pending>>();
  #timer: NodeJS.Timeout | undefined;
  #timerDue = 0;
  #judging = false;

  constructor(options: HandshakeOptions) {
    this.#timeLimitMs = options.handshakeTimeoutMs ?? limits.handshakeTimeoutMs;
    this.#countLimit = Math.max(1, options.pendingHandshakes ?? limits.pendingHandshakes);
    this.#addressLimit = Math.max(1, options.pendingHandshakesPerAddress ?? limits.pendingHandshakesPerAddress);
    this.#onRefused = options.onRefused;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** `exempt`: the address is a proxy's, which stands for many. */
  begin(socket: Socket, exempt = false): void {
    const remoteAddress = addressText(socket.remoteAddress, socket.remotePort);
    const deadline = performance.now() + this.#timeLimitMs;
    const key = keyOf(socket);
    const onClose = (): void => this.#closed(pending);
    const pending: Pending = {
      key,
      socket,
      remoteAddress,
      exempt,
      addressKey: "",
      deadline,
      error: undefined,
      onClose,
    };
    socket.once("close", onClose);
    this.#count(pending, addressKey(remoteAddress));
    this.#pending.set(key, pending);
    if (this.#pending.size > this.#countLimit) {
      this.#evict(this.#heaviest(), pending, `${this.#countLimit} handshakes are`);
    }
    this.#schedule(deadline);
  }

  /** A proxy said who its client is. */
  identify(socket: Socket, remoteAddress: string): void {
    const pending = this.#pending.get(keyOf(socket));
    if (pending === undefined) {
      return;
    }
    this.#discount(pending);
    pending.exempt = false;
    pending.remoteAddress = remoteAddress;
    this.#count(pending, addressKey(remoteAddress));
  }

  /** The socket that a handshake began with; `socket` may be the one that TLS made of it. */
  accepted(socket: Socket): Socket | undefined {
    return this.#pending.get(keyOf(socket))?.socket;
  }

  /** The handshake is over. */
  end(socket: Socket): void {
    // Where nothing shakes hands, its addresses are not asked for: each costs a call to the system.
    if (this.#pending.size === 0) {
      return;
    }
    const pending = this.#pending.get(keyOf(socket));
    if (pending !== undefined) {
      pending.socket.off("close", pending.onClose);
      this.#remove(pending);
    }
  }

  /** The handshake failed for this reason; the socket may be closing already, and still has the time that is left. */
  fail(socket: Socket, error: TransportError): void {
    const pending = this.#pending.get(keyOf(socket));
    if (pending === undefined) {
      report(this.#onRefused, error, addressText(socket.remoteAddress, socket.remotePort));
    } else {
      pending.error ??= error;
    }
  }

  /** Destroys those that are pending. */
  close(): void {
    for (const { socket } of this.#pending.values()) {
      socket.destroy();
    }
  }

  /** Lets go of those that are pending: nothing limits them here any more. */
  release(): void {
    for (const pending of [...this.#pending.values()]) {
      pending.socket.off("close", pending.onClose);
      this.#remove(pending);
    }
  }

  #closed(pending: Pending): void {
    this.#remove(pending);
    report(this.#onRefused, pending.error ?? endOf(pending.socket), pending.remoteAddress);
  }

  #evict(waiting: ReadonlySet<Pending>, newcomer: Pending, limit: string): void {
    const victim = oldestSilent(waiting, newcomer);
    if (victim === undefined) {
      return;
    }
    victim.error ??= new TransportError("crowded", `Made room for a newer connection: ${limit} pending already.`);
    // Counted out at once: until its `close` comes, others may be accepted.
    this.#remove(victim);
    victim.socket.destroy();
  }

  #heaviest(): ReadonlySet<Pending> {
    let heaviest: ReadonlySet<Pending> = new Set();
    for (const waiting of this.#byAddress.values()) {
      if (waiting.size > heaviest.size) {
        heaviest = waiting;
      }
    }
    return heaviest;
  }

  #count(pending: Pending, address: string): void {
    const waiting = this.#byAddress.get(address) ?? new Set();
    this.#byAddress.set(address, waiting);
    waiting.add(pending);
    pending.addressKey = address;
    if (waiting.size > this.#addressLimit && !pending.exempt && address !== "") {
      this.#evict(waiting, pending, `${this.#addressLimit} of its address are`);
    }
  }

  #discount(pending: Pending): void {
    const waiting = this.#byAddress.get(pending.addressKey);
    waiting?.delete(pending);
    if (waiting?.size === 0) {
      this.#byAddress.delete(pending.addressKey);
    }
  }

  #remove(pending: Pending): void {
    this.#discount(pending);
    if (this.#pending.get(pending.key) === pending) {
      this.#pending.delete(pending.key);
    }
    if (this.#pending.size === 0) {
      clearTimeout(this.#timer);
      this.#timer = undefined;
    }
  }

  #schedule(deadline: number): void {
    if (this.#timer !== undefined || this.#judging) {
      return;
    }
    this.#timerDue = deadline;
    this.#timer = setTimeout(() => this.#expire(), Math.max(1, deadline - performance.now() + 1));
  }

  #expire(): void {
    this.#timer = undefined;
    const late = performance.now() - this.#timerDue;
    if (late > limits.stoppedMs) {
      // The process stood still, and what peers sent meanwhile is unread: nobody is judged by that time.
      this.#extend();
    }
    // What came in time and is unread counts.
    this.#judging = true;
    afterReading(() => this.#judge());
  }

  #extend(): void {
    const deadline = performance.now() + this.#timeLimitMs;
    for (const pending of this.#pending.values()) {
      pending.deadline = deadline;
    }
  }

  #judge(): void {
    this.#judging = false;
    const now = performance.now();
    for (const pending of this.#pending.values()) {
      if (pending.deadline > now) {
        this.#schedule(pending.deadline);
        return;
      }
      pending.error ??= new TransportError("timeout", `The handshake was not complete after ${this.#timeLimitMs} ms.`);
      pending.socket.destroy();
    }
  }
}

interface Pending {
  readonly key: string;
  readonly socket: Socket;
  remoteAddress: string | undefined;
  exempt: boolean;
  addressKey: string;
  deadline: number;
  error: TransportError | undefined;
  readonly onClose: () => void;
}

/** The oldest that has sent nothing, or the oldest of all; never the one that has only just come. */
function oldestSilent(waiting: ReadonlySet<Pending>, newcomer: Pending): Pending | undefined {
  let oldest: Pending | undefined;
  for (const pending of waiting) {
    if (pending === newcomer) {
      continue;
    }
    if (pending.socket.bytesRead === 0) {
      return pending;
    }
    oldest ??= pending;
  }
  return oldest;
}

/** How load balancers ask whether a port is open: they connect and go. Not worth a line in a log. */
function endOf(socket: Socket): TransportError {
  return socket.bytesRead === 0
    ? new TransportError("probe", "Connected and left without a byte.")
    : new TransportError("closed", "Ended before the handshake was complete.");
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}
