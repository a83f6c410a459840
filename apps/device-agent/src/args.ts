import { hostname } from "node:os";
import { parseArgs } from "node:util";
import { MAX_INTERVAL_SECONDS, MIN_INTERVAL_SECONDS, parseIntervalSeconds } from "./commands.ts";
import { METRIC_NAMES, type MetricName } from "./metrics.ts";

/** The command line is wrong; `message` says what and what to do, on one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface AgentOptions {
  /** Host and port as one text, for messages. */
  readonly broker: string;
  readonly host: string;
  readonly port: number;
  /** TLS. */
  readonly secure: boolean;
  /** PEM file with the authority of the broker's certificate, beside those of the system. */
  readonly caFile: string | undefined;
  readonly login: LoginOptions | undefined;
  readonly id: string;
  readonly intervalMs: number;
  readonly thresholds: ReadonlyMap<MetricName, number>;
}

export interface LoginOptions {
  readonly username: string;
  /** Its first line is the password: on the command line everybody on the machine could read it. */
  readonly passwordFile: string;
}

export type Invocation = "help" | "version" | AgentOptions;

/** Reads the command line; throws a `UsageError` at the first thing that is wrong. */
export function parseCommandLine(args: readonly string[]): Invocation {
  const values = parseOptions(args);
  if (values.help === true) {
    return "help";
  }
  if (values.version === true) {
    return "version";
  }
  return {
    ...parseBroker(values.broker ?? DEFAULT_BROKER, values.ca),
    login: parseLogin(values.username, values["password-file"]),
    id: parseId(values.id),
    intervalMs: parseInterval(values.interval ?? "1"),
    thresholds: parseThresholds(values.threshold ?? DEFAULT_THRESHOLDS),
  };
}

const DEFAULT_BROKER = "tcp://127.0.0.1:1883";
const DEFAULT_THRESHOLDS: readonly string[] = ["cpu=90", "memory=90"];

export const HELP: string = `Publish this machine's metrics over MQTT until SIGINT (Ctrl-C) or SIGTERM.

Usage: tidewire-device-agent [OPTIONS]

  --broker URL            tcp://HOST:PORT or tls://HOST:PORT (default: ${DEFAULT_BROKER})
  --ca FILE               authority that signed the certificate of a tls:// broker
  --username NAME         for a broker that wants one, with
  --password-file FILE    whose first line is the password
  --id ID                 the device's name in topics (default: this host's name)
  --interval SECONDS      time between two figures, from ${MIN_INTERVAL_SECONDS} (default: 1)
  --threshold NAME=VALUE  raise an alert above VALUE; may be repeated
                          (default: ${DEFAULT_THRESHOLDS.join(", ")})
  --help, --version

Topics:
  devices/ID/metrics/NAME    ${METRIC_NAMES.join(", ")}
  devices/ID/status          online or offline, retained
  alerts/ID/NAME             JSON with id, text and at
  devices/ID/commands/...    interval (seconds), alert-test (text)
`;

function parseOptions(args: readonly string[]): {
  help?: boolean;
  version?: boolean;
  broker?: string;
  ca?: string;
  username?: string;
  "password-file"?: string;
  id?: string;
  interval?: string;
  threshold?: string[];
} {
  try {
    return parseArgs({
      args: [...args],
      options: {
        help: { type: "boolean", short: "h" },
        version: { type: "boolean", short: "v" },
        broker: { type: "string" },
        ca: { type: "string" },
        username: { type: "string" },
        "password-file": { type: "string" },
        id: { type: "string" },
        interval: { type: "string" },
        threshold: { type: "string", multiple: true },
      },
    }).values;
  } catch (error) {
    // The first sentence names the option; what follows is advice on positional arguments, of which there are none.
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(`${message.split(/[.\n]/)[0]}; run "tidewire-device-agent --help" for the list`);
  }
}

function parseBroker(
  text: string,
  caFile: string | undefined,
): Pick<AgentOptions, "broker" | "host" | "port" | "secure" | "caFile"> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const defaultPort = PORTS.get(url?.protocol ?? "");
  if (url === undefined || defaultPort === undefined || url.hostname === "") {
    throw new UsageError(`--broker "${text}" is not an address; write it like ${DEFAULT_BROKER}`);
  }
  const secure = defaultPort === 8883;
  if (caFile !== undefined && !secure) {
    throw new UsageError("--ca is for a broker with TLS; write --broker tls://...");
  }
  const port = url.port === "" ? defaultPort : Number(url.port);
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  return { broker: `${url.hostname}:${port}`, host, port, secure, caFile };
}

const PORTS: ReadonlyMap<string, number> = new Map([
  ["tcp:", 1883],
  ["mqtt:", 1883],
  ["tls:", 8883],
  ["mqtts:", 8883],
]);

function parseLogin(username: string | undefined, passwordFile: string | undefined): LoginOptions | undefined {
  if (username !== undefined && passwordFile !== undefined) {
    return { username, passwordFile };
  }
  if (username !== undefined) {
    throw new UsageError("--username is given without a password; add --password-file FILE");
  }
  if (passwordFile !== undefined) {
    throw new UsageError("--password-file is given without a name; add --username NAME");
  }
  return undefined;
}

function parseId(text: string | undefined): string {
  if (text === undefined) {
    return hostname().replace(NOT_IN_ID, "-").slice(0, MAX_ID_LENGTH) || "device";
  }
  if (text === "" || text.length > MAX_ID_LENGTH || text.search(NOT_IN_ID) !== -1) {
    throw new UsageError(
      `--id "${text}" is not a device name; use up to ${MAX_ID_LENGTH} letters, digits, ".", "_" and "-"`,
    );
  }
  return text;
}

function parseInterval(text: string): number {
  const seconds = parseIntervalSeconds(text);
  if (seconds === undefined) {
    throw new UsageError(
      `--interval "${text}" is not a time; give seconds from ${MIN_INTERVAL_SECONDS} to ${MAX_INTERVAL_SECONDS}`,
    );
  }
  return seconds * 1000;
}

function parseThresholds(texts: readonly string[]): ReadonlyMap<MetricName, number> {
  const thresholds = new Map<MetricName, number>();
  for (const text of texts) {
    const [, given, value] = /^([^=]+)=(.+)$/.exec(text) ?? [];
    const name = METRIC_NAMES.find((candidate) => candidate === given);
    if (name === undefined || !Number.isFinite(Number(value))) {
      throw new UsageError(`--threshold "${text}" is not known; write NAME=NUMBER with ${METRIC_NAMES.join(", ")}`);
    }
    thresholds.set(name, Number(value));
  }
  return thresholds;
}

// One topic level that needs no quoting anywhere: no "/", "+" or "#", nothing invisible.
const NOT_IN_ID = /[^A-Za-z0-9._-]/g;
const MAX_ID_LENGTH = 64;
