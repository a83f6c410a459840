import {
  type ConnackPacket,
  type ConnectPacket,
  createDecoder,
  createPacketWriter,
  type Decoder,
  type Packet,
  type PacketWriter,
  type Properties,
  type PublishPacket,
  type QoS,
} from "@tidewire/codec";
import {
  type AcceptOptions,
  type Authenticator,
  type ClientProtocol,
  type ClientProtocolHandler,
  createClientProtocol,
  createInflight,
  createServerProtocol,
  enhancedAuthentication,
  type Inflight,
  type Message,
  outgoingTopicAliases,
  type ProtocolEnd,
  type ServerProtocol,
  type ServerProtocolHandler,
  type SessionLimits,
} from "@tidewire/session";

/** One thing that a session told its handler, or one packet that it sent. */
export interface Event {
  readonly name: string;
  readonly [detail: string]: unknown;
}

export interface PairOptions {
  readonly connect?: Partial<ConnectPacket>;
  readonly accept?: Partial<AcceptOptions>;
  readonly clientInflight?: Inflight;
  readonly serverInflight?: Inflight;
  readonly clientLimits?: Partial<SessionLimits>;
  readonly serverLimits?: Partial<SessionLimits>;
  readonly authenticator?: Authenticator;
  /** Whether each end acknowledges every message as it comes. Default true. */
  readonly acknowledge?: boolean;
  /** Called instead of accepting at once. */
  readonly onConnect?: (pair: Pair, packet: ConnectPacket) => void;
  /** Called when an end has taken a packet completely. */
  readonly afterPacket?: () => void;
  /** Handler calls to make in place of the recording ones. */
  readonly client?: Partial<ClientProtocolHandler>;
  readonly server?: Partial<ServerProtocolHandler>;
}

/**
 * A client's and a server's session over bytes, in a time of their own. Nothing moves until `exchange`, `toServer` or
 * `toClient`, so that a test sees each step.
 */
export class Pair {
  now = 0;
  readonly client: ClientProtocol;
  readonly server: ServerProtocol;
  readonly clientInflight: Inflight;
  readonly serverInflight: Inflight;
  readonly clientEvents: Event[] = [];
  readonly serverEvents: Event[] = [];
  /** Every packet that went over, as decoded by the other side. */
  readonly sentByClient: Packet[] = [];
  readonly sentByServer: Packet[] = [];
  readonly #options: PairOptions;
  readonly #clientWriter: PacketWriter = createPacketWriter();
  readonly serverWriter: PacketWriter = createPacketWriter();
  readonly #clientDecoder: Decoder;
  readonly #serverDecoder: Decoder = createDecoder({ sender: "client" });

  constructor(options: PairOptions = {}) {
    this.#options = options;
    const connect = connectPacket(options.connect);
    this.#clientDecoder = createDecoder({ sender: "server", version: connect.version });
    this.clientInflight = options.clientInflight ?? createInflight();
    this.serverInflight = options.serverInflight ?? createInflight();
    this.client = createClientProtocol({
      connect,
      inflight: this.clientInflight,
      writer: this.#clientWriter,
      handler: { ...this.#clientHandler(), ...options.client },
      topicAliases: outgoingTopicAliases(),
      ...(options.clientLimits && { limits: options.clientLimits }),
      ...(options.authenticator && { authenticator: enhancedAuthentication(options.authenticator) }),
    });
    this.server = createServerProtocol({
      writer: this.serverWriter,
      handler: { ...this.#serverHandler(), ...options.server },
      now: 0,
      topicAliases: outgoingTopicAliases(),
      ...(options.serverLimits && { limits: options.serverLimits }),
    });
  }

  /** Opens and lets both ends talk until they are silent. */
  connect(): this {
    this.client.open(this.now);
    this.exchange();
    return this;
  }

  exchange(): void {
    while (this.toServer() + this.toClient() > 0) {}
  }

  /** Carries what the client wrote; returns the number of packets. */
  toServer(): number {
    return carry(this.#clientWriter, this.#serverDecoder, this.sentByClient, (packet) => {
      this.server.receive(packet, this.now);
      this.#options.afterPacket?.();
    });
  }

  toClient(): number {
    return carry(this.serverWriter, this.#clientDecoder, this.sentByServer, (packet) => {
      this.client.receive(packet, this.now);
      this.#options.afterPacket?.();
    });
  }

  /** Loses what is written and not carried, and tells both ends. */
  cut(): void {
    this.#clientWriter.take();
    this.serverWriter.take();
    this.client.receiveEnd(this.now);
    this.server.receiveEnd(this.now);
  }

  /** Ticks both ends at each of their deadlines up to then. */
  advance(ms: number): void {
    const until = this.now + ms;
    for (;;) {
      const next = Math.min(this.client.nextDeadline(), this.server.nextDeadline());
      if (next > until) {
        break;
      }
      this.now = next;
      this.client.tick(next);
      this.server.tick(next);
      this.exchange();
    }
    this.now = until;
  }

  accept(options: Partial<AcceptOptions> = {}): void {
    this.server.accept(
      { inflight: this.serverInflight, sessionPresent: false, properties: undefined, ...options },
      this.now,
    );
  }

