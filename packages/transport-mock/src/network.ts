import {
  type Connection,
  callbackError,
  type Dial,
  type DialOptions,
  guard,
  type Listen,
  TransportError,
} from "@tidewire/transport";
import { MockNetworkError } from "./errors.ts";
import { limits } from "./limits.ts";
import { type LinkSettings, MockLink } from "./link.ts";
import type { Chunking } from "./pipe.ts";
import { Random } from "./random.ts";
import { VirtualScheduler } from "./scheduler.ts";
import { formatEntry, Transcript } from "./transcript.ts";

export interface MockNetworkOptions {
  /** Start of every random choice: latency within its range and where chunks are cut. Default 1. */
  readonly seed?: number;
  /** Virtual milliseconds each way, fixed or a range to draw from. Order is kept. Default 0. */
  readonly latencyMs?: number | readonly [min: number, max: number];
  /** How delivered bytes are cut: by default the chunks arrive as they were sent. */
  readonly chunking?: Chunking;
  /** Bytes that each link lets through, both ways together, before it is cut. Default: no end. */
  readonly byteBudget?: number;
  /** `send` returns false from here. */
  readonly highWaterMark?: number;
  /** `onDrain` comes at this level. */
  readonly lowWaterMark?: number;
  readonly closeTimeoutMs?: number;
  /** What accepted connections hold of an unfinished message until `allowInput` says otherwise. */
  readonly firstInputBytes?: number;
  /**
   * Told what a callback of a handler or of a listener threw, after its connection was ended. Default: throws it out of
   * `run`, so that it fails the test.
   */
  readonly onCallbackError?: (cause: unknown) => void;
  /** False when nobody will read it: long simulations run faster. Default true. */
  readonly transcript?: boolean;
}

/** A network in memory and in virtual time; see `mockNetwork`. */
export class MockNetwork {
  readonly scheduler: VirtualScheduler = new VirtualScheduler();
  readonly transcript: Transcript = new Transcript();
  /** Dials the address `mock`. */
  readonly dial: Dial;
  /** Listens on the address `mock`. */
  readonly listen: Listen;
  readonly #settings: LinkSettings;
  readonly #listeners = new Map<string, (connection: Connection) => void>();
  readonly #links = new Set<MockLink>();
  #linksMade = 0;
  #stalled = false;
  /** Dials that came during a stall. */
  #heldDials: (() => void)[] = [];

