import type { Broker } from "@tidewire/broker";
import type { Logger } from "pino";
import type { ServeOptions } from "./args.ts";
import { isLoopback, type ListenerSettings, listenerFor, listenFailure, readTlsCredentials } from "./listeners.ts";
import { createLogger } from "./logging.ts";
import { logRefused, startBroker } from "./running-broker.ts";
import { stopSignal } from "./signals.ts";

/** `tidewire serve`: runs the broker until SIGINT or SIGTERM, then closes it in order. */
export async function serve(options: ServeOptions): Promise<void> {
  const stopped = stopSignal();
  const logger = createLogger(options.logLevel);
  const tls = options.tls && readTlsCredentials(options.tls);
  const broker = await startBroker(options, logger);
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

function warnIfOpen(options: ServeOptions, logger: Logger): void {
  for (const { host, text } of options.listen) {
    if (!isLoopback(host)) logger.warn(`${text} is open to the network: whoever reaches it may publish and subscribe`);
  }
}
