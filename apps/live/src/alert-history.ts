import { type Alert, isAlert } from "./alert.ts";
import { limits } from "./limits.ts";

/** The latest alerts, newest first; kept over reloads where the browser allows it. */
export class AlertHistory {
  #alerts: Alert[] = load();
  #leftOut = 0;
  /** Also of alerts that were cleared: a late duplicate must not bring them back. */
  readonly #seen: Set<string> = new Set(this.#alerts.map((alert) => alert.id));

  get alerts(): readonly Alert[] {
    return this.#alerts;
  }

  /** Alerts that were pushed out by newer ones since the list was cleared. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** Takes some in, in the order they came; returns those that were not here already, newest first. */
  add(alerts: readonly Alert[]): Alert[] {
    const fresh = alerts.filter(({ id }) => this.#isNew(id)).reverse();
    if (fresh.length > 0) {
      const all = [...fresh, ...this.#alerts];
      this.#alerts = all.slice(0, limits.alerts);
      this.#leftOut += all.length - this.#alerts.length;
      save(this.#alerts);
    }
    return fresh;
  }

  #isNew(id: string): boolean {
    if (this.#seen.has(id)) {
      return false;
    }
    this.#seen.add(id);
    if (this.#seen.size > 10 * limits.alerts) {
      this.#seen.delete(oldest(this.#seen));
    }
    return true;
  }

  clear(): void {
    this.#alerts = [];
    this.#leftOut = 0;
    save(this.#alerts);
  }
}

const STORAGE_KEY = "tidewire-live-alerts";

function load(): Alert[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
    return Array.isArray(stored) ? stored.filter(isAlert).slice(0, limits.alerts) : [];
  } catch {
    return [];
  }
}

function save(alerts: readonly Alert[]): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify(alerts));
  } catch {
    // Storage is full or switched off: the list lives as long as the page.
  }
}

/** Sets keep the order of insertion. */
function oldest(set: ReadonlySet<string>): string {
  return set.values().next().value ?? "";
}
