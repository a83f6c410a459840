import type { Packet, PacketWriter } from "@tidewire/codec";
import { PacketType } from "@tidewire/codec";
import type { Connection, ConnectionHandler } from "@tidewire/transport";
import type { Sabotage } from "./sabotage.ts";

/*
 * Broken variants of the sessions, made by changing what goes into or comes out of the real ones: each makes one mistake
 * that MQTT software makes, and the simulation has to notice.
 */

export const saboteurs: readonly Sabotage[] = [
  writing("forgets DUP when it sends again", (packet, write) =>
    write(packet.type === PacketType.PUBLISH ? { ...packet, dup: false } : packet),
  ),
  writing("sets DUP on what it sends for the first time", (packet, write) =>
    write(packet.type === PacketType.PUBLISH && packet.qos > 0 ? { ...packet, dup: true } : packet),
  ),
  writing("uses few packet identifiers, and so one of them twice", (packet, write) =>
    write(packet.type === PacketType.PUBLISH && packet.qos > 0 ? { ...packet, packetId: 1 } : packet),
  ),
  writing("never sends PUBREL", (packet, write) => {
    if (packet.type !== PacketType.PUBREL) {
      write(packet);
    }
  }),
  perConnection("forgets PUBREL when it resumes", () => {
    let resuming = true;
    return (packet, write) => {
      if (packet.type === PacketType.PUBREL && resuming) {
        return;
      }
      if (packet.type !== PacketType.CONNECT && packet.type !== PacketType.CONNACK) {
        resuming = false;
      }
      write(packet);
    };
  }),
  perConnection("forgets one PUBACK", () => {
    let acknowledgements = 0;
    return (packet, write) => {
      if (packet.type === PacketType.PUBACK) {
        acknowledgements += 1;
        if (acknowledgements === 2) {
          return;
        }
      }
      write(packet);
    };
  }),
  perConnection("acknowledges twice", () => (packet, write) => {
    write(packet);
    if (packet.type === PacketType.PUBACK) {
      write(packet);
    }
  }),
  perConnection("acknowledges out of order", () => {
    let held: Packet | undefined;
    return (packet, write) => {
      if (packet.type === PacketType.PUBACK && held === undefined) {
        held = packet;
        return;
      }
      write(packet);
      if (held !== undefined) {
        write(held);
      }
      held = undefined;
    };
  }),
  acrossConnections("sends an acknowledgement on the next connection"),
  perConnection("answers QoS 2 with PUBACK", () => (packet, write) => {
    write(packet.type === PacketType.PUBREC ? { ...packet, type: PacketType.PUBACK } : packet);
  }),
  perConnection("sends live messages before those it resumes", () => {
    const resent: Packet[] = [];
    let live = false;
    return (packet, write) => {
      if (packet.type === PacketType.PUBLISH && packet.dup && !live) {
        resent.push(packet);
        return;
      }
      live ||= packet.type === PacketType.PUBLISH;
      write(packet);
      if (live) {
        for (const held of resent.splice(0)) {
          write(held);
        }
      }
    };
  }),
  perConnection("sends something after DISCONNECT", () => (packet, write) => {
    write(packet);
    if (packet.type === PacketType.DISCONNECT) {
      write({ type: PacketType.PINGREQ });
    }
  }),
  perConnection("does not send PINGREQ", () => (packet, write) => {
    if (packet.type !== PacketType.PINGREQ) {
      write(packet);
    }
  }),
  perConnection("sends PINGREQ with every message", () => (packet, write) => {
    write(packet);
    if (packet.type === PacketType.PUBLISH) {
      write({ type: PacketType.PINGREQ });
    }
  }),
  perConnection("mixes topic aliases up", () => (packet, write) => {
    const alias = packet.type === PacketType.PUBLISH ? packet.properties?.topicAlias : undefined;
    if (packet.type === PacketType.PUBLISH && packet.topic === "" && alias !== undefined) {
      write({ ...packet, properties: { ...packet.properties, topicAlias: 1 } });
    } else {
      write(packet);
    }
  }),
  receiving("ignores Receive Maximum", (packet) =>
    packet.type === PacketType.CONNECT || packet.type === PacketType.CONNACK
      ? { ...packet, properties: { ...packet.properties, receiveMaximum: 65_535 } }
      : packet,
  ),
  receiving("ignores Maximum Packet Size", (packet) =>
    packet.type === PacketType.CONNECT || packet.type === PacketType.CONNACK
      ? { ...packet, properties: { ...packet.properties, maximumPacketSize: 1_000_000 } }
      : packet,
  ),
  receiving("takes every session for present", (packet) =>
    packet.type === PacketType.CONNACK ? { ...packet, sessionPresent: true } : packet,
  ),
  receiving("takes every session for gone", (packet) =>
    packet.type === PacketType.CONNACK ? { ...packet, sessionPresent: false } : packet,
  ),
  {
    name: "lets acknowledgements and messages leave before they are durable",
    store: (store) => ({
      ...store,
      commit: () => {
        store.commit()?.then(
          () => {},
          () => {},
        );
        return undefined;
      },
    }),
  },
  { name: "does not store what it sends", store: (store) => ({ ...store, putOutgoing: () => {} }) },
  { name: "does not store that PUBREC came", store: (store) => ({ ...store, releaseOutgoing: () => {} }) },
  { name: "does not delete what is settled", store: (store) => ({ ...store, deleteOutgoing: () => {} }) },
  { name: "does not store the ids of QoS 2 messages", store: (store) => ({ ...store, putIncoming: () => {} }) },
  { name: "does not delete the ids of QoS 2 messages", store: (store) => ({ ...store, deleteIncoming: () => {} }) },
  { name: "forgets QoS 2 ids in a restart", saved: (saved) => ({ ...saved, incoming: [] }) },
  {
    name: "resumes in reverse order after a restart",
    saved: (saved) => ({ ...saved, outgoing: [...saved.outgoing].reverse() }),
  },
  {
    name: "never misses anybody",
    session: (session) => Object.assign(session, { tick: () => {}, nextDeadline: () => Number.POSITIVE_INFINITY }),
  },
  { name: "loses the drain of a full transport", connection: (connection) => new Drainless(connection) },
];

