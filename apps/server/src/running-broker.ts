import { type Broker, type BrokerLogger, type BrokerOptions, createBroker } from "@tidewire/broker";
import type { TransportError } from "@tidewire/transport";
import type { Logger } from "pino";
import type { StoreChoice } from "./args.ts";
import { CountedLog } from "./counted-log.ts";
import { createStore, storeFailure } from "./store.ts";

/** Starts a broker with the store that the command line names. */
export async function startBroker(
  store: StoreChoice,
  logger: Logger,
  options: Pick<BrokerOptions, "checkRetainedPublisher" | "hooks" | "limits"> = {},
): Promise<Broker> {
  const broker = createBroker({ ...options, store: createStore(store), logger: brokerLogger(logger) });
  try {
    await broker.start();
  } catch (error) {
    throw store.kind === "directory" ? storeFailure(store.directory, error) : error;
  }
  broker.on("clientConnected", ({ client: { clientId, connection }, sessionPresent }) => {
    logger.debug(
      { clientId, address: connection.remoteAddress, via: connection.transport, sessionPresent },
      "connected",
    );
  });
  broker.on("clientDisconnected", ({ client: { clientId, connection }, reasonCode }) => {
    logger.debug({ clientId, address: connection.remoteAddress, reasonCode }, "disconnected");
  });
  return broker;
}

/**
 * Logs a peer that a listener turned away before it was a connection. Load balancers and scanners open connections and
 * leave all day: of each reason one line a minute is enough.
 */
export function logRefused(logger: Logger): (error: TransportError, remoteAddress: string | undefined) => void {
  const counted = new CountedLog({ logger, lines: 1, windowMs: 60_000 });
  return ({ code, message }, remoteAddress) => {
    counted.log(code, { address: remoteAddress, code }, `refused a connection: ${message}`);
  };
}

/** pino takes the object first, and would leave out what comes after the message. */
function brokerLogger(logger: Logger): BrokerLogger {
  const log =
    (level: keyof BrokerLogger) =>
    (message: string, ...details: unknown[]): void => {
      logger[level](logFields(details), message);
    };
  return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
}

/** What a package logs beside its message, as fields: an error under `err`, the members of an object by their names. */
export function logFields(details: readonly unknown[]): Record<string, unknown> {
  const fields: Record<string, unknown> = {};
  const others: unknown[] = [];
  for (const detail of details) {
    if (detail instanceof Error) {
      fields.err ??= detail;
    } else if (detail !== null && typeof detail === "object" && !Array.isArray(detail) && !ArrayBuffer.isView(detail)) {
      Object.assign(fields, detail);
    } else {
      others.push(detail);
    }
  }
  // Not to be taken for what pino itself writes into each line.
  for (const name of ["level", "time", "msg"]) {
    if (name in fields) {
      fields[`its_${name}`] = fields[name];
      delete fields[name];
    }
  }
  return others.length === 0 ? fields : { ...fields, details: others };
}
