import type { Logger } from "pino";
import { describeError, errorCode } from "./errors.ts";

/** The end of the process because of an error that nobody caught; 70 is `EX_SOFTWARE`. */
export class FatalFault extends Error {
  override readonly name = "FatalFault";
  readonly exitCode = 70;
}

export interface FaultPolicyOptions {
  readonly logger: Logger;
  /** Milliseconds that only ever grow. */
  readonly now: () => number;
  /** Called once, when serving on makes no sense. */
  readonly onFatal: (fault: FatalFault) => void;
}

/**
 * What to do about an error that nobody caught. It has ended one callback, and most often one connection is the worse
 * for it: everybody else is served on. But an error of the store may mean that what was promised is not kept, and many
 * errors in a short time mean that something is broken for all: then the process has to end in order, and whoever runs
 * it starts a new one.
 */
export class FaultPolicy {
  readonly #options: FaultPolicyOptions;
  readonly #kinds = new Map<string, Kind>();
  #recent: number[] = [];
  #fatal = false;

  constructor(options: FaultPolicyOptions) {
    this.#options = options;
  }

  /** Handles one; `origin` as Node names it. Never throws. */
  handle(error: unknown, origin: string): void {
    const now = this.#options.now();
    this.#recent = [...this.#recent.filter((at) => now - at < MINUTE_MS), now];
    this.#log(error, origin, now);
    if (this.#fatal) {
      return;
    }
    const reason = this.#fatalReason(error);
    if (reason === undefined) {
      return;
    }
    this.#fatal = true;
    const fault = new FatalFault(`${reason}; see the log for the error, and report it`, { cause: error });
    this.#options.logger.error(`ending in order with exit code ${fault.exitCode}: ${reason}`);
    this.#options.onFatal(fault);
  }

  /** The stack once for each kind; how many more there were, now and then. */
  #log(error: unknown, origin: string, now: number): void {
    const { logger } = this.#options;
    const name = kindOf(error);
    const kind = this.#kinds.get(name);
    if (kind === undefined) {
      if (this.#kinds.size >= KINDS) {
        this.#kinds.clear();
      }
      this.#kinds.set(name, { count: 1, loggedAt: now });
      const err = error instanceof Error ? error : new Error(describeError(error));
      logger.error(
        { err, origin },
        `an error that nobody caught: ${describeError(error)}; serving on, please report it`,
      );
      return;
    }
    kind.count += 1;
    if (now - kind.loggedAt >= REPEAT_MS) {
      kind.loggedAt = now;
      logger.error({ origin, count: kind.count }, `again an error that nobody caught: ${describeError(error)}`);
    }
  }

  #fatalReason(error: unknown): string | undefined {
    if (errorCode(error)?.startsWith("store-") === true) {
      return "an error of the store that nobody caught: what was promised may not be kept";
    }
    return this.#recent.length > FAULTS_PER_MINUTE
      ? `more than ${FAULTS_PER_MINUTE} errors that nobody caught within a minute`
      : undefined;
  }
}

/** Gives the process this policy. Returns what takes it away again. */
export function installFaultPolicy(policy: FaultPolicy): () => void {
  // Rejections that nobody handles come here, too.
  const onError = (error: unknown, origin: string): void => policy.handle(error, origin);
  process.on("uncaughtException", onError);
  return () => process.off("uncaughtException", onError);
}

/** A slip that one client can provoke must not become a way to end the broker for all; a loop of errors must end. */
export const FAULTS_PER_MINUTE = 10;

const MINUTE_MS = 60_000;
const REPEAT_MS = 10_000;
const KINDS = 100;

interface Kind {
  count: number;
  loggedAt: number;
}

/** The same for errors that were made in one place. */
function kindOf(error: unknown): string {
  if (!(error instanceof Error)) {
    return typeof error;
  }
  const place = error.stack?.split("\n").find((line) => /^\s+at /.test(line));
  return `${error.name} ${errorCode(error) ?? ""} ${place ?? ""}`;
}
