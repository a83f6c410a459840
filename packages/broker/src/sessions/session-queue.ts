import type { QoS } from "@tidewire/codec";
import { type BrokerLimits, INDEX_PAGE_COUNT, QUEUE_PAGE_BYTES, QUEUE_PAGE_COUNT, READ_STEPS } from "../limits.ts";
import type { MemoryBudget } from "../memory/index.ts";
import { Delivery, type DeliveryReceiver } from "../messages/index.ts";
import type { MetricsRecorder } from "../metrics/index.ts";
import { type BrokerStore, Deque, type QueueEntry } from "../storage/index.ts";
import type { Job, Steps } from "../work/index.ts";
import { SharedIndex } from "./shared-index.ts";

export interface SessionQueueOptions {
  readonly clientId: string;
  readonly receiver: DeliveryReceiver;
  readonly store: BrokerStore;
  /** Whether the session's in-flight messages are in the store, too: sending then moves them there by itself. */
  readonly storesInflight: boolean;
  readonly limits: BrokerLimits;
  readonly metrics: MetricsRecorder;
  readonly memory: Pick<MemoryBudget, "countQueued" | "refuses">;
  /** What a durable store holds from before. */
  readonly loaded?: { readonly queuedCount: number; readonly queuedBytes: number };
}

/**
 * What waits for one session, within its limits. QoS 1 and 2 are kept in the store and read back in pages; QoS 0, which
 * is only ever kept for a slow reader, stays in memory and waits for no acknowledgement: a client that owes PUBACKs
 * still gets its QoS 0 messages.
 */
export class SessionQueue implements Job {
  readonly #options: SessionQueueOptions;
  #unacknowledged: Deque<Delivery> | undefined;
  /** Read from the store and not taken yet. */
  #page: Delivery[] = [];
  #pageIndex = 0;
  #readFrom = 0;
  #storedCount = 0;
  #storedBytes = 0;
  #unacknowledgedBytes = 0;
  /** Of what waits by shared subscriptions. */
  #shared: SharedIndex | undefined;
  /** From this sequence on the index does not know yet what the store held before; undefined when it knows all. */
  #unindexed: number | undefined;

  constructor(options: SessionQueueOptions) {
    this.#options = options;
    this.#unindexed = options.loaded === undefined ? undefined : 0;
    this.#countStored(options.loaded?.queuedCount ?? 0, options.loaded?.queuedBytes ?? 0);
  }

  get count(): number {
    return this.#storedCount + (this.#unacknowledged?.size ?? 0);
  }

  get bytes(): number {
    return this.#storedBytes + this.#unacknowledgedBytes;
  }

  /** Whether nothing of this kind waits, so that a new message may overtake nothing by being sent at once. */
  isEmpty(qos: QoS): boolean {
    return qos === 0 ? this.#unacknowledged === undefined || this.#unacknowledged.size === 0 : this.#storedCount === 0;
  }

  hasRoom(): boolean {
    return this.count < this.#options.limits.queueCount && this.bytes < this.#options.limits.queueBytes;
  }

  /** False when the policy says to disconnect the client. */
  push(delivery: Delivery): boolean {
    const { limits, metrics } = this.#options;
    const size = delivery.publication.payload.byteLength;
    while (this.count >= limits.queueCount || this.bytes + size > limits.queueBytes) {
      const reliable = delivery.qos > 0;
      if (!this.isEmpty(0) && size <= limits.queueBytes && (reliable || limits.queuePolicy === "drop-oldest")) {
        this.#shiftUnacknowledged();
        metrics.droppedQoS0 += 1;
      } else if (!reliable) {
        metrics.droppedQoS0 += 1;
        return true;
      } else if (limits.queuePolicy === "disconnect") {
        metrics.droppedQueueFull += 1;
        return false;
      } else if (limits.queuePolicy === "drop-newest" || this.#storedCount === 0 || size > limits.queueBytes) {
        metrics.droppedQueueFull += 1;
        return true;
      } else {
        this.drop(this.peek(1)!);
        metrics.droppedQueueFull += 1;
      }
    }
    const inMemory = delivery.qos === 0 || !this.#options.store.durable;
    if (inMemory && this.#options.memory.refuses(delivery.qos > 0, this.#memoryBytes)) {
      metrics.droppedMemory += 1;
      return true;
    }
    this.#keep(delivery, size);
    return true;
  }

  /** The next one of QoS 0, or of QoS 1 and 2. */
  peek(qos: QoS): Delivery | undefined {
    if (qos === 0) {
      return this.#unacknowledged?.at(0);
    }
    if (this.#storedCount === 0) {
      return undefined;
    }
    if (this.#pageIndex === this.#page.length) {
      this.#readPage();
    }
    return this.#page[this.#pageIndex];
  }

  /** The first one is about to be sent. */
  take(delivery: Delivery): void {
    if (delivery.qos > 0 && this.#options.storesInflight) {
      this.#shiftStored(delivery);
    } else {
      this.drop(delivery);
    }
  }

  /** The first one is not to be sent, or is nobody's any more once it was. */
  drop(delivery: Delivery): void {
    if (delivery.qos === 0) {
      this.#shiftUnacknowledged();
    } else {
      this.#options.store.dequeue(this.#options.clientId, delivery.sequence);
      this.#shiftStored(delivery);
    }
  }