  /** A packet that no well-behaved client sends now. */
  forgeToServer(packet: Packet): void {
    this.server.receive(packet, this.now);
  }

  forgeToClient(packet: Packet): void {
    this.client.receive(packet, this.now);
  }

  #clientHandler(): ClientProtocolHandler {
    const note = (name: string, details: object = {}): void => void this.clientEvents.push({ name, ...details });
    return {
      onConnack: (packet: ConnackPacket, lost) => note("connack", { packet, lost }),
      onSuback: (packet) => note("suback", { packet }),
      onUnsuback: (packet) => note("unsuback", { packet }),
      onDisconnect: (packet) => note("disconnect", { packet }),
      onReauthenticated: () => note("reauthenticated"),
      onPublish: (packet) => {
        note("publish", { topic: packet.topic, payload: text(packet.payload), packet });
        if (packet.qos > 0 && this.#options.acknowledge !== false) {
          this.client.acknowledge(packet.packetId, 0, this.now);
        }
      },
      onSettled: (packetId, message, reasonCode) => note("settled", { packetId, message, reasonCode }),
      onSendQuota: () => note("send-quota"),
      onEnd: (end) => note("end", { end }),
    };
  }

  #serverHandler(): ServerProtocolHandler {
    const note = (name: string, details: object = {}): void => void this.serverEvents.push({ name, ...details });
    return {
      onConnect: (packet) => {
        note("connect", { packet });
        if (this.#options.onConnect !== undefined) {
          this.#options.onConnect(this, packet);
        } else {
          this.accept(this.#options.accept);
        }
      },
      onSubscribe: (packet) => {
        note("subscribe", { packet });
        const granted = packet.subscriptions.map(({ qos }) => qos);
        this.server.suback(packet.packetId, granted, this.now);
      },
      onUnsubscribe: (packet) => {
        note("unsubscribe", { packet });
        this.server.unsuback(
          packet.packetId,
          packet.filters.map(() => 0),
          this.now,
        );
      },
      onDisconnect: (packet) => note("disconnect", { packet }),
      onAuth: (data, method, reauthentication) => note("auth", { data, method, reauthentication }),
      onPublish: (packet) => {
        note("publish", { topic: packet.topic, payload: text(packet.payload), packet });
        if (packet.qos > 0 && this.#options.acknowledge !== false) {
          this.server.acknowledge(packet.packetId, 0, this.now);
        }
      },
      onSettled: (packetId, message, reasonCode) => note("settled", { packetId, message, reasonCode }),
      onSendQuota: () => note("send-quota"),
      onEnd: (end) => note("end", { end }),
    };
  }
}

export function connectPacket(fields: Partial<ConnectPacket> = {}): ConnectPacket {
  return {
    type: 1,
    version: 5,
    bridge: false,
    clientId: "c",
    cleanStart: true,
    keepAlive: 0,
    will: undefined,
    username: undefined,
    password: undefined,
    properties: undefined,
    ...fields,
  };
}

export function message(topic: string, payload: string, qos: QoS, properties?: Properties): Message {
  return { topic, payload: new TextEncoder().encode(payload), qos, retain: false, properties };
}

export function publishPacket(fields: Partial<PublishPacket>): PublishPacket {
  return {
    type: 3,
    topic: "t",
    payload: new Uint8Array(0),
    qos: 0,
    retain: false,
    dup: false,
    packetId: 0,
    properties: undefined,
    ...fields,
  };
}

export function endOf(events: readonly Event[]): ProtocolEnd {
  const ends = events.filter(({ name }) => name === "end");
  if (ends.length !== 1) {
    throw new Error(`${ends.length} ends`);
  }
  return (ends[0] as Event).end as ProtocolEnd;
}

export function names(events: readonly Event[]): string[] {
  return events.map(({ name }) => name);
}

/** Payloads of the messages delivered, in order. */
export function payloads(events: readonly Event[]): unknown[] {
  return events.filter(({ name }) => name === "publish").map(({ payload }) => payload);
}

/** `PUBLISH d1` and the like: type, DUP, id. */
export function outline(packets: readonly Packet[]): string[] {
  return packets.map((packet) => {
    const name = TYPE_NAMES[packet.type] as string;
    if (!("packetId" in packet)) {
      return name;
    }
    return `${name} ${packet.type === 3 && packet.dup ? "d" : ""}${packet.packetId}`;
  });
}

function text(bytes: Uint8Array): string {
  return new TextDecoder().decode(bytes);
}

function carry(writer: PacketWriter, decoder: Decoder, log: Packet[], receive: (packet: Packet) => void): number {
  for (const chunk of writer.take()) {
    decoder.push(chunk);
  }
  let count = 0;
  for (let packet = decoder.next(); packet !== null; packet = decoder.next()) {
    count += 1;
    log.push(structuredClone(packet));
    receive(packet);
  }
  return count;
}

const TYPE_NAMES = [
  "",
  "CONNECT",
  "CONNACK",
  "PUBLISH",
  "PUBACK",
  "PUBREC",
  "PUBREL",
  "PUBCOMP",
  "SUBSCRIBE",
  "SUBACK",
  "UNSUBSCRIBE",
  "UNSUBACK",
  "PINGREQ",
  "PINGRESP",
  "DISCONNECT",
  "AUTH",
];