type Rewrite = (packet: Packet, write: (packet: Packet) => void) => void;

function writing(name: string, rewrite: Rewrite): Sabotage {
  return { name, writer: (writer) => rewritten(writer, rewrite) };
}

function perConnection(name: string, create: () => Rewrite): Sabotage {
  return { name, writer: (writer) => rewritten(writer, create()) };
}

function receiving(name: string, receive: (packet: Packet) => Packet): Sabotage {
  return { name, receive };
}

/** Holds every third PUBACK back until the next CONNECT or CONNACK of its side. */
function acrossConnections(name: string): Sabotage {
  const held: Packet[] = [];
  let count = 0;
  return {
    name,
    writer: (writer, side) => {
      if (side === "client") {
        return writer;
      }
      return rewritten(writer, (packet, write) => {
        if (packet.type === PacketType.PUBACK) {
          count += 1;
          if (count % 3 === 0) {
            held.push(packet);
            return;
          }
        }
        write(packet);
        if (packet.type === PacketType.CONNACK) {
          for (const late of held.splice(0)) {
            write(late);
          }
        }
      });
    },
  };
}

function rewritten(writer: PacketWriter, rewrite: Rewrite): PacketWriter {
  const write = writer.write.bind(writer);
  writer.write = (packet) => (packet.type === 0 ? write(packet) : rewrite({ ...packet }, write));
  return writer;
}

/** A connection that never says that it drained. */
class Drainless implements Connection {
  readonly info: Connection["info"];
  readonly #connection: Connection;

  constructor(connection: Connection) {
    this.info = connection.info;
    this.#connection = connection;
  }

  get bufferedAmount(): number {
    return this.#connection.bufferedAmount;
  }

  get pendingInput(): number {
    return this.#connection.pendingInput;
  }

  start(handler: ConnectionHandler): void {
    this.#connection.start({
      onData: (chunk) => handler.onData(chunk),
      onDrain: () => {},
      onClose: (info) => handler.onClose(info),
    });
  }

  send(chunks: readonly Uint8Array[]): boolean {
    return this.#connection.send(chunks);
  }

  pause(): void {
    this.#connection.pause();
  }

  resume(): void {
    this.#connection.resume();
  }

  allowInput(bytes: number): void {
    this.#connection.allowInput(bytes);
  }

  close(): void {
    this.#connection.close();
  }

  abort(error?: Error): void {
    this.#connection.abort(error);
  }
}
