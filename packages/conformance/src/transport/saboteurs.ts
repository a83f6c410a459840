import type { CloseInfo, Connection, ConnectionHandler, ConnectionInfo } from "@tidewire/transport";

/** A way to break the contract, around a connection that keeps it. The suite has to catch every one. */
export interface Saboteur {
  readonly id: string;
  /** The case made for it; others may find it as well. */
  readonly caughtBy: string;
  sabotage(connection: Connection): Connection;
}

/** Passes everything on; the saboteurs change one thing each. */
class Passing implements Connection, ConnectionHandler {
  protected readonly inner: Connection;
  protected handler: ConnectionHandler | undefined;
  protected closed = false;

  constructor(inner: Connection) {
    this.inner = inner;
  }

  get info(): ConnectionInfo {
    return this.inner.info;
  }

  get bufferedAmount(): number {
    return this.inner.bufferedAmount;
  }

  get pendingInput(): number {
    return this.inner.pendingInput;
  }

  start(handler: ConnectionHandler): void {
    this.handler = handler;
    this.inner.start(this);
  }

  send(chunks: readonly Uint8Array[]): boolean {
    return this.inner.send(chunks);
  }

  pause(): void {
    this.inner.pause();
  }

  resume(): void {
    this.inner.resume();
  }

  allowInput(bytes: number): void {
    this.inner.allowInput(bytes);
  }

  close(): void {
    this.closed = true;
    this.inner.close();
  }

  abort(error?: Error): void {
    this.closed = true;
    this.inner.abort(error);
  }

  onData(chunk: Uint8Array): unknown {
    return this.handler?.onData(chunk);
  }

  onDrain(): unknown {
    return this.handler?.onDrain();
  }

  onClose(info: CloseInfo): void {
    this.closed = true;
    this.handler?.onClose(info);
  }
}

class NeverDrains extends Passing {
  override onDrain(): void {}
}

class DrainsOnlyOnce extends Passing {
  #drained = false;
  override onDrain(): void {
    if (!this.#drained) {
      super.onDrain();
    }
    this.#drained = true;
  }
}

class DrainsTwice extends Passing {
  override onDrain(): void {
    super.onDrain();
    super.onDrain();
  }
}

class DrainsEarly extends Passing {
  override send(chunks: readonly Uint8Array[]): boolean {
    const room = super.send(chunks);
    if (!room) {
      queueMicrotask(() => super.onDrain());
    }
    return room;
  }
  override onDrain(): void {}
}

class DrainsInsideSend extends Passing {
  override send(chunks: readonly Uint8Array[]): boolean {
    const room = super.send(chunks);
    if (!room && !this.closed) {
      super.onDrain();
    }
    return room;
  }
}

class NeverSaysStop extends Passing {
  override send(chunks: readonly Uint8Array[]): boolean {
    super.send(chunks);
    return true;
  }
}

class DropsAfterStop extends Passing {
  #stopped = false;
  override send(chunks: readonly Uint8Array[]): boolean {
    if (this.#stopped) {
      return false;
    }
    this.#stopped = !super.send(chunks);
    return !this.#stopped;
  }
  override onDrain(): void {
    this.#stopped = false;
    super.onDrain();
  }
}

class NeverEmpty extends Passing {
  override get bufferedAmount(): number {
    return this.inner.bufferedAmount + 1;
  }
}

class ClosesTwice extends Passing {
  override onClose(info: CloseInfo): void {
    super.onClose(info);
    super.onClose(info);
  }
}

class NeverCloses extends Passing {
  override onClose(): void {}
}

class ClosesInsideClose extends Passing {
  override close(): void {
    super.close();
    super.onClose({ initiator: "local", clean: true });
  }
  override onClose(): void {}
}

class ClosesBeforeTheLastData extends Passing {
  override onData(chunk: Uint8Array): void {
    Promise.resolve()
      .then(() => {})
      .then(() => {})
      .then(() => super.onData(chunk));
  }
}

class AlwaysClean extends Passing {
  override onClose({ initiator }: CloseInfo): void {
    super.onClose({ initiator, clean: true });
  }
}

class BlamesThePeer extends Passing {
  override onClose(info: CloseInfo): void {
    super.onClose({ ...info, initiator: "remote" });
  }
}

class CloseDoesNotFlush extends Passing {
  override close(): void {
    super.abort();
  }
}

