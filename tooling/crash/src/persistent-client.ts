import { connect, type Socket } from "node:net";
import {
  type AckPacket,
  type ConnackPacket,
  createDecoder,
  encode,
  type Packet,
  PacketType,
  type PublishPacket,
  type QoS,
} from "@tidewire/codec";

export interface PersistentClientOptions {
  readonly clientId: string;
  readonly version: 4 | 5;
  /** Where the server listens now; 0: nowhere. */
  readonly port: () => number;
  /** Each message once: duplicates of QoS 2 are held back as the specification says. */
  onMessage?(topic: string, payload: string, packet: PublishPacket): void;
  /** The exchange that `publish` began is over; from 0x80 it was refused. */
  onSettled?(packetId: number, reasonCode: number): void;
  onConnected?(): void;
}

interface Sent {
  readonly packet: PublishPacket;
  /** PUBREC came: PUBREL is owed. */
  released: boolean;
}

/**
 * A client by the book, written for these tests: one session for its whole life, whatever happens to the connection.
 * It reconnects by itself, sends again what was not acknowledged, in order, and complains when the server has
 * forgotten the session.
 */
export class PersistentClient {
  readonly #options: PersistentClientOptions;
  readonly #sent = new Map<number, Sent>();
  readonly #taken = new Set<number>();
  readonly #requests = new Map<number, { readonly packet: Packet; readonly done: () => void }>();
  #socket: Socket | undefined;
  #connected = false;
  #sessionExpected = false;
  #stopped = true;
  #nextId = 0;
  #retry: NodeJS.Timeout | undefined;
  /** Sessions that the server had forgotten: must stay 0. */
  forgotten = 0;

  constructor(options: PersistentClientOptions) {
    this.#options = options;
  }

  /** Exchanges that are not finished. */
  get unfinished(): number {
    return this.#sent.size;
  }

  get connected(): boolean {
    return this.#connected;
  }

  /** Connects, and keeps connecting, until `disconnect`. */
  start(): void {
    if (!this.#stopped) {
      return;
    }
    this.#stopped = false;
    this.#dial();
  }

  /** Breaks the connection off; the session goes on. */
  disconnect(): void {
    this.#stopped = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
    this.#socket = undefined;
    this.#connected = false;
  }

  /** Returns the packet id. The message counts as sent, connected or not. */
  publish(topic: string, payload: string, qos: 1 | 2, retain = false): number {
    const packetId = this.#freeId();
    const packet: PublishPacket = {
      type: PacketType.PUBLISH,
      topic,
      payload: Buffer.from(payload),
      qos,
      retain,
      dup: false,
      packetId,
      properties: undefined,
    };
    this.#sent.set(packetId, { packet, released: false });
    this.#send(packet);
    return packetId;
  }

