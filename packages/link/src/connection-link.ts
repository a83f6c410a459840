import type { Decoder, MqttError, Packet, PacketWriter } from "@tidewire/codec";
import { type Protocol, SessionError } from "@tidewire/session";
import type { CloseInfo, Connection, ConnectionHandler } from "@tidewire/transport";
import { asError } from "./as-error.ts";
import type { Sleeper } from "./deadlines.ts";
import type { Link, LinkHandler, LinkOptions } from "./interfaces.ts";
import type { Loop } from "./link-loop.ts";

/** One connection, its decoder and writer, and the session between them. */
export class ConnectionLink implements Link, ConnectionHandler, Sleeper {
  readonly loop: Loop;
  readonly connection: Connection;
  readonly protocol: Protocol;
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
  /** How the connection closed, until all that it brought is read. */
  #closed: CloseInfo | undefined = undefined;
  #pauses = 0;
  /** Since when the transport takes no more; Infinity while it does. */
  #fullSince: number = Number.POSITIVE_INFINITY;
  /** Bytes that had left the transport then. */
  #goneBytes = 0;
  /** Bytes handed to the transport so far. */
  #sentBytes = 0;
  /** Packets are being read, or will be in a later turn. */
  #reading = false;
  /** The decoder may hold whole packets. */
  #unread = false;
  #connectionPaused = false;
  /** Written while reading, and since then the transport always was full. */
  #answerBytes = 0;

  constructor(
    loop: Loop,
    connection: Connection,
    decoder: Decoder,
    writer: PacketWriter,
    options: LinkOptions<Protocol>,
  ) {
    this.loop = loop;
    this.connection = connection;
    this.#decoder = decoder;
    this.#writer = writer;
    this.#handler = options.handler;
    this.protocol = options.createProtocol(writer, this);
  }

  get writable(): boolean {
    return !this.#full && !this.#closing;
  }

  /** Whether what it has to send waits for the barrier: it promises something, is the last, or comes behind what waits. */
  get promises(): boolean {
    return this.protocol.promised || this.#chunkBytes > 0 || this.#closeRequested || this.protocol.end !== undefined;
  }

  get pendingBytes(): number {
    return this.#writer.pendingBytes + this.#chunkBytes + this.connection.bufferedAmount;
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
    return this.#decoder.lastPacketBytes();
  }

  pause(): void {
    this.#pauses += 1;
    this.#hold();
  }

  resume(): void {
    if (this.#pauses === 0) {
      throw new SessionError("misuse", "not-paused", 0x83, "resume without pause");
    }
    this.#pauses -= 1;
    this.#hold();
    // Not at once: the caller may be in a handler of another packet. `#read` itself just goes on.
    if (this.#pauses > 0 || !this.#unread || this.#reading) {
      return;
    }
    this.#reading = true;
    this.loop.readLater(this);
  }

  close(): void {
    this.#closeRequested = true;
    this.touch();
  }

  abort(error?: Error): void {
    if (this.#closed !== undefined) {
      return;
    }
    this.#stop();
    this.connection.abort(error);
  }

  // From the connection

  onData(chunk: Uint8Array): void {
    if (this.#closing) {
      return;
    }
    this.#decoder.push(chunk);
    this.#unread = true;
    this.#read();
    if (this.#unread && !this.#connectionPaused) {
      this.#connectionPaused = true;
      this.connection.pause();
    }
  }

  onDrain(): void {
    this.#fullSince = Number.POSITIVE_INFINITY;
    this.#answerBytes = 0;
    this.#hold();
    this.#guard(() => this.#handler?.onWritable?.());
    this.#read();
  }

  onClose(info: CloseInfo): void {
    // What came before the end is still read, unless this side stopped before.
    this.#closed = info;
    this.#closing = true;
    this.#read();
  }

  // From the loop

  /** Takes what is to leave with this flush. */
  collect(): void {
    this.#touched = false;
    this.protocol.promised = false;
    const bytes = this.#writer.pendingBytes;
    const chunks = this.#writer.take();
    if (this.#closing) {
      return;
    }
    this.#chunks = chunks;
    this.#chunkBytes = bytes;
    this.#closesAfterChunks = this.#closeRequested || this.protocol.end !== undefined;
  }

  /** Sends what `collect` took. */
  dispatch(): void {
    const chunks = this.#chunks;
    const bytes = this.#chunkBytes;
    this.#chunks = NONE;
    this.#chunkBytes = 0;
    if (this.#closing) {
      return;
    }
    if (this.protocol.end?.flush === false) {
      this.abort(this.protocol.end.error);
      return;
    }
    if (bytes > 0) {
      this.#send(chunks, bytes);
    }
    if (!this.#full) {
      this.#answerBytes = 0;
    }
    if (this.#closesAfterChunks) {
      this.#stop();
      this.connection.close();
    } else if (this.#unread) {
      this.#read();
    }
  }

