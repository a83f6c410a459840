import type { Decoder, PacketWriter } from "@tidewire/codec";
import { type Protocol, SessionError } from "@tidewire/session";
import type { CloseInfo, Connection, ConnectionHandler } from "@tidewire/transport";
import type { Deadlines, Sleeper } from "./deadlines.ts";
import { asError, guard } from "./guard.ts";
import type { LinkLimits } from "./limits.ts";
import type { Link, LinkHandler, LinkLoop, LinkLoopOptions, LinkOptions } from "./link.ts";
import { type InputHost, LinkInput } from "./link-input.ts";
import { LinkOutput } from "./link-output.ts";
import { type LinkEvent, type LinkState, linkStates } from "./link-states.ts";

/**
 * One connection, what comes in by it and what goes out, and the protocol between them. Whatever is called here from a
 * connection, a timer or the end of a turn is guarded: what throws there ends this link and no other.
 */
export class ConnectionLink implements Link, ConnectionHandler, Sleeper, InputHost {
  readonly loop: LinkTurns;
  readonly connection: Connection;
  readonly protocol: Protocol;
  wakeAt: number = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  readonly #input: LinkInput;
  readonly #output: LinkOutput;
  readonly #handler: LinkHandler | undefined;
  #state: LinkState = "open";
  /** In the loop's list for the next flush. */
  #touched = false;
  /** The connection closes after what was collected last. */
  #closesAfterSend = false;
  /** How the connection closed. */
  #closeError: Error | undefined = undefined;

  constructor(
    loop: LinkTurns,
    connection: Connection,
    decoder: Decoder,
    writer: PacketWriter,
    options: LinkOptions<Protocol>,
  ) {
    this.loop = loop;
    this.connection = connection;
    this.#output = new LinkOutput(writer, connection, loop);
    this.#input = new LinkInput(this, decoder, writer, connection, loop.limits);
    this.#handler = options.handler;
    this.protocol = options.createProtocol(writer, this);
  }

  get now(): number {
    return this.loop.now;
  }

  get writable(): boolean {
    return !this.#output.full && this.#sends;
  }

  get pendingBytes(): number {
    return this.#output.pendingBytes;
  }

  get unreadBytes(): number {
    return this.#input.bytes;
  }

  limitPackets(maximumPacketSize: number): void {
    this.#input.limitPackets(maximumPacketSize);
  }

  touch(): void {
    if (this.#touched) {
      return;
    }
    this.#touched = true;
    this.loop.touch(this);
  }

  flush(): void {
    this.touch();
    this.loop.flush(this);
  }

  lastPacketBytes(): Uint8Array {
    return this.#input.lastPacketBytes();
  }

  pause(): void {
    this.#input.pause();
    this.#hold();
  }

  resume(): void {
    if (!this.#input.resume()) {
      throw new SessionError("misuse", "not-paused", 0x83, "resume() was called more often than pause() on this link.");
    }
    this.#hold();
  }

  close(): void {
    this.#move("close");
    this.touch();
  }

