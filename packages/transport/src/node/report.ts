import type { TransportError } from "../errors.ts";
import { guard, warn } from "../guard.ts";

/** Told of each peer that did not get as far as a connection. */
export type OnRefused = (error: TransportError, remoteAddress: string | undefined) => void;

/** Tells of a refusal. Nothing depends on the answer, so what the callback throws is only warned of. */
export function report(
  onRefused: OnRefused | undefined,
  error: TransportError,
  remoteAddress: string | undefined,
): void {
  if (onRefused !== undefined) {
    guard(
      () => onRefused(error, remoteAddress),
      (cause) => warn("onRefused", cause),
    );
  }
}
