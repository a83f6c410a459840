/** Under which client id this page connects. */
export interface Identity {
  readonly clientId: string;
  /** The same id after a reload and in the next visit, so that the broker's session can be resumed. */
  readonly lasting: boolean;
}

/**
 * One tab of a browser profile holds the profile's id, for as long as it lives; further tabs make up their own, because
 * two connections with one client id would push each other out.
 */
export async function claimIdentity(): Promise<Identity> {
  const stored = storedId();
  if (stored !== undefined && (await holdLock(`tidewire-live ${stored}`))) {
    return { clientId: `live-${stored}`, lasting: true };
  }
  return { clientId: `live-${randomId()}`, lasting: false };
}

const STORAGE_KEY = "tidewire-live-id";

// The tab's former page gives its lock back a moment after the reloaded one has started.
const LOCK_WAIT_MS = 500;

/** Undefined where storage is switched off. */
function storedId(): string | undefined {
  try {
    const found = localStorage.getItem(STORAGE_KEY);
    if (found !== null && /^[0-9a-f]{16}$/.test(found)) {
      return found;
    }
    const made = randomId();
    localStorage.setItem(STORAGE_KEY, made);
    return made;
  } catch {
    return undefined;
  }
}

function randomId(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(8));
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

/** True when this page holds the lock, which it then does to its end. Without Web Locks (plain http) it never does. */
function holdLock(name: string): Promise<boolean> {
  const { locks } = navigator;
  if (locks === undefined) {
    return Promise.resolve(false);
  }
  return new Promise((resolve) => {
    const forever = new Promise<never>(() => {});
    locks
      .request(name, { signal: AbortSignal.timeout(LOCK_WAIT_MS) }, () => {
        resolve(true);
        return forever;
      })
      .catch(() => resolve(false));
  });
}