  abort(error?: Error): void {
    if (this.#state === "draining" || this.#state === "over") {
      return;
    }
    this.#stop();
    guard(() => this.connection.abort(error), this.#giveUpConnection);
  }

  // From the connection

  onData(chunk: Uint8Array): void {
    if (!this.#sends) {
      return;
    }
    try {
      this.#input.push(chunk);
    } catch (error) {
      this.giveUp(error);
    }
  }

  onDrain(): void {
    try {
      this.#output.drained();
      this.#input.answersLeft();
      this.#hold();
      this.#guard(() => this.#handler?.onWritable?.());
      this.#input.read();
    } catch (error) {
      this.giveUp(error);
    }
  }

  onClose({ error }: CloseInfo): void {
    if (this.#state === "draining" || this.#state === "over") {
      return;
    }
    // What came before the end is still read, unless this side stopped before.
    this.#closeError = error;
    this.#move("closed");
    try {
      this.#input.end();
    } catch (failure) {
      this.#report(failure);
      this.#input.stop();
    }
    if (this.#input.unread) {
      this.#guard(() => {
        if (this.#handler?.onHangup?.(error) === "drop") {
          this.#input.stop();
        }
      });
    }
    this.#finishIfDrained();
  }

  // From the input

  readLater(): void {
    this.loop.readLater(this);
  }

  /** A handler threw: the peer is told, as far as the version allows. */
  fail(error: unknown): void {
    this.#report(error);
    guard(() => this.protocol.fail(asError(error), this.loop.now), this.#report);
    this.touch();
  }

  // From the loop

  /** Whether what it has to send waits for the barrier: it promises something, is the last, or comes behind what waits. */
  get promises(): boolean {
    return (
      this.protocol.promised ||
      this.#output.collectedBytes > 0 ||
      this.#state === "finishing" ||
      this.protocol.end !== undefined
    );
  }

  /** Takes what is to leave with this flush. */
  collect(): void {
    this.#touched = false;
    this.protocol.promised = false;
    if (!this.#sends) {
      this.#output.discard();
      return;
    }
    this.#output.collect();
    this.#closesAfterSend = this.#state === "finishing" || this.protocol.end !== undefined;
  }

  /** Sends what `collect` took. */
  dispatch(): void {
    if (!this.#sends) {
      this.#output.discard();
      return;
    }
    if (this.protocol.end?.flush === false) {
      this.abort(this.protocol.end.error);
      return;
    }
    if (this.#output.send()) {
      this.#hold();
    }
    if (!this.#output.full) {
      this.#input.answersLeft();
    }
    if (this.#closesAfterSend) {
      this.#stop();
      this.connection.close();
    } else if (this.#input.unread) {
      this.#input.read();
    }
  }

  /** Goes on reading in this later turn. */
  readOn(): void {
    this.#input.readOn();
    this.#finishIfDrained();
    this.touch();
  }

  /** When something has to be done. What is here already is read before anyone is called late. */
  get deadline(): number {
    if (!this.#sends) {
      return Number.POSITIVE_INFINITY;
    }
    const { stalledAt } = this.#output;
    return this.#input.reading ? stalledAt : Math.min(this.protocol.nextDeadline(), stalledAt);
  }

  wake(now: number): void {
    try {
      this.#mindDeadline(now);
    } catch (error) {
      this.giveUp(error);
    }
  }

  /** Something broke on the way in or out: there is no telling the peer, and no going on. */
  giveUp(error: unknown): void {
    this.#touched = false;
    this.#report(error);
    this.abort(asError(error));
    if (this.#state === "draining") {
      this.#input.stop();
      this.#finishIfDrained();
    }
  }

  #mindDeadline(now: number): void {
    const { deadline } = this;
    if (now < deadline) {
      this.loop.deadlines.wakeBy(this, deadline);
      return;
    }
    if (now < this.#output.stalledAt) {
      this.#guard(() => this.protocol.tick(now));
    } else if (this.#output.isStalled(now)) {
      const text = "The connection took no byte for as long as `stalledAfterMs` allows; it was given up.";
      this.abort(new SessionError("link", "stalled", 0x80, text));
    }
    this.touch();
  }

  /** Nothing has been called on the connection that ends it, and it has not ended. */
  get #sends(): boolean {
    return this.#state === "open" || this.#state === "finishing";
  }

  #move(event: LinkEvent): void {
    this.#state = linkStates[this.#state][event] ?? this.#state;
  }

  /** The peer is not late while it is not read from, nor while what asks it for a sign of life cannot leave. */
  #hold(): void {
    this.protocol.holdInput(this.#input.paused || this.#output.full, this.loop.now);
    this.touch();
  }

  /** This side had enough: nothing more is read or sent. */
  #stop(): void {
    this.#move("stop");
    this.#input.stop();
  }

  /** The connection does not even abort: it counts as closed, or this link would be there for ever. */
  readonly #giveUpConnection = (failure: unknown): void => {
    this.#report(failure);
    this.onClose({ initiator: "local", clean: false, error: asError(failure) });
  };

  /** Once the connection is gone and all it brought is read, everybody is told. */
  #finishIfDrained(): void {
    if (this.#state !== "draining" || this.#input.unread) {
      return;
    }
    this.#move("drained");
    this.#guard(() => this.protocol.receiveEnd(this.loop.now, this.#closeError));
    this.loop.detach(this);
    this.#guard(() => this.#handler?.onClosed?.());
  }

  /** Runs what may call a handler. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.fail(error);
    }
  }

  readonly #report = (error: unknown): void => {
    guard(() => this.loop.onError?.(error, this), undefined);
  };
}

/** What a connection's link needs of the loop that it belongs to. */
export interface LinkTurns extends LinkLoop {
  readonly limits: LinkLimits;
  readonly deadlines: Deadlines;
  readonly onError: LinkLoopOptions["onError"];
  /** `link` has something to flush or to mind. */
  touch(link: ConnectionLink): void;
  /** What `link` has written leaves now; in a commit under way it goes on waiting. */
  flush(link: ConnectionLink): void;
  /** `link` goes on reading in a later turn. */
  readLater(link: ConnectionLink): void;
  /** `link` is over. */
  detach(link: ConnectionLink): void;
}
