import { type Broker, type BrokerOptions, createBroker } from "@tidewire/broker";
import {
  type ConnackPacket,
  type ConnectPacket,
  createDecoder,
  createPacketWriter,
  type Decoder,
  type Packet,
  PacketType,
  type PacketWriter,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
  type SubackPacket,
  type SubscriptionRequest,
} from "@tidewire/codec";
import type { Connection } from "@tidewire/transport";
import { type MockNetwork, type MockNetworkOptions, mockNetwork } from "@tidewire/transport-mock";

/** A broker in virtual time, and clients that say exactly what a test tells them to. */
export class Lab {
  readonly network: MockNetwork;
  readonly broker: Broker;

  private constructor(network: MockNetwork, broker: Broker) {
    this.network = network;
    this.broker = broker;
  }

  static async start(options: BrokerOptions = {}, networkOptions: MockNetworkOptions = {}): Promise<Lab> {
    const network = mockNetwork(networkOptions);
    const { scheduler } = network;
    const wallClock = () => 1_700_000_000_000 + scheduler.now();
    const broker = createBroker({ scheduler, wallClock, sysIntervalMs: 0, ...options });
    await broker.start();
    return new Lab(network, broker);
  }

  /** A connection with nothing sent yet. */
  dial(version: ProtocolVersion = 5, remoteAddress?: string): Peer {
    const link = this.network.pair();
    if (remoteAddress !== undefined) {
      Object.defineProperty(link.server, "info", { value: { ...link.server.info, remoteAddress } });
    }
    this.broker.handle(link.server);
    return new Peer(this.network, link.client, version);
  }

  /** A client with its CONNACK. */
  async connect(options: Partial<ConnectPacket> = {}): Promise<Peer> {
    const peer = this.dial(options.version);
    peer.send(connectPacket(options));
    await this.settle();
    return peer;
  }

  /** Runs until nothing is in flight or due, and no promise of a hook or store is at work. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < 3; ) {
      quiet = this.network.run() + this.network.scheduler.advance(0) === 0 ? quiet + 1 : 0;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  async advance(ms: number): Promise<void> {
    this.network.scheduler.advance(ms);
    await this.settle();
  }
}

/** One end of a connection that speaks packets and has no opinion. */
export class Peer {
  readonly received: Packet[] = [];
  /** Set once the connection is gone. */
  closed = false;
  readonly #network: MockNetwork;
  readonly #connection: Connection;
  readonly #decoder: Decoder;
  readonly #writer: PacketWriter;
  #nextId = 1;

  constructor(network: MockNetwork, connection: Connection, version: ProtocolVersion) {
    this.#network = network;
    this.#connection = connection;
    this.#decoder = createDecoder({ version });
    this.#writer = createPacketWriter({ version });
    connection.start({
      onData: (chunk) => {
        this.#decoder.push(chunk);
        for (let packet = this.#decoder.next(); packet !== null; packet = this.#decoder.next()) {
          this.received.push(packet);
        }
      },
      onDrain: () => {},
      onClose: () => {
        this.closed = true;
      },
    });
  }

  send(...packets: Packet[]): void {
    for (const packet of packets) {
      this.#writer.write(packet);
    }
    this.#connection.send(this.#writer.take());
  }

  sendBytes(bytes: Uint8Array): void {
    this.#connection.send([bytes]);
  }

  /** Sends and runs until everything that follows from it has happened. */
  async exchange(lab: Lab, ...packets: Packet[]): Promise<void> {
    this.send(...packets);
    await lab.settle();
  }

  async subscribe(
    lab: Lab,
    filter: string,
    options: Partial<SubscriptionRequest> = {},
    identifier?: number,
  ): Promise<SubackPacket> {
    await this.exchange(lab, subscribePacket(this.#nextId, [{ filter, ...options }], identifier));
    this.#nextId += 1;
    return this.last(PacketType.SUBACK) as SubackPacket;
  }

  publish(topic: string, payload: string, options: Partial<PublishPacket> = {}): void {
    const qos = options.qos ?? 0;
    this.send(publishPacket(topic, payload, { packetId: qos === 0 ? 0 : this.#nextId, ...options }));
    this.#nextId += qos === 0 ? 0 : 1;
  }

  /** Stops reading, as a slow or stuck client does. */
  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  /** The connection is lost, without a word. */
  cut(): void {
    this.#connection.abort();
  }

  /** The connection is closed in order, without a packet. */
  close(): void {
    this.#connection.close();
  }

  last(type: PacketType): Packet | undefined {
    return this.received.filter((packet) => packet.type === type).at(-1);
  }

  get connack(): ConnackPacket {
    return this.last(PacketType.CONNACK) as ConnackPacket;
  }

  get publishes(): PublishPacket[] {
    return this.received.filter((packet): packet is PublishPacket => packet.type === PacketType.PUBLISH);
  }

  /** What was received as `topic=payload`, in order. */
  get messages(): string[] {
    return this.publishes.map((packet) => `${packet.topic}=${textOf(packet.payload)}`);
  }

  get transcript(): string {
    return this.#network.transcript.toString();
  }
}

export function connectPacket(options: Partial<ConnectPacket> = {}): ConnectPacket {
  return {
    type: PacketType.CONNECT,
    version: 5,
    bridge: false,
    clientId: "client",
    cleanStart: true,
    keepAlive: 0,
    will: undefined,
    username: undefined,
    password: undefined,
    properties: undefined,
    ...options,
  };
}

export function publishPacket(topic: string, payload: string, options: Partial<PublishPacket> = {}): PublishPacket {
  return {
    type: PacketType.PUBLISH,
    topic,
    payload: bytesOf(payload),
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    properties: undefined,
    ...options,
  };
}

export function subscribePacket(
  packetId: number,
  requests: readonly Partial<SubscriptionRequest>[],
  identifier?: number,
): Packet {
  const defaults = { filter: "#", qos: 2 as QoS, noLocal: false, retainAsPublished: false, retainHandling: 0 as const };
  return {
    type: PacketType.SUBSCRIBE,
    packetId,
    subscriptions: requests.map((request) => ({ ...defaults, ...request })),
    properties: identifier === undefined ? undefined : { subscriptionIdentifiers: [identifier] },
  };
}

export function disconnectPacket(reasonCode = 0): Packet {
  return { type: PacketType.DISCONNECT, reasonCode, properties: undefined };
}

export function ack(type: 4 | 5 | 6 | 7, packetId: number): Packet {
  return { type, packetId, reasonCode: 0, properties: undefined };
}

export function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

export function textOf(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}
