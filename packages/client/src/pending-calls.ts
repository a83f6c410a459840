import type { Scheduler } from "@tidewire/link";
import type { ClientError } from "./errors.ts";
import type { OperationOptions } from "./interfaces.ts";
import { aborted, limitWait } from "./wait-limit.ts";

/** Settles a call; only the first time counts. */
export interface Settle<Result> {
  resolve(result: Result): void;
  reject(error: ClientError): void;
}

/** Calls that wait for something from the server: each ends by an answer, its signal, its time limit, or `close`. */
export class PendingCalls {
  readonly #scheduler: Scheduler;
  readonly #onChange: () => void;
  readonly #rejects = new Set<(error: ClientError) => void>();

  /** `onChange` is called whenever `size` has changed. */
  constructor(scheduler: Scheduler, onChange: () => void) {
    this.#scheduler = scheduler;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#rejects.size;
  }

  /** `start` begins the work and returns what withdraws it, which is called when the caller gives up. */
  run<Result>(options: OperationOptions | undefined, start: (settle: Settle<Result>) => () => void): Promise<Result> {
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(aborted(signal));
    return new Promise((resolve, reject) => {
      let endWait: (() => void) | undefined;
      const end = (): boolean => {
        const open = this.#rejects.delete(rejectCall);
        if (open) {
          endWait?.();
          this.#onChange();
        }
        return open;
      };
      const rejectCall = (error: ClientError) => {
        if (end()) reject(error);
      };
      this.#rejects.add(rejectCall);
      this.#onChange();
      const withdraw = start({ resolve: (result) => end() && resolve(result), reject: rejectCall });
      if (!this.#rejects.has(rejectCall)) return;
      endWait = limitWait(options, this.#scheduler, (error) => {
        rejectCall(error);
        withdraw();
      });
    });
  }

  /** Rejects every call that is open. */
  close(error: ClientError): void {
    for (const reject of [...this.#rejects]) reject(error);
  }
}