class DropsTheLastChunkOnClose extends Passing {
  #last: readonly Uint8Array[] = [];
  override send(chunks: readonly Uint8Array[]): boolean {
    const room = super.send(this.#last);
    this.#last = [...chunks];
    queueMicrotask(() => {
      if (this.closed) {
        return;
      }
      super.send(this.#last);
      this.#last = [];
    });
    return room;
  }
}

class AbortFlushes extends Passing {
  override abort(): void {
    super.close();
  }
}

class AbortForgetsItsError extends Passing {
  override abort(): void {
    super.abort();
  }
}

class ThrowsAfterClose extends Passing {
  override send(chunks: readonly Uint8Array[]): boolean {
    if (this.closed) {
      throw new Error("closed");
    }
    return super.send(chunks);
  }
}

class DeliversAfterClose extends Passing {
  override close(): void {
    if (!this.closed) {
      queueMicrotask(() => this.onData(Uint8Array.of(0)));
    }
    super.close();
  }
}

/** Reads from the start, as a connection must not. */
class EagerReader extends Passing {
  protected readonly early: Uint8Array[] = [];
  constructor(inner: Connection) {
    super(inner);
    inner.start(this);
  }
  override start(handler: ConnectionHandler): void {
    this.handler = handler;
  }
  override onData(chunk: Uint8Array): void {
    if (this.handler === undefined) {
      this.early.push(chunk);
    } else {
      super.onData(chunk);
    }
  }
}

class LosesWhatCameBeforeStart extends EagerReader {}

class DeliversInsideStart extends EagerReader {
  override start(handler: ConnectionHandler): void {
    super.start(handler);
    for (const chunk of this.early) {
      handler.onData(chunk);
    }
  }
}

class DeliversWhilePaused extends Passing {
  override pause(): void {}
}

class DeliversInsideResume extends Passing {
  #paused = false;
  readonly #held: Uint8Array[] = [];
  override pause(): void {
    this.#paused = true;
  }
  override resume(): void {
    this.#paused = false;
    for (const chunk of this.#held.splice(0)) {
      super.onData(chunk);
    }
  }
  override onData(chunk: Uint8Array): void {
    if (this.#paused) {
      this.#held.push(chunk);
    } else {
      super.onData(chunk);
    }
  }
}

class DropsWhilePaused extends Passing {
  #paused = false;
  override pause(): void {
    this.#paused = true;
  }
  override resume(): void {
    this.#paused = false;
  }
  override onData(chunk: Uint8Array): void {
    if (!this.#paused) {
      super.onData(chunk);
    }
  }
}

class NeverResumes extends Passing {
  override resume(): void {}
}

class SendsInTheWrongOrder extends Passing {
  override send(chunks: readonly Uint8Array[]): boolean {
    return super.send(chunks.toReversed());
  }
}

class KeepsTheArray extends Passing {
  override send(chunks: readonly Uint8Array[]): boolean {
    queueMicrotask(() => super.send(chunks));
    return true;
  }
}

class ChangesTheChunks extends Passing {
  override send(chunks: readonly Uint8Array[]): boolean {
    const room = super.send(chunks.map((chunk) => chunk.slice()));
    for (const chunk of chunks) {
      if (chunk.buffer.byteLength === 10_000) {
        chunk.fill(0);
      }
    }
    return room;
  }
}

class LosesWhatFollowsAnEmptyChunk extends Passing {
  override send(chunks: readonly Uint8Array[]): boolean {
    const empty = chunks.findIndex((chunk) => chunk.length === 0);
    return super.send(empty < 0 ? chunks : chunks.slice(0, empty));
  }
}

/** One queue for all connections of the process. */
class MixesConnectionsUp extends Passing {
  static last: MixesConnectionsUp | undefined;
  constructor(inner: Connection) {
    super(inner);
    MixesConnectionsUp.last = this;
  }
  override send(chunks: readonly Uint8Array[]): boolean {
    return (MixesConnectionsUp.last ?? this).inner.send(chunks);
  }
}

class HoldsBackTheLastChunk extends Passing {
  #chunk: Uint8Array | undefined;
  override onData(chunk: Uint8Array): void {
    if (this.#chunk !== undefined) {
      super.onData(this.#chunk);
    }
    this.#chunk = chunk;
  }
}

class HidesWhatIsPending extends Passing {
  override get pendingInput(): number {
    return 0;
  }
}

class CountsWhatWasDelivered extends Passing {
  #delivered = 0;
  override get pendingInput(): number {
    return this.inner.pendingInput + this.#delivered;
  }
  override onData(chunk: Uint8Array): void {
    this.#delivered += chunk.length;
    super.onData(chunk);
  }
}

class AllowsAnyInput extends Passing {
  override allowInput(): void {}
}

class NeverRaisesTheLimit extends Passing {
  #least = Number.POSITIVE_INFINITY;
  override allowInput(bytes: number): void {
    this.#least = Math.min(this.#least, bytes);
    super.allowInput(this.#least);
  }
}

class SwallowsWhatIsThrown extends Passing {
  override onData(chunk: Uint8Array): void {
    try {
      super.onData(chunk);
    } catch {}
  }
}

class ForgetsAsynchronousCallbacks extends Passing {
  override onData(chunk: Uint8Array): void {
    (super.onData(chunk) as Promise<void> | undefined)?.catch(() => {});
  }
}

type SaboteurClass = new (inner: Connection) => Connection;

const classes: readonly (readonly [id: string, Class: SaboteurClass, caughtBy: string])[] = [
  ["never-drains", NeverDrains, "pressure/stops"],
  ["drains-only-once", DrainsOnlyOnce, "pressure/drains-every-time"],
  ["drains-twice", DrainsTwice, "pressure/stops"],
  ["drains-early", DrainsEarly, "pressure/stops"],
  ["drains-inside-send", DrainsInsideSend, "pressure/stops"],
  ["never-says-stop", NeverSaysStop, "pressure/stops"],
  ["drops-after-stop", DropsAfterStop, "pressure/sent-after-stop"],
  ["never-empty", NeverEmpty, "pressure/stops"],
  ["closes-twice", ClosesTwice, "closing/flushes"],
  ["never-closes", NeverCloses, "closing/flushes"],
  ["closes-inside-close", ClosesInsideClose, "closing/flushes"],
  ["closes-before-the-last-data", ClosesBeforeTheLastData, "closing/while-paused"],
  ["always-clean", AlwaysClean, "closing/cut"],
  ["blames-the-peer", BlamesThePeer, "closing/flushes"],
  ["close-does-not-flush", CloseDoesNotFlush, "closing/flushes"],
  ["drops-the-last-chunk-on-close", DropsTheLastChunkOnClose, "closing/flushes"],
  ["abort-flushes", AbortFlushes, "closing/abort"],
  ["abort-forgets-its-error", AbortForgetsItsError, "closing/abort"],
  ["throws-after-close", ThrowsAfterClose, "closing/methods-after"],
  ["delivers-after-close", DeliversAfterClose, "closing/methods-after"],
  ["loses-what-came-before-start", LosesWhatCameBeforeStart, "data/before-start"],
  ["delivers-inside-start", DeliversInsideStart, "data/before-start"],
  ["delivers-while-paused", DeliversWhilePaused, "pausing/stops-data"],
  ["delivers-inside-resume", DeliversInsideResume, "pausing/stops-data"],
  ["drops-while-paused", DropsWhilePaused, "pausing/stops-data"],
  ["never-resumes", NeverResumes, "pausing/stops-data"],
  ["sends-in-the-wrong-order", SendsInTheWrongOrder, "data/mixed-chunks"],
  ["keeps-the-array", KeepsTheArray, "data/array-reused"],
  ["changes-the-chunks", ChangesTheChunks, "data/chunks-unchanged"],
  ["loses-what-follows-an-empty-chunk", LosesWhatFollowsAnEmptyChunk, "data/mixed-chunks"],
  ["mixes-connections-up", MixesConnectionsUp, "data/many-connections"],
  ["hides-what-is-pending", HidesWhatIsPending, "input/pending"],
  ["counts-what-was-delivered", CountsWhatWasDelivered, "input/none-left"],
  ["allows-any-input", AllowsAnyInput, "input/limit"],
  ["never-raises-the-limit", NeverRaisesTheLimit, "input/raised"],
  ["swallows-what-is-thrown", SwallowsWhatIsThrown, "throwing/data"],
  ["forgets-asynchronous-callbacks", ForgetsAsynchronousCallbacks, "throwing/data-later"],
  ["holds-back-the-last-chunk", HoldsBackTheLastChunk, "data/one-byte-chunks"],
];

export const saboteurs: readonly Saboteur[] = classes.map(([id, Class, caughtBy]) => ({
  id,
  caughtBy: `transport/${caughtBy}`,
  sabotage: (connection) => new Class(connection),
}));
