import type { ConnectPacket, PacketWriter } from "@tidewire/codec";
import { createLinkLoop, type Link, type LinkHandler, type LinkLoop, type LinkLoopOptions } from "@tidewire/link";
import {
  type ClientProtocol,
  type ClientProtocolHandler,
  createClientProtocol,
  createInflight,
  createServerProtocol,
  type Message,
  type ProtocolEnd,
  type ServerProtocol,
  type ServerProtocolHandler,
  type SessionLimits,
} from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import { type MockLink, type MockNetwork, type MockNetworkOptions, mockNetwork } from "@tidewire/transport-mock";

/** A server's loop on a mock network, to which clients with loops of their own connect. */
export class Bench {
  readonly network: MockNetwork;
  readonly serverLoop: LinkLoop;
  readonly clientLoop: LinkLoop;

  constructor(
    options: {
      network?: MockNetworkOptions;
      server?: Partial<LinkLoopOptions>;
      client?: Partial<LinkLoopOptions>;
    } = {},
  ) {
    this.network = mockNetwork(options.network);
    const { scheduler } = this.network;
    this.serverLoop = createLinkLoop({ scheduler, ...options.server });
    this.clientLoop = createLinkLoop({ scheduler, ...options.client });
  }

  /** Connects a client; what each end was told is in `received`, `ends` and so on. */
  connect(options: ConnectOptions = {}): Peers {
    return new Peers(this, options);
  }
}

/** A barrier that is closed until a test opens it. */
export class Gate {
  #waiting: { readonly pass: () => void; readonly fail: (error: Error) => void }[] = [];

  readonly barrier = (): Promise<void> => new Promise((pass, fail) => this.#waiting.push({ pass, fail }));

  /** Lets everything pass until nobody waits any more after `settle`. */
  async openFor(settle: () => Promise<void>): Promise<void> {
    do {
      for (const { pass } of this.#waiting.splice(0)) {
        pass();
      }
      await settle();
    } while (this.#waiting.length > 0);
  }

  fail(error: Error): void {
    for (const { fail } of this.#waiting.splice(0)) {
      fail(error);
    }
  }
}

export interface ConnectOptions {
  readonly connect?: Partial<ConnectPacket>;
  readonly client?: Partial<ClientProtocolHandler>;
  readonly server?: (peers: Peers) => Partial<ServerProtocolHandler>;
  readonly clientLimits?: Partial<SessionLimits>;
  readonly serverLink?: LinkHandler;
  readonly clientLink?: LinkHandler;
  /** What the server's link gets in place of its connection, or of its protocol. */
  readonly wrapConnection?: (connection: Connection) => Connection;
  readonly wrapProtocol?: (protocol: ServerProtocol) => ServerProtocol;
}

export class Peers {
  readonly cable: MockLink;
  readonly client: Link<ClientProtocol>;
  readonly server: Link<ServerProtocol>;
  readonly received: string[] = [];
  readonly ends: { client?: ProtocolEnd; server?: ProtocolEnd } = {};
  settled = 0;

  constructor(bench: Bench, options: ConnectOptions) {
    this.cable = bench.network.pair();
    this.server = bench.serverLoop.attach<ServerProtocol>(
      options.wrapConnection?.(this.cable.server) ?? this.cable.server,
      {
        decoder: { sender: "client" },
        createProtocol: (writer: PacketWriter) => {
          const protocol = createServerProtocol({
            writer,
            now: bench.serverLoop.now,
            handler: { ...this.serverHandler(), ...options.server?.(this) },
          });
          return options.wrapProtocol?.(protocol) ?? protocol;
        },
        ...(options.serverLink && { handler: options.serverLink }),
      },
    );
    this.client = bench.clientLoop.attach<ClientProtocol>(this.cable.client, {
      decoder: { version: 5, sender: "server" },
      createProtocol: (writer: PacketWriter) => {
        const session = createClientProtocol({
          writer,
          inflight: createInflight(),
          connect: {
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
            ...options.connect,
          },
          handler: { ...this.#clientHandler(), ...options.client },
          ...(options.clientLimits && { limits: options.clientLimits }),
        });
        session.open(bench.clientLoop.now);
        return session;
      },
      ...(options.clientLink && { handler: options.clientLink }),
    });
  }

  publish(message: Message): void {
    this.client.protocol.publish(message, this.client.loop.now);
    this.client.touch();
  }

  /** What the server's protocol calls when a test says nothing else. */
  serverHandler(): ServerProtocolHandler {
    return {
      onConnect: () =>
        this.server.protocol.accept(
          { inflight: createInflight(), sessionPresent: false, properties: undefined },
          this.server.loop.now,
        ),
      onSubscribe: () => {},
      onUnsubscribe: () => {},
      onDisconnect: () => {},
      onPublish: (packet) => {
        this.received.push(new TextDecoder().decode(packet.payload));
        if (packet.qos > 0) {
          this.server.protocol.acknowledge(packet.packetId, 0, this.server.loop.now);
        }
      },
      onSettled: () => {},
      onSendQuota: () => {},
      onEnd: (end) => {
        this.ends.server = end;
      },
    };
  }

  #clientHandler(): ClientProtocolHandler {
    return {
      onConnack: () => {},
      onSuback: () => {},
      onUnsuback: () => {},
      onDisconnect: () => {},
      onPublish: () => {},
      onSettled: () => {
        this.settled += 1;
      },
      onSendQuota: () => {},
      onEnd: (end) => {
        this.ends.client = end;
      },
    };
  }
}

export function message(payload: string | Uint8Array, qos: 0 | 1 | 2 = 0): Message {
  const bytes = typeof payload === "string" ? new TextEncoder().encode(payload) : payload;
  return { topic: "t", payload: bytes, qos, retain: false, properties: undefined };
}
