import type { CloseInfo, Connection, ConnectionHandler } from "@tidewire/transport";
import { firstWrong, patternBytes } from "./pattern.ts";

/**
 * The other end of the connection under test. Every call can be carried over another connection, so that the two ends
 * may live in different processes: a browser and a server, say.
 */
export interface TransportPeer {
  status(): Promise<PeerStatus>;
  /** Sends the next `total` bytes of the pattern in chunks, as fast as the connection takes them. */
  send(total: number, chunkBytes: number): Promise<void>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  close(): Promise<void>;
  abort(): Promise<void>;
}

export interface PeerStatus {
  readonly received: number;
  /** Position of the first byte that was not the right one; -1 when all were. */
  readonly wrongAt: number;
  /** Bytes given to `send`. */
  readonly sent: number;
  /** The most that `bufferedAmount` was. */
  readonly mostBuffered: number;
  readonly closed: boolean;
  /** As `onClose` told it. */
  readonly clean: boolean;
  readonly initiator: CloseInfo["initiator"] | undefined;
}

/** A peer around a connection of this process; starts it. */
export class LocalPeer implements TransportPeer, ConnectionHandler {
  readonly #connection: Connection;
  #received = 0;
  #wrongAt = -1;
  #sent = 0;
  #toSend = 0;
  #chunkBytes = 1;
  #mostBuffered = 0;
  #closeInfo: CloseInfo | undefined;

  constructor(connection: Connection) {
    this.#connection = connection;
    connection.start(this);
  }

  onData(chunk: Uint8Array): void {
    const wrong = this.#wrongAt < 0 ? firstWrong(chunk, this.#received) : -1;
    if (wrong >= 0) {
      this.#wrongAt = this.#received + wrong;
    }
    this.#received += chunk.length;
  }

  onDrain(): void {
    this.#pump();
  }

  onClose(info: CloseInfo): void {
    this.#closeInfo = info;
  }

  status(): Promise<PeerStatus> {
    return Promise.resolve({
      received: this.#received,
      wrongAt: this.#wrongAt,
      sent: this.#sent,
      mostBuffered: this.#mostBuffered,
      closed: this.#closeInfo !== undefined,
      clean: this.#closeInfo?.clean ?? false,
      initiator: this.#closeInfo?.initiator,
    });
  }

  send(total: number, chunkBytes: number): Promise<void> {
    const busy = this.#sent < this.#toSend;
    this.#toSend += total;
    this.#chunkBytes = chunkBytes;
    if (!busy) {
      this.#pump();
    }
    return Promise.resolve();
  }

  pause(): Promise<void> {
    this.#connection.pause();
    return Promise.resolve();
  }

  resume(): Promise<void> {
    this.#connection.resume();
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.#connection.close();
    return Promise.resolve();
  }

  abort(): Promise<void> {
    this.#connection.abort();
    return Promise.resolve();
  }

  #pump(): void {
    for (let room = true; room && this.#sent < this.#toSend; ) {
      const length = Math.min(this.#chunkBytes, this.#toSend - this.#sent);
      room = this.#connection.send([patternBytes(this.#sent, length)]);
      this.#sent += length;
      this.#mostBuffered = Math.max(this.#mostBuffered, this.#connection.bufferedAmount);
    }
  }
}
