import type { CloseInfo, Connection, ConnectionHandler } from "@tidewire/transport";
import { check } from "../failure.ts";
import { firstWrong, patternBytes } from "./pattern.ts";

/** What a case does in a callback; may call back into the connection. */
export interface Reactions {
  onData?(chunk: Uint8Array): unknown;
  onDrain?(): unknown;
  onClose?(info: CloseInfo): unknown;
}

/**
 * Drives the connection under test and watches it: every rule that can be checked without knowing the case is checked
 * all the time. A case calls `verify` at its end.
 */
export class Probe implements ConnectionHandler {
  readonly connection: Connection;
  readonly #lowMark: number;
  readonly #reactions: Reactions;
  readonly #violations: string[] = [];
  /** The call of the connection that is running. */
  #inside: string | undefined;
  #started = false;
  #pausedChunks = -1;
  #stopped = false;
  #closing = false;
  received = 0;
  sent = 0;
  drains = 0;
  closeInfo: CloseInfo | undefined;

  constructor(connection: Connection, marks: { readonly low: number }, reactions: Reactions = {}) {
    this.connection = connection;
    this.#lowMark = marks.low;
    this.#reactions = reactions;
  }

  /** The rules that were broken. */
  get violations(): readonly string[] {
    return this.#violations;
  }

  start(): this {
    this.#call("start", () => this.connection.start(this));
    this.#started = true;
    return this;
  }

  /** Sends the next bytes of the pattern as one chunk. */
  sendPattern(length: number): boolean {
    const room = this.send([patternBytes(this.sent, length)]);
    this.sent += length;
    return room;
  }

  send(chunks: readonly Uint8Array[]): boolean {
    const room = this.#call("send", () => this.connection.send(chunks));
    if (!room) {
      this.#stopped = true;
    }
    return room;
  }

  pause(): void {
    this.#call("pause", () => this.connection.pause());
    this.#pausedChunks = 0;
  }

  resume(): void {
    this.#pausedChunks = -1;
    this.#call("resume", () => this.connection.resume());
  }

  close(): void {
    this.#call("close", () => this.connection.close());
    this.#closing = true;
  }

  abort(error?: Error): void {
    this.#call("abort", () => this.connection.abort(error));
    this.#closing = true;
  }

  /** Returns what the reaction does: an asynchronous one may fail later. */
  onData(chunk: Uint8Array): unknown {
    this.#enter("onData");
    if (this.#closing) {
      this.#broken("onData after this side ended the connection");
    }
    if (this.#pausedChunks >= 0) {
      this.#pausedChunks += 1;
      if (this.#pausedChunks > 1) {
        this.#broken("a second onData after pause");
      }
    }
    const wrong = firstWrong(chunk, this.received);
    if (wrong >= 0) {
      this.#broken(`the byte at ${this.received + wrong} is not the one that was sent there`);
    }
    this.received += chunk.length;
    return this.#reactions.onData?.(chunk);
  }

  onDrain(): unknown {
    this.#enter("onDrain");
    if (!this.#stopped) {
      this.#broken("onDrain without a send that returned false");
    }
    if (this.connection.bufferedAmount > this.#lowMark) {
      this.#broken("onDrain above the low mark");
    }
    this.#stopped = false;
    this.drains += 1;
    return this.#reactions.onDrain?.();
  }

  onClose(info: CloseInfo): unknown {
    this.#enter("onClose");
    this.closeInfo = info;
    return this.#reactions.onClose?.(info);
  }

  /** Fails the case if a rule was broken on the way. */
  verify(): void {
    check(this.#violations.length === 0, this.#violations.join("; "));
  }

  #enter(callback: string): void {
    if (!this.#started && this.#inside !== "start") {
      this.#broken(`${callback} before start`);
    }
    if (this.#inside !== undefined) {
      this.#broken(`${callback} inside ${this.#inside}`);
    }
    if (this.closeInfo !== undefined) {
      this.#broken(`${callback} after onClose`);
    }
  }

  #broken(rule: string): void {
    if (!this.#violations.includes(rule)) {
      this.#violations.push(rule);
    }
  }

  #call<Result>(name: string, run: () => Result): Result {
    const outer = this.#inside;
    this.#inside = name;
    try {
      return run();
    } finally {
      this.#inside = outer;
    }
  }
}
