import type { Broker } from "@tidewire/broker";
import { ReasonCode } from "@tidewire/codec";
import type { Logger } from "pino";
import { Access } from "./access/access.ts";
import type { ServeOptions } from "./args.ts";
import { describeError } from "./errors.ts";
import { isSecure } from "./listen-url.ts";
import { isLoopback, type ListenerSettings, listenerFor, listenFailure, readTlsCredentials } from "./listeners.ts";
import { createLogger } from "./logging.ts";
import { logRefused, startBroker } from "./running-broker.ts";
import { stopSignal } from "./signals.ts";

/** `tidewire serve`: runs the broker until SIGINT or SIGTERM, then closes it in order. */
export async function serve(options: ServeOptions): Promise<void> {
  const stopped = stopSignal();
  const logger = createLogger(options.logLevel);
  const tls = options.tls && readTlsCredentials(options.tls);
  const access = options.access && new Access(options.access, logger);
  const broker = await startBroker(options.store, logger, { hooks: access?.hooks ?? {}, limits: options.limits });
  if (access !== undefined) process.on("SIGHUP", () => reload(access, broker, logger));
  try {
    const urls = await listenAll(broker, options, { tls, origins: options.origins, onRefused: logRefused(logger) });
    for (const url of urls) process.stdout.write(`listening ${url}\n`);
    process.stdout.write("ready\n");
    warnIfOpen(options, logger);
    logger.info(`${await stopped}: closing`);
  } finally {
    await broker.close();
  }
}

/** The addresses listened on, with the real ports. */
async function listenAll(broker: Broker, options: ServeOptions, settings: ListenerSettings): Promise<string[]> {
  const urls: string[] = [];
  for (const target of options.listen) {
    try {
      const listener = await broker.listen(listenerFor(target, settings));
      urls.push(...listener.addresses);
    } catch (error) {
      throw listenFailure(target.text, "--listen", error);
    }
  }
  return urls;
}

/** A bad file is no reason to let anybody in or out: what was in force stays so. */
function reload(access: Access, broker: Broker, logger: Logger): void {
  try {
    const outdated = access.reload();
    for (const { clientId } of outdated) broker.disconnect(clientId, ReasonCode.NotAuthorized);
    logger.info(`SIGHUP: users and rules are read anew; clients disconnected: ${outdated.length}`);
  } catch (error) {
    logger.error(`SIGHUP: nothing is changed: ${describeError(error)}`);
  }
}

function warnIfOpen({ listen, access }: ServeOptions, logger: Logger): void {
  for (const { host, scheme, text } of listen) {
    if (isLoopback(host)) continue;
    if (access === undefined) {
      logger.warn(`${text} is open to the network: whoever reaches it may publish and subscribe; add --users FILE`);
    } else if (!isSecure(scheme)) {
      logger.warn(`${text} is not encrypted: passwords can be read on the way; use tls:// or wss://`);
    }
  }
}
