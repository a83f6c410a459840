import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { ConnackPacket, ConnectPacket } from "@tidewire/codec";
import { Channel, type ChannelOptions } from "./channel.ts";
import { type Ending, Peer, type PeerOptions } from "./peer.ts";
import { type LogLine, Program, type ProgramOptions, portOf, type Transport } from "./program.ts";
import { seededRandom } from "./random.ts";
import { Server, type UserName, users } from "./server.ts";
import type { ServerNeeds, Variant } from "./variant.ts";
import { until } from "./wait.ts";

/** What an attack has in its hands; everything it opens or starts ends with it. */
export class Context {
  readonly server: Server;
  readonly variant: Variant;
  readonly random: () => number;
  /** What did not come out as it must. */
  readonly failures: string[] = [];
  /** What should have been logged and was not. */
  readonly unlogged: string[] = [];
  /** What was seen, for the table. */
  readonly notes: string[] = [];
  readonly #logStart: number;
  readonly #open = new Set<Channel>();
  readonly #sockets = new Set<Socket>();
  readonly #programs: Program[] = [];
  readonly #directories: string[] = [];

  constructor(server: Server, variant: Variant, seed: number) {
    this.server = server;
    this.variant = variant;
    this.random = seededRandom(seed);
    this.#logStart = server.program.log.length;
  }

  get program(): Program {
    return this.server.program;
  }

  /** Notes what must hold, and whether it does. */
  check(ok: boolean, what: string): boolean {
    if (!ok) {
      this.failures.push(what);
    }
    return ok;
  }

  note(text: string): void {
    this.notes.push(text);
  }

  /** A connection below MQTT, over the variant's transport unless told. */
  async channel(options: ChannelOptions & { readonly transport?: Transport } = {}): Promise<Channel> {
    const channel = await Channel.open(this.program, options.transport ?? this.variant.transport, options);
    this.#open.add(channel);
    void channel.ended.then(() => this.#open.delete(channel));
    return channel;
  }

  /** A TCP connection to the variant's port, below TLS and HTTP. */
  async bareSocket(transport: Transport = this.variant.transport, localAddress?: string): Promise<Socket> {
    const port = portOf(this.program, transport);
    const socket = connect({ port, host: "127.0.0.1", noDelay: true, ...(localAddress && { localAddress }) });
    socket.on("error", () => {});
    // What nobody reads would never end.
    socket.resume();
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    await new Promise((resolve) => {
      socket.once("connect", resolve);
      socket.once("close", resolve);
    });
    return socket;
  }

  /** A connection that has not sent anything yet. */
  async peer(options: PeerOptions = {}): Promise<Peer> {
    const { transport, version } = this.variant;
    const channel = await this.channel({ transport, ...options });
    return new Peer(channel, { version, ...options });
  }

  /** A client that was let in, `mallory` unless told; throws when it was not. */
  async client(
    fields: Partial<ConnectPacket> = {},
    options: PeerOptions & { readonly user?: UserName } = {},
  ): Promise<Peer> {
    const peer = await this.peer(options);
    const connack = await this.connect(peer, fields, options.user);
    if (connack?.reasonCode !== 0) {
      throw new Error(`a client that should be let in got ${connack?.reasonCode ?? "no CONNACK"}`);
    }
    return peer;
  }

  /** CONNECT with a user's name and password, and what was answered. */
  connect(
    peer: Peer,
    fields: Partial<ConnectPacket> = {},
    user: UserName = "mallory",
  ): Promise<ConnackPacket | undefined> {
    return peer.connect({ ...credentials(user), ...fields });
  }

  /** Sends bytes as the first of a connection, and waits for its end. */
  async sendFirst(bytes: Uint8Array, limitMs?: number): Promise<Ending & { readonly peer: Peer }> {
    const peer = await this.peer();
    peer.channel.send(bytes);
    return { ...(await peer.ending(limitMs)), peer };
  }

  /** Sends bytes after a CONNECT that was answered, and waits for the end of the connection. */
  async sendConnected(
    bytes: Uint8Array,
    { clientId = this.clientId(), limitMs }: { readonly clientId?: string; readonly limitMs?: number } = {},
  ): Promise<Ending & { readonly peer: Peer }> {
    const peer = await this.client({ clientId });
    peer.reasonCode = undefined;
    peer.channel.send(bytes);
    return { ...(await peer.ending(limitMs)), peer };
  }

  /** One that no other client has. */
  clientId(): string {
    hostile += 1;
    return `hostile-${hostile}`;
  }

  /** What the program has logged since the attack began. */
  get log(): readonly LogLine[] {
    return this.program.log.slice(this.#logStart);
  }

  /**
   * Waits a moment for a line at `info` or above that matches; noted as missing when none comes. A broker that has said
   * enough in the last seconds may leave lines out, and says how many only later.
   */
  async logs(pattern: RegExp, what: string): Promise<void> {
    const isThere = () => this.log.some(({ level, text }) => level >= 30 && pattern.test(text));
    if (await until(() => isThere() || this.#hasSaidEnough(), 1500)) {
      if (!isThere()) {
        this.note("not logged, as much else was");
      }
      return;
    }
    this.unlogged.push(what);
  }

  #hasSaidEnough(): boolean {
    const since = performance.now() - LOG_WINDOW_MS;
    const recent = this.program.log.filter(({ level, atMs }) => level >= 30 && atMs > since);
    return recent.length >= LINES_IN_WINDOW;
  }

  /** Another `tidewire serve`, with arguments of its own. */
  async serve(args: readonly string[], options?: ProgramOptions): Promise<Program> {
    const program = await Program.serve(args, { ...options, script: this.server.script });
    this.#programs.push(program);
    return program;
  }

  /** A server of its own, such as one on the data directory of one that has ended. */
  async startServer(needs: ServerNeeds = {}, directory: string = this.directory()): Promise<Server> {
    const server = await Server.start(this.variant, this.server.script, needs, directory);
    this.#programs.push(server.program);
    return server;
  }

  /** A connection to a program other than the attacked one. */
  async peerAt(program: Program, options: PeerOptions = {}): Promise<Peer> {
    const { transport, version } = this.variant;
    const channel = await Channel.open(program, options.transport ?? transport, options);
    this.#open.add(channel);
    return new Peer(channel, { version, ...options });
  }

  /** A fresh directory that goes when the attack is over. */
  directory(): string {
    const directory = mkdtempSync(join(tmpdir(), "tidewire-attack-"));
    this.#directories.push(directory);
    return directory;
  }

  /** Ends all connections, and then all programs, that were opened. */
  async close(): Promise<void> {
    for (const channel of this.#open) {
      channel.destroy();
    }
    this.#open.clear();
    for (const socket of this.#sockets) {
      socket.destroy();
    }
    for (const program of this.#programs) {
      program.kill("SIGKILL");
      await program.exited;
    }
    for (const directory of this.#directories) {
      rmSync(directory, { recursive: true, force: true });
    }
  }
}

let hostile = 0;

/** Twenty lines of a kind in ten seconds are enough. */
const LINES_IN_WINDOW = 20;
const LOG_WINDOW_MS = 10_000;

/** The part of CONNECT that says who one is. */
export function credentials(user: UserName): Pick<ConnectPacket, "username" | "password"> {
  return { username: user, password: Buffer.from(users[user]) };
}
