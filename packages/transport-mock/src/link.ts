import { type CloseInfo, TransportError } from "@tidewire/transport";
import { type LinkControl, MockConnection } from "./connection.ts";
import { type Chunking, Pipe, type PipeOptions } from "./pipe.ts";
import type { Random } from "./random.ts";
import type { VirtualScheduler, VirtualTimer } from "./scheduler.ts";
import type { Transcript, TranscriptEvent } from "./transcript.ts";

/** What all links of a network have in common. */
export interface LinkSettings {
  readonly scheduler: VirtualScheduler;
  readonly random: Random;
  readonly transcript: Transcript | undefined;
  readonly chunking: Chunking;
  readonly latencyMs: () => number;
  readonly byteBudget: number;
  readonly highWaterMark: number;
  readonly lowWaterMark: number;
  readonly closeTimeoutMs: number;
  readonly firstInputBytes: number;
  readonly onCallbackError: (cause: unknown) => void;
}

/** A cable between two ends, and what can be done to it. */
export class MockLink implements LinkControl {
  /** Counted from 1 in the order of dialling. */
  readonly number: number;
  readonly client: MockConnection;
  readonly server: MockConnection;
  readonly #settings: LinkSettings;
  readonly #toServer: Pipe;
  readonly #toClient: Pipe;
  #stalled = false;
  /** What would have been told to an end during a stall. */
  #held: (() => void)[] = [];
  #closeTimer: VirtualTimer | undefined;
  #budget: number;

  constructor(number: number, address: string, settings: LinkSettings) {
    this.number = number;
    this.#settings = settings;
    this.#budget = settings.byteBudget;
    const clientAddress = `mock-client:${number}`;
    this.client = new MockConnection(connectionInfo(address, clientAddress), this, Number.POSITIVE_INFINITY);
    this.server = new MockConnection(connectionInfo(clientAddress, address), this, settings.firstInputBytes);
    const options: PipeOptions = {
      scheduler: settings.scheduler,
      random: settings.random,
      chunking: settings.chunking,
      latencyMs: settings.latencyMs,
      stalled: () => this.#stalled,
      spend: (pipe, bytes) => this.#spend(pipe, bytes),
      onEnd: (pipe) => this.#ended(pipe),
    };
    this.#toServer = new Pipe(this.client, this.server, options);
    this.#toClient = new Pipe(this.server, this.client, options);
    this.client.join(this.#toServer, this.#toClient);
    this.server.join(this.#toClient, this.#toServer);
    this.#record("client", "open");
  }

  get highWaterMark(): number {
    return this.#settings.highWaterMark;
  }

  get lowWaterMark(): number {
    return this.#settings.lowWaterMark;
  }

  /** Both ends know that it is over. */
  get closed(): boolean {
    return this.client.closed && this.server.closed;
  }

  /** Bytes sent and not delivered, both ways. */
  get bytesInFlight(): number {
    return this.#toServer.bytes + this.#toClient.bytes;
  }

  /** Breaks the link: what is on the way is lost, and both ends are told. */
  cut(): void {
    if (this.closed) {
      return;
    }
    this.#record("network", "cut");
    this.#finishBoth(new TransportError("reset", "The connection was cut."));
  }

  /** Nothing arrives any more, and nobody is told: a cable pulled out, a router asleep. */
  stall(): void {
    if (this.#stalled) {
      return;
    }
    this.#stalled = true;
    this.#record("network", "stall");
  }

  /** Ends a stall: what waited arrives. */
  unstall(): void {
    if (!this.#stalled) {
      return;
    }
    this.#stalled = false;
    this.#record("network", "unstall");
    this.#toServer.schedule();
    this.#toClient.schedule();
    for (const callback of this.#held.splice(0)) {
      this.later(callback);
    }
  }

  /** Lets `bytes` more through, counted over both directions, and cuts there, in the middle of a chunk if need be. */
  cutAfter(bytes: number): void {
    this.#budget = bytes;
  }

  later(callback: () => void): void {
    this.#settings.scheduler.setNetworkEvent(callback, 0);
  }

  closing(): void {
    const { scheduler, closeTimeoutMs } = this.#settings;
    this.#closeTimer ??= scheduler.setTimer(() => {
      const error = new TransportError("timeout", "The other side did not take the last bytes in time.");
      this.#finishBoth(error);
    }, closeTimeoutMs);
  }

  aborted(by: MockConnection, error: Error | undefined): void {
    this.#abort(
      by,
      error === undefined ? { initiator: "local", clean: false } : { initiator: "local", clean: false, error },
    );
  }

  overran(receiver: MockConnection): void {
    const error = new TransportError(
      "input-limit",
      "The other side sent more of an unfinished message than is allowed.",
    );
    this.#abort(receiver, { initiator: "remote", clean: false, error });
  }

  callbackThrew(cause: unknown): void {
    this.#settings.onCallbackError(cause);
  }

  #abort(by: MockConnection, info: CloseInfo): void {
    this.#record(this.#nameOf(by), "abort");
    const other = by === this.client ? this.server : this.client;
    this.#toServer.clear();
    this.#toClient.clear();
    by.finish(info);
    this.#carry(() => {
      const reset = new TransportError("reset", "The other side ended the connection at once.");
      this.#finish(other, { initiator: other.closing ? "local" : "remote", clean: false, error: reset });
    });
  }

  /** All bytes and the end arrived: the receiver closes, and the sender hears of it one way later. */
  #ended(pipe: Pipe): void {
    this.#record(this.#nameOf(pipe.from), "end");
    pipe.to.finish({ initiator: pipe.to.closing ? "local" : "remote", clean: true });
    this.#carry(() => this.#finish(pipe.from, { initiator: "local", clean: true }));
  }

  /** Runs one way later, or when a stall ends. */
  #carry(callback: () => void): void {
    this.#settings.scheduler.setNetworkEvent(() => {
      if (this.#stalled) {
        this.#held.push(callback);
      } else {
        callback();
      }
    }, this.#settings.latencyMs());
  }

  #spend(pipe: Pipe, bytes: Uint8Array): number {
    const allowed = Math.min(this.#budget, bytes.length);
    this.#budget -= allowed;
    if (allowed > 0) {
      this.#record(this.#nameOf(pipe.from), "data", bytes.subarray(0, allowed));
    }
    if (allowed < bytes.length) {
      this.later(() => this.cut());
    }
    return allowed;
  }

  #finishBoth(error: Error): void {
    for (const end of [this.client, this.server]) {
      this.#finish(end, { initiator: end.closing ? "local" : "remote", clean: false, error });
    }
  }

  #finish(end: MockConnection, info: CloseInfo): void {
    end.finish(info);
    if (this.closed) {
      this.#settings.scheduler.clearTimer(this.#closeTimer);
    }
  }

  #nameOf(connection: MockConnection): "client" | "server" {
    return connection === this.client ? "client" : "server";
  }

  #record(from: "client" | "server" | "network", event: TranscriptEvent, bytes?: Uint8Array): void {
    const atMs = this.#settings.scheduler.now();
    const entry = { atMs, link: this.number, from, event };
    this.#settings.transcript?.add(bytes === undefined ? entry : { ...entry, bytes });
  }
}

function connectionInfo(remoteAddress: string, localAddress: string): MockConnection["info"] {
  return { transport: "mock", remoteAddress, localAddress, secure: false, protocol: undefined };
}
