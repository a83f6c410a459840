import type { ConnackPacket, Properties } from "@tidewire/codec";
import type { Link } from "@tidewire/link";
import {
  type ClientProtocol,
  type ClientProtocolHandler,
  createClientProtocol,
  type Message,
  outgoingTopicAliases,
} from "@tidewire/session";
import type { Environment } from "./environment.ts";
import { fail } from "./failure.ts";
import { Process } from "./process.ts";
import type { Terms } from "./schedule.ts";

/** The client's program: connects, and connects again. */
export class ClientProcess extends Process<ClientProtocol> {
  /** SUBSCRIBE and UNSUBSCRIBE without answer on this connection. */
  requests = 0;
  cleanStart = false;
  stopping = false;

  constructor(world: Environment) {
    super(world, "client");
    this.cleanStart = world.cleanStartOwed;
  }

  connect(): void {
    const { world, cleanStart } = this;
    this.cleanStart = false;
    if (cleanStart) {
      world.cleanStartOwed = true;
      world.excuse("client");
    }
    const { connection, terms } = world.dial();
    const { version, keepAliveSeconds } = world.config;
    const link: Link<ClientProtocol> = this.loop.attach<ClientProtocol>(this.prepare(connection), {
      decoder: { version, sender: "server" },
      createProtocol: (writer) => {
        const session: ClientProtocol = this.prepareSession(
          createClientProtocol({
            writer: this.prepareWriter(writer, () => session),
            inflight: this.inflight,
            topicAliases: outgoingTopicAliases(),
            handler: this.#handler(() => link, cleanStart),
            connect: {
              type: 1,
              version,
              bridge: false,
              clientId: "client",
              cleanStart,
              keepAlive: keepAliveSeconds,
              will: undefined,
              username: undefined,
              password: undefined,
              properties: version === 5 ? connectProperties(terms) : undefined,
            },
          }),
        );
        session.open(this.loop.now);
        return session;
      },
      handler: { onWritable: () => this.alive && this.pump(), onClosed: () => this.#closed() },
    });
  }

  request(subscribes: boolean): void {
    const { link } = this;
    if (link === undefined || !this.connected) {
      return;
    }
    const { session, loop } = { session: link.protocol, loop: this.loop };
    if (subscribes) {
      session.subscribe(
        [{ filter: "a/b", qos: 2, noLocal: false, retainAsPublished: false, retainHandling: 0 }],
        loop.now,
      );
    } else {
      session.unsubscribe(["a/b", "c"], loop.now);
    }
    this.requests += 1;
    link.touch();
  }

  disconnect(): void {
    const { link } = this;
    if (link === undefined) {
      return;
    }
    link.protocol.disconnect(0, this.loop.now);
    link.touch();
  }

  /** The connection is closed from outside the protocol. */
  abort(): void {
    this.link?.abort();
  }

  #handler(link: () => Link<ClientProtocol>, cleanStart: boolean): ClientProtocolHandler {
    const answered = (): void => {
      if (this.alive) {
        this.requests -= 1;
      }
    };
    const common = this.handler(link);
    return {
      ...common,
      onConnack: (packet, lost) => this.alive && this.#accepted(packet, lost, link(), cleanStart),
      onSuback: answered,
      onUnsuback: answered,
      onEnd: (end) => {
        this.requests = 0;
        common.onEnd(end);
      },
    };
  }

  #accepted(
    packet: ConnackPacket,
    lost: readonly { readonly packetId: number; readonly message: Message }[],
    link: Link<ClientProtocol>,
    cleanStart: boolean,
  ): void {
    if (packet.sessionPresent && cleanStart) {
      fail("a session is present after a clean start");
    }
    for (const { packetId, message } of lost) {
      this.lose(packetId, message);
    }
    if (!packet.sessionPresent) {
      const { outgoingCount, incomingCount } = this.inflight;
      if (outgoingCount + incomingCount > 0) {
        fail("the client remembers a session that is gone");
      }
    }
    if (this.world.cleanStartOwed && packet.sessionPresent) {
      fail("a clean start was not repeated");
    }
    if (!packet.sessionPresent) {
      this.forget();
    }
    this.world.cleanStartOwed = false;
    this.link = link;
    this.pump();
  }

  #closed(): void {
    if (!this.alive || this.stopping) {
      return;
    }
    this.world.after(this.world.random.integer(1, 30), () => {
      if (this.alive && !this.stopping) {
        this.connect();
      }
    });
  }
}

function connectProperties(terms: Terms): Properties {
  const properties: Properties = {
    sessionExpiryInterval: 0xffff_ffff,
    receiveMaximum: terms.clientReceiveMaximum,
    topicAliasMaximum: terms.topicAliases,
  };
  if (terms.maximumPacketSize !== undefined) {
    properties.maximumPacketSize = terms.maximumPacketSize;
  }
  return properties;
}
