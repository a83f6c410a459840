import type { Decoder, MqttError, Packet, PacketWriter } from "@tidewire/codec";
import { type Session, SessionError } from "@tidewire/session";
import type { CloseInfo, Connection, ConnectionHandler } from "@tidewire/transport";
import type { Sleeper } from "./deadlines.ts";
import type { Link, LinkHandler, LinkOptions } from "./interfaces.ts";
import type { Loop } from "./link-loop.ts";

/** One connection, its decoder and writer, and the session between them. */
export class ConnectionLink<S extends Session = Session> implements Link<S>, ConnectionHandler, Sleeper {
  readonly loop: Loop;
  readonly connection: Connection;
  readonly session: S;
  wakeAt: number = Number.POSITIVE_INFINITY;
  heapIndex = -1;
  readonly #decoder: Decoder;
  readonly #writer: PacketWriter;
  readonly #handler: LinkHandler | undefined;
  /** In the loop's list for the next flush. */
  #touched = false;
  /** Taken from the writer, waiting for the barrier. */
  #chunks: readonly Uint8Array[] = NONE;
  #chunkBytes = 0;
  /** The connection closes after the chunks taken last. */
  #closesAfterChunks = false;
  #closeRequested = false;
  /** `close` or `abort` was called on the connection, or it is gone. */
  #closing = false;
  #closed: CloseInfo | undefined = undefined;
  #finished = false;
  #pauses = 0;
  /** The transport took all it wants. */
  #full = false;
  #fullSince = 0;
  /** Bytes that had left the transport then. */
  #goneBytes = 0;
  /** Bytes handed to the transport so far. */
  #sentBytes = 0;
  /** The session was told that it is not read for. */
  #held = false;
  /** In the loop's list for reading on in a later turn. */
  #readsLater = false;
  #reading = false;
  /** The decoder may hold whole packets. */
  #unread = false;
  #connectionPaused = false;

  constructor(loop: Loop, connection: Connection, decoder: Decoder, writer: PacketWriter, options: LinkOptions<S>) {
    this.loop = loop;
    this.connection = connection;
    this.#decoder = decoder;
    this.#writer = writer;
    this.#handler = options.handler;
    this.session = options.createSession(writer, this);
  }

  start(): void {
    this.connection.start(this);
    this.touch();
  }

  get writable(): boolean {
    return !this.#full && !this.#closing;
  }

  get pendingBytes(): number {
    return this.#writer.pendingBytes + this.#chunkBytes + this.connection.bufferedAmount;
  }

