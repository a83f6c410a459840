import { connect as connectTcp, type Socket } from "node:net";
import { connect as connectTls } from "node:tls";
import { type Endpoints, portOf, type Transport } from "./program.ts";
import { within } from "./wait.ts";
import { frame, OPCODES, type ReceivedFrame, takeFrames, upgradeRequest } from "./websocket-frames.ts";

export interface ChannelOptions {
  /** The request that is sent in place of the usual one. */
  readonly request?: string;
  /** In place of the path that the program says. */
  readonly path?: string;
  /** The socket's own address, such as 127.0.0.2: another client to the broker. */
  readonly localAddress?: string;
  /** False: the closing handshake of a WebSocket is never finished. */
  readonly answersClose?: boolean;
  /** Ends when the socket is there, before the WebSocket is. */
  readonly bare?: boolean;
}

/** One connection over any transport that carries whatever bytes one likes. */
export class Channel {
  readonly transport: Transport;
  readonly socket: Socket;
  /** What came in place of a WebSocket, or before it: status line and headers. */
  response = "";
  /** Frames other than data that came, by opcode and payload. */
  readonly control: ReceivedFrame[] = [];
  /** Settles when the connection has ended. */
  readonly ended: Promise<void>;
  onData: (bytes: Buffer) => void = () => {};
  isEnded = false;
  bytesReceived = 0;
  readonly #answersClose: boolean;
  #upgraded: boolean;
  #held: Buffer = Buffer.alloc(0);
  #wake: () => void = () => {};

  private constructor(socket: Socket, transport: Transport, answersClose: boolean) {
    this.socket = socket;
    this.transport = transport;
    this.#answersClose = answersClose;
    this.#upgraded = transport === "tcp" || transport === "tls";
    socket.on("error", () => {});
    socket.on("data", (chunk: Buffer) => this.#take(chunk));
    // A peer that has ended its half has nothing more to say to an attacker.
    socket.on("end", () => this.#end());
    this.ended = new Promise((resolve) => {
      const end = () => {
        this.#end();
        resolve();
      };
      socket.once("close", end);
      socket.once("end", end);
    });
  }

  /** Connects; over WebSocket it resolves with the server's answer, whatever that is. Rejects when nobody listens. */
  static async open(endpoints: Endpoints, transport: Transport, options: ChannelOptions = {}): Promise<Channel> {
    const port = portOf(endpoints, transport);
    const target = { port, host: "127.0.0.1", ...(options.localAddress && { localAddress: options.localAddress }) };
    const secure = transport === "tls" || transport === "wss";
    const socket = secure ? connectTls({ ...target, rejectUnauthorized: false }) : connectTcp(target);
    socket.setNoDelay(true);
    const channel = new Channel(socket, transport, options.answersClose ?? true);
    await new Promise<void>((resolve, reject) => {
      socket.once(secure ? "secureConnect" : "connect", resolve);
      socket.once("close", () => reject(new Error("the connection was refused")));
    });
    if (!channel.#upgraded && options.bare !== true) {
      const { pathname } = endpoints.urls.get(transport)!;
      const request = options.request ?? upgradeRequest(options.path ?? pathname, { Host: `127.0.0.1:${port}` });
      await channel.upgrade(request);
    }
    return channel;
  }

  /** Whether bytes of MQTT may be sent: over WebSocket, whether it was opened. */
  get isOpen(): boolean {
    return this.#upgraded && !this.isEnded;
  }

  /** The status of the answer to a WebSocket's request; 0 when none came. */
  get status(): number {
    return Number(/^HTTP\/1\.[01] (\d{3})/.exec(this.response)?.[1] ?? 0);
  }

  /** Sends a request and waits for its answer, or for the end. */
  async upgrade(request: string | Buffer, limitMs = 10_000): Promise<number> {
    const answered = new Promise<void>((resolve) => {
      this.#wake = resolve;
    });
    this.socket.write(request);
    await within(Promise.race([answered, this.ended]), limitMs, undefined);
    return this.status;
  }

  /** Bytes of MQTT: over WebSocket in a message of their own. False when the socket asks to wait. */
  send(bytes: Uint8Array): boolean {
    if (this.isEnded) {
      return true;
    }
    return this.socket.write(this.transport === "ws" || this.transport === "wss" ? frame(bytes) : bytes);
  }

  /** Bytes as they are, below any framing. */
  sendRaw(bytes: Uint8Array | string): boolean {
    return this.isEnded || this.socket.write(bytes);
  }

  /** Resolves when what was sent has left for the system, or the connection has ended. */
  async drained(): Promise<void> {
    if (this.socket.writableNeedDrain && !this.isEnded) {
      await Promise.race([new Promise<void>((resolve) => this.socket.once("drain", resolve)), this.ended]);
    }
  }

  /** True when it ends within the time. */
  endsWithin(limitMs: number): Promise<boolean> {
    return within(
      this.ended.then(() => true),
      limitMs,
      false,
    );
  }

  destroy(): void {
    this.socket.destroy();
  }

  #take(chunk: Buffer): void {
    this.bytesReceived += chunk.length;
    let bytes = chunk;
    if (!this.#upgraded) {
      this.#held = Buffer.concat([this.#held, chunk]);
      const end = this.#held.indexOf("\r\n\r\n");
      if (end < 0) {
        return;
      }
      this.response = this.#held.toString("latin1", 0, end);
      bytes = this.#held.subarray(end + 4);
      this.#held = Buffer.alloc(0);
      this.#upgraded = this.status === 101;
      this.#wake();
      if (!this.#upgraded) {
        return;
      }
    }
    if (this.transport === "tcp" || this.transport === "tls") {
      this.onData(bytes);
      return;
    }
    const { frames, rest } = takeFrames(Buffer.concat([this.#held, bytes]));
    this.#held = rest;
    for (const received of frames) {
      if (received.opcode >= OPCODES.close) {
        this.#control(received);
      } else {
        this.onData(received.payload);
      }
    }
  }

  #control(received: ReceivedFrame): void {
    this.control.push(received);
    // Whoever does not answer is waited for: an attack of its own.
    if (received.opcode === OPCODES.close && this.#answersClose) {
      this.sendRaw(frame(received.payload, { opcode: OPCODES.close }));
    }
  }

  #end(): void {
    this.isEnded = true;
    this.#wake();
  }
}
