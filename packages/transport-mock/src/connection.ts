import {
  type CloseInfo,
  type Connection,
  type ConnectionHandler,
  type ConnectionInfo,
  callbackError,
  guard,
  TransportError,
} from "@tidewire/transport";

/** One end of a mock link. The bytes themselves are in the pipes. */
export class MockConnection implements Connection {
  readonly info: ConnectionInfo;
  readonly #link: LinkControl;
  /** What this end sends; set by the link once both ends exist. */
  #outgoing: ByteLane | undefined;
  #incoming: ByteLane | undefined;
  #handler: ConnectionHandler | undefined;
  #closeInfo: CloseInfo | undefined;
  #paused = false;
  #closing = false;
  #blocked = false;
  /** A message that the other end has not finished. */
  #unfinished: Uint8Array[] = [];
  #pendingInput = 0;
  #allowedInput: number;

  constructor(info: ConnectionInfo, link: LinkControl, allowedInput: number) {
    this.info = info;
    this.#link = link;
    this.#allowedInput = allowedInput;
  }

  /** Called by the link: nothing works before. */
  join(outgoing: ByteLane, incoming: ByteLane): void {
    this.#outgoing = outgoing;
    this.#incoming = incoming;
  }

  get bufferedAmount(): number {
    return this.#outgoing?.bytes ?? 0;
  }

  get pendingInput(): number {
    return this.#pendingInput;
  }

  /** What was last allowed: for a test to look at. */
  get allowedInput(): number {
    return this.#allowedInput;
  }

  allowInput(bytes: number): void {
    this.#allowedInput = bytes;
  }

  start(handler: ConnectionHandler): void {
    if (this.#handler !== undefined) {
      throw new TransportError("misuse", "start() was called a second time: a connection has one handler.");
    }
    this.#handler = handler;
    if (this.#closeInfo !== undefined) {
      const info = this.#closeInfo;
      this.#link.later(() => this.#tellClosed(handler, info));
      return;
    }
    this.#incoming?.schedule();
    if (this.#blocked) {
      this.#link.later(() => this.sent(this.bufferedAmount));
    }
  }

  send(chunks: readonly Uint8Array[]): boolean {
    if (this.#closing || this.#outgoing === undefined) {
      return false;
    }
    for (const chunk of chunks) {
      if (chunk.length > 0) {
        this.#outgoing.push(chunk);
      }
    }
    if (this.#outgoing.bytes < this.#link.highWaterMark) {
      return true;
    }
    this.#blocked = true;
    return false;
  }

  /** Sends a part of a message, as WebSockets can: the other end holds it until the next `send` finishes the message. */
  sendUnfinished(chunk: Uint8Array): void {
    if (!this.#closing) {
      this.#outgoing?.push(chunk, true);
    }
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    if (!this.#paused) {
      return;
    }
    this.#paused = false;
    this.#incoming?.schedule();
  }

  close(): void {
    if (this.#closing) {
      return;
    }
    this.#closing = true;
    this.#incoming?.discard();
    this.#outgoing?.end();
    this.#link.closing();
  }

  abort(error?: Error): void {
    if (this.#closeInfo === undefined) {
      this.#link.aborted(this, error);
    }
  }

  /** Ready for the next chunk. */
  get reading(): boolean {
    return this.#handler !== undefined && !this.#paused;
  }

  get closing(): boolean {
    return this.#closing;
  }

  get closed(): boolean {
    return this.#closeInfo !== undefined;
  }

  receive(chunk: Uint8Array, unfinished: boolean): void {
    if (this.#closing) {
      return;
    }
    if (unfinished) {
      this.#hold(chunk);
      return;
    }
    const chunks = [...this.#unfinished, chunk];
    this.#unfinished = [];
    this.#pendingInput = 0;
    for (const part of chunks) {
      if (!this.#closing) {
        guard(
          () => this.#handler?.onData(part),
          (cause) => this.#threw("onData", cause),
        );
      }
    }
  }

  /** The outgoing pipe went down to `bytes`. */
  sent(bytes: number): void {
    if (!this.#blocked || this.#closing || this.#handler === undefined || bytes > this.#link.lowWaterMark) {
      return;
    }
    this.#blocked = false;
    const handler = this.#handler;
    guard(
      () => handler.onDrain(),
      (cause) => this.#threw("onDrain", cause),
    );
  }

  /** The one place where a connection becomes closed; `onClose` follows as an event of its own. */
  finish(info: CloseInfo): void {
    if (this.#closeInfo !== undefined) {
      return;
    }
    this.#closeInfo = info;
    this.#closing = true;
    this.#unfinished = [];
    this.#pendingInput = 0;
    this.#incoming?.clear();
    this.#outgoing?.clear();
    const handler = this.#handler;
    if (handler !== undefined) {
      this.#link.later(() => this.#tellClosed(handler, info));
    }
  }

  #tellClosed(handler: ConnectionHandler, info: CloseInfo): void {
    guard(
      () => handler.onClose(info),
      (cause) => this.#link.callbackThrew(cause),
    );
  }

  /** As in a real transport: the connection ends, and no other. The network is told, too. */
  #threw(name: string, cause: unknown): void {
    this.abort(callbackError(name, cause));
    this.#link.callbackThrew(cause);
  }

  #hold(chunk: Uint8Array): void {
    this.#unfinished.push(chunk);
    this.#pendingInput += chunk.length;
    if (this.#pendingInput > this.#allowedInput) {
      this.#link.overran(this);
    }
  }
}

/** What an end needs of its link. */
export interface LinkControl {
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  /** Runs as a network event of its own, now in virtual time. */
  later(callback: () => void): void;
  /** An end began to close: from here on a limit of time runs. */
  closing(): void;
  aborted(by: MockConnection, error: Error | undefined): void;
  /** The other end sent more of an unfinished message than this one takes. */
  overran(receiver: MockConnection): void;
  /** A callback of a handler threw. */
  callbackThrew(cause: unknown): void;
}

/** What an end needs of the pipe for each direction. */
export interface ByteLane {
  /** Bytes sent and not delivered. */
  readonly bytes: number;
  push(chunk: Uint8Array, unfinished?: boolean): void;
  /** What follows the last byte. */
  end(): void;
  /** Arranges the next delivery. */
  schedule(): void;
  /** The receiver takes no more. */
  discard(): void;
  /** The bytes are lost. */
  clear(): void;
}