  /** Resolves with SUBACK, on whichever connection it comes. */
  subscribe(filter: string, qos: QoS): Promise<void> {
    const subscription = { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    return this.#request((packetId) => ({
      type: PacketType.SUBSCRIBE,
      packetId,
      subscriptions: [subscription],
      properties: undefined,
    }));
  }

  unsubscribe(filter: string): Promise<void> {
    return this.#request((packetId) => ({
      type: PacketType.UNSUBSCRIBE,
      packetId,
      filters: [filter],
      properties: undefined,
    }));
  }

  #request(build: (packetId: number) => Packet): Promise<void> {
    const packetId = this.#freeId();
    const packet = build(packetId);
    return new Promise((done) => {
      this.#requests.set(packetId, { packet, done });
      this.#send(packet);
    });
  }

  #dial(): void {
    const port = this.#options.port();
    if (port === 0) {
      this.#dialLater();
      return;
    }
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const decoder = createDecoder({ version: this.#options.version, sender: "server" });
    this.#socket = socket;
    socket.once("connect", () => socket.write(encode(this.#connectPacket(), this.#encoding)));
    socket.on("data", (chunk) => {
      if (socket !== this.#socket) {
        return;
      }
      decoder.push(chunk);
      for (let packet = decoder.next(); packet !== null; packet = decoder.next()) {
        this.#receive(packet);
      }
    });
    // The reason shows in what comes next: every loss is followed by another attempt.
    socket.on("error", () => {});
    socket.once("close", () => {
      // What still comes of a connection that was given up concerns nobody.
      if (socket !== this.#socket) {
        return;
      }
      this.#connected = false;
      this.#socket = undefined;
      this.#dialLater();
    });
  }

  #dialLater(): void {
    if (!this.#stopped) {
      this.#retry = setTimeout(() => this.#dial(), 10);
    }
  }

  #connectPacket(): Packet {
    return {
      type: PacketType.CONNECT,
      version: this.#options.version,
      bridge: false,
      clientId: this.#options.clientId,
      cleanStart: false,
      keepAlive: 0,
      will: undefined,
      username: undefined,
      password: undefined,
      properties: this.#options.version === 5 ? { sessionExpiryInterval: 0xffffffff } : undefined,
    };
  }

  #receive(packet: Packet): void {
    switch (packet.type) {
      case PacketType.CONNACK:
        this.#accepted(packet);
        break;
      case PacketType.PUBLISH:
        this.#deliver(packet);
        break;
      case PacketType.PUBREL:
        this.#taken.delete(packet.packetId);
        this.#acknowledge(PacketType.PUBCOMP, packet.packetId);
        break;
      case PacketType.PUBREC:
        if (packet.reasonCode >= 0x80) {
          this.#settle(packet.packetId, packet.reasonCode);
        } else {
          const sent = this.#sent.get(packet.packetId);
          if (sent !== undefined) {
            sent.released = true;
          }
          this.#acknowledge(PacketType.PUBREL, packet.packetId);
        }
        break;
      case PacketType.PUBACK:
      case PacketType.PUBCOMP:
        this.#settle(packet.packetId, packet.reasonCode);
        break;
      case PacketType.SUBACK:
      case PacketType.UNSUBACK: {
        const request = this.#requests.get(packet.packetId);
        this.#requests.delete(packet.packetId);
        request?.done();
        break;
      }
      default:
        break;
    }
  }

  #accepted({ sessionPresent, reasonCode }: ConnackPacket): void {
    if (reasonCode !== 0) {
      throw new Error(`${this.#options.clientId}: CONNACK ${reasonCode}`);
    }
    if (!sessionPresent && this.#sessionExpected) {
      this.forgotten += 1;
    }
    this.#sessionExpected = true;
    this.#connected = true;
    for (const { packet, released } of this.#sent.values()) {
      if (released) {
        this.#acknowledge(PacketType.PUBREL, packet.packetId);
      } else {
        this.#send({ ...packet, dup: true });
      }
    }
    for (const { packet } of this.#requests.values()) {
      this.#send(packet);
    }
    this.#options.onConnected?.();
  }

  #deliver(packet: PublishPacket): void {
    const { packetId, qos } = packet;
    if (qos !== 2 || !this.#taken.has(packetId)) {
      if (qos === 2) {
        this.#taken.add(packetId);
      }
      this.#options.onMessage?.(packet.topic, Buffer.from(packet.payload).toString(), packet);
    }
    if (qos > 0) {
      this.#acknowledge(qos === 1 ? PacketType.PUBACK : PacketType.PUBREC, packetId);
    }
  }

  #settle(packetId: number, reasonCode: number): void {
    if (this.#sent.delete(packetId)) {
      this.#options.onSettled?.(packetId, reasonCode);
    }
  }

  #acknowledge(type: AckPacket["type"], packetId: number): void {
    this.#send({ type, packetId, reasonCode: 0, properties: undefined } as Packet);
  }

  #send(packet: Packet): void {
    if (this.#connected) {
      this.#socket?.write(encode(packet, this.#encoding));
    }
  }

  get #encoding(): Parameters<typeof encode>[1] {
    return this.#options.version;
  }

  #freeId(): number {
    do {
      this.#nextId = (this.#nextId % 65_535) + 1;
    } while (this.#sent.has(this.#nextId) || this.#requests.has(this.#nextId));
    return this.#nextId;
  }
}