  touch(): void {
    if (this.#touched || this.#finished) return;
    this.#touched = true;
    this.loop.touch(this as ConnectionLink);
  }

  lastPacketBytes(): Uint8Array {
    return this.#decoder.lastPacketBytes();
  }

  pause(): void {
    this.#pauses++;
    this.#hold();
  }

  resume(): void {
    if (this.#pauses === 0) throw new SessionError("misuse", "not-paused", 0x83, "resume without pause");
    this.#pauses--;
    this.#hold();
    // Not at once: the caller may be in a handler of another packet. `#read` itself just goes on.
    if (this.#pauses === 0 && this.#unread && !this.#reading) this.#readLater();
  }

  close(): void {
    this.#closeRequested = true;
    this.touch();
  }

  abort(error?: Error): void {
    this.#writer.take();
    this.#chunks = NONE;
    this.#chunkBytes = 0;
    if (this.#closed !== undefined) return;
    this.#stop();
    this.connection.abort(error);
  }

  // From the connection

  onData(chunk: Uint8Array): void {
    if (this.#closing) return;
    this.#decoder.push(chunk);
    this.#unread = true;
    if (!this.#readsLater) this.#read();
    const { bytesPerTurn } = this.loop.limits;
    if (this.#unread && (!this.#open() || this.#decoder.bufferedBytes > bytesPerTurn)) this.#pauseConnection();
  }

  onDrain(): void {
    this.#full = false;
    this.#hold();
    this.#guard((link) => link.#handler?.onWritable?.());
    if (this.#unread && !this.#readsLater) this.#read();
    this.touch();
  }

  onClose(info: CloseInfo): void {
    // What came before the end is still read, unless this side stopped before.
    this.#closed = info;
    this.#closing = true;
    if (!this.#readsLater) this.#read();
  }

  // From the loop

  /** Takes what is to leave with this flush, before the barrier begins. */
  collect(): void {
    this.#touched = false;
    const bytes = this.#writer.pendingBytes;
    const chunks = this.#writer.take();
    if (this.#closing) return;
    this.#chunks = chunks;
    this.#chunkBytes = bytes;
    this.#closesAfterChunks = this.#closeRequested || this.session.end !== undefined;
    this.loop.wakeBy(this as ConnectionLink, this.#deadline());
  }

  /** Sends what `collect` took. */
  dispatch(): void {
    const chunks = this.#chunks;
    const bytes = this.#chunkBytes;
    this.#chunks = NONE;
    this.#chunkBytes = 0;
    if (this.#closing) return;
    if (this.session.end?.flush === false) {
      const { error } = this.session.end;
      this.abort(error);
      return;
    }
    if (bytes > 0) this.#send(chunks, bytes);
    if (this.#closesAfterChunks) {
      this.#stop();
      this.connection.close();
    } else if (this.#unread && !this.#readsLater) {
      this.#read();
    }
  }

  readOn(): void {
    this.#readsLater = false;
    this.#read();
  }

  wake(now: number): void {
    if (this.#closing) return;
    const deadline = this.#deadline();
    if (now < deadline) {
      this.loop.wakeBy(this as ConnectionLink, deadline);
    } else if (this.#full && now >= this.#stalledAt()) {
      this.#minStall(now);
    } else if (this.#readsLater) {
      // What is here already is read before anyone is called late.
      this.loop.wakeBy(this as ConnectionLink, now + 1);
    } else {
      this.#guard((link) => link.session.tick(now));
      this.touch();
    }
  }

  /** Hands packets to the session: until none is left, this turn's share is used up, or something holds it back. */
  #read(): void {
    if (this.#reading) return;
    this.#reading = true;
    const { session, loop } = this;
    const { packetsPerTurn, bytesPerTurn } = loop.limits;
    const decoder = this.#decoder;
    const now = loop.now;
    const enough = decoder.bufferedBytes - bytesPerTurn;
    let packets = 0;
    while (this.#unread && this.#open() && session.end === undefined) {
      if (packets++ === packetsPerTurn || decoder.bufferedBytes < enough) {
        this.#readLater();
        break;
      }
      const packet = this.#next();
      if (packet === null) this.#unread = false;
      else this.#receive(packet, now);
    }
    this.#reading = false;
    if (session.end !== undefined) this.#unread = false;
    if (!this.#unread) this.#resumeConnection();
    if (packets > 0) this.touch();
    if (this.#closed !== undefined && !this.#unread) this.#finish(this.#closed);
  }

  /** The next packet; null for none, or when the bytes are no packet. */
  #next(): Packet | null {
    try {
      return this.#decoder.next();
    } catch (error) {
      // A decoder throws nothing else.
      this.#guard((link) => link.session.receiveError(error as MqttError, link.loop.now));
      return null;
    }
  }

  #receive(packet: Packet, now: number): void {
    try {
      this.session.receive(packet, now);
    } catch (error) {
      this.#fail(error);
    }
  }

  /** May packets reach the session? Once the connection is gone there is nobody left to write too much for. */
  #open(): boolean {
    if (this.#pauses > 0) return false;
    if (this.#closed !== undefined) return true;
    return !this.#full && this.#writer.pendingBytes + this.#chunkBytes <= this.loop.limits.pauseInputAboveBytes;
  }

  #readLater(): void {
    if (this.#readsLater || this.#finished) return;
    this.#readsLater = true;
    this.loop.readLater(this as ConnectionLink);
  }

  #send(chunks: readonly Uint8Array[], bytes: number): void {
    this.#sentBytes += bytes;
    if (this.connection.send(chunks) || this.#full) return;
    this.#full = true;
    this.#fullSince = this.loop.now;
    this.#goneBytes = this.#sentBytes - this.connection.bufferedAmount;
    this.#hold();
    this.loop.wakeBy(this as ConnectionLink, this.#stalledAt());
  }

  /** Tells the session when this side begins to leave its peer unread, and when it goes on. */
  #hold(): void {
    const held = this.#pauses > 0 || this.#full;
    if (held === this.#held) return;
    this.#held = held;
    this.session.holdInput(held, this.loop.now);
    this.touch();
  }

  /** This side had enough: nothing more is read or sent. */
  #stop(): void {
    this.#closing = true;
    this.#unread = false;
  }

  #pauseConnection(): void {
    if (this.#connectionPaused) return;
    this.#connectionPaused = true;
    this.connection.pause();
  }

  #resumeConnection(): void {
    if (!this.#connectionPaused) return;
    this.#connectionPaused = false;
    this.connection.resume();
  }

  #deadline(): number {
    const deadline = this.session.nextDeadline();
    return this.#full ? Math.min(deadline, this.#stalledAt()) : deadline;
  }

  #stalledAt(): number {
    return this.#fullSince + this.loop.limits.stalledAfterMs;
  }

  /** Full for long: given up, unless something left meanwhile. */
  #minStall(now: number): void {
    const goneBytes = this.#sentBytes - this.connection.bufferedAmount;
    if (goneBytes > this.#goneBytes) {
      this.#fullSince = now;
      this.#goneBytes = goneBytes;
      this.loop.wakeBy(this as ConnectionLink, this.#deadline());
      return;
    }
    this.abort(new SessionError("link", "stalled", 0x80, "the connection takes no more bytes"));
  }

  /** The connection is gone and all it brought is read. */
  #finish(info: CloseInfo): void {
    if (this.#finished) return;
    this.#finished = true;
    this.#guard((link) => link.session.receiveEnd(link.loop.now, info.error));
    this.loop.detach(this as ConnectionLink);
    this.#guard((link) => link.#handler?.onClosed?.());
  }

  /** Runs what may call a handler: one that throws ends this link and no other. */
  #guard(action: (link: ConnectionLink<S>) => void): void {
    try {
      action(this);
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    this.loop.report(error, this as ConnectionLink);
    try {
      this.session.fail(error instanceof Error ? error : new Error("a handler threw", { cause: error }), this.loop.now);
    } catch (second) {
      this.loop.report(second, this as ConnectionLink);
    }
    this.touch();
  }
}

const NONE: readonly Uint8Array[] = [];