  /** Goes on reading in this later turn. */
  readOn(): void {
    this.#reading = false;
    this.#read();
    this.touch();
  }

  /** When something has to be done. What is here already is read before anyone is called late. */
  get deadline(): number {
    if (this.#closing) {
      return Number.POSITIVE_INFINITY;
    }
    return this.#reading ? this.#stalledAt : Math.min(this.protocol.nextDeadline(), this.#stalledAt);
  }

  wake(now: number): void {
    if (now < this.deadline) {
      this.loop.deadlines.wakeBy(this, this.deadline);
      return;
    }
    if (now >= this.#stalledAt) {
      this.#mindStall(now);
    } else {
      this.#guard(() => this.protocol.tick(now));
    }
    this.touch();
  }

  /** Hands packets to the session: until none is left, this turn's share is used up, or something holds it back. */
  #read(): void {
    if (this.#reading) {
      return;
    }
    this.#reading = true;
    const { protocol, loop } = this;
    const { packetsPerTurn, bytesPerTurn } = loop.limits;
    const decoder = this.#decoder;
    const writer = this.#writer;
    const otherBytes = writer.pendingBytes - this.#answerBytes;
    const now = loop.now;
    const enough = decoder.bufferedBytes - bytesPerTurn;
    let packets = 0;
    while (this.#unread && this.#open && protocol.end === undefined) {
      if (packets === packetsPerTurn || decoder.bufferedBytes < enough) {
        loop.readLater(this);
        this.touch();
        return;
      }
      packets += 1;
      let packet: Packet | null | undefined;
      try {
        packet = decoder.next();
        if (packet === null) {
          this.#unread = false;
        } else {
          protocol.receive(packet, now);
        }
      } catch (error) {
        if (packet === undefined) {
          this.#refuse(error);
        } else {
          this.#fail(error);
        }
      }
      this.#answerBytes = writer.pendingBytes - otherBytes;
    }
    this.#reading = false;
    if (protocol.end !== undefined) {
      this.#unread = false;
    }
    if (!this.#unread && this.#connectionPaused) {
      this.#connectionPaused = false;
      this.connection.resume();
    }
    if (packets > 0) {
      this.touch();
    }
    if (this.#closed !== undefined && !this.#unread) {
      this.#finish(this.#closed);
    }
  }

  /** The bytes are no packet. A decoder throws nothing else. */
  #refuse(error: unknown): void {
    this.#guard(() => this.protocol.receiveError(error as MqttError, this.loop.now));
  }

  /**
   * May packets reach the session? Not while answers pile up; a full transport alone does not matter: two ends that are
   * full of messages for each other would wait for ever. Once the connection is gone, answers go nowhere.
   */
  get #open(): boolean {
    if (this.#pauses > 0) {
      return false;
    }
    return this.#closed !== undefined || this.#answerBytes <= this.loop.limits.pauseInputAboveBytes;
  }

  #send(chunks: readonly Uint8Array[], bytes: number): void {
    this.#sentBytes += bytes;
    if (this.connection.send(chunks) || this.#full) {
      return;
    }
    this.#fullSince = this.loop.now;
    this.#goneBytes = this.#sentBytes - this.connection.bufferedAmount;
    this.#hold();
  }

  /** The peer is not late while it is not read from, nor while what asks it for a sign of life cannot leave. */
  #hold(): void {
    this.protocol.holdInput(this.#pauses > 0 || this.#full, this.loop.now);
    this.touch();
  }

  /** This side had enough: nothing more is read or sent. */
  #stop(): void {
    this.#closing = true;
    this.#unread = false;
  }

  get #full(): boolean {
    return this.#fullSince < Number.POSITIVE_INFINITY;
  }

  get #stalledAt(): number {
    return this.#fullSince + this.loop.limits.stalledAfterMs;
  }

  /** Full for long: given up, unless something left meanwhile. */
  #mindStall(now: number): void {
    const goneBytes = this.#sentBytes - this.connection.bufferedAmount;
    if (goneBytes === this.#goneBytes) {
      this.abort(new SessionError("link", "stalled", 0x80, "the connection takes no more bytes"));
      return;
    }
    this.#goneBytes = goneBytes;
    this.#fullSince = now;
  }

  /** The connection is gone and all it brought is read. */
  #finish({ error }: CloseInfo): void {
    this.#closed = undefined;
    this.#guard(() => this.protocol.receiveEnd(this.loop.now, error));
    this.loop.detach(this);
    this.#guard(() => this.#handler?.onClosed?.());
  }

  /** Runs what may call a handler: one that throws ends this link and no other. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      this.#fail(error);
    }
  }

  #fail(error: unknown): void {
    const { loop, protocol } = this;
    loop.onError?.(error, this);
    try {
      protocol.fail(asError(error), loop.now);
    } catch (second) {
      loop.onError?.(second, this);
    }
    this.touch();
  }
}

const NONE: readonly Uint8Array[] = [];
