import type { BrokerLimits } from "../limits.ts";
import { FilterShapes, SharedShapes } from "../routing/index.ts";

/** The shapes of all subscriptions of one session, or of one user. */
export class SubscriptionShapes {
  readonly #wildcards = new FilterShapes();
  readonly #shared = new SharedShapes();

  add(filter: string): void {
    this.#wildcards.add(filter);
    this.#shared.add(filter);
  }

  remove(filter: string): void {
    this.#wildcards.remove(filter);
    this.#shared.remove(filter);
  }

  get isEmpty(): boolean {
    return this.#wildcards.size === 0 && this.#shared.size === 0;
  }

  /** Whether one more filter stays within these numbers of shapes. */
  admit(filter: string, wildcards: number, shared: number): boolean {
    return (
      (this.#wildcards.size < wildcards || this.#wildcards.has(filter)) &&
      (this.#shared.size < shared || this.#shared.has(filter))
    );
  }
}

/** The shapes of each user's subscriptions, over all sessions: what one session may not do, many must not do together. */
export class UserShapes {
  readonly #limits: BrokerLimits;
  readonly #usersAreKnown: boolean;
  readonly #users = new Map<string, SubscriptionShapes>();

  /** Names mean something where clients have to prove them; those without are not one user. */
  constructor(limits: BrokerLimits, usersAreKnown: boolean) {
    this.#limits = limits;
    this.#usersAreKnown = usersAreKnown;
  }

  admit(username: string | undefined, filter: string): boolean {
    const { filterShapesPerUser, sharedShapesPerUser } = this.#limits;
    const shapes = username === undefined ? undefined : this.#users.get(username);
    return shapes?.admit(filter, filterShapesPerUser, sharedShapesPerUser) ?? true;
  }

  add(username: string | undefined, filter: string): void {
    if (username === undefined || !this.#usersAreKnown) {
      return;
    }
    let shapes = this.#users.get(username);
    if (shapes === undefined) {
      shapes = new SubscriptionShapes();
      this.#users.set(username, shapes);
    }
    shapes.add(filter);
  }

  remove(username: string | undefined, filter: string): void {
    const shapes = username === undefined ? undefined : this.#users.get(username);
    shapes?.remove(filter);
    if (shapes?.isEmpty === true) {
      this.#users.delete(username!);
    }
  }
}
