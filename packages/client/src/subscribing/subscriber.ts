import { excludedFilter, type SubackPacket, type UnsubackPacket, validateTopicFilter } from "@tidewire/codec";
import type { Link, Scheduler } from "@tidewire/link";
import type { ClientProtocol } from "@tidewire/session";
import { aborted, type Calls, type OperationOptions, rejected } from "../calls/index.ts";
import { ClientError, callError, requestError } from "../errors/index.ts";
import type { ClientLimits } from "../limits.ts";
import { type Answer, type Result, refusal, tell } from "./answer.ts";
import { BatchSize } from "./batch-size.ts";
import type { Consumer } from "./consumer.ts";
import { FilterEntry, NOBODY, withOne } from "./filter-entry.ts";
import { FilterIndex } from "./filter-index.ts";
import { Grant } from "./grant.ts";
import type { SubscribeOptions, Subscription } from "./subscription.ts";

/** What subscribing needs of the client around it. */
export interface SubscriberHost {
  readonly limits: Pick<ClientLimits, "filtersPerPacket" | "unansweredPackets" | "answerTimeoutMs" | "endsAtOneThing">;
  readonly scheduler: Scheduler;
  /** Those that wait for an answer from the server. */
  readonly calls: Calls;
  /** The connection in force. */
  readonly link: Link<ClientProtocol> | undefined;
  /** For what no call can tell its caller. */
  readonly report: (error: ClientError) => void;
}

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
  readonly #batch: BatchSize;
  #scheduled = false;

  constructor(host: SubscriberHost) {
    this.#host = host;
    this.#batch = new BatchSize(host.limits.filtersPerPacket);
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
    const grant = new Grant(calls, consumer, (filter) => this.leave(filter, consumer));
    for (let i = 0; i < filters.length; i += 1) {
      // The first filter is the only one as a rule, and needs no object of its own.
      const answer = i === 0 ? grant : { tell: (result: Result) => grant.tell(result, i) };
      this.#want(filters[i]!, consumer, answer);
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
        entry.granted = false;
        entry.latest = undefined;
        this.#queue(entry.identifier, entry);
      }
    }
    this.#send();
  }

  /** What was on the way is sent again on the next connection. */
  offline(): void {
    const culprit = this.#blame();
    for (const packetId of this.#unanswered.keys()) {
      const { identifier, entries, answers } = this.#take(packetId)!;
      for (const [i, entry] of entries.entries()) {
        const present = this.index.get(entry.filter);
        if (entry === culprit) {
          this.#giveUp(entry, answers[i]!);
          continue;
        }
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

  /** Learns from the end of a connection. The filter that has to be what ends them, if there is one. */
  #blame(): FilterEntry | undefined {
    const packets = [...this.#unanswered.values()];
    if (packets.length === 0) {
      return undefined;
    }
    const batch = this.#batch;
    const alone = batch.careful && packets.length === 1 && packets[0]!.entries.length === 1;
    batch.ended(Math.max(...packets.map(({ entries }) => entries.length)));
    const entry = packets[0]!.entries[0]!;
    if (!alone) {
      return undefined;
    }
    entry.ends += 1;
    if (entry.ends < this.#host.limits.endsAtOneThing) {
      return undefined;
    }
    batch.foundCulprit();
    return entry;
  }

  #giveUp(entry: FilterEntry, answers: readonly Answer[]): void {
    const text = `The server ended the connection ${entry.ends} times at the topic filter ${JSON.stringify(entry.filter)}.`;
    if (this.index.get(entry.filter) === entry) {
      this.index.delete(entry);
    }
    this.#tell(answers, new ClientError("subscribe-refused", text));
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
      throw new ClientError("invalid-argument", "Give at least one topic filter.");
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

  #want(filter: string, consumer: Consumer, answer: Answer): void {
    let entry = this.index.get(filter);
    if (entry === undefined) {
      entry = this.#unqueue(filter) ?? new FilterEntry(filter);
      this.index.add(entry);
    }
    entry.add(consumer, this.#waiting.get(entry.identifier)?.has(filter) === true);
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
    const { link } = this.#host;
    if (link === undefined || entries.size !== this.#batch.limit || this.#busy) {
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
    entry.answers = NOBODY;
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
    return this.#unanswered.size >= (this.#batch.careful ? 1 : this.#host.limits.unansweredPackets);
  }

  /** As many as fit in each packet; walks through them once, since a walk goes past what was taken before. */
  #sendWaiting(link: Link<ClientProtocol>, identifier: number, waiting: Waiting): void {
    const { limit } = this.#batch;
    const space = Math.min(link.protocol.peer.maximumPacketSize, bytesPerPacket) - packetOverhead;
    let batch: FilterEntry[] = [];
    let room = space;
    for (const entry of waiting.values()) {
      // Three bytes a character at most, a length and the options.
      const size = entry.filter.length * 3 + 3;
      if (batch.length > 0 && (room < size || batch.length >= limit)) {
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
      entry.answers = NOBODY;
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
    const { answers, entries, identifier } = unanswered;
    this.#batch.answered(entries.length);
    for (let i = 0; i < answers.length; i += 1) {
      const result = resultOf(i);
      entries[i]!.ends = 0;
      entries[i]!.granted = identifier !== none && refusal(result) === undefined;
      this.#tell(answers[i]!, result);
    }
    this.#send();
    if (this.#unanswered.size === 0) {
      this.#batch.done();
    }
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
/** A packet that any server reads in one go. */
const bytesPerPacket = 64 * 1024;
/** Fixed header, packet identifier, properties. */
const packetOverhead = 20;

function noAnswer(): ClientError {
  return new ClientError("timeout", "The server did not answer.");
}
