import { limits } from "./limits.ts";

/** Topic filters with the QoS asked for. */
export type SavedSubscriptions = Map<string, 0 | 1 | 2>;

/** What the form subscribed to before the page was reloaded: the broker's session still has it. */
export function loadSubscriptions(): SavedSubscriptions {
  const saved: SavedSubscriptions = new Map();
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(STORAGE_KEY) ?? "[]");
    for (const entry of Array.isArray(stored) ? stored.slice(0, limits.subscriptions) : []) {
      const [filter, qos]: unknown[] = Array.isArray(entry) ? entry : [];
      if (typeof filter === "string" && (qos === 0 || qos === 1 || qos === 2)) {
        saved.set(filter, qos);
      }
    }
  } catch {
    // Storage is switched off, or holds something else.
  }
  return saved;
}

export function saveSubscriptions(subscriptions: SavedSubscriptions): void {
  try {
    localStorage.setItem(STORAGE_KEY, JSON.stringify([...subscriptions]));
  } catch {
    // Storage is full or switched off: the page starts without them next time.
  }
}

const STORAGE_KEY = "tidewire-live-subscriptions";
