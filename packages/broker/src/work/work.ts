import type { Scheduler } from "@tidewire/link";
import { JOB_STEPS, TURN_STEPS } from "../limits.ts";

/** How much may be done; one step is what takes about 100 ns. Whoever works takes away what was done. */
export interface Steps {
  left: number;
}

/** What is done a little at a time. */
export interface Job {
  /** Works until `steps` are used up, or a little beyond; true when nothing is left to do. */
  work(steps: Steps): boolean;
}

/** What work needs of its broker. */
export interface WorkNeeds {
  readonly scheduler: Pick<Scheduler, "later" | "setTimer">;
  /** Told of what a job threw; the job is over then. */
  readonly onFailure: (error: unknown) => void;
}

/**
 * What is too long for one turn. Jobs are done in turns, each a little at a time, so that the loop is free again after
 * about a millisecond whatever anyone has asked for. What has to be done at once is counted here too: whoever goes on asking
 * for it when the turn's share is used up has to wait for the next.
 */
export class Work {
  readonly #needs: WorkNeeds;
  /** In the order of their turns. */
  readonly #jobs = new Set<Job>();
  /** Whether this turn's share is used up. A field of its own: every publication looks at it. */
  exhausted = false;
  #spent = 0;
  #overdrawn = false;
  #scheduled = false;

  constructor(needs: WorkNeeds) {
    this.#needs = needs;
  }

  /** Jobs that are not done. */
  get size(): number {
    return this.#jobs.size;
  }

  /** Does `job` in later turns; one that waits already keeps its place. */
  start(job: Job): void {
    this.#jobs.add(job);
    this.#schedule();
  }

  stop(job: Job): void {
    this.#jobs.delete(job);
  }

  /** Counts what was done at once. */
  spend(steps: number): void {
    this.#spent += steps;
    this.exhausted = this.#spent >= TURN_STEPS;
    this.#overdrawn = this.exhausted;
    this.#schedule();
  }

  /** Whether anything was counted beyond the turn's share since this was last asked. */
  overdrawn(): boolean {
    const overdrawn = this.#overdrawn;
    this.#overdrawn = false;
    return overdrawn;
  }

  /** Steps counted since the turn's share was last given out. */
  get spent(): number {
    return this.#spent;
  }

  /** Does something to each of many, some of them at once, the others in later turns. */
  each<Item>(items: Iterable<Item>, stepsEach: number, action: (item: Item) => void): void {
    const job = new Each(items[Symbol.iterator](), stepsEach, action);
    const steps: Steps = { left: TURN_STEPS - this.#spent };
    const before = steps.left;
    const done = job.work(steps);
    this.spend(before - steps.left);
    if (!done) {
      this.start(job);
    }
  }

  #schedule(): void {
    if (!this.#scheduled) {
      this.#scheduled = true;
      this.#needs.scheduler.later!(this.#turn);
    }
  }

  readonly #turn = (): void => {
    this.#scheduled = false;
    this.#spent = 0;
    this.exhausted = false;
    this.#overdrawn = false;
    for (const job of this.#jobs) {
      // One that is not done goes to the end of the row.
      this.#jobs.delete(job);
      if (!this.#do(job)) {
        this.#jobs.add(job);
      }
      if (this.exhausted) {
        break;
      }
    }
    if (this.#jobs.size > 0) {
      this.#schedule();
    }
  };

  #do(job: Job): boolean {
    const share = Math.min(JOB_STEPS, TURN_STEPS - this.#spent);
    const steps: Steps = { left: share };
    try {
      return job.work(steps);
    } catch (error) {
      this.#needs.onFailure(error);
      return true;
    } finally {
      // At least one, so that a turn with any number of jobs ends.
      this.#spent += Math.max(1, share - steps.left);
      this.exhausted = this.#spent >= TURN_STEPS;
    }
  }
}

class Each<Item> implements Job {
  readonly #items: Iterator<Item>;
  readonly #stepsEach: number;
  readonly #action: (item: Item) => void;

  constructor(items: Iterator<Item>, stepsEach: number, action: (item: Item) => void) {
    this.#items = items;
    this.#stepsEach = stepsEach;
    this.#action = action;
  }

  work(steps: Steps): boolean {
    while (steps.left > 0) {
      const { done, value } = this.#items.next();
      if (done === true) {
        return true;
      }
      steps.left -= this.#stepsEach;
      this.#action(value);
    }
    return false;
  }
}
