import {
  excludedFilter,
  type QoS,
  type SubackPacket,
  type SubscriptionRequest,
  type UnsubackPacket,
  validateTopicFilter,
} from "@tidewire/codec";
import type { Link, Scheduler } from "@tidewire/link";
import type { ClientProtocol } from "@tidewire/session";
import { aborted, Call, type Calls, type OperationOptions, rejected } from "../calls/index.ts";
import { ClientError, callError, hex, requestError } from "../errors/index.ts";
import type { ClientLimits } from "../limits.ts";
import type { Consumer } from "./consumer.ts";
import { FilterIndex, filterShape } from "./filter-index.ts";
import type { SubscribeOptions, Subscription } from "./subscription.ts";
import { subscriptionIdentifier } from "./subscription-identifier.ts";

/** What subscribing needs of the client around it. */
export interface SubscriberHost {
  readonly limits: Pick<ClientLimits, "filtersPerPacket" | "unansweredPackets" | "answerTimeoutMs">;
  readonly scheduler: Scheduler;
  /** Those that wait for an answer from the server. */
  readonly calls: Calls;
  /** The connection in force. */
  readonly link: Link<ClientProtocol> | undefined;
  /** For what no call can tell its caller. */
  readonly report: (error: ClientError) => void;
}

/**
 * A filter that somebody here wants, and who; or that the server has to be told that nobody wants any more. It is what
 * SUBSCRIBE says of the filter as well, since a client may have very many.
 */
export class FilterEntry implements SubscriptionRequest {
  readonly filter: string;
  readonly shape: string;
  readonly identifier: number;
  qos: QoS = 0;
  noLocal = false;
  retainAsPublished = false;
  retainHandling: 0 | 1 | 2 = 0;
  /** Replaced, never changed, like `answers`: a message may be on its way through it. */
  consumers: readonly Consumer[] = nobody;
  /** Was sent to the server, which has to be told when nobody wants the filter any more. */
  asked = false;
  /** To be told what the server says to the next packet with this filter. */
  answers: readonly Answer[] = nobody;

  constructor(filter: string) {
    this.filter = filter;
    this.shape = filterShape(filter);
    this.identifier = subscriptionIdentifier(this.shape);
  }
}

/** Waits for what the server says to a filter: a reason code, or why there is none. */
interface Answer {
  tell(result: Result): void;
}

type Result = number | ClientError;

/** Filters to be sent in packets of one kind. */
type Waiting = Map<string, FilterEntry>;

/** A SUBSCRIBE or UNSUBSCRIBE on the way. */
interface Unanswered {
  readonly identifier: number;
  readonly entries: readonly FilterEntry[];
  /** Those of each entry that this packet is for. */
  readonly answers: readonly (readonly Answer[])[];
  readonly timer: unknown;
}

/**
 * Subscribes and unsubscribes: gathers what is wanted in a turn into few packets, and makes the server's side the same
 * as this side again when it lost the session.
 */
export class Subscriber {
  /** What somebody here wants. */
  readonly index: FilterIndex<FilterEntry> = new FilterIndex();
  readonly #host: SubscriberHost;
  /** To be sent, by the Subscription Identifier, of which a SUBSCRIBE has one; UNSUBSCRIBE goes by `none`. */
  readonly #waiting = new Map<number, Waiting>();
  /** By packet identifier. */
  readonly #unanswered = new Map<number, Unanswered>();
  #scheduled = false;

  constructor(host: SubscriberHost) {
    this.#host = host;
  }

