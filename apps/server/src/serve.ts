import type { Broker } from "@tidewire/broker";
import { NOT_AUTHORIZED } from "@tidewire/codec/codes";
import type { Logger } from "pino";
import { Access } from "./access/index.ts";
import type { ServeOptions } from "./args.ts";
import { describeError, errorCode } from "./errors.ts";
import { type FatalFault, FaultPolicy, installFaultPolicy } from "./faults.ts";
import { type NamedFile, permissionWarnings } from "./file-permissions.ts";
import { isSecure, isWebSocket } from "./listen-url.ts";
import {
  isLoopback,
  type ListenerSettings,
  listenConflict,
  listenerFor,
  listenFailure,
  listenGroups,
  type ServerListener,
} from "./listeners.ts";
import { createLogger } from "./logging.ts";
import { logRefused, startBroker } from "./running-broker.ts";
import { stopSignal } from "./signals.ts";
import { certificateWarning, readTlsCredentials, type TlsCredentials } from "./tls-files.ts";

/** `tidewire serve`: runs the broker until SIGINT or SIGTERM, then closes it in order. */
export async function serve(options: ServeOptions): Promise<void> {
  const stopped = stopSignal();
  const logger = createLogger(options.logLevel);
  const tls = options.tls && readTlsCredentials(options.tls);
  const access = options.access && new Access(options.access, logger);
  const broker = await startBroker(options.store, logger, {
    hooks: access?.hooks ?? {},
    limits: options.limits,
    checkRetainedPublisher: options.access?.checkRetained ?? false,
  });
  const faults = watchForFaults(logger);
  try {
    const settings = { ...options, tls, onRefused: logRefused(logger) };
    const listeners = await listenAll(broker, options, settings);
    process.on("SIGHUP", () => reload({ options, logger, access, broker, listeners }));
    for (const url of listeners.flatMap(({ addresses }) => addresses)) {
      process.stdout.write(`listening ${url}\n`);
    }
    process.stdout.write("ready\n");
    warnIfOpen(options, logger);
    warnOfFiles(options, tls, logger);
    logger.info(`${await Promise.race([stopped, faults])}: closing`);
  } finally {
    // Passwords that still wait for their turn would hold the end up by minutes.
    access?.close();
    await broker.close();
  }
}

/** Rejects when serving on makes no sense; what cannot be closed in order then is ended all the same. */
function watchForFaults(logger: Logger): Promise<never> {
  return new Promise((_resolve, reject) => {
    const onFatal = (fault: FatalFault): void => {
      setTimeout(() => process.exit(fault.exitCode), FATAL_CLOSE_MS).unref();
      reject(fault);
    };
    installFaultPolicy(new FaultPolicy({ logger, now: () => performance.now(), onFatal }));
  });
}

/** Twice what the broker allows its connections. */
const FATAL_CLOSE_MS = 10_000;

async function listenAll(
  broker: Broker,
  options: ServeOptions,
  settings: ListenerSettings,
): Promise<readonly ServerListener[]> {
  const listeners: ServerListener[] = [];
  for (const group of listenGroups(options.listen)) {
    const { target } = group;
    try {
      listeners.push(await broker.listen(listenerFor(group, settings)));
    } catch (error) {
      const others = options.listen.filter((other) => other !== target);
      const inUse = errorCode(error) === "address-in-use" ? listenConflict(target, others) : undefined;
      throw inUse ?? listenFailure(target.text, "--listen", error);
    }
  }
  return listeners;
}

interface Running {
  readonly options: ServeOptions;
  readonly logger: Logger;
  readonly access: Access | undefined;
  readonly broker: Broker;
  readonly listeners: readonly ServerListener[];
}

/** Reads certificate, users and rules anew. When one of the files is bad, all of them stay as they were. */
function reload({ options, logger, access, broker, listeners }: Running): void {
  if (options.tls === undefined && access === undefined) {
    logger.info("SIGHUP: there is no file to read anew (--users, --acl, --tls-cert): nothing is changed");
    return;
  }
  try {
    const credentials = options.tls && readTlsCredentials(options.tls);
    const outdated = access?.reload() ?? [];
    for (const { clientId } of outdated) {
      broker.disconnect(clientId, NOT_AUTHORIZED, "Its user is gone, or has another password now.");
    }
    if (credentials !== undefined) {
      for (const listener of listeners) {
        listener.reloadCertificate(credentials);
      }
    }
    logger.info(`SIGHUP: the files are read anew; clients disconnected: ${outdated.length}`);
    warnOfFiles(options, credentials, logger);
  } catch (error) {
    logger.error(`SIGHUP: nothing is changed: ${describeError(error)}`);
  }
}

function warnOfFiles({ tls, access }: ServeOptions, credentials: TlsCredentials | undefined, logger: Logger): void {
  const outOfDate = credentials && certificateWarning(credentials, Date.now());
  if (outOfDate !== undefined) {
    logger.warn(outOfDate);
  }
  const files: NamedFile[] = [];
  if (tls !== undefined) {
    files.push({ flag: "--tls-key", file: tls.keyFile, secret: true });
    files.push({ flag: "--tls-cert", file: tls.certFile, secret: false });
    if (tls.clientCaFile !== undefined) {
      files.push({ flag: "--tls-client-ca", file: tls.clientCaFile, secret: false });
    }
  }
  if (access !== undefined) {
    files.push({ flag: "--users", file: access.usersFile, secret: true });
  }
  if (access?.aclFile !== undefined) {
    files.push({ flag: "--acl", file: access.aclFile, secret: false });
  }
  for (const warning of permissionWarnings(files)) {
    logger.warn(warning);
  }
}

function warnIfOpen({ listen, access, origins }: ServeOptions, logger: Logger): void {
  if (origins === "*" && access === undefined && listen.some(({ scheme }) => isWebSocket(scheme))) {
    logger.warn(
      "every web page that somebody opens may publish and subscribe through that browser: add --users FILE, or name the " +
        "pages with --origin",
    );
  }
  for (const { host, scheme, text } of listen) {
    if (isLoopback(host)) {
      continue;
    }
    if (access === undefined) {
      logger.warn(`${text} is open to the network: whoever reaches it may publish and subscribe; add --users FILE`);
    } else if (!isSecure(scheme)) {
      logger.warn(`${text} is not encrypted: passwords can be read on the way; use tls:// or wss://`);
    }
  }
}
