import type { Scheduler } from "@tidewire/link";
import { type ClientError, callError } from "../errors/index.ts";
import type { OperationOptions } from "./operation-options.ts";
import { aborted, limitWait } from "./wait-limit.ts";
import { type Deferred, deferred, rejected, reportUnwatched } from "./watched-promise.ts";

/** Calls that wait for one kind of thing: each ends by itself, by its signal or time limit, or with all the others. */
export class Calls {
  readonly #scheduler: Scheduler;
  /** For the error of a call whose promise nobody holds. */
  readonly report: (error: ClientError) => void;
  readonly #onChange: () => void;
  /** Without order, so that adding and removing take constant time. */
  readonly #open: OpenCall[] = [];

  /** `onChange` is called when the first call begins to wait, and when none is left. */
  constructor(scheduler: Scheduler, report: (error: ClientError) => void, onChange: () => void = () => {}) {
    this.#scheduler = scheduler;
    this.report = report;
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
      return rejected(callError(name, argument, aborted(options.signal)), this.report);
    }
    const call = new Call<Result>(name, argument, this);
    start(call);
    this.limit(call, options, withdraw);
    return call.promise;
  }

  /** Ends a call that is still open when its caller gives up, and withdraws it. */
  limit(call: OpenCall, options: OperationOptions | undefined, withdraw?: () => void): void {
    if (call.place < 0 || (options?.signal === undefined && options?.timeoutMs === undefined)) {
      return;
    }
    call.endWait = limitWait(options, this.#scheduler, (error) => {
      call.reject(error);
      withdraw?.();
    });
  }

  /** For a new call. */
  begin(call: OpenCall): void {
    call.place = this.#open.push(call) - 1;
    if (this.size === 1) {
      this.#onChange();
    }
  }

  /** For a call that is settled; false when it was before. */
  end(call: OpenCall): boolean {
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
    for (const call of [...this.#open]) {
      call.resolve(undefined as never);
    }
  }

  rejectAll(error: ClientError): void {
    for (const call of [...this.#open]) {
      call.reject(error);
    }
  }
}

/** A call, whatever it gives. */
type OpenCall = Pick<Call<never>, "place" | "endWait" | "resolve" | "reject">;

/** One call, for whoever does the work; only the first time that it is settled counts. */
export class Call<Result> {
  /** Among the open calls; -1 when it has ended. */
  place = -1;
  /** Ends the limits on the wait. */
  endWait: (() => void) | undefined = undefined;
  /** As the caller wrote it. */
  readonly #name: string;
  readonly #argument: unknown;
  readonly #deferred: Deferred<Result> = deferred();
  readonly #calls: Calls;

  constructor(name: string, argument: unknown, calls: Calls) {
    this.#name = name;
    this.#argument = argument;
    this.#calls = calls;
    calls.begin(this);
  }

  get promise(): Promise<Result> {
    return this.#deferred.promise;
  }

  resolve(result: Result): void {
    if (this.#calls.end(this)) {
      this.#deferred.resolve(result);
    }
  }

  reject(error: ClientError): void {
    if (this.#calls.end(this)) {
      const named = callError(this.#name, this.#argument, error);
      this.#deferred.reject(named);
      reportUnwatched(this.promise, named, this.#calls.report);
    }
  }
}
