import type { Logger } from "pino";

export interface CountedLogOptions {
  readonly logger: Logger;
  /** Lines of one kind in one window; the others are counted. */
  readonly lines: number;
  readonly windowMs: number;
  /** Calls back once, later. */
  readonly later?: (callback: () => void, delayMs: number) => void;
}

/**
 * Lines at `info` that others can cause as often as they like: of each kind some are logged, then they are counted, and
 * one line at the end of the window says how many there were. At `debug` there is a line for each.
 */
export class CountedLog {
  readonly #options: CountedLogOptions;
  readonly #later: (callback: () => void, delayMs: number) => void;
  readonly #windows = new Map<string, Window>();

  constructor(options: CountedLogOptions) {
    this.#options = options;
    this.#later = options.later ?? ((callback, delayMs) => setTimeout(callback, delayMs).unref());
  }

  log(kind: string, fields: Readonly<Record<string, unknown>>, message: string): void {
    const { logger, lines } = this.#options;
    const name = this.#windows.has(kind) || this.#windows.size < MOST_KINDS ? kind : OTHER;
    let window = this.#windows.get(name);
    if (window === undefined) {
      window = { lines: 0, leftOut: 0, message };
      this.#windows.set(name, window);
      this.#wait(name, window);
    }
    if (window.lines < lines) {
      window.lines += 1;
      logger.info(fields, message);
      return;
    }
    window.leftOut += 1;
    window.message = message;
    logger.debug(fields, message);
  }

  #wait(name: string, window: Window): void {
    const { logger, windowMs } = this.#options;
    this.#later(() => {
      const { leftOut, message } = window;
      if (leftOut === 0) {
        this.#windows.delete(name);
        return;
      }
      // What goes on says no more than how much of it there is.
      window.leftOut = 0;
      window.lines = this.#options.lines;
      logger.info({ kind: name, leftOut }, `${leftOut} more within ${windowMs / 1000} s: ${message}`);
      this.#wait(name, window);
    }, windowMs);
  }
}

const MOST_KINDS = 100;
const OTHER = "other";

interface Window {
  lines: number;
  leftOut: number;
  /** The last one. */
  message: string;
}
