import type { Connection } from "@tidewire/transport";
import type { MockNetwork } from "@tidewire/transport-mock";

/** A platform's WebSocket whose bytes go over a network in memory and in virtual time. */
export function mockWebSocket(network: MockNetwork): typeof WebSocket {
  return class extends MockWebSocket {
    constructor() {
      super(network);
    }
  } as unknown as typeof WebSocket;
}

class MockWebSocket {
  readonly OPEN = 1;
  readyState = 0;
  binaryType = "blob";
  onopen: (() => void) | null = null;
  onmessage: ((event: { readonly data: ArrayBuffer | string }) => void) | null = null;
  onerror: (() => void) | null = null;
  onclose: (() => void) | null = null;
  #connection: Connection | undefined;

  constructor(network: MockNetwork) {
    network.dial().then(
      (connection) => this.#open(connection),
      () => {
        this.onerror?.();
        this.#closed();
      },
    );
  }

  get bufferedAmount(): number {
    return this.#connection?.bufferedAmount ?? 0;
  }

  send(data: Uint8Array | string): void {
    if (this.readyState === 0) {
      throw new DOMException("Still connecting.", "InvalidStateError");
    }
    if (this.readyState === this.OPEN) {
      this.#connection?.send([data as Uint8Array]);
    }
  }

  close(): void {
    if (this.readyState >= 2) {
      return;
    }
    this.readyState = 2;
    this.#connection?.close();
  }

  #open(connection: Connection): void {
    this.#connection = connection;
    connection.start({
      onData: (chunk) => {
        if (this.readyState === this.OPEN) {
          this.onmessage?.({ data: chunk.slice().buffer });
        }
      },
      onDrain: () => {},
      onClose: () => this.#closed(),
    });
    if (this.readyState === 2) {
      connection.close();
    } else {
      this.readyState = this.OPEN;
      this.onopen?.();
    }
  }

  #closed(): void {
    this.readyState = 3;
    this.onclose?.();
  }
}
