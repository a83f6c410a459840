import { type SubackPacket, type SubscriptionRequest, type UnsubackPacket, validateTopicFilter } from "@tidewire/codec";
import type { Link, Scheduler } from "@tidewire/link";
import type { ClientSession } from "@tidewire/session";
import { ClientError } from "./errors.ts";
import type { FilterIndex } from "./filter-index.ts";
import type { OperationOptions, SubscribeOptions } from "./interfaces.ts";
import type { ClientLimits } from "./limits.ts";
import type { PendingCalls } from "./pending-calls.ts";
import { invalidArgument, unsupportedByServer } from "./session-errors.ts";
import type { Consumer } from "./subscription.ts";
import { subscriptionIdentifier } from "./subscription-identifier.ts";

/** A filter that somebody here wants, and who. */
export interface FilterEntry {
  readonly filter: string;
  readonly identifier: number;
  /** Replaced, never changed: a message may be on its way through it. */
  consumers: readonly Consumer[];
  request: SubscriptionRequest;
  /** Sent to a server that has the session: it has to be told when nobody wants the filter any more. */
  asked: boolean;
  /** To be told the answer to the next SUBSCRIBE with this filter. */
  answers: Answer[];
}

/** A reason code of the server, or why there is none. */
type Answer = (result: number | ClientError) => void;

export interface SubscriberOptions {
  readonly scheduler: Scheduler;
  readonly limits: ClientLimits;
  readonly index: FilterIndex<FilterEntry>;
  readonly calls: PendingCalls;
  readonly report: (error: ClientError) => void;
}

/**
 * Subscribes and unsubscribes: gathers what is wanted in a turn into few packets, and makes the server's side the same
 * as this side again when it lost the session.
 */
export class Subscriber {
  readonly #options: SubscriberOptions;
  /** To be sent, by Subscription Identifier, of which a SUBSCRIBE has one. */
  readonly #toSubscribe = new Map<number, Set<FilterEntry>>();
  readonly #toUnsubscribe = new Map<string, Answer[]>();
  readonly #unanswered = new Map<number, Unanswered>();
  #scheduled = false;
  #link: Link<ClientSession> | undefined;

  constructor(options: SubscriberOptions) {
    this.#options = options;
  }

