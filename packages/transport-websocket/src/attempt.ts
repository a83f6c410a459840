import { type Connection, type DialOptions, TransportError } from "@tidewire/transport";

/** One dial, from the call to a connection or an error; whatever comes after the first outcome changes nothing. */
export interface Attempt {
  readonly settled: boolean;
  resolve(connection: Connection): void;
  reject(error: TransportError): void;
  /** What to undo when it fails, is cancelled or takes too long. */
  onFailure(undo: () => void): void;
}

/** Runs `begin` under the limit of time and the signal of the caller. */
export function attempt(
  timeLimitMs: number,
  { signal }: DialOptions = {},
  begin: (attempt: Attempt) => Promise<void>,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    let undo: (() => void) | undefined;
    let settled = false;
    const settle = (): void => {
      settled = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const fail = (error: TransportError): void => {
      if (settled) return;
      settle();
      undo?.();
      reject(error);
    };
    const onAbort = (): void =>
      fail(new TransportError("aborted", "The dial was cancelled.", { cause: signal?.reason }));
    const onTimeout = (): void => fail(new TransportError("timeout", "Connecting took too long."));
    const timer = setTimeout(onTimeout, timeLimitMs);
    if (signal?.aborted) {
      onAbort();
      return;
    }
    signal?.addEventListener("abort", onAbort, { once: true });
    begin({
      get settled() {
        return settled;
      },
      resolve(connection) {
        settle();
        resolve(connection);
      },
      reject: fail,
      onFailure(callback) {
        undo = callback;
      },
    }).catch(fail);
  });
}
