import { createDecoder, type Decoder, type Packet, type ProtocolVersion } from "@tidewire/codec";
import type { CloseInfo, Connection, ConnectionHandler, ConnectionInfo } from "@tidewire/transport";

export interface TapObserver {
  /** False once the process at this end is gone: then nothing leaves. */
  alive(): boolean;
  sent(packet: Packet, size: number): void;
  received(packet: Packet): void;
}

/** A connection that shows all that passes to somebody else first. */
export class Tap implements Connection, ConnectionHandler {
  readonly #connection: Connection;
  readonly #observer: TapObserver;
  readonly #outgoing: Decoder;
  readonly #incoming: Decoder;
  #handler: ConnectionHandler | undefined;

  constructor(connection: Connection, version: ProtocolVersion, observer: TapObserver) {
    this.#connection = connection;
    this.#observer = observer;
    this.#outgoing = createDecoder({ version });
    this.#incoming = createDecoder({ version });
  }

  get info(): ConnectionInfo {
    return this.#connection.info;
  }

  get bufferedAmount(): number {
    return this.#connection.bufferedAmount;
  }

  get pendingInput(): number {
    return this.#connection.pendingInput;
  }

  start(handler: ConnectionHandler): void {
    this.#handler = handler;
    this.#connection.start(this);
  }

  send(chunks: readonly Uint8Array[]): boolean {
    if (!this.#observer.alive()) {
      return true;
    }
    for (const chunk of chunks) {
      this.#outgoing.push(chunk);
    }
    for (let packet = this.#outgoing.next(); packet !== null; packet = this.#outgoing.next()) {
      this.#observer.sent(packet, this.#outgoing.lastPacketBytes().length);
    }
    return this.#connection.send([joined(chunks)]);
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  allowInput(bytes: number): void {
    this.#connection.allowInput(bytes);
  }

  close(): void {
    this.#connection.close();
  }

  abort(error?: Error): void {
    this.#connection.abort(error);
  }

  onData(chunk: Uint8Array): void {
    this.#incoming.push(chunk);
    for (let packet = this.#incoming.next(); packet !== null; packet = this.#incoming.next()) {
      this.#observer.received(packet);
    }
    this.#handler?.onData(chunk);
  }

  onDrain(): void {
    this.#handler?.onDrain();
  }

  onClose(info: CloseInfo): void {
    this.#handler?.onClose(info);
  }
}

/** How a writer cuts its bytes depends on what it wrote in earlier runs; what the network does must not. */
function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(chunks.reduce((length, chunk) => length + chunk.length, 0));
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.length;
  }
  return whole;
}
