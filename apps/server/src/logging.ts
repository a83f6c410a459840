import { destination, type Logger, pino } from "pino";
import type { LogLevel } from "./args.ts";

/** Logs to standard error, one JSON object a line: standard output is for `listening` and `ready`. */
export function createLogger(level: LogLevel): Logger {
  // Synchronous, so that the last words of a process that ends are not lost.
  return pino({ level, base: null }, destination({ dest: 2, sync: true }));
}
