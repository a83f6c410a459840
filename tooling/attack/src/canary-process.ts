import type { CanaryOptions, CanaryReport } from "./canaries.ts";
import { Peer } from "./peer.ts";
import type { Endpoints, Transport } from "./program.ts";
import { sleep, until } from "./wait.ts";

/*
 * Clients that do nothing wrong: on each transport one publishes to the other, QoS 1, every few milliseconds. They have
 * a process of their own, so that an attacker at work does not slow down the clock.
 */

const INTERVAL_MS = 5;
/** A broker that is stopped gets no more than these: what it does with a backlog is another matter. */
const OUTSTANDING = 400;
/** What has not come by then does not come any more. */
const GRACE_MS = 10_000;
const RECONNECT_MS = 100;

class Pair {
  readonly #endpoints: Endpoints;
  readonly #options: CanaryOptions;
  readonly #transport: Transport;
  readonly #topic: string;
  #publisher: Peer | undefined;
  #subscriber: Peer | undefined;
  #sent = new Map<number, number>();
  #number = 0;
  #first = 0;
  #tripsMs: number[] = [];
  #disconnected = 0;
  #refused = 0;
  #reasonCodes = new Set<number>();
  #unacknowledged = 0;

  constructor(endpoints: Endpoints, options: CanaryOptions, transport: Transport) {
    this.#endpoints = endpoints;
    this.#options = options;
    this.#transport = transport;
    this.#topic = `canary/${transport}`;
  }

  async start(): Promise<void> {
    await this.#connect();
    setInterval(() => this.#publish(), INTERVAL_MS);
  }

  begin(): void {
    this.#first = this.#number;
    this.#tripsMs = [];
    this.#disconnected = 0;
    this.#refused = 0;
    this.#reasonCodes.clear();
  }

  async report(): Promise<Omit<CanaryReport, "tripsMs"> & { readonly tripsMs: readonly number[] }> {
    const end = this.#number;
    const missing = () => [...this.#sent.keys()].filter((number) => number >= this.#first && number < end);
    await until(() => missing().length === 0, GRACE_MS);
    return {
      sent: end - this.#first,
      lost: missing().length,
      disconnected: this.#disconnected,
      refused: this.#refused,
      reasonCodes: [...this.#reasonCodes],
      tripsMs: this.#tripsMs,
    };
  }

  async #connect(): Promise<void> {
    const subscriber = await this.#open((payload) => this.#arrived(payload));
    const publisher = await this.#open(() => {});
    await subscriber.subscribe(this.#topic, 1);
    [this.#subscriber, this.#publisher] = [subscriber, publisher];
    this.#unacknowledged = 0;
    for (const peer of [publisher, subscriber]) {
      void peer.channel.ended.then(() => this.#lostConnection(peer));
    }
  }

  async #open(onPayload: (payload: Uint8Array) => void): Promise<Peer> {
    connections += 1;
    const peer = await Peer.open(this.#endpoints, {
      transport: this.#transport,
      onPublish: ({ payload }) => onPayload(payload),
    });
    const { username, password } = this.#options;
    const connack = await peer.connect({
      clientId: `canary-${this.#transport}-${connections}`,
      keepAlive: 60,
      username,
      password: password === undefined ? undefined : Buffer.from(password),
    });
    if (connack?.reasonCode !== 0) {
      peer.destroy();
      throw new Error(`a canary was refused: ${connack?.reasonCode ?? "no CONNACK"}`);
    }
    return peer;
  }

  #publish(): void {
    const publisher = this.#publisher;
    if (publisher === undefined || this.#sent.size >= OUTSTANDING) {
      return;
    }
    // Acknowledgements are of no interest here, but must not pile up.
    this.#unacknowledged += 1 - publisher.received.length;
    publisher.received.length = 0;
    if (this.#unacknowledged > OUTSTANDING) {
      return;
    }
    const number = this.#number;
    this.#number += 1;
    this.#sent.set(number, performance.now());
    publisher.publish(this.#topic, String(number), { qos: 1 });
  }

  #arrived(payload: Uint8Array): void {
    const number = Number(Buffer.from(payload).toString());
    const sentAt = this.#sent.get(number);
    if (sentAt !== undefined && this.#sent.delete(number)) {
      this.#tripsMs.push(performance.now() - sentAt);
    }
  }

  async #lostConnection(peer: Peer): Promise<void> {
    if (peer !== this.#publisher && peer !== this.#subscriber) {
      return;
    }
    this.#disconnected += 1;
    if (peer.reasonCode !== undefined) {
      this.#reasonCodes.add(peer.reasonCode);
    }
    const others = [this.#publisher, this.#subscriber];
    [this.#publisher, this.#subscriber] = [undefined, undefined];
    for (const other of others) {
      other?.destroy();
    }
    for (;;) {
      await sleep(RECONNECT_MS);
      try {
        await this.#connect();
        return;
      } catch {
        this.#refused += 1;
      }
    }
  }
}

let connections = 0;

const options = JSON.parse(process.argv[2] ?? "{}") as CanaryOptions;
const urls = options.urls.map((text) => new URL(text));
const endpoints = { urls: new Map(urls.map((url) => [url.protocol.slice(0, -1) as Transport, url])) };
const pairs = options.transports.map((transport) => new Pair(endpoints, options, transport));

process.on("disconnect", () => process.exit());
process.on("message", async (question) => {
  if (question === "begin") {
    for (const pair of pairs) {
      pair.begin();
    }
    process.send?.({});
    return;
  }
  const reports = await Promise.all(pairs.map((pair) => pair.report()));
  process.send?.(merged(reports));
});
await Promise.all(pairs.map((pair) => pair.start()));
process.send?.({});

function merged(reports: Awaited<ReturnType<Pair["report"]>>[]): CanaryReport {
  const sum = (of: (report: (typeof reports)[number]) => number) =>
    reports.reduce((total, each) => total + of(each), 0);
  const trips = reports.flatMap(({ tripsMs }) => tripsMs).sort((a, b) => a - b);
  const percentile = (share: number) => trips[Math.min(trips.length - 1, Math.floor(trips.length * share))] ?? 0;
  return {
    sent: sum(({ sent }) => sent),
    lost: sum(({ lost }) => lost),
    disconnected: sum(({ disconnected }) => disconnected),
    refused: sum(({ refused }) => refused),
    reasonCodes: [...new Set(reports.flatMap(({ reasonCodes }) => reasonCodes))],
    tripsMs: { p50: percentile(0.5), p99: percentile(0.99), longest: trips.at(-1) ?? 0 },
  };
}
