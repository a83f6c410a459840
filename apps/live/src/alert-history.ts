import { type Alert, isAlert } from "./alert.ts";
import { limits } from "./limits.ts";

/** The latest alerts, newest first; kept over reloads where the browser allows it. */
export class AlertHistory {
  #alerts: Alert[] = load();
  /** Also of alerts that were cleared: a late duplicate must not bring them back. */
  readonly #seen: Set<string> = new Set(this.#alerts.map((alert) => alert.id));

  get alerts(): readonly Alert[] {
    return this.#alerts;
  }

  /** False when it is here already. */
  add(alert: Alert): boolean {
    if (this.#seen.has(alert.id)) {
      return false;
    }
    this.#seen.add(alert.id);
    if (this.#seen.size > 10 * limits.alerts) {
      this.#seen.delete(oldest(this.#seen));
    }
    this.#alerts = [alert, ...this.#alerts].slice(0, limits.alerts);
    save(this.#alerts);
    return true;
  }

  clear(): void {
    this.#alerts = [];
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
