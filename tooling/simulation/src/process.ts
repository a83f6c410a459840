import { MqttError, type PacketWriter, type PublishPacket } from "@tidewire/codec";
import { createLinkLoop, type Link, type LinkLoop } from "@tidewire/link";
import {
  createStoredInflight,
  type Inflight,
  type InflightStore,
  type Message,
  type Protocol,
  type ProtocolEnd,
  type ProtocolHandler,
  type ProtocolRequests,
  type SavedInflight,
} from "@tidewire/session";
import type { Connection } from "@tidewire/transport";
import { type Durable, take } from "./disk.ts";
import type { Environment } from "./environment.ts";
import { fail } from "./failure.ts";
import { type Letter, numberOf } from "./message.ts";
import type { Side } from "./schedule.ts";

type AnyProtocol = Protocol & ProtocolRequests;

/** One life of the program at one end: loop, in-flight state and application. A crash ends it, another one follows. */
export abstract class Process<S extends AnyProtocol> {
  readonly side: Side;
  readonly loop: LinkLoop;
  readonly world: Environment;
  readonly inflight: Inflight;
  alive = true;
  /** Of the connection in use; undefined before CONNACK and after its end. */
  protected link: Link<S> | undefined = undefined;
  readonly #store: InflightStore;
  readonly #stage: (write: (durable: Durable) => void) => void;
  /** The world's number of each connection. */
  readonly #numbers = new Map<Connection, number>();
  /** Handed to the session in this life or restored, and not settled. */
  readonly #underWay = new Map<number, Letter>();

