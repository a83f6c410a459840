import { type Connection, type DialOptions, TransportError } from "@tidewire/transport";

/** One dial, from the call to a connection or an error; whatever comes after the first outcome changes nothing. */
export interface Attempt {
  settled: boolean;
  /** Called when it fails, is cancelled or takes too long. */
  undo: () => void;
  readonly resolve: (connection: Connection) => void;
  readonly reject: (error: TransportError) => void;
}

/** Runs `begin` under the limit of time and the signal of the caller. */
export function attempt(
  timeLimitMs: number,
  { signal }: DialOptions = {},
  begin: (attempt: Attempt) => Promise<void>,
): Promise<Connection> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      attempt.settled = true;
      clearTimeout(timer);
      signal?.removeEventListener("abort", onAbort);
    };
    const attempt: Attempt = {
      settled: false,
      undo: () => {},
      resolve: (connection) => {
        end();
        resolve(connection);
      },
      reject: (error) => {
        if (attempt.settled) {
          return;
        }
        end();
        attempt.undo();
        reject(error);
      },
    };
    const fail = (code: "aborted" | "timeout", text: string): void =>
      attempt.reject(new TransportError(code, text, { cause: signal?.reason }));
    const onAbort = (): void => fail("aborted", "The dial was cancelled.");
    const timer = setTimeout(() => afterReading(() => fail("timeout", "Connecting took too long.")), timeLimitMs);
    signal?.addEventListener("abort", onAbort);
    if (signal?.aborted) {
      onAbort();
    } else {
      begin(attempt).catch(attempt.reject);
    }
  });
}

/**
 * A process that was stopped, or a page that slept, finds its timers due before it has read what came in time. By timers, since
 * browsers have nothing else; two, as what arrives may have to be decrypted in a turn of its own.
 */
function afterReading(callback: () => void): void {
  setTimeout(() => setTimeout(callback));
}
