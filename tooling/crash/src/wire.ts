import { connect, type Socket } from "node:net";
import {
  type ConnackPacket,
  type ConnectPacket,
  createDecoder,
  encode,
  type Packet,
  PacketType,
  type Properties,
} from "@tidewire/codec";

type PacketOf<Type extends Packet["type"]> = Extract<Packet, { type: Type }>;

/** One connection, packet by packet: the caller says what is sent and waits for what comes. */
export class Wire {
  readonly #socket: Socket;
  readonly #version: 4 | 5;
  readonly #received: Packet[] = [];
  #closed = false;
  #wake = (): void => {};

  private constructor(socket: Socket, version: 4 | 5) {
    this.#socket = socket;
    this.#version = version;
    const decoder = createDecoder({ version, sender: "server" });
    socket.on("data", (chunk) => {
      decoder.push(chunk);
      for (let packet = decoder.next(); packet !== null; packet = decoder.next()) {
        this.#received.push(packet);
      }
      this.#wake();
    });
    socket.on("error", () => {});
    socket.once("close", () => {
      this.#closed = true;
      this.#wake();
    });
  }

  /** Connects to a session that stays, unless CONNECT says otherwise. */
  static async open(
    port: number,
    clientId: string,
    version: 4 | 5,
    fields: Partial<ConnectPacket> = {},
  ): Promise<{ wire: Wire; connack: ConnackPacket }> {
    const socket = connect({ port, host: "127.0.0.1", noDelay: true });
    const wire = new Wire(socket, version);
    wire.send({
      type: PacketType.CONNECT,
      version,
      bridge: false,
      clientId,
      cleanStart: false,
      keepAlive: 0,
      will: undefined,
      username: undefined,
      password: undefined,
      properties: version === 5 ? { sessionExpiryInterval: 3600 } : undefined,
      ...fields,
    });
    return { wire, connack: await wire.next(PacketType.CONNACK) };
  }

  get closed(): boolean {
    return this.#closed;
  }

  send(packet: Packet): void {
    this.#socket.write(encode(packet, this.#version));
  }

  publish(packetId: number, qos: 1 | 2, dup: boolean, topic: string, text: string, properties?: Properties): void {
    const payload = Buffer.from(text);
    this.send({ type: PacketType.PUBLISH, topic, payload, qos, retain: false, dup, packetId, properties });
  }

  acknowledge(type: 4 | 5 | 6 | 7, packetId: number): void {
    this.send({ type, packetId, reasonCode: 0, properties: undefined } as Packet);
  }

  async subscribe(filter: string, qos: 1 | 2, identifier?: number): Promise<void> {
    const subscription = { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 } as const;
    const properties = identifier === undefined ? undefined : { subscriptionIdentifiers: [identifier] };
    this.send({ type: PacketType.SUBSCRIBE, packetId: 1, subscriptions: [subscription], properties });
    await this.next(PacketType.SUBACK);
  }

  /** The next packet, which must be of this type. */
  async next<Type extends Packet["type"]>(type: Type): Promise<PacketOf<Type>> {
    const packet = await this.poll(10_000);
    if (packet?.type !== type) {
      throw new Error(`expected packet type ${type}, got ${packet?.type ?? "nothing"}`);
    }
    return packet as PacketOf<Type>;
  }

  /** The next packet; undefined when none comes within the time or the connection ends. */
  async poll(waitMs: number): Promise<Packet | undefined> {
    const limit = Date.now() + waitMs;
    while (this.#received.length === 0 && !this.#closed && Date.now() < limit) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limit - Date.now());
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#received.shift();
  }

  close(): void {
    this.#socket.destroy();
  }
}