  subscribe(consumer: Consumer, options: SubscribeOptions): Promise<void> {
    const invalid = this.#refusal(consumer.filters);
    if (invalid !== undefined) return Promise.reject(invalid);
    const granted: number[] = [];
    return this.#options.calls.run(options, (settle) => {
      let open = consumer.filters.length;
      for (const [i, filter] of consumer.filters.entries()) {
        this.#want(filter, consumer, options, (result) => {
          const refused = typeof result === "object" || result >= 0x80;
          granted[i] = typeof result === "object" ? (result.reasonCode ?? 0x80) : result;
          if (refused) this.#leave(filter, consumer);
          if (--open > 0) return;
          consumer.granted = granted;
          if (granted.some((code) => code < 0x80)) settle.resolve();
          else settle.reject(typeof result === "object" ? result : subscribeRefused(result));
        });
      }
      this.#schedule();
      return () => void this.unsubscribe(consumer, undefined).catch(this.#options.report);
    });
  }

  /** Takes the consumer away at once; the promise is about the server. */
  unsubscribe(consumer: Consumer, options: OperationOptions | undefined): Promise<void> {
    const filters = consumer.filters.filter((filter) => this.#leave(filter, consumer));
    consumer.end();
    return this.#options.calls.run(options, (settle) => {
      let open = filters.length;
      if (open === 0) settle.resolve();
      for (const filter of filters) {
        this.#unwant(filter, (result) => {
          if (typeof result === "object") settle.reject(result);
          else if (result >= 0x80) settle.reject(subscribeRefused(result));
          else if (--open === 0) settle.resolve();
        });
      }
      this.#schedule();
      return () => {};
    });
  }

  online(link: Link<ClientSession>, sessionPresent: boolean): void {
    this.#link = link;
    if (!sessionPresent) {
      for (const answers of this.#toUnsubscribe.values()) tell(answers, 0);
      this.#toUnsubscribe.clear();
      for (const entry of this.#options.index.values()) this.#queue(entry);
    }
    this.#send();
  }

  /** What was on the way is sent again on the next connection. */
  offline(): void {
    this.#link = undefined;
    for (const { entries, filters, timer } of this.#unanswered.values()) {
      this.#options.scheduler.clearTimer(timer);
      for (const [entry, answers] of entries) {
        entry.answers.unshift(...answers);
        if (this.#options.index.get(entry.filter) === entry) this.#queue(entry);
      }
      for (const [filter, answers] of filters) {
        for (const answer of answers) this.#unwant(filter, answer);
      }
    }
    this.#unanswered.clear();
  }

  answered({ packetId, reasonCodes }: SubackPacket | UnsubackPacket): void {
    const unanswered = this.#take(packetId);
    if (unanswered === undefined) return;
    for (const [i, [, answers]] of unanswered.entries.entries()) {
      const reasonCode = reasonCodes[i] ?? 0x80;
      if (reasonCode >= 0x80 && answers.length === 0) this.#options.report(subscribeRefused(reasonCode));
      tell(answers, reasonCode);
    }
    // In 3.1.1 UNSUBACK carries no codes.
    for (const [i, [, answers]] of unanswered.filters.entries()) tell(answers, reasonCodes[i] ?? 0);
    this.#send();
  }

  /** Why the server cannot be asked this, before anything is sent. */
  #refusal(filters: readonly string[]): ClientError | undefined {
    if (filters.length === 0) return new ClientError("invalid-argument", "A subscription needs a topic filter.");
    try {
      for (const filter of filters) validateTopicFilter(filter);
    } catch (error) {
      return invalidArgument(error);
    }
    const peer = this.#link?.session.peer;
    const refused = filters.some(
      (filter) =>
        (peer?.wildcardSubscriptionAvailable === false && /[+#]/.test(filter)) ||
        (peer?.sharedSubscriptionAvailable === false && filter.startsWith("$share/")),
    );
    if (!refused) return undefined;
    return new ClientError("not-supported-by-server", "The server announced that it does not take such filters.");
  }

  #want(filter: string, consumer: Consumer, options: SubscribeOptions, answer: Answer): void {
    const { index } = this.#options;
    let entry = index.get(filter);
    const request: SubscriptionRequest = {
      filter,
      qos: Math.max(options.qos ?? 1, entry?.request.qos ?? 0) as 0 | 1 | 2,
      noLocal: options.noLocal ?? false,
      retainAsPublished: options.retainAsPublished ?? false,
      retainHandling: options.retainHandling ?? 0,
    };
    if (entry === undefined) {
      entry = { filter, identifier: subscriptionIdentifier(filter), consumers: [], request, asked: false, answers: [] };
      index.set(filter, entry);
    }
    entry.request = request;
    entry.consumers = [...entry.consumers, consumer];
    entry.answers.push(answer);
    this.#queue(entry);
    tell(this.#toUnsubscribe.get(filter) ?? [], 0);
    this.#toUnsubscribe.delete(filter);
  }

  #unwant(filter: string, answer: Answer): void {
    // Somebody else has subscribed to it meanwhile.
    if (this.#options.index.get(filter) !== undefined) answer(0);
    else this.#toUnsubscribe.set(filter, [...(this.#toUnsubscribe.get(filter) ?? []), answer]);
  }

  /** Takes a consumer off a filter. True when the server has to be told. */
  #leave(filter: string, consumer: Consumer): boolean {
    const { index } = this.#options;
    const entry = index.get(filter);
    if (entry === undefined || !entry.consumers.includes(consumer)) return false;
    entry.consumers = entry.consumers.filter((other) => other !== consumer);
    if (entry.consumers.length > 0) return false;
    index.delete(filter);
    this.#toSubscribe.get(entry.identifier)?.delete(entry);
    return entry.asked;
  }

  #queue(entry: FilterEntry): void {
    let entries = this.#toSubscribe.get(entry.identifier);
    if (entries === undefined) {
      entries = new Set();
      this.#toSubscribe.set(entry.identifier, entries);
    }
    entries.add(entry);
  }

  /** Sends what this turn has gathered, before a message that was published after it. */
  flush(): void {
    if (this.#scheduled) this.#send();
  }

  /** Sends at the end of the turn, so that calls made together share packets. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#options.scheduler.defer(() => {
      this.flush();
      this.#scheduled = false;
    });
  }

  #send(): void {
    const link = this.#link;
    if (link === undefined) return;
    const { unansweredPackets } = this.#options.limits;
    while (this.#toUnsubscribe.size > 0 && this.#unanswered.size < unansweredPackets) this.#sendUnsubscribe(link);
    for (const [identifier, entries] of this.#toSubscribe) {
      while (entries.size > 0 && this.#unanswered.size < unansweredPackets)
        this.#sendSubscribe(link, identifier, entries);
      if (entries.size > 0) break;
      this.#toSubscribe.delete(identifier);
    }
    link.touch();
  }

  #sendSubscribe(link: Link<ClientSession>, identifier: number, waiting: Set<FilterEntry>): void {
    const batch = this.#batch(waiting, (entry) => entry.filter, link);
    const entries: [FilterEntry, Answer[]][] = [];
    for (const entry of batch) {
      waiting.delete(entry);
      entries.push([entry, entry.answers]);
      entry.answers = [];
      entry.asked = true;
    }
    const { session, loop } = link;
    const properties =
      session.peer.subscriptionIdentifierAvailable && session.version === 5
        ? { subscriptionIdentifiers: [identifier] }
        : undefined;
    try {
      const packetId = session.subscribe(
        batch.map((entry) => entry.request),
        loop.now,
        properties,
      );
      this.#keep(packetId, entries, []);
    } catch (error) {
      const failure = unsupportedByServer(error) ?? invalidArgument(error);
      for (const [, answers] of entries) tell(answers, failure);
    }
  }

  #sendUnsubscribe(link: Link<ClientSession>): void {
    const batch = this.#batch(this.#toUnsubscribe.keys(), (filter) => filter, link);
    const filters = batch.map((filter): [string, Answer[]] => [filter, this.#toUnsubscribe.get(filter)!]);
    for (const filter of batch) this.#toUnsubscribe.delete(filter);
    this.#keep(link.session.unsubscribe(batch, link.loop.now), [], filters);
  }

  /** As many as fit in one packet. */
  #batch<Item>(items: Iterable<Item>, filterOf: (item: Item) => string, link: Link<ClientSession>): Item[] {
    const { filtersPerPacket } = this.#options.limits;
    let room = Math.min(link.session.peer.maximumPacketSize, bytesPerPacket) - packetOverhead;
    const batch: Item[] = [];
    for (const item of items) {
      // Three bytes a character at most, a length and the options.
      room -= filterOf(item).length * 3 + 3;
      if (batch.length > 0 && (room < 0 || batch.length >= filtersPerPacket)) break;
      batch.push(item);
    }
    return batch;
  }

  #keep(packetId: number, entries: Unanswered["entries"], filters: Unanswered["filters"]): void {
    const { scheduler, limits } = this.#options;
    const timer = scheduler.setTimer(() => this.#timedOut(packetId), limits.answerTimeoutMs);
    this.#unanswered.set(packetId, { entries, filters, timer });
  }

  #timedOut(packetId: number): void {
    const unanswered = this.#take(packetId);
    if (unanswered === undefined) return;
    const error = new ClientError("timeout", "The server did not answer a SUBSCRIBE or UNSUBSCRIBE.");
    for (const [, answers] of [...unanswered.entries, ...unanswered.filters]) tell(answers, error);
    this.#send();
  }

  #take(packetId: number): Unanswered | undefined {
    const unanswered = this.#unanswered.get(packetId);
    if (unanswered !== undefined) this.#options.scheduler.clearTimer(unanswered.timer);
    this.#unanswered.delete(packetId);
    return unanswered;
  }
}

/** A SUBSCRIBE or UNSUBSCRIBE on the way. */
interface Unanswered {
  readonly entries: readonly (readonly [FilterEntry, Answer[]])[];
  readonly filters: readonly (readonly [string, Answer[]])[];
  readonly timer: unknown;
}

/** A packet that any server reads in one go. */
const bytesPerPacket = 64 * 1024;
/** Fixed header, packet identifier, properties. */
const packetOverhead = 20;

function tell(answers: readonly Answer[], result: number | ClientError): void {
  for (const answer of answers) answer(result);
}

function subscribeRefused(reasonCode: number): ClientError {
  const text = `The server refused a topic filter with reason code 0x${reasonCode.toString(16)}.`;
  return new ClientError("subscribe-refused", text, { reasonCode });
}
