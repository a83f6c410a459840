import { matches, parseSharedFilter } from "@tidewire/codec";
import type { AclRule, AclRules } from "./acl-file.ts";

/** Who is asking; for as long as a client is connected, the same object. */
export interface AclClient {
  /** Undefined for a client that has not given one. */
  readonly username: string | undefined;
  readonly clientId: string;
}

/** Decides by the rules of an ACL file. What no rule allows is forbidden, and `deny` goes before all others. */
export class Acl {
  readonly #rules: AclRules;
  readonly #filters = new WeakMap<AclClient, ClientFilters>();

  constructor(rules: AclRules) {
    this.#rules = rules;
  }

  mayPublish(client: AclClient, topic: string): boolean {
    return this.#allows("write", client, topic);
  }

  mayReceive(client: AclClient, topic: string): boolean {
    return this.#allows("read", client, topic);
  }

  /** Whether anything could come of it: what exactly does is judged message by message. */
  maySubscribe(client: AclClient, subscription: string): boolean {
    const filter = parseSharedFilter(subscription)?.filter ?? subscription;
    if (!/[+#]/.test(filter)) {
      return this.mayReceive(client, filter);
    }
    return this.#filtersOf(client).read.some((allowed) => overlap(allowed, filter));
  }

  #allows(access: "read" | "write", client: AclClient, topic: string): boolean {
    const { [access]: allowed, deny } = this.#filtersOf(client);
    return allowed.some((filter) => matches(filter, topic)) && !deny.some((filter) => matches(filter, topic));
  }

  #filtersOf(client: AclClient): ClientFilters {
    let filters = this.#filters.get(client);
    if (filters === undefined) {
      filters = clientFilters(this.#rules, client);
      this.#filters.set(client, filters);
    }
    return filters;
  }
}

/** The filters that hold for one client, by what they are for. */
interface ClientFilters {
  readonly read: readonly string[];
  readonly write: readonly string[];
  readonly deny: readonly string[];
}

function clientFilters(rules: AclRules, client: AclClient): ClientFilters {
  const { username } = client;
  const own = username === undefined ? rules.anonymous : (rules.users.get(username) ?? []);
  const all = [...own, ...rules.patterns.flatMap((rule) => filledIn(rule, client))];
  const filters = (...kinds: AclRule["access"][]): string[] =>
    all.flatMap(({ access, filter }) => (kinds.includes(access) ? [filter] : []));
  return { read: filters("read", "readwrite"), write: filters("write", "readwrite"), deny: filters("deny") };
}

/**
 * The rule with the client's names in it; nothing when it takes one that the client has not, or that is no level. But
 * nobody gets round a `deny` by such a name, which can only make it wider.
 */
function filledIn({ access, filter }: AclRule, { username, clientId }: AclClient): AclRule[] {
  const names = new Map([
    ["%u", username ?? ""],
    ["%c", clientId],
  ]);
  for (const [placeholder, name] of names) {
    if (access !== "deny" && filter.includes(placeholder) && !isLevel(name)) {
      return [];
    }
  }
  return [{ access, filter: filter.replace(/%[uc]/g, (placeholder) => names.get(placeholder) ?? "") }];
}

/** Clients choose their names: one must not stand for other levels, nor make `$SYS` or `$share` of a rule. */
function isLevel(name: string): boolean {
  return /^[^$+#/][^+#/]*$/.test(name);
}

/** Whether there is a topic that both filters match. */
function overlap(one: string, other: string): boolean {
  const a = one.split("/");
  const b = other.split("/");
  // A wildcard in front does not match `$SYS` and its like [MQTT-4.7.2-1].
  if (one.startsWith("$") !== other.startsWith("$")) {
    return false;
  }
  for (let index = 0; ; index += 1) {
    const left = a[index];
    const right = b[index];
    if (left === "#" || right === "#") {
      return true;
    }
    if (left === undefined || right === undefined) {
      return left === right;
    }
    if (left !== right && left !== "+" && right !== "+") {
      return false;
    }
  }
}
