import type { MqttVersion } from "./case.ts";
import type { RawConnection } from "./connection.ts";
import { ConformanceFailure, check, checkEqual } from "./failure.ts";
import type { Property, Transcript } from "./wire/index.ts";
import * as wire from "./wire/index.ts";
import { describePacket, PacketSplitter, Type, type TypeName, typeName, type WirePacket } from "./wire/index.ts";

export interface PeerOptions {
  readonly version: MqttVersion;
  /** How the transcript calls it. */
  readonly label: string;
  readonly transcript: Transcript;
  readonly answerTimeoutMs: number;
  readonly quietMs: number;
}

export type Outgoing = Omit<wire.PublishOptions, "packetId">;

/**
 * One connection at packet level, with no opinion of its own: it sends what it is told, and keeps what it receives until
 * the case asks for it. A packet may be asked for out of order; `inOrder` says where order is the point.
 */
export class Peer {
  readonly version: MqttVersion;
  readonly webSocket: RawConnection["webSocket"];
  /** Everything received, in order, consumed or not. */
  readonly received: WirePacket[] = [];
  readonly #connection: RawConnection;
  readonly #options: PeerOptions;
  readonly #inbox: WirePacket[] = [];
  #waiting: (() => void)[] = [];
  #closed = false;
  #packetId = 0;

  constructor(connection: RawConnection, options: PeerOptions) {
    this.version = options.version;
    this.webSocket = connection.webSocket;
    this.#connection = connection;
    this.#options = options;
    const splitter = new PacketSplitter(options.version);
    connection.start({
      onData: (bytes) => this.#onData(splitter, bytes),
      onClose: () => this.#onClose(),
    });
  }

  /** The other side has ended the connection, or `drop` was called. */
  get closed(): boolean {
    return this.#closed;
  }

  nextPacketId(): number {
    this.#packetId = (this.#packetId % 0xffff) + 1;
    return this.#packetId;
  }

  /** Sends bytes as they are, in one write. */
  send(bytes: Uint8Array): void {
    this.#options.transcript.sent(this.#options.label, bytes, this.version);
    this.#connection.send(bytes);
  }

  /** Sends a text frame, where the connection is a WebSocket. */
  sendText(text: string): void {
    this.#options.transcript.note(this.#options.label, `-> text frame ${JSON.stringify(text)}`);
    this.#connection.webSocket?.sendText(text);
  }

  /** Ends the connection as a lost network would. */
  drop(): void {
    if (this.#closed) {
      return;
    }
    this.#options.transcript.note(this.#options.label, "-- drops the connection");
    this.#closed = true;
    this.#connection.close();
  }

  /** DISCONNECT, then the end of the connection. */
  disconnect(reasonCode?: number, properties?: readonly Property[]): void {
    this.send(wire.disconnect(reasonCode, properties));
    this.drop();
  }

