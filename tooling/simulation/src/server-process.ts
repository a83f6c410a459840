import type { ConnectPacket, Properties } from "@tidewire/codec";
import type { Link } from "@tidewire/link";
import {
  createServerProtocol,
  outgoingTopicAliases,
  type ServerProtocol,
  type ServerProtocolHandler,
} from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import type { Environment } from "./environment.ts";
import { Process } from "./process.ts";
import type { Terms } from "./schedule.ts";

/** The server's program, which knows one client. */
export class ServerProcess extends Process<ServerProtocol> {
  #hasSession: boolean;

  constructor(world: Environment) {
    super(world, "server");
    this.#hasSession = world.disks.server.durable.hasSession;
  }

  accept(connection: Connection, terms: Terms): void {
    const link: Link<ServerProtocol> = this.loop.attach<ServerProtocol>(this.prepare(connection), {
      decoder: { sender: "client" },
      createProtocol: (writer) => {
        const session: ServerProtocol = this.prepareSession(
          createServerProtocol({
            writer: this.prepareWriter(writer, () => session),
            handler: this.#handler(() => link, terms),
            now: this.loop.now,
            topicAliases: outgoingTopicAliases(),
          }),
        );
        return session;
      },
      handler: { onWritable: () => this.alive && this.pump() },
    });
  }

  disconnect(): void {
    const { link } = this;
    if (link === undefined) {
      return;
    }
    link.protocol.disconnect(0, this.loop.now);
    link.touch();
  }

  #handler(link: () => Link<ServerProtocol>, terms: Terms): ServerProtocolHandler {
    return {
      ...this.handler(link),
      onConnect: (packet) => {
        if (!this.alive) {
          return;
        }
        if (this.world.random.integer(0, 4) > 0) {
          this.#start(packet, link(), terms);
          return;
        }
        // As a server that asks somebody else about the user: nothing of this client is read meanwhile.
        link().pause();
        this.world.after(0, () => {
          if (this.alive && link().protocol.end === undefined) {
            this.#start(packet, link(), terms);
          }
          link().resume();
        });
      },
      onSubscribe: (packet) => {
        link().protocol.suback(
          packet.packetId,
          packet.subscriptions.map(() => 2),
          this.loop.now,
        );
      },
      onUnsubscribe: (packet) => {
        link().protocol.unsuback(
          packet.packetId,
          packet.filters.map(() => 0),
          this.loop.now,
        );
      },
    };
  }

  #start(packet: ConnectPacket, link: Link<ServerProtocol>, terms: Terms): void {
    const before = this.link;
    if (before !== undefined) {
      before.protocol.disconnect(0x8e, this.loop.now);
      before.touch();
    }
    const sessionPresent = this.#hasSession && !packet.cleanStart;
    if (!sessionPresent) {
      this.inflight.clear();
      this.forget();
      this.world.excuse("client");
      this.#hasSession = true;
      this.stage((durable) => {
        durable.hasSession = true;
      });
    }
    const properties = packet.version === 5 ? connackProperties(terms) : undefined;
    link.protocol.accept({ inflight: this.inflight, sessionPresent, properties }, this.loop.now);
    link.touch();
    this.link = link;
    this.pump();
  }
}

function connackProperties(terms: Terms): Properties {
  const properties: Properties = { receiveMaximum: terms.serverReceiveMaximum, topicAliasMaximum: terms.topicAliases };
  if (terms.maximumPacketSize !== undefined) {
    properties.maximumPacketSize = terms.maximumPacketSize;
  }
  if (terms.maximumQoS !== undefined) {
    properties.maximumQoS = terms.maximumQoS;
  }
  return properties;
}