  /** Resolves with the consumer when the server has granted it at least one filter. */
  subscribe(consumer: Consumer, options: SubscribeOptions): Promise<Subscription> {
    const { filters } = consumer;
    const { calls, report } = this.#host;
    try {
      if (options.signal?.aborted === true) {
        throw aborted(options.signal);
      }
      this.#check(filters);
    } catch (error) {
      return rejected(callError("subscribe", filters, requestError(error)), report);
    }
    const grant = new Grant(calls, consumer, this);
    for (let i = 0; i < filters.length; i += 1) {
      // The first filter is the only one as a rule, and needs no object of its own.
      const answer = i === 0 ? grant : { tell: (result: Result) => grant.tell(result, i) };
      this.#want(filters[i]!, consumer, options, answer);
    }
    this.#schedule();
    calls.limit(grant, options, () => {
      void this.unsubscribe(consumer, undefined).catch(report);
    });
    return grant.promise;
  }

  /** Takes the consumer away at once; the promise is about the server. */
  unsubscribe(consumer: Consumer, options: OperationOptions | undefined): Promise<void> {
    const entries = consumer.filters.flatMap((filter) => this.leave(filter, consumer) ?? []);
    const left = entries.filter((entry) => entry.asked);
    consumer.end();
    if (left.length === 0) {
      return Promise.resolve();
    }
    return this.#host.calls.run("unsubscribe", consumer.filters, options, (call) => {
      let open = left.length;
      const answer = {
        tell(result: Result) {
          const error = refusal(result);
          if (error !== undefined) {
            call.reject(error);
            return;
          }
          open -= 1;
          if (open === 0) {
            call.resolve();
          }
        },
      };
      for (const entry of left) {
        entry.answers = [answer];
        this.#queue(none, entry);
      }
      this.#schedule();
    });
  }

  online(sessionPresent: boolean): void {
    if (!sessionPresent) {
      for (const { answers } of this.#waiting.get(none)?.values() ?? []) {
        tell(answers, 0);
      }
      this.#waiting.clear();
      for (const entry of this.index.values()) {
        this.#queue(entry.identifier, entry);
      }
    }
    this.#send();
  }

  /** What was on the way is sent again on the next connection. */
  offline(): void {
    for (const packetId of this.#unanswered.keys()) {
      const { identifier, entries, answers } = this.#take(packetId)!;
      for (const [i, entry] of entries.entries()) {
        const present = this.index.get(entry.filter);
        if (present === (identifier === none ? undefined : entry)) {
          entry.answers = [...answers[i]!, ...entry.answers];
          this.#queue(identifier, entry);
        } else if (identifier === none) {
          // Somebody has subscribed to it meanwhile.
          tell(answers[i]!, 0);
        }
      }
    }
  }

  answered({ packetId, reasonCodes }: SubackPacket | UnsubackPacket): void {
    // In 3.1.1 UNSUBACK carries no codes.
    this.#settle(packetId, (i) => reasonCodes[i] ?? 0);
  }

  /** Sends what this turn has gathered, before a message that was published after it. */
  flush(): void {
    if (this.#scheduled) {
      this.#send();
    }
  }

  /** Throws for what the server cannot be asked, before any of it is sent. */
  #check(filters: readonly string[]): void {
    const peer = this.#host.link?.protocol.peer;
    if (filters.length === 0) {
      throw new Error("Give at least one topic filter.");
    }
    for (const filter of filters) {
      validateTopicFilter(filter);
      if (excludedFilter(filter, peer) > 0) {
        throw new ClientError(
          "not-supported-by-server",
          `The server takes no such filter as ${JSON.stringify(filter)}.`,
        );
      }
    }
  }

  #want(filter: string, consumer: Consumer, options: SubscribeOptions, answer: Answer): void {
    let entry = this.index.get(filter);
    if (entry === undefined) {
      entry = this.#unqueue(filter) ?? new FilterEntry(filter);
      this.index.add(entry);
    }
    const { qos = 1, noLocal = false, retainAsPublished = false, retainHandling = 0 } = options;
    entry.qos = Math.max(qos, entry.qos) as QoS;
    entry.noLocal = noLocal;
    entry.retainAsPublished = retainAsPublished;
    entry.retainHandling = retainHandling;
    entry.consumers = withOne(entry.consumers, consumer);
    entry.answers = withOne(entry.answers, answer);
    this.#queue(entry.identifier, entry);
  }

  /** Takes a consumer off a filter. The entry, when it was the last. */
  leave(filter: string, consumer: Consumer): FilterEntry | undefined {
    const entry = this.index.get(filter);
    if (entry === undefined || !entry.consumers.includes(consumer)) {
      return undefined;
    }
    entry.consumers = entry.consumers.filter((other) => other !== consumer);
    if (entry.consumers.length > 0) {
      return undefined;
    }
    this.index.delete(entry);
    this.#waiting.get(entry.identifier)?.delete(filter);
    return entry;
  }

  #queue(identifier: number, entry: FilterEntry): void {
    let entries = this.#waiting.get(identifier);
    if (entries === undefined) {
      entries = new Map();
      this.#waiting.set(identifier, entries);
    }
    if (identifier === none) {
      // Left twice before the server could be told.
      const other = entries.get(entry.filter);
      if (other !== undefined && other !== entry) {
        entry.answers = [...other.answers, ...entry.answers];
      }
    }
    entries.set(entry.filter, entry);
    const { link, limits } = this.#host;
    if (link === undefined || entries.size !== limits.filtersPerPacket || this.#busy) {
      return;
    }
    // A full packet leaves before the turn ends: the server is at work on it while the next one is gathered.
    this.#sendWaiting(link, identifier, entries);
    link.flush();
  }

  /** Somebody wants the filter again, before the server was told that nobody does. */
  #unqueue(filter: string): FilterEntry | undefined {
    const waiting = this.#waiting.get(none);
    const entry = waiting?.get(filter);
    if (entry === undefined) {
      return undefined;
    }
    waiting!.delete(filter);
    tell(entry.answers, 0);
    entry.answers = nobody;
    // What was asked before no longer counts.
    entry.qos = 0;
    return entry;
  }

  /** Sends at the end of the turn, so that calls made together share packets. */
  #schedule(): void {
    if (this.#scheduled) {
      return;
    }
    this.#scheduled = true;
    this.#host.scheduler.defer(() => {
      this.flush();
      this.#scheduled = false;
    });
  }

  #send(): void {
    const { link } = this.#host;
    if (link === undefined) {
      return;
    }
    for (const [identifier, waiting] of this.#waiting) {
      if (this.#busy) {
        break;
      }
      this.#sendWaiting(link, identifier, waiting);
      if (waiting.size === 0) {
        this.#waiting.delete(identifier);
      }
    }
    link.touch();
  }

  /** As many packets are on the way as may be. */
  get #busy(): boolean {
    return this.#unanswered.size >= this.#host.limits.unansweredPackets;
  }

  /** As many as fit in each packet; walks through them once, since a walk goes past what was taken before. */
  #sendWaiting(link: Link<ClientProtocol>, identifier: number, waiting: Waiting): void {
    const { filtersPerPacket } = this.#host.limits;
    const space = Math.min(link.protocol.peer.maximumPacketSize, bytesPerPacket) - packetOverhead;
    let batch: FilterEntry[] = [];
    let room = space;
    for (const entry of waiting.values()) {
      // Three bytes a character at most, a length and the options.
      const size = entry.filter.length * 3 + 3;
      if (batch.length > 0 && (room < size || batch.length >= filtersPerPacket)) {
        this.#sendPacket(link, identifier, batch);
        if (this.#busy) {
          return;
        }
        batch = [];
        room = space;
      }
      batch.push(entry);
      room -= size;
      waiting.delete(entry.filter);
    }
    if (batch.length > 0) {
      this.#sendPacket(link, identifier, batch);
    }
  }

  #sendPacket({ protocol, loop }: Link<ClientProtocol>, identifier: number, entries: readonly FilterEntry[]): void {
    const { scheduler, limits } = this.#host;
    const answers = entries.map((entry) => entry.answers);
    for (const entry of entries) {
      entry.answers = nobody;
      entry.asked = identifier !== none;
    }
    try {
      const packetId =
        identifier === none
          ? protocol.unsubscribe(
              entries.map(({ filter }) => filter),
              loop.now,
            )
          : protocol.subscribe(
              entries,
              loop.now,
              protocol.version === 5 && protocol.peer.subscriptionIdentifierAvailable
                ? { subscriptionIdentifiers: [identifier] }
                : undefined,
            );
      const timer = scheduler.setTimer(() => this.#settle(packetId, () => noAnswer()), limits.answerTimeoutMs);
      this.#unanswered.set(packetId, { identifier, entries, answers, timer });
    } catch (cause) {
      const error = requestError(cause);
      for (const told of answers) {
        this.#tell(told, error);
      }
    }
  }

  /** The packet has its answer, or will have none. */
  #settle(packetId: number, resultOf: (i: number) => Result): void {
    const unanswered = this.#take(packetId);
    if (unanswered === undefined) {
      return;
    }
    const { answers } = unanswered;
    for (let i = 0; i < answers.length; i += 1) {
      this.#tell(answers[i]!, resultOf(i));
    }
    this.#send();
  }

  #take(packetId: number): Unanswered | undefined {
    const unanswered = this.#unanswered.get(packetId);
    this.#host.scheduler.clearTimer(unanswered?.timer);
    this.#unanswered.delete(packetId);
    return unanswered;
  }

  #tell(answers: readonly Answer[], result: Result): void {
    const error = answers.length === 0 ? refusal(result) : undefined;
    // A subscription made again after the session was lost: its caller has been answered long ago.
    if (error !== undefined) {
      this.#host.report(error);
    }
    tell(answers, result);
  }
}

