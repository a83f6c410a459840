import { constants, fstatSync, openSync, writeSync } from "node:fs";
import { Socket } from "node:net";
import { isatty } from "node:tty";
import { errorCode } from "./errors.ts";

/** Takes bytes without ever waiting: how many it took, or a thrown error, with code `EAGAIN` when there is no room. */
export type WriteNow = (bytes: Uint8Array) => number;

export interface LogSinkOptions {
  readonly write: WriteNow;
  /** Calls back once, a little later. */
  readonly later: (callback: () => void, delayMs: number) => void;
  /** The line that says how many are missing. */
  readonly gap: (count: number) => string;
  /** Bytes that may wait for the reader. */
  readonly limit?: number;
}

/**
 * Lines for a reader who may stop reading: they wait in a buffer, and beyond its limit they are left out and counted.
 * What is written in one turn leaves together. Whoever logs never waits.
 */
export class LogSink {
  readonly #options: LogSinkOptions;
  readonly #limit: number;
  #lines: Buffer[] = [];
  #bytes = 0;
  #leftOut = 0;
  #asked = false;

  constructor(options: LogSinkOptions) {
    this.#options = options;
    this.#limit = options.limit ?? LOG_BUFFER_BYTES;
  }

  /** `line` ends with its line end. */
  write(line: string): void {
    const bytes = Buffer.from(line.replace(DANGEROUS, escaped));
    // While some are missing all that come are: the gap is one, and in its place.
    if (this.#leftOut > 0 || this.#bytes + bytes.length > this.#limit) {
      this.#leftOut += 1;
    } else {
      this.#lines.push(bytes);
      this.#bytes += bytes.length;
    }
    this.#ask(0);
  }

  /** Writes what the reader takes now; true when nothing waits any more. */
  flush(): boolean {
    while (this.#lines.length > 0) {
      const joined = this.#lines.length === 1 ? (this.#lines[0] as Buffer) : Buffer.concat(this.#lines);
      let taken: number;
      try {
        taken = this.#options.write(joined.subarray(0, LOG_WRITE_BYTES));
      } catch (error) {
        if (errorCode(error) !== "EAGAIN") {
          // Nobody will ever read it, or the disk is full: it is as if the reader had stopped.
          this.#leftOut += this.#lines.length;
          this.#lines = [];
          this.#bytes = 0;
        } else {
          this.#lines = [joined];
        }
        this.#ask(LOG_RETRY_MS);
        return false;
      }
      this.#lines = taken < joined.length ? [joined.subarray(taken)] : [];
      this.#bytes = joined.length - taken;
    }
    if (this.#leftOut > 0) {
      const gap = Buffer.from(this.#options.gap(this.#leftOut));
      this.#leftOut = 0;
      this.#lines = [gap];
      this.#bytes = gap.length;
      this.#ask(0);
      return false;
    }
    return true;
  }

  #ask(delayMs: number): void {
    if (this.#asked) {
      return;
    }
    this.#asked = true;
    this.#options.later(() => {
      this.#asked = false;
      this.flush();
    }, delayMs);
  }
}

/** What a reader that pauses for some seconds at `debug` does not notice. */
export const LOG_BUFFER_BYTES: number = 1024 * 1024;

/** How often a reader that has stopped is tried again. */
export const LOG_RETRY_MS = 50;

/** At once; so much fits into a pipe. */
const LOG_WRITE_BYTES = 65_536;

/**
 * Standard error, as something that never makes the process wait. A write to a pipe, socket or terminal whose reader
 * has stopped would otherwise hold the whole program, or one of the few threads that the disk and passwords need.
 */
export function standardError(): WriteNow {
  const descriptor = nonBlocking(2);
  return (bytes) => writeSync(descriptor, bytes);
}

function nonBlocking(descriptor: number): number {
  const kind = fstatSync(descriptor);
  if (kind.isFile()) {
    return descriptor;
  }
  try {
    // A description of its own: the flag is not set for others who share the pipe or terminal.
    const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
    return openSync(`/proc/self/fd/${descriptor}`, O_WRONLY | O_NONBLOCK | O_NOCTTY);
  } catch {
    // A socket (systemd, another Node program) cannot be opened a second time, and other systems have no /proc.
    if (!isatty(descriptor) && (kind.isFIFO() || kind.isSocket())) {
      // Node makes a pipe or socket that it wraps non-blocking; the wrapper itself is not used.
      new Socket({ fd: descriptor, readable: false, writable: true }).unref();
    }
    return descriptor;
  }
}

/** What a terminal obeys or hides, and JSON leaves as it is: C1 controls, line separators, marks that turn text round. */
const DANGEROUS = /[\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

function escaped(character: string): string {
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