  /** The shared subscriptions by which messages wait here, as far as they are known. */
  get sharedFilters(): Iterable<string> {
    return this.#shared?.filters ?? [];
  }

  /** Looks through what a store held before, for what came by shared subscriptions. */
  work(steps: Steps): boolean {
    while (this.#unindexed !== undefined) {
      if (steps.left <= 0) {
        return false;
      }
      steps.left -= this.#indexMore() * READ_STEPS;
    }
    return true;
  }

  /** Takes out the oldest that came by this shared subscription, if it `may` be had; undefined when there is none. */
  takeShared(filter: string, may: (delivery: Delivery) => boolean): Delivery | undefined {
    const { clientId, receiver, store } = this.#options;
    for (;;) {
      const sequence = this.#shared?.oldest(filter);
      if (sequence === undefined) {
        return undefined;
      }
      const entry = store.readQueue(clientId, sequence, 1, QUEUE_PAGE_BYTES)[0];
      if (entry?.sequence !== sequence) {
        this.#shared!.remove(filter, sequence);
        continue;
      }
      const delivery = Delivery.from(entry, receiver);
      if (!may(delivery)) {
        return undefined;
      }
      this.#shared!.remove(filter, sequence);
      store.dequeue(clientId, sequence);
      this.#countStored(-1, -entry.publication.payload.byteLength);
      const index = this.#page.findIndex((read) => read.sequence === sequence);
      if (index >= this.#pageIndex) {
        this.#page.splice(index, 1);
      }
      return delivery;
    }
  }

  /** QoS 0 waits for a connection only. */
  connectionLost(): void {
    if (!this.#options.limits.queueQoS0Offline) {
      this.#clearUnacknowledged();
    }
  }

  /** The session is over; its store entries go with it. */
  discard(): void {
    this.#clearUnacknowledged();
    this.#countStored(-this.#storedCount, -this.#storedBytes);
    this.#page = [];
    this.#pageIndex = 0;
    this.#shared = undefined;
    this.#unindexed = undefined;
  }

  #keep(delivery: Delivery, size: number): void {
    if (delivery.qos === 0) {
      this.#unacknowledged ??= new Deque();
      this.#unacknowledged.push(delivery);
      this.#countUnacknowledged(1, size);
    } else {
      this.#options.store.enqueue(this.#options.clientId, delivery);
      this.#countStored(1, size);
      if (this.#unindexed === undefined) {
        this.#index(delivery);
      }
    }
  }

  #index({ sharedFilter, sequence }: QueueEntry): void {
    if (sharedFilter !== undefined) {
      this.#shared ??= new SharedIndex();
      this.#shared.add(sharedFilter, sequence);
    }
  }

  #indexMore(): number {
    const { clientId, store } = this.#options;
    const entries = store.readQueue(clientId, this.#unindexed!, INDEX_PAGE_COUNT, QUEUE_PAGE_BYTES);
    for (const entry of entries) {
      this.#index(entry);
    }
    const last = entries.at(-1);
    this.#unindexed = last === undefined ? undefined : last.sequence + 1;
    return entries.length + 1;
  }

  #readPage(): void {
    const { clientId, store, receiver } = this.#options;
    const entries = store.readQueue(clientId, this.#readFrom, QUEUE_PAGE_COUNT, QUEUE_PAGE_BYTES);
    this.#page = entries.map((entry) => Delivery.from(entry, receiver));
    this.#pageIndex = 0;
    this.#readFrom = this.#page.at(-1)!.sequence + 1;
  }

  #shiftStored(delivery: Delivery): void {
    this.#pageIndex += 1;
    this.#countStored(-1, -delivery.publication.payload.byteLength);
    if (delivery.sharedFilter !== undefined) {
      this.#shared?.remove(delivery.sharedFilter, delivery.sequence);
    }
  }

  #shiftUnacknowledged(): void {
    const delivery = this.#unacknowledged!.shift()!;
    this.#countUnacknowledged(-1, -delivery.publication.payload.byteLength);
  }

  #clearUnacknowledged(): void {
    while (!this.isEmpty(0)) {
      this.#shiftUnacknowledged();
      this.#options.metrics.droppedQoS0 += 1;
    }
    this.#unacknowledged = undefined;
  }

  /** What of it is not in a durable store. */
  get #memoryBytes(): number {
    return this.#unacknowledgedBytes + (this.#options.store.durable ? 0 : this.#storedBytes);
  }

  #countStored(messages: number, bytes: number): void {
    if (!this.#options.store.durable && messages !== 0) {
      this.#options.memory.countQueued(messages, bytes);
    }
    this.#storedCount += messages;
    this.#storedBytes += bytes;
    this.#options.metrics.queued += messages;
    this.#options.metrics.queuedBytes += bytes;
  }

  #countUnacknowledged(messages: number, bytes: number): void {
    this.#options.memory.countQueued(messages, bytes);
    this.#unacknowledgedBytes += bytes;
    this.#options.metrics.queued += messages;
    this.#options.metrics.queuedBytes += bytes;
  }
}
