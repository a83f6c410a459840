type Target = Partial<Pick<EventTarget, "addEventListener" | "removeEventListener">>;

/** Of windows, documents and workers; Node has none of them. */
const WAKE_EVENTS = ["online", "pageshow", "resume", "visibilitychange"];

/** Calls `callback` when the network is back or the user is; returns what stops that. */
export function onWake(callback: () => void): () => void {
  const { document } = globalThis as { readonly document?: Target & { readonly hidden?: boolean } };
  const targets: (Target | undefined)[] = [globalThis as Target, document];
  const wake = (): void => {
    if (document?.hidden !== true) {
      callback();
    }
  };
  const each = (method: "addEventListener" | "removeEventListener"): void => {
    for (const target of targets) {
      for (const event of WAKE_EVENTS) {
        target?.[method]?.(event, wake);
      }
    }
  };
  each("addEventListener");
  return () => each("removeEventListener");
}
