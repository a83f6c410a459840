import type { Scheduler } from "@tidewire/link";
import type { ClientError } from "./errors.ts";
import type { OperationOptions } from "./interfaces.ts";
import { aborted, limitWait } from "./wait-limit.ts";

/** Calls that wait for one kind of thing: each ends by itself, by its signal or time limit, or with all the others. */
export class Calls {
  readonly #scheduler: Scheduler;
  readonly #onChange: () => void;
  /** Without order, so that adding and removing take constant time. */
  readonly #open: Call<never>[] = [];

  /** `onChange` is called when the first call begins to wait, and when none is left. */
  constructor(scheduler: Scheduler, onChange: () => void = () => {}) {
    this.#scheduler = scheduler;
    this.#onChange = onChange;
  }

  get size(): number {
    return this.#open.length;
  }

  /** `start` begins the work; `withdraw` is called when the caller gives up. */
  run<Result>(
    options: OperationOptions | undefined,
    start: (call: Call<Result>) => void,
    withdraw?: () => void,
  ): Promise<Result> {
    if (options?.signal?.aborted === true) return Promise.reject(aborted(options.signal));
    return new Promise((resolve, reject) => {
      const call = new Call(resolve, reject, this.#end);
      call.place = this.#open.push(call) - 1;
      if (this.size === 1) this.#onChange();
      start(call);
      if (call.place < 0 || (options?.signal === undefined && options?.timeoutMs === undefined)) return;
      call.endWait = limitWait(options, this.#scheduler, (error) => {
        call.reject(error);
        withdraw?.();
      });
    });
  }

  resolveAll(): void {
    for (const call of [...this.#open] as Call<unknown>[]) call.resolve(undefined);
  }

  rejectAll(error: ClientError): void {
    for (const call of [...this.#open]) call.reject(error);
  }

  /** False when the call had ended before. */
  readonly #end = (call: Call<never>): boolean => {
    if (call.place < 0) return false;
    const last = this.#open.pop()!;
    if (last !== call) {
      this.#open[call.place] = last;
      last.place = call.place;
    }
    call.place = -1;
    call.endWait?.();
    if (this.size === 0) this.#onChange();
    return true;
  };
}

/** One call, for whoever does the work; only the first time that it is settled counts. */
export class Call<Result> {
  /** Among the open calls; -1 when it has ended. */
  place = -1;
  /** Ends the limits on the wait. */
  endWait: (() => void) | undefined = undefined;
  readonly #resolve: (result: Result) => void;
  readonly #reject: (error: ClientError) => void;
  readonly #end: (call: Call<never>) => boolean;

  constructor(
    resolve: (result: Result) => void,
    reject: (error: ClientError) => void,
    end: (call: Call<never>) => boolean,
  ) {
    this.#resolve = resolve;
    this.#reject = reject;
    this.#end = end;
  }

  resolve(result: Result): void {
    if (this.#end(this)) this.#resolve(result);
  }

  reject(error: ClientError): void {
    if (this.#end(this)) this.#reject(error);
  }
}
