import { PersistentClient, type PersistentClientOptions } from "./persistent-client.ts";

/*
 * What clients do while the server is killed again and again, and what each of them knows for certain afterwards.
 */

type Common = Pick<PersistentClientOptions, "clientId" | "version" | "port">;

/** Publishes numbers without end, so many at a time, and notes which were acknowledged. */
export class Publisher {
  readonly client: PersistentClient;
  /** Every number below was published; those that were not acknowledged are still under way. */
  published = 0;
  readonly #topic: string;
  readonly #qos: 1 | 2;
  readonly #window: number;
  #publishing = false;

  constructor(common: Common, topic: string, qos: 1 | 2, window: number) {
    this.#topic = topic;
    this.#qos = qos;
    this.#window = window;
    this.client = new PersistentClient({ ...common, onSettled: () => this.#fill(), onConnected: () => this.#fill() });
  }

  start(): void {
    this.#publishing = true;
    this.client.start();
  }

  /** No new messages; what is under way goes on until it is acknowledged. */
  finish(): void {
    this.#publishing = false;
  }

  #fill(): void {
    while (this.#publishing && this.client.connected && this.client.unfinished < this.#window) {
      this.client.publish(this.#topic, `${this.published}`, this.#qos);
      this.published += 1;
    }
  }
}

/** Takes numbers and counts how often each one came. */
export class Subscriber {
  readonly client: PersistentClient;
  readonly filter: string;
  readonly #qos: 1 | 2;
  readonly #counts: number[] = [];
  #last = -1;
  /** Numbers whose first copy came after a higher number. */
  outOfOrder = 0;

  constructor(common: Common, filter: string, qos: 1 | 2) {
    this.filter = filter;
    this.#qos = qos;
    this.client = new PersistentClient({
      ...common,
      onMessage: (_topic, payload) => {
        const number = Number(payload);
        const count = (this.#counts[number] ?? 0) + 1;
        this.#counts[number] = count;
        if (count === 1 && number < this.#last) {
          this.outOfOrder += 1;
        }
        this.#last = Math.max(this.#last, number);
      },
    });
  }

  /** Connects and subscribes once; from then on the session has to remember. */
  async start(): Promise<void> {
    this.client.start();
    await this.client.subscribe(this.filter, this.#qos);
  }

  /** Of the numbers below `count`: those that never came. */
  missing(count: number): number[] {
    return range(count).filter((number) => this.#counts[number] === undefined);
  }

  /** Numbers that came more than once. */
  repeated(): number[] {
    return range(this.#counts.length).filter((number) => (this.#counts[number] ?? 0) > 1);
  }
}

/** Sets retained messages to rising values, one at a time for each topic. */
export class RetainedPublisher {
  readonly client: PersistentClient;
  /** By topic: the value last acknowledged, and the one last sent. */
  readonly values: { acknowledged: number; sent: number }[];
  readonly #topics = new Map<number, number>();
  #publishing = false;

  constructor(common: Common, topics: number) {
    this.values = range(topics).map(() => ({ acknowledged: -1, sent: -1 }));
    this.client = new PersistentClient({
      ...common,
      onSettled: (packetId) => {
        const topic = this.#topics.get(packetId)!;
        this.#topics.delete(packetId);
        this.values[topic]!.acknowledged = this.values[topic]!.sent;
        if (this.#publishing) {
          this.#set(topic);
        }
      },
    });
  }

  start(): void {
    this.#publishing = true;
    this.client.start();
    for (const topic of this.values.keys()) {
      this.#set(topic);
    }
  }

  finish(): void {
    this.#publishing = false;
  }

  #set(topic: number): void {
    this.values[topic]!.sent += 1;
    const value = this.values[topic]!.sent;
    // A large value now and then, and now and then none at all: an empty payload deletes.
    const payload = value % 7 === 6 ? "" : value % 5 === 4 ? `${value}`.padEnd(3000) : `${value}`;
    this.#topics.set(this.client.publish(`retained/${topic}`, payload, 1, true), topic);
  }
}

/** Subscribes and unsubscribes, one filter at a time, and knows which subscriptions were acknowledged. */
export class Subscribing {
  readonly client: PersistentClient;
  /** What the server has said yes to. */
  readonly held = new Set<string>();
  readonly received = new Set<string>();
  #running = false;
  #over: Promise<void> = Promise.resolve();

  constructor(common: Common) {
    this.client = new PersistentClient({ ...common, onMessage: (topic) => this.received.add(topic) });
  }

  start(): void {
    this.#running = true;
    this.client.start();
    this.#over = this.#run();
  }

  /** Resolves when the last request was answered. */
  finish(): Promise<void> {
    this.#running = false;
    return this.#over;
  }

  async #run(): Promise<void> {
    for (let step = 0; this.#running; step += 1) {
      const filter = `changing/${step % 50}`;
      if (this.held.has(filter)) {
        await this.client.unsubscribe(filter);
        this.held.delete(filter);
      } else {
        await this.client.subscribe(filter, 1);
        this.held.add(filter);
      }
    }
  }
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index);
}
