import type { Packet } from "@tidewire/codec";
import type { Connection } from "@tidewire/transport";
import { type MockLink, type MockNetwork, mockNetwork, Random } from "@tidewire/transport-mock";
import { ClientProcess } from "./client-process.ts";
import { Disk } from "./disk.ts";
import type { Environment } from "./environment.ts";
import { fail } from "./failure.ts";
import { type Letter, letter } from "./message.ts";
import type { Sabotage } from "./sabotage.ts";
import type { Action, Config, Schedule, Side, Terms } from "./schedule.ts";
import { ServerProcess } from "./server-process.ts";
import { Tap } from "./tap.ts";
import { SenderRecord, Wire } from "./wire.ts";

/** A client, a server, the network between them and all that is known about both: one run. */
export class World implements Environment {
  readonly config: Config;
  readonly sabotage: Sabotage | undefined;
  readonly network: MockNetwork;
  readonly random: Random;
  readonly disks: Readonly<Record<Side, Disk>>;
  readonly outboxes: Record<Side, Letter[]> = { client: [], server: [] };
  readonly letters: Letter[] = [];
  /** The client asked for a clean start, and nothing has confirmed it. */
  cleanStartOwed = false;
  #client: ClientProcess;
  #server: ServerProcess;
  readonly #records = { client: new SenderRecord(), server: new SenderRecord() };
  /** Connections whose cable went dead without a word. */
  readonly #dead = new Set<Connection>();
  /** The end of a cable behind each tap. */
  readonly #ends = new Map<Connection, Connection>();
  readonly #arrived = new Set<number>();
  /** Per stream of messages (sender, topic, QoS), the last that arrived for the first time. */
  readonly #streams = new Map<string, number>();
  readonly #handed = new Set<Letter>();
  #cable: MockLink | undefined;
  #dials = 0;
  #taps = 0;
  #terms: Terms;
  #failure: unknown;

  constructor({ config }: Schedule, sabotage?: Sabotage) {
    this.config = config;
    this.sabotage = sabotage;
    this.network = mockNetwork({
      seed: config.seed,
      latencyMs: config.latencyMs,
      chunking: config.chunking,
      highWaterMark: config.highWaterMark,
      lowWaterMark: config.highWaterMark >> 1,
      transcript: false,
    });
    this.random = new Random(config.seed + 1);
    const disk = { scheduler: this.network.scheduler, random: this.random, commitMs: config.commitMs };
    this.disks = { client: new Disk(disk), server: new Disk(disk) };
    this.#terms = config.terms[0] as Terms;
    this.#server = new ServerProcess(this);
    this.#client = new ClientProcess(this);
  }

  /** Plays the schedule, lets everything come to rest, and looks at what is left. Throws a `Failure`. */
  run({ steps }: Schedule): void {
    this.#client.connect();
    for (const { afterMs, action } of steps) {
      this.#pass(afterMs);
      this.#do(action);
    }
    this.#comeToRest();
    for (const side of ["client", "server"] as const) {
      this.disks[side].sync();
    }
    this.#checkDeliveries();
    this.#stop();
  }

  after(ms: number, callback: () => void): void {
    this.network.scheduler.setTimer(() => {
      try {
        callback();
      } catch (error) {
        this.broken(error);
      }
    }, ms);
  }

  broken(error: unknown): void {
    this.#failure ??= error;
  }

