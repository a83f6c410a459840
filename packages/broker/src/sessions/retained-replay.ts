import type { RetainedEntry, RetainedMessages, TopicWalk } from "../retained/index.ts";
import type { StoredSubscription } from "../storage/index.ts";
import type { Steps } from "../work/index.ts";

/** A topic that has a retained message for one of the new subscriptions. */
export interface Replayed {
  readonly subscription: StoredSubscription;
  readonly entry: Readonly<RetainedEntry>;
}

interface Cursor {
  readonly subscription: StoredSubscription;
  readonly walk: TopicWalk<Readonly<RetainedEntry>>;
}

/** Which retained messages are on their way to one session, by subscription, in the order in which these were made. */
export class RetainedReplay {
  readonly #retained: Pick<RetainedMessages, "match" | "mayMatch">;
  readonly #cursors = new Map<string, Cursor>();
  /** Kept from turn to turn: a new iterator would pass all that have left the front of the map. */
  #order: IterableIterator<Cursor> | undefined;
  #cursor: Cursor | undefined;
  #found: Replayed | undefined;

  constructor(retained: Pick<RetainedMessages, "match" | "mayMatch">) {
    this.#retained = retained;
  }

  get done(): boolean {
    return this.#cursors.size === 0;
  }

  /** Begins anew where this subscription was on its way already. */
  add(subscription: StoredSubscription): void {
    const { filter } = subscription;
    this.forget(filter);
    if (this.#retained.mayMatch(filter)) {
      this.#cursors.set(filter, { subscription, walk: this.#retained.match(filter) });
    }
  }

  forget(filter: string): void {
    const cursor = this.#cursors.get(filter);
    if (cursor !== undefined) {
      this.#cursors.delete(filter);
      this.#leave(cursor);
    }
  }

  /** The one whose turn it is, until `shift`. Undefined when there is none, or when the steps are used up. */
  peek(steps: Steps): Replayed | undefined {
    while (this.#found === undefined && this.#cursors.size > 0 && steps.left > 0) {
      this.#cursor ??= this.#next();
      const { subscription, walk } = this.#cursor;
      const entry = walk.next(steps);
      if (entry !== undefined) {
        this.#found = { subscription, entry };
      } else if (walk.done) {
        steps.left -= 1;
        this.forget(subscription.filter);
      }
    }
    return this.#found;
  }

  shift(): void {
    this.#found = undefined;
  }

  /** There is one, and all before it have been deleted. */
  #next(): Cursor {
    this.#order ??= this.#cursors.values();
    const { done, value } = this.#order.next();
    if (done !== true) {
      return value;
    }
    this.#order = undefined;
    return this.#next();
  }

  #leave(cursor: Cursor): void {
    if (this.#cursor === cursor) {
      this.#cursor = undefined;
      this.#found = undefined;
    }
  }
}
