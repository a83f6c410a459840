import type { Socket } from "node:net";

interface Pending {
  readonly socket: Socket;
  readonly deadline: number;
  readonly onClose: () => void;
}

/**
 * Bounds what peers that have not finished their handshake can hold: how many there are, and how long each may take.
 * The limit of time is from accept to the end of the handshake; a byte now and then does not extend it, as it does the
 * idle timers of Node's servers.
 *
 * A TLS server hands out another socket object than the one that was accepted, without saying which belongs to which.
 * Both have the same addresses, so those are the key.
 */
export class Handshakes {
  readonly #timeLimitMs: number;
  readonly #countLimit: number;
  /** In the order of their deadlines, since all have the same time. */
  readonly #pending = new Map<string, Pending>();
  #timer: NodeJS.Timeout | undefined;

  constructor(timeLimitMs: number, countLimit: number) {
    this.#timeLimitMs = timeLimitMs;
    this.#countLimit = countLimit;
  }

  get size(): number {
    return this.#pending.size;
  }

  /** False, and the socket destroyed, when there are too many already. */
  begin(socket: Socket): boolean {
    if (this.#pending.size >= this.#countLimit) {
      socket.destroy();
      return false;
    }
    const key = keyOf(socket);
    const onClose = (): void => this.#remove(key);
    socket.once("close", onClose);
    this.#pending.set(key, { socket, deadline: performance.now() + this.#timeLimitMs, onClose });
    this.#timer ??= setTimeout(this.#expire, this.#timeLimitMs);
    return true;
  }

  /** The handshake is over. Returns the socket that it began with; `socket` may be the one that TLS made of it. */
  end(socket: Socket): Socket | undefined {
    const key = keyOf(socket);
    const pending = this.#pending.get(key);
    pending?.socket.off("close", pending.onClose);
    this.#remove(key);
    return pending?.socket;
  }

  /** Destroys those that are pending. */
  close(): void {
    for (const { socket } of this.#pending.values()) {
      socket.destroy();
    }
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const { socket, deadline } of this.#pending.values()) {
      if (deadline > now) {
        this.#timer = setTimeout(this.#expire, deadline - now + 1);
        return;
      }
      socket.destroy();
    }
  };

  #remove(key: string): void {
    this.#pending.delete(key);
    if (this.#pending.size > 0) {
      return;
    }
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}

function keyOf(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`;
}
