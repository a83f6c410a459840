import { type Broker, type BrokerLogger, type BrokerOptions, createBroker } from "@tidewire/broker";
import type { TransportError } from "@tidewire/transport";
import type { Logger } from "pino";
import type { StoreChoice } from "./args.ts";
import { createStore, storeFailure } from "./store.ts";

/** Starts a broker with the store that the command line names. */
export async function startBroker(
  store: StoreChoice,
  logger: Logger,
  options: Pick<BrokerOptions, "hooks" | "limits"> = {},
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
  broker.on("clientDisconnected", ({ client: { clientId }, reasonCode }) => {
    logger.debug({ clientId, reasonCode }, "disconnected");
  });
  return broker;
}

/** Logs a peer that a listener turned away before it was a connection. */
export function logRefused(logger: Logger): (error: TransportError, remoteAddress: string | undefined) => void {
  return (error, remoteAddress) => {
    logger.info({ remoteAddress, code: error.code }, `refused a connection: ${error.message}`);
  };
}

/** pino takes the object first, and would leave out what comes after the message. */
function brokerLogger(logger: Logger): BrokerLogger {
  const log =
    (level: keyof BrokerLogger) =>
    (message: string, ...details: unknown[]): void => {
      const [first] = details;
      logger[level](first instanceof Error ? { err: first } : { details }, message);
    };
  return { debug: log("debug"), info: log("info"), warn: log("warn"), error: log("error") };
}
