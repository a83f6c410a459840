import type { Scheduler } from "@tidewire/link";
import { ClientError } from "../errors/index.ts";
import { onAbort } from "./on-abort.ts";
import type { OperationOptions } from "./operation-options.ts";

/**
 * Calls `expire` once, when the caller's signal fires or the time is up. Returns what ends the wait, to be called when
 * the operation is settled; undefined when nothing limits it.
 */
export function limitWait(
  { signal, timeoutMs = Number.POSITIVE_INFINITY }: OperationOptions,
  scheduler: Scheduler,
  expire: (error: ClientError) => void,
): (() => void) | undefined {
  const timed = timeoutMs < Number.POSITIVE_INFINITY;
  if (signal === undefined && !timed) {
    return undefined;
  }
  const end = () => {
    stop?.();
    scheduler.clearTimer(timer);
  };
  const expireWith = (error: ClientError) => {
    end();
    expire(error);
  };
  const onTimeout = () => expireWith(new ClientError("timeout", `Not done within ${timeoutMs} ms (timeoutMs).`));
  const timer = timed ? scheduler.setTimer(onTimeout, timeoutMs) : undefined;
  const stop = signal && onAbort(signal, () => expireWith(aborted(signal)));
  return end;
}

/** The error for a signal that has fired. */
export function aborted(signal: AbortSignal): ClientError {
  return new ClientError("aborted", "Its signal was aborted; `cause` is the signal's reason.", {
    cause: signal.reason,
  });
}
