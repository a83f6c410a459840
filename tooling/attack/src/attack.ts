import type { Context } from "./context.ts";
import type { Dimensions, ServerNeeds } from "./variant.ts";

/** One hostile input or situation: what is done, and what must be seen. */
export interface Attack {
  /** `26`, or `26.2` for a further one of the same number; see docs/security-model.md. */
  readonly id: string;
  readonly title: string;
  /** In words, for the table. */
  readonly expected: string;
  /** What is left out of `ALL_DIMENSIONS` makes no difference to it. */
  readonly on?: Partial<Dimensions>;
  /** Done in well under a second: part of the short form. */
  readonly cheap?: boolean;
  /** What its program needs beside the usual; it then gets one of its own. */
  readonly server?: ServerNeeds;
  /** Whether it starts its programs by itself, so that there is nothing to measure. */
  readonly standsAlone?: boolean;
  readonly bounds?: Partial<Bounds>;
  run(context: Context): Promise<void>;
}

/** What an attack may cost all others. */
export interface Bounds {
  /** The longest turn of the loop, in processor time without the collector's. */
  readonly blockMs: number;
  /** Growth of the resident memory at its peak. */
  readonly memoryMb: number;
  /** Of the canaries' round trips, as a multiple of what it was before. */
  readonly p99Factor: number;
  /** Processor time in all, where it is known what an attack may cost. */
  readonly cpuMs: number;
}

export const DEFAULT_BOUNDS: Bounds = { blockMs: 10, memoryMb: 100, p99Factor: 2, cpuMs: Number.POSITIVE_INFINITY };

/** For attacks by hundreds of connections at once: a turn of the loop may have work for each of them. */
export const MANY: Pick<Bounds, "blockMs"> = { blockMs: 30 };