  constructor(options: MockNetworkOptions = {}) {
    const random = new Random(options.seed ?? 1);
    const latency = options.latencyMs ?? 0;
    this.#settings = {
      scheduler: this.scheduler,
      random,
      transcript: options.transcript === false ? undefined : this.transcript,
      chunking: options.chunking ?? "as-sent",
      latencyMs: typeof latency === "number" ? () => latency : () => random.integer(latency[0], latency[1]),
      byteBudget: options.byteBudget ?? Number.POSITIVE_INFINITY,
      highWaterMark: options.highWaterMark ?? limits.highWaterMark,
      lowWaterMark: Math.min(
        options.lowWaterMark ?? limits.lowWaterMark,
        (options.highWaterMark ?? limits.highWaterMark) - 1,
      ),
      closeTimeoutMs: options.closeTimeoutMs ?? limits.closeTimeoutMs,
      firstInputBytes: options.firstInputBytes ?? limits.firstInputBytes,
      onCallbackError: options.onCallbackError ?? rethrow,
    };
    this.dial = this.dialTo(defaultAddress);
    this.listen = this.listenOn(defaultAddress);
  }

  /** Links with at least one end that has not closed, oldest first. */
  get links(): readonly MockLink[] {
    for (const link of this.#links) {
      if (link.closed) {
        this.#links.delete(link);
      }
    }
    return [...this.#links];
  }

  dialTo(address: string): Dial {
    return (options) => new Promise((resolve, reject) => this.#dial(address, options, resolve, reject));
  }

  listenOn(address: string): Listen {
    return (onConnection) => {
      if (this.#listeners.has(address)) {
        return Promise.reject(new TransportError("address-in-use", `Somebody listens on ${address} already.`));
      }
      this.#listeners.set(address, onConnection);
      return Promise.resolve({
        addresses: [`mock://${address}`],
        close: () => {
          if (this.#listeners.get(address) === onConnection) {
            this.#listeners.delete(address);
          }
          return Promise.resolve();
        },
      });
    };
  }

  /** Two connected ends at once, without a listener or a promise: for tests that run synchronously. */
  pair(address: string = defaultAddress): MockLink {
    this.#linksMade += 1;
    const link = new MockLink(this.#linksMade, address, this.#settings);
    if (this.#stalled) {
      link.stall();
    }
    this.#links.add(link);
    return link;
  }

  /** Cuts every link. */
  cut(): void {
    for (const link of this.links) {
      link.cut();
    }
  }

  /** Nothing arrives any more and nobody is told; dials wait. */
  stall(): void {
    this.#stalled = true;
    for (const link of this.links) {
      link.stall();
    }
  }

  /** Ends a stall of the network or of any link. */
  unstall(): void {
    this.#stalled = false;
    for (const link of this.links) {
      link.unstall();
    }
    for (const connect of this.#heldDials.splice(0)) {
      this.scheduler.setNetworkEvent(connect, 0);
    }
  }

  /** Runs until nothing is in flight: see `VirtualScheduler.run`. */
  run(): number {
    return this.scheduler.run();
  }

  /** Lets `ms` of virtual time pass. */
  advance(ms: number): number {
    return this.scheduler.advance(ms);
  }

  /** Like `run`, and lets promise jobs run in between: for code that awaits `dial`. */
  async settle(): Promise<void> {
    for (let quiet = 0; quiet < limits.quietRounds; ) {
      quiet = this.run() > 0 ? 0 : quiet + 1;
      await undefined;
    }
  }

  /** Lets `ms` of virtual time pass, one event at a time, with promise jobs in between. */
  async pass(ms: number): Promise<void> {
    const endMs = this.scheduler.now() + ms;
    await this.settle();
    while ((this.scheduler.nextAtMs ?? Number.POSITIVE_INFINITY) <= endMs) {
      this.scheduler.step();
      await this.settle();
    }
    this.scheduler.advance(Math.max(0, endMs - this.scheduler.now()));
  }

  /**
   * Throws when anything happened since the mark (`transcript.length` at that time; by default: ever), or is still on
   * the way. The message shows what.
   */
  assertNoIo(mark = 0): void {
    const happened = this.transcript.since(mark);
    if (happened.length > 0) {
      const what = happened.map(formatEntry).join("\n");
      throw new MockNetworkError(
        "unexpected-io",
        `Nothing should have happened on the mock network, but this did:\n${what}`,
      );
    }
    this.assertNothingInFlight();
  }

  /** Throws when bytes were sent that nobody received. */
  assertNothingInFlight(): void {
    for (const link of this.links) {
      if (link.bytesInFlight > 0) {
        throw new MockNetworkError(
          "not-delivered",
          `${link.bytesInFlight} bytes of link ${link.number} were not delivered.`,
        );
      }
    }
  }

  /** Throws when a connection was left open. */
  assertAllClosed(): void {
    const open = this.links.map((link) => link.number);
    if (open.length > 0) {
      throw new MockNetworkError("left-open", `Links were left open: ${open.join(", ")}.`);
    }
  }

  #dial(
    address: string,
    options: DialOptions | undefined,
    resolve: (connection: Connection) => void,
    reject: (error: TransportError) => void,
  ): void {
    const signal = options?.signal;
    const aborted = (): void =>
      reject(new TransportError("aborted", "The dial was cancelled.", { cause: signal?.reason }));
    if (signal?.aborted) {
      aborted();
      return;
    }
    const connect = (): void => {
      if (signal?.aborted) {
        return;
      }
      if (this.#stalled) {
        this.#heldDials.push(connect);
        return;
      }
      signal?.removeEventListener("abort", aborted);
      const onConnection = this.#listeners.get(address);
      if (onConnection === undefined) {
        this.#settings.transcript?.add({ atMs: this.scheduler.now(), link: 0, from: "network", event: "refused" });
        reject(new TransportError("refused", `Nobody listens on ${address}.`));
        return;
      }
      const link = this.pair(address);
      resolve(link.client);
      guard(
        () => onConnection(link.server),
        (cause) => {
          link.server.abort(callbackError("onConnection", cause));
          this.#settings.onCallbackError(cause);
        },
      );
    };
    signal?.addEventListener("abort", aborted, { once: true });
    this.scheduler.setNetworkEvent(connect, this.#settings.latencyMs());
  }
}

/**
 * A network in memory: connections with latency, cut chunks, stalls and breaks, in virtual time, the same for the same
 * seed. Nothing moves until the test calls `run`, `advance`, `settle` or `pass`.
 */
export function mockNetwork(options?: MockNetworkOptions): MockNetwork {
  return new MockNetwork(options);
}

const defaultAddress = "mock";

function rethrow(cause: unknown): never {
  throw cause;
}
