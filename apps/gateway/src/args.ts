import { parseArgs } from "node:util";

/** The command line is wrong; the message says what, in one line. */
export class UsageError extends Error {
  override readonly name = "UsageError";
}

export interface GatewayOptions {
  readonly listen: URL;
  readonly target: URL;
  /** PEM files for `wss:`. */
  readonly certificateFile: string | undefined;
  readonly keyFile: string | undefined;
  /** PEM file with the authority of a `tls:` target. */
  readonly targetAuthorityFile: string | undefined;
  readonly origins: readonly string[] | undefined;
  readonly maxConnections: number;
}

export type Invocation = "help" | "version" | GatewayOptions;

export const HELP: string = `Carry MQTT from WebSocket clients to a broker that speaks TCP, byte for byte.

Usage: tidewire-gateway --listen URL --target URL [OPTIONS]

  --listen URL             ws://HOST:PORT/PATH or wss://HOST:PORT/PATH; port 0 is a free one
  --target URL             tcp://HOST:PORT, tls://HOST:PORT or unix:///PATH
  --cert FILE, --key FILE  certificate and key for wss://
  --target-ca FILE         authority that signed the certificate of a tls:// target
  --origin ORIGIN          web pages that may connect; may be repeated; "*" for all
                           (default: pages of the gateway's own host and port)
  --max-connections N      clients at a time (default: 10000)
  --help, --version
`;

/** Reads the command line; throws a `UsageError` at the first thing that is wrong. */
export function parseCommandLine(args: readonly string[]): Invocation {
  const values = parseOptions(args);
  if (values.help === true) {
    return "help";
  }
  if (values.version === true) {
    return "version";
  }
  const listen = parseUrl("--listen", values.listen, ["ws:", "wss:"], "ws://127.0.0.1:8080/mqtt");
  const target = parseUrl("--target", values.target, ["tcp:", "tls:", "unix:"], "tcp://127.0.0.1:1883");
  if (listen.protocol === "wss:" && (values.cert === undefined || values.key === undefined)) {
    throw new UsageError("--listen wss:// needs --cert and --key");
  }
  return {
    listen,
    target,
    certificateFile: values.cert,
    keyFile: values.key,
    targetAuthorityFile: values["target-ca"],
    origins: values.origin,
    maxConnections: parseCount("--max-connections", values["max-connections"] ?? "10000"),
  };
}

function parseOptions(args: readonly string[]): {
  listen?: string;
  target?: string;
  cert?: string;
  key?: string;
  "target-ca"?: string;
  origin?: string[];
  "max-connections"?: string;
  help?: boolean;
  version?: boolean;
} {
  const text = { type: "string" } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      options: {
        listen: text,
        target: text,
        cert: text,
        key: text,
        "target-ca": text,
        origin: { type: "string", multiple: true },
        "max-connections": text,
        help: { ...flag, short: "h" },
        version: { ...flag, short: "v" },
      },
    }).values;
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    throw new UsageError(message.split(/[.\n]/, 1)[0]);
  }
}

function parseUrl(option: string, text: string | undefined, protocols: readonly string[], example: string): URL {
  if (text === undefined) {
    throw new UsageError(`${option} is missing; for example ${option} ${example}`);
  }
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (url === undefined || !protocols.includes(url.protocol)) {
    throw new UsageError(`${option} ${JSON.stringify(text)} is not such a URL; for example ${option} ${example}`);
  }
  return url;
}

function parseCount(option: string, text: string): number {
  const count = Number(text);
  if (!/^\d+$/.test(text) || count < 1) {
    throw new UsageError(`${option} ${JSON.stringify(text)} is not a number from 1`);
  }
  return count;
}
