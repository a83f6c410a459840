import type { CloseInfo, Connection, ConnectionHandler } from "@tidewire/transport";

/**
 * Starts both connections and carries bytes between them until one ends. Each side is read only as fast as the other
 * one takes the bytes, so nothing piles up here.
 */
export function splice(one: Connection, other: Connection, onClose: () => void): void {
  let open = 2;
  const onClosed = (): void => {
    open -= 1;
    if (open === 0) {
      onClose();
    }
  };
  one.start(new Half(one, other, onClosed));
  other.start(new Half(other, one, onClosed));
}

class Half implements ConnectionHandler {
  readonly #from: Connection;
  readonly #to: Connection;
  readonly #onClosed: () => void;

  constructor(from: Connection, to: Connection, onClosed: () => void) {
    this.#from = from;
    this.#to = to;
    this.#onClosed = onClosed;
  }

  onData(chunk: Uint8Array): void {
    if (!this.#to.send([chunk])) {
      this.#from.pause();
    }
  }

  onDrain(): void {
    this.#to.resume();
  }

  onClose({ clean }: CloseInfo): void {
    // A client that vanished must not look to the broker like one that took its leave: the broker sends its will.
    if (clean) {
      this.#to.close();
    } else {
      this.#to.abort();
    }
    this.#onClosed();
  }
}
