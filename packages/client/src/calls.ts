import type { Scheduler } from "@tidewire/link";
import type { ClientError } from "./errors.ts";
import type { OperationOptions } from "./interfaces.ts";
import { aborted, limitWait } from "./wait-limit.ts";

/** The caller's side of something that takes time; only the first time that it is settled counts. */
export interface Call<Result> {
  resolve(result: Result): void;
  reject(error: ClientError): void;
}

/** Calls that wait for one kind of thing: each ends by itself, by its signal or time limit, or with all the others. */
export class Calls {
  readonly #scheduler: Scheduler;
  readonly #onChange: () => void;
  readonly #open = new Set<Call<never>>();

  /** `onChange` is called whenever `size` has changed. */
  constructor(scheduler: Scheduler, onChange: () => void = () => {}) {
    this.#scheduler = scheduler;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#open.size;
  }

  /** `start` begins the work; `withdraw` is called when the caller gives up. */
  run<Result>(
    options: OperationOptions | undefined,
    start: (call: Call<Result>) => void,
    withdraw?: () => void,
  ): Promise<Result> {
    const signal = options?.signal;
    if (signal?.aborted === true) return Promise.reject(aborted(signal));
    return new Promise((resolve, reject) => {
      let endWait: (() => void) | undefined;
      const end = (): boolean => {
        const open = this.#open.delete(call);
        endWait?.();
        if (open) this.#onChange();
        return open;
      };
      const call: Call<Result> = {
        resolve: (result) => end() && resolve(result),
        reject: (error) => end() && reject(error),
      };
      this.#open.add(call);
      this.#onChange();
      start(call);
      if (options === undefined || !this.#open.has(call)) return;
      endWait = limitWait(options, this.#scheduler, (error) => {
        call.reject(error);
        withdraw?.();
      });
    });
  }

  resolveAll(this: Calls, result?: undefined): void {
    for (const call of [...this.#open]) (call as Call<unknown>).resolve(result);
  }

  rejectAll(error: ClientError): void {
    for (const call of [...this.#open]) call.reject(error);
  }
}