/** The identifier that no subscription has: of what is to be unsubscribed. */
const none = 0;
const nobody: readonly never[] = [];
/** A packet that any server reads in one go. */
const bytesPerPacket = 64 * 1024;
/** Fixed header, packet identifier, properties. */
const packetOverhead = 20;

/** One call of `subscribe`, and what it was granted so far. */
class Grant extends Call<Subscription> implements Answer {
  readonly #consumer: Consumer;
  readonly #subscriber: Subscriber;
  readonly #granted: number[];
  #open: number;

  constructor(calls: Calls, consumer: Consumer, subscriber: Subscriber) {
    super("subscribe", consumer.filters, calls);
    this.#consumer = consumer;
    this.#subscriber = subscriber;
    const { filters } = consumer;
    this.#granted = filters.length === 1 ? [0] : filters.map(() => 0);
    this.#open = filters.length;
  }

  /** The server's answer for the filter at `place`. */
  tell(result: Result, place = 0): void {
    const consumer = this.#consumer;
    const granted = this.#granted;
    const error = refusal(result);
    granted[place] = typeof result === "number" ? result : (result.reasonCode ?? 0x80);
    if (error !== undefined) {
      this.#subscriber.leave(consumer.filters[place]!, consumer);
    }
    this.#open -= 1;
    if (this.#open > 0) {
      return;
    }
    consumer.granted = granted;
    if (error === undefined || granted.some((code) => code < 0x80)) {
      this.resolve(consumer);
    } else {
      this.reject(error);
    }
  }
}

function tell(answers: readonly Answer[], result: Result): void {
  for (const answer of answers) {
    answer.tell(result);
  }
}

/** The list and one more. A list of one, as nearly all are, takes no room for others to come. */
function withOne<Item>(list: readonly Item[], item: Item): readonly Item[] {
  return list.length === 0 ? [item] : [...list, item];
}

/** The error in an answer, if it is one. */
function refusal(result: Result): ClientError | undefined {
  if (typeof result === "object") {
    return result;
  }
  if (result < 0x80) {
    return undefined;
  }
  const text = `The server refused the topic filter with reason code ${hex(result)}.`;
  return new ClientError("subscribe-refused", text, { reasonCode: result });
}

function noAnswer(): ClientError {
  return new ClientError("timeout", "The server did not answer.");
}
