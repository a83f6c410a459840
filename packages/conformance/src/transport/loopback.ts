import type { Connection, Dial, Listen, Listener } from "@tidewire/transport";
import type { ConformanceTarget } from "../case.ts";
import type { ConnectedPair, TransportCapability, TransportHarness } from "./harness.ts";
import { LocalPeer } from "./peer.ts";

/** A transport whose two ends are in this process. */
export interface LoopbackOptions {
  readonly name: string;
  readonly capabilities: readonly TransportCapability[];
  /** Which end is tested: the one that dials or the one that accepts. */
  readonly end: "client" | "server";
  /** Called for every case. */
  setup(): LoopbackTransport;
}

export interface LoopbackTransport {
  readonly listen: Listen;
  /** Dials an address of the listener. */
  dial(address: string): Dial;
  readonly dialNowhere: Dial;
  readonly marks: { readonly high: number; readonly low: number };
  readonly closeTimeoutMs: number;
  /** The listener's limit on what an accepted connection holds before `allowInput`. */
  readonly firstInputBytes?: number;
  /** Changes the end that is tested: how saboteurs come in. */
  readonly sabotage?: (connection: Connection) => Connection;
  /** Breaks what carries both connections. */
  cut?(client: Connection, server: Connection): void;
  /** Sends so many bytes of an unfinished message from the peer to the end that is tested. */
  sendUnfinished?(peer: Connection, bytes: number): void;
  /** Lets virtual time pass, or real time with a faster way to pass a turn than the default: `setTimeout`. */
  pass?(ms: number): Promise<void>;
}

/** The target for `runConformance` of a transport that can dial itself. */
export function loopbackTarget(options: LoopbackOptions): ConformanceTarget<LoopbackHarness> {
  const setup = async (): Promise<LoopbackHarness> => {
    const harness = new LoopbackHarness(options.setup, options.end);
    await harness.open();
    return harness;
  };
  return {
    name: `${options.name}, ${options.end}`,
    capabilities: options.capabilities,
    setup,
    teardown: (harness) => harness.close(),
  };
}

export class LoopbackHarness implements TransportHarness {
  readonly #setup: () => LoopbackTransport;
  readonly #end: "client" | "server";
  readonly #transport: LoopbackTransport;
  readonly #accepted: Connection[] = [];
  readonly #waiting: ((connection: Connection) => void)[] = [];
  readonly #ends = new Map<Connection, readonly [client: Connection, server: Connection]>();
  readonly #siblings: LoopbackHarness[] = [];
  #listener: Listener | undefined;
  #dialled: Promise<unknown> = Promise.resolve();

  constructor(setup: () => LoopbackTransport, end: "client" | "server") {
    this.#setup = setup;
    this.#end = end;
    this.#transport = setup();
  }

  get marks(): TransportHarness["marks"] {
    return this.#transport.marks;
  }

  get closeTimeoutMs(): number {
    return this.#transport.closeTimeoutMs;
  }

  get firstInputBytes(): number {
    return this.#transport.firstInputBytes ?? 0;
  }

  get dialNowhere(): Dial {
    return this.#transport.dialNowhere;
  }

  get dial(): Dial {
    return this.#transport.dial(this.#listener?.addresses[0] ?? "");
  }

  async open(): Promise<void> {
    this.#listener = await this.#transport.listen((connection) => {
      const taker = this.#waiting.shift();
      if (taker === undefined) {
        this.#accepted.push(connection);
      } else {
        taker(connection);
      }
    });
  }

  /** One after the other: that is how the ends find together. */
  connect(): Promise<ConnectedPair> {
    const pair = this.#dialled.then(() => this.#connect());
    this.#dialled = pair.catch(() => {});
    return pair;
  }

  async closeListener(): Promise<void> {
    await this.#listener?.close();
  }

  cut({ connection }: ConnectedPair): void {
    const ends = this.#ends.get(connection);
    if (ends !== undefined) {
      this.#transport.cut?.(...ends);
    }
  }

  sendUnfinished({ connection }: ConnectedPair, bytes: number): void {
    const ends = this.#ends.get(connection);
    if (ends !== undefined) {
      this.#transport.sendUnfinished?.(ends[this.#end === "client" ? 1 : 0], bytes);
    }
  }

  async sibling(): Promise<TransportHarness> {
    const sibling = new LoopbackHarness(this.#setup, this.#end);
    this.#siblings.push(sibling);
    await sibling.open();
    return sibling;
  }

  pass(ms: number): Promise<void> {
    return this.#transport.pass?.(ms) ?? new Promise((resolve) => setTimeout(resolve, ms));
  }

  async close(): Promise<void> {
    for (const ends of this.#ends.values()) {
      for (const end of ends) {
        end.abort();
      }
    }
    for (const connection of this.#accepted) {
      connection.abort();
    }
    for (const sibling of this.#siblings) {
      await sibling.close();
    }
    await this.closeListener();
    await this.pass(0);
  }

  async #connect(): Promise<ConnectedPair> {
    // What a cancelled dial left behind.
    for (const connection of this.#accepted.splice(0)) {
      connection.abort();
    }
    const accepted = new Promise<Connection>((resolve) => this.#waiting.push(resolve));
    const both = Promise.all([this.dial(), accepted]);
    let settled = false;
    both.then(
      () => (settled = true),
      () => (settled = true),
    );
    while (!settled) {
      await this.pass(1);
    }
    const [client, server] = await both;
    const [own, other] = this.#end === "client" ? [client, server] : [server, client];
    const connection = this.#transport.sabotage?.(own) ?? own;
    this.#ends.set(connection, [client, server]);
    return { connection, peer: new LocalPeer(other) };
  }
}