  constructor(world: Environment, side: Side) {
    this.world = world;
    this.side = side;
    const opened = world.disks[side].open();
    const { sabotage } = world;
    this.#store = sabotage?.store?.(opened.store, side) ?? opened.store;
    this.#stage = opened.stage;
    const saved: SavedInflight = sabotage?.saved?.(opened.saved, side) ?? opened.saved;
    this.inflight = createStoredInflight(this.#store, saved);
    for (const [packetId, { letter }] of world.disks[side].durable.outgoing) {
      this.#underWay.set(packetId, letter);
    }
    this.loop = createLinkLoop({
      scheduler: world.network.scheduler,
      barrier: () => this.#store.commit(),
      onError: (error) => world.broken(error),
      limits: { packetsPerTurn: world.config.packetsPerTurn },
    });
  }

  /** How many of its messages wait for their end. */
  get underWay(): number {
    return this.#underWay.size;
  }

  get links(): number {
    return this.loop.size;
  }

  get connected(): boolean {
    return this.link !== undefined && this.link.protocol.end === undefined;
  }

  crash(): void {
    this.alive = false;
  }

  /** Sends what the application has, as far as the peer lets it. */
  pump(): void {
    const outbox = this.world.outboxes[this.side];
    while (this.connected && outbox.length > 0) {
      const link = this.link as Link<S>;
      const letter = outbox[0] as Letter;
      if (!link.writable || (letter.qos > 0 && link.protocol.sendQuota === 0)) {
        return;
      }
      outbox.shift();
      this.#hand(letter, link);
    }
  }

  pause(ms: number): void {
    const { link } = this;
    if (link === undefined) {
      return;
    }
    link.pause();
    this.world.after(ms, () => this.alive && link.resume());
  }

  /** The session forgets everything, together with the other side's. */
  protected forget(): void {
    for (const letter of this.#underWay.values()) {
      letter.excused = true;
    }
    this.#underWay.clear();
  }

  /** The session reports a message that went with it. */
  protected lose(packetId: number, message: Message): void {
    const letter = this.#underWay.get(packetId);
    if (letter !== message) {
      fail(`message under id ${packetId} was lost, which was not under way`);
    }
    letter.excused = true;
    this.#underWay.delete(packetId);
  }

  protected stage(write: (durable: Durable) => void): void {
    this.#stage(write);
  }

  /** The connection as the link gets it: watched, and maybe sabotaged. */
  protected prepare(connection: Connection): Connection {
    const tapped = this.world.tap(connection, this);
    const prepared = this.world.sabotage?.connection?.(tapped.connection, this.side) ?? tapped.connection;
    this.#numbers.set(prepared, tapped.number);
    return prepared;
  }

  protected prepareWriter(writer: PacketWriter, session: () => Protocol): PacketWriter {
    return this.world.sabotage?.writer?.(writer, this.side, session) ?? writer;
  }

  protected prepareSession<T extends S>(session: T): T {
    const { sabotage } = this.world;
    if (sabotage?.receive !== undefined) {
      const receive = session.receive.bind(session);
      session.receive = (packet, now) => {
        const instead = sabotage.receive?.(packet, this.side);
        if (instead !== undefined) {
          receive(instead, now);
        }
      };
    }
    return sabotage?.session?.(session, this.side) ?? session;
  }

  /** The part of a session's handler that both ends share. `link` is the one it belongs to. */
  protected handler(link: () => Link<S>): ProtocolHandler {
    return {
      onPublish: (packet) => this.alive && this.#receive(packet, link()),
      onSettled: (packetId, message, reasonCode) => {
        if (this.alive) {
          this.#settled(packetId, message, reasonCode);
        }
      },
      onSendQuota: () => this.alive && this.pump(),
      onDisconnect: () => {},
      onEnd: (end) => this.alive && this.#ended(end, link()),
    };
  }

  #hand(letter: Letter, link: Link<S>): void {
    try {
      const packetId = link.protocol.publish(letter, this.loop.now);
      this.#stage(({ handed }) => handed.add(letter.number));
      // It leaves a stored outbox, and is not sent again.
      if (letter.qos === 0) {
        link.protocol.promised = true;
      }
      this.world.handed(letter, this.#numbers.get(link.connection) as number);
      if (packetId > 0) {
        this.#underWay.set(packetId, letter);
      }
    } catch (error) {
      // Limits of this connection: the application gives the message up.
      const limited = error instanceof MqttError || (error as { code?: string }).code === "qos-not-supported";
      if (!limited) {
        throw error;
      }
      letter.excused = true;
      letter.settled = true;
    }
    link.touch();
  }

  #receive(packet: PublishPacket, link: Link<S>): void {
    const letter = this.world.letters[numberOf(packet.payload)];
    if (letter === undefined || letter.from === this.side) {
      fail(`${this.side} got a message nobody sent`);
    }
    if (packet.topic !== letter.topic) {
      fail(`${this.side} got message ${letter.number} under topic ${packet.topic}`);
    }
    this.world.arrived(letter);
    if (packet.qos === 0) {
      this.#stage(take(letter));
      return;
    }
    const { packetId } = packet;
    const { acknowledgeMs } = this.world.config;
    if (acknowledgeMs === 0) {
      this.#acknowledge(packetId, letter, link);
    } else {
      this.world.after(this.world.random.integer(0, acknowledgeMs), () => this.#acknowledge(packetId, letter, link));
    }
  }

  #acknowledge(packetId: number, letter: Letter, link: Link<S>): void {
    if (!this.alive || link.protocol.end !== undefined) {
      return;
    }
    const write = letter.refused ? ({ refused }: Durable) => refused.add(letter.number) : take(letter);
    this.#stage(write);
    if (!link.protocol.acknowledge(packetId, letter.refused ? 0x97 : 0, this.loop.now)) {
      fail("acknowledge said no");
    }
    link.touch();
  }

  #settled(packetId: number, message: Message | undefined, reasonCode: number): void {
    const letter = this.#underWay.get(packetId);
    if (letter === undefined) {
      fail(`${this.side} settled id ${packetId}, which is not under way`);
    }
    if (message !== undefined && message !== letter) {
      fail(`${this.side} settled id ${packetId} with another message`);
    }
    this.#underWay.delete(packetId);
    letter.settled = true;
    if (reasonCode === 0x95 || reasonCode === 0x9b) {
      this.world.givenUp(letter, packetId);
    } else if (reasonCode >= 0x80 && !letter.refused) {
      fail(`message ${letter.number} refused with ${reasonCode}`);
    }
    if (reasonCode < 0x80 && letter.refused && letter.qos === 1) {
      fail(`refused message ${letter.number} succeeded`);
    }
  }

  #ended(end: ProtocolEnd, link: Link<S>): void {
    if (this.link === link) {
      this.link = undefined;
    }
    const forgiven = this.world.disturbed(link.connection);
    if (end.kind === "violation") {
      fail(`${this.side} saw a violation: ${end.error?.message}`);
    }
    if (end.kind === "remote" && end.reasonCode >= 0x80 && end.reasonCode !== 0x8e) {
      fail(`${this.side} was sent away with reason ${end.reasonCode}`);
    }
    if (end.kind === "timeout" && !forgiven) {
      fail(`${this.side} timed out on a sound connection`);
    }
  }
}
