import { type Logger, pino } from "pino";
import type { LogLevel } from "./args.ts";
import { LogSink, standardError } from "./log-sink.ts";
import { boundedFields, cut, LOG_MESSAGE_LENGTH } from "./log-values.ts";

/**
 * Logs to standard error, one JSON object a line: standard output is for `listening` and `ready`. Nobody waits for
 * whoever reads it. The last lines are written when the process exits, as far as they are read then.
 */
export function createLogger(level: LogLevel): Logger {
  const sink = new LogSink({
    write: standardError(),
    later: (callback, delayMs) => {
      if (delayMs === 0) {
        setImmediate(callback);
      } else {
        setTimeout(callback, delayMs).unref();
      }
    },
    gap: gapLine,
  });
  process.on("exit", () => flushAtExit(sink));
  return loggerTo(sink, level);
}

/** Logs to anything that takes lines, with every value bounded. */
export function loggerTo(sink: { write(line: string): void }, level: LogLevel): Logger {
  return pino(
    {
      level,
      base: null,
      formatters: { log: boundedFields },
      // pino's own would come after it, and take what it made for an error of type Object.
      serializers: { err: (fields: unknown) => fields },
      hooks: {
        logMethod(args, method) {
          const bounded = args.map((arg) => (typeof arg === "string" ? cut(arg, LOG_MESSAGE_LENGTH) : arg));
          method.apply(this, bounded as Parameters<typeof method>);
        },
      },
    },
    sink,
  );
}

/** The line in the place of those that had no room. */
export function gapLine(count: number): string {
  const msg = `${count} lines left out: standard error was not read; read it, or log less with --log-level`;
  return `${JSON.stringify({ level: WARN, time: Date.now(), leftOut: count, msg })}\n`;
}

const WARN = 40;

/** A reader that is slow gets a moment; one that has stopped does not hold the end up. */
function flushAtExit(sink: LogSink): void {
  const clock = new Int32Array(new SharedArrayBuffer(4));
  for (let attempt = 0; attempt < EXIT_ATTEMPTS && !sink.flush(); attempt += 1) {
    Atomics.wait(clock, 0, 0, EXIT_WAIT_MS);
  }
}

const EXIT_ATTEMPTS = 20;
const EXIT_WAIT_MS = 10;
