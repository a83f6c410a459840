/** The part of common loggers that is used; `pino` and `console` fit. */
export interface BrokerLogger {
  debug(message: string, ...details: unknown[]): void;
  info(message: string, ...details: unknown[]): void;
  warn(message: string, ...details: unknown[]): void;
  error(message: string, ...details: unknown[]): void;
}

export const silentLogger: BrokerLogger = {
  debug() {},
  info() {},
  warn() {},
  error() {},
};

/** The same logger, which cannot throw: what fails to be logged must not fail, too. */
export function guardedLogger(logger: BrokerLogger): BrokerLogger {
  const guarded =
    (level: keyof BrokerLogger) =>
    (message: string, ...details: unknown[]): void => {
      try {
        logger[level](message, ...details);
      } catch {
        // There is nobody left to tell.
      }
    };
  return { debug: guarded("debug"), info: guarded("info"), warn: guarded("warn"), error: guarded("error") };
}
