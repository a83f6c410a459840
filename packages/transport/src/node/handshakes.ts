/** A socket in its opening handshake. */
interface Pending {
  destroy(): unknown;
}

/**
 * Bounds what peers that have not finished their handshake can hold: how many there are, and how long each may take.
 * The limit of time is from accept to the end of the handshake; a byte now and then does not extend it, which the idle
 * timers of Node's servers allow.
 */
export class Handshakes<Socket extends Pending> {
  readonly #timeLimitMs: number;
  readonly #countLimit: number;
  /** In the order of their deadlines, since all have the same time. */
  readonly #pending = new Map<Socket, number>();
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
    this.#pending.set(socket, performance.now() + this.#timeLimitMs);
    this.#timer ??= setTimeout(this.#expire, this.#timeLimitMs);
    return true;
  }

  /** The handshake is over, or the socket gone. */
  end(socket: Socket): void {
    this.#pending.delete(socket);
    if (this.#pending.size === 0) this.#stopTimer();
  }

  /** Destroys those that are pending. */
  close(): void {
    for (const socket of this.#pending.keys()) socket.destroy();
    this.#pending.clear();
    this.#stopTimer();
  }

  readonly #expire = (): void => {
    this.#timer = undefined;
    const now = performance.now();
    for (const [socket, deadline] of this.#pending) {
      if (deadline > now) {
        this.#timer = setTimeout(this.#expire, deadline - now + 1);
        return;
      }
      this.#pending.delete(socket);
      socket.destroy();
    }
  };

  #stopTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }
}