  dial(): { readonly connection: Connection; readonly terms: Terms } {
    const { terms } = this.config;
    this.#terms = terms[this.#dials % terms.length] as Terms;
    this.#dials += 1;
    this.#cable = this.network.pair();
    this.#server.accept(this.#cable.server, this.#terms);
    return { connection: this.#cable.client, terms: this.#terms };
  }

  /** The connection, watched, and its number. */
  tap(
    connection: Connection,
    process: { readonly side: Side; readonly alive: boolean },
  ): { readonly connection: Connection; readonly number: number } {
    const { side } = process;
    this.#taps += 1;
    const number = this.#taps;
    const wire = new Wire({
      number,
      side,
      record: this.#records[side],
      durable: () => this.disks[side].durable,
      letters: this.letters,
      now: () => this.network.scheduler.now(),
      keepAliveMs: () => this.config.keepAliveSeconds * 1000,
    });
    const guard = (check: () => void): void => {
      try {
        check();
      } catch (error) {
        this.broken(error);
      }
    };
    const tap = new Tap(connection, this.config.version, {
      alive: () => process.alive,
      sent: (packet, size) => guard(() => wire.sent(packet, size)),
      received: (packet) => {
        if (!process.alive) {
          return;
        }
        noteTerms(wire, packet);
        guard(() => wire.received(packet));
      },
    });
    this.#ends.set(tap, connection);
    return { connection: tap, number };
  }

  /** Is it no wonder that this connection times out? */
  disturbed(connection: Connection): boolean {
    return this.#dead.has(this.#ends.get(connection) ?? connection);
  }

  handed(letter: Letter, number: number): void {
    letter.handedOn = number;
    this.#handed.add(letter);
  }

  /** This peer's limits exclude a message that was under way. */
  givenUp(letter: Letter, packetId: number): void {
    letter.excused = true;
    this.#records[letter.from].unfinished.delete(packetId);
  }

  /** The session of these messages is over: what was under way may be lost, or come twice. */
  excuse(side: Side): void {
    for (const letter of this.#handed) {
      if (letter.from === side && !letter.settled) {
        letter.excused = true;
      }
    }
  }

  arrived(letter: Letter): void {
    const again = this.#arrived.has(letter.number);
    this.#arrived.add(letter.number);
    if (letter.excused) {
      return;
    }
    if (again) {
      const { taken } = this.disks[letter.from === "client" ? "server" : "client"].durable;
      if (letter.qos === 0) {
        fail(`message ${letter.number} of QoS 0 arrived twice`);
      }
      if (letter.qos === 2 && taken.has(letter.number)) {
        fail(`message ${letter.number} of QoS 2 arrived twice`);
      }
      return;
    }
    const stream = `${letter.topic} ${letter.qos}`;
    if ((this.#streams.get(stream) ?? -1) > letter.number) {
      fail(`message ${letter.number} arrived out of order`);
    }
    this.#streams.set(stream, letter.number);
  }

  #do(action: Action): void {
    switch (action.do) {
      case "publish":
        this.#publish(action);
        break;
      case "subscribe":
      case "unsubscribe":
        this.#client.request(action.do === "subscribe");
        break;
      case "disconnect":
        this.#client.disconnect();
        break;
      case "clean-start":
        this.#client.cleanStart = true;
        this.#client.disconnect();
        break;
      case "close":
        this.#process(action.side).disconnect();
        break;
      case "cut":
        this.#cable?.cut();
        break;
      case "stall":
        this.#stall(action.ms);
        break;
      case "half-open":
        this.#halfOpen(action.ms);
        break;
      case "pause":
        this.#process(action.side).pause(action.ms);
        break;
      case "fail-commit":
        this.disks[action.side].failNext = true;
        break;
      case "crash":
        this.#crash(action.side);
        break;
    }
  }

  #publish(action: Extract<Action, { do: "publish" }>): void {
    const refused = action.refused && this.config.version === 5 && action.qos > 0;
    const next = letter(this.letters.length, action.side, { ...action, refused });
    this.letters.push(next);
    this.outboxes[action.side].push(next);
    this.#process(action.side).pump();
  }

