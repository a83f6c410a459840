import {
  type ConnackPacket,
  type ConnectPacket,
  createDecoder,
  encode,
  type Packet,
  PacketType,
  type Properties,
  type ProtocolVersion,
  type PublishPacket,
  type QoS,
  type SubackPacket,
  type SubscriptionRequest,
} from "@tidewire/codec";
import { Channel, type ChannelOptions } from "./channel.ts";
import type { Endpoints, Transport } from "./program.ts";

type PacketOf<Type extends Packet["type"]> = Extract<Packet, { type: Type }>;

export interface PeerOptions extends ChannelOptions {
  readonly transport?: Transport;
  readonly version?: ProtocolVersion;
  /** Whether PUBLISH of QoS 1 and 2 is acknowledged by itself. Default: yes. */
  readonly acknowledges?: boolean;
  /** Told of each PUBLISH, which then is not kept. */
  readonly onPublish?: (packet: PublishPacket) => void;
}

/** What came of a hostile input: how the connection ended, if it did, and what was said before. */
export interface Ending {
  readonly closed: boolean;
  /** Of the last CONNACK or DISCONNECT; undefined when none came. */
  readonly reasonCode: number | undefined;
}

/** One connection that speaks MQTT when it wants to, and anything else when it does not. */
export class Peer {
  readonly channel: Channel;
  readonly version: ProtocolVersion;
  readonly received: Packet[] = [];
  publishesReceived = 0;
  /** Of the last CONNACK or DISCONNECT. */
  reasonCode: number | undefined;
  /** What came could not be read. */
  isBroken = false;
  #wake: () => void = () => {};
  #packetId = 0;

  constructor(channel: Channel, { version = 5, acknowledges = true, onPublish }: PeerOptions) {
    this.channel = channel;
    this.version = version;
    const decoder = createDecoder({ version, sender: "server" });
    channel.onData = (bytes) => {
      if (this.isBroken) {
        return;
      }
      try {
        decoder.push(bytes);
        for (let packet = decoder.next(); packet !== null; packet = decoder.next()) {
          this.#take(packet, acknowledges, onPublish);
        }
      } catch {
        // What a server may not send, too, is for the caller to notice: nothing more comes.
        this.isBroken = true;
      }
      this.#wake();
    };
    channel.ended.then(() => this.#wake());
  }

  static async open(endpoints: Endpoints, options: PeerOptions = {}): Promise<Peer> {
    return new Peer(await Channel.open(endpoints, options.transport ?? "tcp", options), options);
  }

  get closed(): boolean {
    return this.channel.isEnded;
  }

  send(packet: Packet): boolean {
    return this.closed || this.channel.send(encode(packet, this.version));
  }

  /** Sends CONNECT; resolves with CONNACK, or undefined when none came. */
  async connect(fields: Partial<ConnectPacket> = {}, limitMs?: number): Promise<ConnackPacket | undefined> {
    this.send(connectPacket({ version: this.version, ...fields }));
    return this.next(PacketType.CONNACK, limitMs);
  }

  /** Returns the packet identifier, 0 with QoS 0. */
  publish(topic: string, payload: string | Uint8Array, fields: Partial<PublishPacket> = {}): number {
    const qos = fields.qos ?? 0;
    const packetId = qos === 0 ? 0 : (fields.packetId ?? this.nextId());
    this.send(publishPacket(topic, payload, { ...fields, packetId }));
    return packetId;
  }

  /** Resolves with SUBACK, or undefined when none came. */
  async subscribe(
    filters: string | readonly string[],
    qos: QoS = 1,
    properties?: Properties,
    limitMs?: number,
  ): Promise<SubackPacket | undefined> {
    const subscriptions = (typeof filters === "string" ? [filters] : filters).map((filter) =>
      subscription(filter, qos),
    );
    const packetId = this.nextId();
    this.send({ type: PacketType.SUBSCRIBE, packetId, subscriptions, properties });
    return this.next(PacketType.SUBACK, limitMs);
  }

  acknowledge(type: 4 | 5 | 6 | 7, packetId: number, reasonCode = 0): void {
    this.send({ type, packetId, reasonCode, properties: undefined } as Packet);
  }

  /** Whether the broker answers PINGREQ. */
  async isServed(limitMs = 10_000): Promise<boolean> {
    this.send({ type: PacketType.PINGREQ });
    return (await this.next(PacketType.PINGRESP, limitMs)) !== undefined;
  }

  /** Takes the first packet of that type, past or to come; undefined when none comes in time. */
  async next<Type extends Packet["type"]>(type: Type, limitMs = 10_000): Promise<PacketOf<Type> | undefined> {
    const limit = performance.now() + limitMs;
    for (;;) {
      const index = this.received.findIndex((packet) => packet.type === type);
      if (index >= 0) {
        return this.received.splice(index, 1)[0] as PacketOf<Type>;
      }
      const left = limit - performance.now();
      if (this.closed || left <= 0) {
        return undefined;
      }
      await this.#change(left);
    }
  }

  /** Waits for the end of the connection. */
  async ending(limitMs = 10_000): Promise<Ending> {
    const closed = await this.channel.endsWithin(limitMs);
    return { closed, reasonCode: this.reasonCode };
  }

  nextId(): number {
    this.#packetId = (this.#packetId % 65_535) + 1;
    return this.#packetId;
  }

  destroy(): void {
    this.channel.destroy();
  }

  #take(packet: Packet, acknowledges: boolean, onPublish: ((packet: PublishPacket) => void) | undefined): void {
    if (packet.type === PacketType.CONNACK || packet.type === PacketType.DISCONNECT) {
      this.reasonCode = packet.reasonCode;
    }
    if (packet.type === PacketType.PUBLISH) {
      this.publishesReceived += 1;
      if (acknowledges && packet.qos > 0) {
        this.acknowledge(packet.qos === 1 ? PacketType.PUBACK : PacketType.PUBREC, packet.packetId);
      }
      if (onPublish !== undefined) {
        onPublish(packet);
        return;
      }
    }
    if (packet.type === PacketType.PUBREL && acknowledges) {
      this.acknowledge(PacketType.PUBCOMP, packet.packetId);
    }
    this.received.push(packet);
  }

  #change(limitMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}

export function connectPacket(fields: Partial<ConnectPacket> = {}): ConnectPacket {
  return {
    type: PacketType.CONNECT,
    version: 5,
    bridge: false,
    clientId: "",
    cleanStart: true,
    keepAlive: 0,
    will: undefined,
    username: undefined,
    password: undefined,
    properties: undefined,
    ...fields,
  };
}

export function publishPacket(
  topic: string,
  payload: string | Uint8Array,
  fields: Partial<PublishPacket> = {},
): PublishPacket {
  return {
    type: PacketType.PUBLISH,
    topic,
    payload: typeof payload === "string" ? Buffer.from(payload) : payload,
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    properties: undefined,
    ...fields,
  };
}

export function subscription(filter: string, qos: QoS = 1): SubscriptionRequest {
  return { filter, qos, noLocal: false, retainAsPublished: false, retainHandling: 0 };
}
