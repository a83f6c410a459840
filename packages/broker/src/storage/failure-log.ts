import { BrokerError } from "../errors.ts";
import type { BrokerLogger } from "../logger.ts";
import type { StoreFailure } from "./store.ts";

/** One line when the store stops keeping messages, and one when it keeps them again, however much is refused meanwhile. */
export class FailureLog {
  readonly #logger: BrokerLogger;
  /** What was logged last; undefined while the store works. */
  #logged: unknown;
  #failedCommits = 0;

  constructor(logger: BrokerLogger) {
    this.#logger = logger;
  }

  /** `failure` is the store's own; undefined: it works. */
  note(failure: StoreFailure | undefined): void {
    if (failure === undefined) {
      this.#ended();
    } else if (codeOf(failure) !== codeOf(this.#logged)) {
      this.#begun(failure);
    }
  }

  /** A commit was rejected. A store may say so without a `failure` of its own. */
  commitFailed(error: unknown): void {
    this.#failedCommits += 1;
    if (this.#logged === undefined) {
      this.#begun(error);
    }
  }

  #begun(failure: unknown): void {
    this.#logged = failure ?? new BrokerError("store-unavailable", "The store rejected a commit without a reason.");
    const reason = failure instanceof Error ? failure.message : String(failure);
    this.#logger.error(`messages that have to be kept are refused until the store works again: ${reason}`);
  }

  #ended(): void {
    if (this.#logged === undefined) {
      return;
    }
    this.#logged = undefined;
    const commits = this.#failedCommits;
    this.#failedCommits = 0;
    this.#logger.warn(`the store works again, and messages are kept; commits that failed meanwhile: ${commits}`);
  }
}

function codeOf(failure: unknown): unknown {
  return failure instanceof Error && "code" in failure ? failure.code : failure;
}