  #stall(ms: number): void {
    const cable = this.#cable;
    cable?.stall();
    this.after(ms, () => {
      if (cable !== undefined && !this.#dead.has(cable.client)) {
        cable.unstall();
      }
    });
  }

  /** Nothing comes through any more. The client may find out by itself, the server has to wait. */
  #halfOpen(ms: number): void {
    this.#die(this.#cable);
    const client = this.#client;
    if (ms % 2 === 0) {
      this.after(ms, () => client.abort());
    }
  }

  #die(cable: MockLink | undefined): void {
    if (cable === undefined) {
      return;
    }
    cable.stall();
    this.#dead.add(cable.client);
    this.#dead.add(cable.server);
  }

  /** A program dies; its machine lives on and ends the connection, or dies as well. */
  #crash(side: Side): void {
    this.#process(side).crash();
    this.disks[side].crash();
    this.disks[side].failNext = false;
    if (this.random.integer(0, 1) === 0) {
      this.#cable?.cut();
    } else {
      this.#die(this.#cable);
    }
    const { handed, outgoing } = this.disks[side].durable;
    this.outboxes[side] = this.letters.filter(
      ({ from, number, excused, settled }) => from === side && !handed.has(number) && !(excused && settled),
    );
    if (side === "server") {
      // What a server sends with QoS 1 waits for no commit, and may be forgotten with the crash.
      for (const letter of this.outboxes.server) {
        letter.maybeSent = letter.qos === 1;
      }
      const { unfinished } = this.#records.server;
      for (const packetId of unfinished) {
        if (!outgoing.has(packetId)) {
          unfinished.delete(packetId);
        }
      }
      this.#server = new ServerProcess(this);
    } else {
      this.#client = new ClientProcess(this);
      this.#client.connect();
    }
  }

  #process(side: Side): ClientProcess | ServerProcess {
    return side === "client" ? this.#client : this.#server;
  }

  #pass(ms: number): void {
    this.network.advance(ms);
    if (this.#failure !== undefined) {
      throw this.#failure;
    }
  }

  #comeToRest(): void {
    const started = this.network.scheduler.now();
    for (let ms = 20; !this.#atRest(); ms = Math.min(ms * 1.5, 2000)) {
      if (this.network.scheduler.now() - started > PATIENCE_MS) {
        fail(`not at rest: ${this.#unrest()}`);
      }
      this.#pass(ms);
    }
  }

  #atRest(): boolean {
    return this.#unrest() === "";
  }

  #unrest(): string {
    const parts = [
      !this.#client.connected && "client not connected",
      !this.#server.connected && "server not connected",
      this.outboxes.client.length + this.outboxes.server.length > 0 && "messages not sent",
      this.#client.underWay + this.#server.underWay > 0 && "messages under way",
      this.#client.requests > 0 && "requests without answer",
      this.#client.inflight.incomingCount + this.#server.inflight.incomingCount > 0 && "incoming ids not released",
      this.#client.inflight.outgoingCount + this.#server.inflight.outgoingCount > 0 && "outgoing ids not released",
    ];
    return parts.filter((part) => part !== false).join(", ");
  }

  #checkDeliveries(): void {
    for (const { number, from, qos, refused, excused, settled } of this.letters) {
      const { taken, refused: refusals } = this.disks[from === "client" ? "server" : "client"].durable;
      const times = taken.get(number) ?? 0;
      if (excused) {
        continue;
      }
      const name = `message ${number} of QoS ${qos}`;
      if (qos > 0 && !settled) {
        fail(`${name} was never settled`);
      }
      if (refused && (times > 0 || !refusals.has(number))) {
        fail(`${name} was refused and taken ${times} times`);
      }
      if (refused) {
        continue;
      }
      if (qos === 0 && times > 1) {
        fail(`${name} was taken ${times} times`);
      }
      if (qos === 1 && times < 1) {
        fail(`${name} was lost`);
      }
      if (qos === 2 && times !== 1) {
        fail(`${name} was taken ${times} times`);
      }
    }
  }

  /** Everything ends, and nothing is left over. */
  #stop(): void {
    this.#client.stopping = true;
    this.#client.disconnect();
    this.#pass(this.config.keepAliveSeconds * 1500 + 60_000);
    for (const process of [this.#client, this.#server]) {
      this.disks[process.side].sync();
      if (process.links > 0) {
        fail(`${process.side} has ${process.links} links left`);
      }
      const { outgoing, incoming } = this.disks[process.side].durable;
      if (outgoing.size + incoming.size > 0) {
        fail(`${process.side} keeps in-flight state for nothing`);
      }
    }
  }
}

/** Longer than any keep-alive, twice over. */
const PATIENCE_MS = 300_000;

/** What one end tells the other in CONNECT and CONNACK. */
function noteTerms(wire: Wire, packet: Packet): void {
  if (packet.type !== 1 && packet.type !== 2) {
    return;
  }
  wire.peer.receiveMaximum = packet.properties?.receiveMaximum ?? 65_535;
  wire.peer.maximumPacketSize = packet.properties?.maximumPacketSize ?? Number.POSITIVE_INFINITY;
}
