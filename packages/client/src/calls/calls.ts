import type { Scheduler } from "@tidewire/link";
import { type ClientError, callError } from "../errors/index.ts";
import type { OperationOptions } from "./operation-options.ts";
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

  /**
   * `name` and `argument` are the call's, for its errors; `start` begins the work; `withdraw` is called when the caller
   * gives up.
   */
  run<Result>(
    name: string,
    argument: unknown,
    options: OperationOptions | undefined,
    start: (call: Call<Result>) => void,
    withdraw?: () => void,
  ): Promise<Result> {
    if (options?.signal?.aborted === true) {
      return Promise.reject(callError(name, argument, aborted(options.signal)));
    }
    return new Promise((resolve, reject) => {
      const call = new Call(name, argument, resolve, reject, this);
      start(call);
      this.limit(call, options, withdraw);
    });
  }

  /** Ends a call that is still open when its caller gives up, and withdraws it. */
  limit(call: Call<never>, options: OperationOptions | undefined, withdraw?: () => void): void {
    if (call.place < 0 || (options?.signal === undefined && options?.timeoutMs === undefined)) {
      return;
    }
    call.endWait = limitWait(options, this.#scheduler, (error) => {
      call.reject(error);
      withdraw?.();
    });
  }

  /** For a new call. */
  begin(call: Call<never>): void {
    call.place = this.#open.push(call) - 1;
    if (this.size === 1) {
      this.#onChange();
    }
  }

  /** For a call that is settled; false when it was before. */
  end(call: Call<never>): boolean {
    if (call.place < 0) {
      return false;
    }
    const last = this.#open.pop()!;
    if (last !== call) {
      this.#open[call.place] = last;
      last.place = call.place;
    }
    call.place = -1;
    call.endWait?.();
    if (this.size === 0) {
      this.#onChange();
    }
    return true;
  }

  resolveAll(): void {
    for (const call of [...this.#open] as Call<unknown>[]) {
      call.resolve(undefined);
    }
  }

  rejectAll(error: ClientError): void {
    for (const call of [...this.#open]) {
      call.reject(error);
    }
  }
}

/** One call, for whoever does the work; only the first time that it is settled counts. */
export class Call<Result> {
  /** Among the open calls; -1 when it has ended. */
  place = -1;
  /** Ends the limits on the wait. */
  endWait: (() => void) | undefined = undefined;
  /** As the caller wrote it. */
  readonly #name: string;
  readonly #argument: unknown;
  readonly #resolve: (result: Result) => void;
  readonly #reject: (error: ClientError) => void;
  readonly #calls: Calls;

  constructor(
    name: string,
    argument: unknown,
    resolve: (result: Result) => void,
    reject: (error: ClientError) => void,
    calls: Calls,
  ) {
    this.#name = name;
    this.#argument = argument;
    this.#resolve = resolve;
    this.#reject = reject;
    this.#calls = calls;
    calls.begin(this);
  }

  resolve(result: Result): void {
    if (this.#calls.end(this)) {
      this.#resolve(result);
    }
  }

  reject(error: ClientError): void {
    if (this.#calls.end(this)) {
      this.#reject(callError(this.#name, this.#argument, error));
    }
  }
}
