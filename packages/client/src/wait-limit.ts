import type { Scheduler } from "@tidewire/link";
import { ClientError } from "./errors.ts";
import type { OperationOptions } from "./interfaces.ts";

/**
 * Calls `expire` once, when the caller's signal fires or the time is up. Returns what ends the wait, to be called when
 * the operation is settled; undefined when nothing limits it.
 */
export function limitWait(
  options: OperationOptions | undefined,
  scheduler: Scheduler,
  expire: (error: ClientError) => void,
): (() => void) | undefined {
  const signal = options?.signal;
  const timeoutMs = options?.timeoutMs;
  if (signal === undefined && timeoutMs === undefined) return undefined;
  const onAbort = () => {
    end();
    expire(aborted(signal!));
  };
  const onTimeout = () => {
    end();
    expire(new ClientError("timeout", `Not done within ${timeoutMs} ms.`));
  };
  const timer =
    timeoutMs === undefined || timeoutMs === Number.POSITIVE_INFINITY
      ? undefined
      : scheduler.setTimer(onTimeout, timeoutMs);
  const end = () => {
    signal?.removeEventListener("abort", onAbort);
    if (timer !== undefined) scheduler.clearTimer(timer);
  };
  signal?.addEventListener("abort", onAbort, { once: true });
  return end;
}

/** The error for a signal that has fired. */
export function aborted(signal: AbortSignal): ClientError {
  return new ClientError("aborted", "The caller's signal was aborted.", { cause: signal.reason });
}
