import { readFileSync } from "node:fs";
import { uptime } from "node:os";
import type { Table } from "./database.ts";
import { damaged } from "./failure.ts";
import { RecordReader } from "./record-reader.ts";
import { RecordWriter } from "./record-writer.ts";

/*
 * The store keeps time of its own: it begins as the system's wall clock stood when the store was made, and then counts
 * what passed, whatever is done to the wall clock. While the process runs, what passed is told by a clock that cannot
 * be set. Between two processes it is the difference of the system's uptime; only when the system was started anew in
 * between, the wall clock is asked, and not believed when what it says cannot be. See docs/adr/0019.
 */

/** What the system knows of time. */
export interface SystemTime {
  /** Milliseconds since 1970, as far as somebody has set it right. */
  wallMs(): number;
  /** Of a clock that nobody sets; where it begins means nothing. */
  monotonicMs(): number;
  /** Since the system was started, with the time it slept. */
  uptimeMs(): number;
  /** Another one with each start of the system; undefined where that cannot be told. */
  readonly boot: string | undefined;
}

/** One moment in all the clocks there are. */
export interface Moment {
  /** The store's own time. */
  readonly nowMs: number;
  readonly wallMs: number;
  readonly uptimeMs: number;
  readonly boot: string | undefined;
}

/** How long the store was closed, and what of the system's clocks was not believed. */
export interface TimeOff {
  readonly passedMs: number;
  /** A sentence for the log. */
  readonly doubt: string | undefined;
}

/** The store's time while it is open. */
export class StoreClock {
  /** What of the system's clocks was not believed when the store was opened. */
  readonly doubt: string | undefined;
  readonly #time: SystemTime;
  readonly #openedAtMs: number;
  readonly #openedAtMonotonicMs: number;
  #uptimeMs = 0;
  #uptimeReadAtMs = Number.NEGATIVE_INFINITY;

  /** `last` is what was written last; undefined in a new store. */
  constructor(time: SystemTime, last: Moment | undefined) {
    this.#time = time;
    this.#openedAtMonotonicMs = time.monotonicMs();
    if (last === undefined) {
      this.#openedAtMs = time.wallMs();
      return;
    }
    const now = { wallMs: time.wallMs(), uptimeMs: time.uptimeMs(), boot: time.boot };
    const { passedMs, doubt } = timeOff(last, now);
    this.#openedAtMs = last.nowMs + passedMs;
    this.doubt = doubt;
  }

  nowMs(): number {
    return this.#openedAtMs + Math.max(0, this.#time.monotonicMs() - this.#openedAtMonotonicMs);
  }

  moment(): Moment {
    return { nowMs: this.nowMs(), wallMs: this.#time.wallMs(), uptimeMs: this.#uptime(), boot: this.#time.boot };
  }

  /** Asking the system takes as long as ten commits' records, and is done once a second. */
  #uptime(): number {
    const sinceMs = this.#time.monotonicMs() - this.#uptimeReadAtMs;
    if (sinceMs < UPTIME_READ_MS) {
      return this.#uptimeMs + sinceMs;
    }
    this.#uptimeMs = this.#time.uptimeMs();
    this.#uptimeReadAtMs = this.#time.monotonicMs();
    return this.#uptimeMs;
  }
}

/** How much time passed between two moments. Where the clocks contradict each other: no more than is certain. */
export function timeOff(last: Omit<Moment, "nowMs">, now: Omit<Moment, "nowMs">): TimeOff {
  const wallMs = now.wallMs - last.wallMs;
  if (isSameBoot(last, now)) {
    const passedMs = Math.max(0, now.uptimeMs - last.uptimeMs);
    const setByMs = wallMs - passedMs;
    const doubt = Math.abs(setByMs) < NOTICED_MS ? undefined : `the system's clock was set by ${inWords(setByMs)}`;
    return { passedMs, doubt: doubt && `${doubt} while the store was closed; ${counted(passedMs)}` };
  }
  // The system has been running for this long since, at least.
  const leastMs = Math.max(0, now.uptimeMs);
  const wasSet = last.wallMs >= EARLIEST_MS && now.wallMs >= EARLIEST_MS;
  if (wasSet && wallMs >= leastMs - NOTICED_MS && wallMs <= LONGEST_OFF_MS) {
    return { passedMs: Math.max(leastMs, wallMs), doubt: undefined };
  }
  const said = `the system's clock says that ${inWords(wallMs)} passed since the store was written last`;
  return {
    passedMs: leastMs,
    doubt: `${said}, over a restart of the system; this is not believed: ${counted(leastMs)}`,
  };
}

/** Undefined in a new store. */
export function readMoment(meta: Table): Moment | undefined {
  const record = meta.getBinary(CLOCK_KEY);
  return record === undefined ? undefined : parseMoment(record);
}

/** Throws `store-corrupt`. */
export function parseMoment(record: Buffer): Moment {
  const reader = new RecordReader();
  reader.start(record);
  reader.kind("clock");
  const moment = {
    nowMs: reader.f64(),
    wallMs: reader.f64(),
    uptimeMs: reader.f64(),
    boot: reader.text() || undefined,
  };
  if (![moment.nowMs, moment.wallMs, moment.uptimeMs].every(Number.isFinite)) {
    throw damaged("the record of the time makes no sense");
  }
  return moment;
}

/** Inside a transaction. */
export function putMoment(meta: Table, { nowMs, wallMs, uptimeMs, boot }: Moment): void {
  WRITER.start();
  WRITER.kind("clock");
  WRITER.f64(nowMs);
  WRITER.f64(wallMs);
  WRITER.f64(uptimeMs);
  WRITER.text(boot ?? "");
  meta.put(CLOCK_KEY, WRITER.finish());
}

export const CLOCK_KEY: Buffer = Buffer.from("clock");

export const systemTime: SystemTime = {
  wallMs: () => Date.now(),
  monotonicMs: () => performance.now(),
  uptimeMs: () => uptime() * 1000,
  boot: bootId(),
};

/** Where the system does not say, an uptime that goes on is taken for one that was never interrupted. */
function isSameBoot(last: Omit<Moment, "nowMs">, now: Omit<Moment, "nowMs">): boolean {
  const isKnown = last.boot !== undefined && now.boot !== undefined;
  return now.uptimeMs >= last.uptimeMs - NOTICED_MS && (!isKnown || last.boot === now.boot);
}

function bootId(): string | undefined {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return undefined;
  }
}

function counted(ms: number): string {
  return `${inWords(ms)} are counted towards the expiry of sessions and messages`;
}

function inWords(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (Math.abs(seconds) < 7200) {
    return `${seconds} seconds`;
  }
  const hours = Math.round(seconds / 3600);
  return Math.abs(hours) < 72 ? `${hours} hours` : `${Math.round(hours / 24)} days`;
}

const WRITER = new RecordWriter();
const UPTIME_READ_MS = 1000;
/** Differences below are those of clocks that run unevenly and of reading them one after the other. */
const NOTICED_MS = 5000;
/** A broker that was off for longer than this keeps what it has for as long as if it had been off for no time. */
const LONGEST_OFF_MS = 30 * 24 * 3_600_000;
/** 1 January 2025: a clock that stands before was never set. */
const EARLIEST_MS = 1_735_689_600_000;
