import {
  type ConnackPacket,
  createDecoder,
  encode,
  type Packet,
  PacketType,
  type Properties,
  type ProtocolVersion,
  type PublishPacket,
} from "@tidewire/codec";
import type { Connection } from "@tidewire/transport";
import type { MockNetwork } from "@tidewire/transport-mock";

type Typed<Type extends Packet["type"]> = Extract<Packet, { type: Type }>;

/** What the server does with a packet instead of its usual answer; packets returned are sent. */
type Script = (packet: Packet, peer: ScriptedPeer) => undefined | "usual" | Packet | Packet[];

/** A server that answers as an ordinary one, except where the test says otherwise. */
export class ScriptedServer {
  /** One for each connection, oldest first. */
  readonly peers: ScriptedPeer[] = [];
  script: Script = () => "usual";
  sessionPresent = false;
  connackProperties: Properties | undefined = undefined;

  constructor(network: MockNetwork, address?: string) {
    const listen = address === undefined ? network.listen : network.listenOn(address);
    void listen((connection) => this.peers.push(new ScriptedPeer(connection, this)));
  }

  get last(): ScriptedPeer {
    return this.peers.at(-1)!;
  }

  /** Every packet of one type, of all connections. */
  received<Type extends Packet["type"]>(type: Type): Typed<Type>[] {
    return this.peers.flatMap((peer) => peer.received(type));
  }
}

export class ScriptedPeer {
  readonly packets: Packet[] = [];
  readonly connection: Connection;
  version: ProtocolVersion = 5;
  closed = false;
  readonly #server: ScriptedServer;
  readonly #decoder = createDecoder();

  constructor(connection: Connection, server: ScriptedServer) {
    this.connection = connection;
    this.#server = server;
    connection.start({
      onData: (chunk) => this.#onData(chunk),
      onDrain: () => {},
      onClose: () => {
        this.closed = true;
      },
    });
  }

  received<Type extends Packet["type"]>(type: Type): Typed<Type>[] {
    return this.packets.filter((packet): packet is Typed<Type> => packet.type === type);
  }

  send(...packets: Packet[]): void {
    this.connection.send(packets.map((packet) => encode(packet, this.version)));
  }

  /** All in one chunk, as a server does that writes once a turn. */
  sendTogether(...packets: Packet[]): void {
    const parts = packets.map((packet) => encode(packet, this.version));
    const all = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
    let offset = 0;
    for (const part of parts) {
      all.set(part, offset);
      offset += part.length;
    }
    this.connection.send([all]);
  }

  #onData(chunk: Uint8Array): void {
    this.#decoder.push(chunk);
    for (let packet = this.#decoder.next(); packet !== null; packet = this.#decoder.next()) {
      this.packets.push(packet);
      if (packet.type === PacketType.CONNECT) {
        this.version = packet.version;
      }
      const answer = this.#server.script(packet, this);
      if (answer === "usual") {
        this.#answer(packet);
      } else if (answer !== undefined) {
        this.send(...(Array.isArray(answer) ? answer : [answer]));
      }
    }
  }

  #answer(packet: Packet): void {
    const answer = this.#usualAnswer(packet);
    if (answer !== undefined) {
      this.send(answer);
    }
  }

  #usualAnswer(packet: Packet): Packet | undefined {
    const properties = undefined;
    switch (packet.type) {
      case PacketType.CONNECT:
        return connack({
          sessionPresent: this.#server.sessionPresent && !packet.cleanStart,
          properties: this.version === 5 ? this.#server.connackProperties : undefined,
        });
      case PacketType.PUBLISH:
        if (packet.qos === 0) {
          return undefined;
        }
        return ack(packet.qos === 1 ? PacketType.PUBACK : PacketType.PUBREC, packet.packetId);
      case PacketType.PUBREC:
        return ack(PacketType.PUBREL, packet.packetId);
      case PacketType.PUBREL:
        return ack(PacketType.PUBCOMP, packet.packetId);
      case PacketType.SUBSCRIBE: {
        const reasonCodes = packet.subscriptions.map(({ qos }) => qos);
        return { type: PacketType.SUBACK, packetId: packet.packetId, reasonCodes, properties };
      }
      case PacketType.UNSUBSCRIBE: {
        const reasonCodes = this.version === 5 ? packet.filters.map(() => 0) : [];
        return { type: PacketType.UNSUBACK, packetId: packet.packetId, reasonCodes, properties };
      }
      case PacketType.PINGREQ:
        return { type: PacketType.PINGRESP };
      default:
        return undefined;
    }
  }
}

export function connack(fields: Partial<ConnackPacket> = {}): ConnackPacket {
  return { type: PacketType.CONNACK, sessionPresent: false, reasonCode: 0, properties: undefined, ...fields };
}

export function ack<Type extends 4 | 5 | 6 | 7>(type: Type, packetId: number, reasonCode = 0): Packet {
  return { type, packetId, reasonCode, properties: undefined } as Packet;
}

export function disconnect(reasonCode: number, properties?: Properties): Packet {
  return { type: PacketType.DISCONNECT, reasonCode, properties };
}

export function message(topic: string, fields: Partial<PublishPacket> = {}): PublishPacket {
  return {
    type: PacketType.PUBLISH,
    topic,
    payload: new TextEncoder().encode("x"),
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    properties: undefined,
    ...fields,
  };
}