  /** The first packet of that type not yet taken, waiting for it if need be. */
  async take(type: TypeName, matches: (packet: WirePacket) => boolean = () => true): Promise<WirePacket> {
    const deadline = performance.now() + this.#options.answerTimeoutMs;
    for (;;) {
      const index = this.#inbox.findIndex((packet) => packet.type === Type[type] && matches(packet));
      const [packet] = index < 0 ? [] : this.#inbox.splice(index, 1);
      if (packet !== undefined) {
        return this.#readable(packet);
      }
      if (this.#closed) {
        throw new ConformanceFailure(`expected ${type}, but the connection was closed`);
      }
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new ConformanceFailure(`expected ${type}, but nothing such came in time`);
      }
      await this.#activity(left);
    }
  }

  /** The next packet of all; fails when it is of another type. */
  async next(type: TypeName): Promise<WirePacket> {
    const deadline = performance.now() + this.#options.answerTimeoutMs;
    while (this.#inbox.length === 0 && !this.#closed && performance.now() < deadline) {
      await this.#activity(deadline - performance.now());
    }
    const packet = this.#inbox.shift();
    check(packet !== undefined, `expected ${type}, but ${this.#closed ? "the connection was closed" : "nothing came"}`);
    check(packet.type === Type[type], `expected ${type}, got ${describePacket(packet)}`);
    return this.#readable(packet);
  }

  /** The next PUBLISH, acknowledged to the end of its exchange. */
  async message(matches?: (packet: WirePacket) => boolean): Promise<WirePacket> {
    const packet = await this.take("PUBLISH", matches);
    await this.acknowledge(packet);
    return packet;
  }

  /** Completes the receiver's side of a PUBLISH. */
  async acknowledge(packet: WirePacket): Promise<void> {
    if (packet.qos === 1) {
      this.send(wire.ack(Type.PUBACK, packet.packetId));
    }
    if (packet.qos !== 2) {
      return;
    }
    this.send(wire.ack(Type.PUBREC, packet.packetId));
    await this.take("PUBREL", (reply) => reply.packetId === packet.packetId);
    this.send(wire.ack(Type.PUBCOMP, packet.packetId));
  }

  /** Publishes and sees the exchange through; gives the last acknowledgement (QoS 0: none). */
  async publish(options: Outgoing): Promise<WirePacket | undefined> {
    const qos = options.qos ?? 0;
    if (qos === 0) {
      this.send(wire.publish(this.version, options));
      return undefined;
    }
    const packetId = this.nextPacketId();
    const own = (packet: WirePacket): boolean => packet.packetId === packetId;
    this.send(wire.publish(this.version, { ...options, packetId }));
    if (qos === 1) {
      return await this.take("PUBACK", own);
    }
    const received = await this.take("PUBREC", own);
    if (received.reasonCode >= 0x80) {
      return received;
    }
    this.send(wire.ack(Type.PUBREL, packetId));
    return await this.take("PUBCOMP", own);
  }

  /** Subscribes and requires that every filter is granted. `options` is the options byte: the QoS where nothing more. */
  async subscribe(filter: string, options = 0, properties: readonly Property[] = []): Promise<WirePacket> {
    return await this.subscribeAll([[filter, options]], properties);
  }

  async subscribeAll(
    subscriptions: readonly wire.Subscription[],
    properties: readonly Property[] = [],
  ): Promise<WirePacket> {
    const packetId = this.nextPacketId();
    this.send(wire.subscribe(this.version, packetId, subscriptions, properties));
    const suback = await this.take("SUBACK", (packet) => packet.packetId === packetId);
    for (const code of suback.reasonCodes) {
      check(code < 0x80, `expected the subscription to be granted, got ${code}`);
    }
    return suback;
  }

  async unsubscribe(...filters: string[]): Promise<WirePacket> {
    const packetId = this.nextPacketId();
    this.send(wire.unsubscribe(this.version, packetId, filters));
    return await this.take("UNSUBACK", (packet) => packet.packetId === packetId);
  }

  /** A PINGREQ and its answer: the server has dealt with everything sent before. */
  async ping(): Promise<void> {
    this.send(wire.pingreq());
    await this.take("PINGRESP");
  }

  /** Waits until the other side has closed, passing over packets. */
  async closes(why: string, timeoutMs: number = this.#options.answerTimeoutMs): Promise<void> {
    const deadline = performance.now() + timeoutMs;
    while (!this.#closed) {
      const left = deadline - performance.now();
      if (left <= 0) {
        throw new ConformanceFailure(`expected the connection to be closed: ${why}`);
      }
      await this.#activity(left);
    }
  }

  /** Nothing of these types comes in the time given (by default: no PUBLISH); what is already there counts. */
  async quiet(
    why: string,
    types: readonly TypeName[] = ["PUBLISH"],
    ms: number = this.#options.quietMs,
  ): Promise<void> {
    const deadline = performance.now() + ms;
    for (;;) {
      const packet = this.#inbox.find(({ type }) => types.includes(typeName(type) as TypeName));
      if (packet !== undefined) {
        throw new ConformanceFailure(`${why}: got ${describePacket(packet)}`);
      }
      const left = deadline - performance.now();
      if (left <= 0) {
        return;
      }
      await this.#activity(left);
    }
  }

  /** Still open and answering. */
  async alive(why: string): Promise<void> {
    check(!this.#closed, `expected the connection to stay open: ${why}`);
    await this.ping();
  }

  /** Takes the CONNACK and requires the code. */
  async connack(reasonCode = 0): Promise<WirePacket> {
    const packet = await this.next("CONNACK");
    checkEqual(packet.reasonCode, reasonCode, "CONNACK code");
    return packet;
  }

  #readable(packet: WirePacket): WirePacket {
    check(packet.problem === undefined, `expected a well-formed packet, got ${describePacket(packet)}`);
    return packet;
  }

  #onData(splitter: PacketSplitter, bytes: Uint8Array): void {
    if (this.#closed) {
      return;
    }
    try {
      for (const packet of splitter.push(bytes)) {
        this.#options.transcript.received(this.#options.label, packet);
        this.received.push(packet);
        this.#inbox.push(packet);
      }
    } catch (error) {
      this.#options.transcript.note(this.#options.label, `<- not MQTT: ${String(error)}`);
      this.drop();
    }
    this.#wake();
  }

  #onClose(): void {
    if (!this.#closed) {
      this.#options.transcript.note(this.#options.label, "<- closed by the other side");
    }
    this.#closed = true;
    this.#wake();
  }

  #wake(): void {
    for (const resume of this.#waiting.splice(0)) {
      resume();
    }
  }

  /** Resolves at the next packet or close, or when the time is over. */
  async #activity(timeoutMs: number): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.#waiting.push(resolve);
      timer = setTimeout(resolve, timeoutMs);
    });
    clearTimeout(timer);
  }
}
