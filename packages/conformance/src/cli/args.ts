import { readFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { ExpectedFailures, MqttVersion } from "../case.ts";
import { ConformanceError } from "../failure.ts";
import { CONCURRENCY } from "../limits.ts";
import type { DialUrlOptions } from "../node/index.ts";

/** What the command line asks for. */
export interface CliOptions {
  readonly url: string;
  readonly versions: readonly MqttVersion[];
  readonly only: readonly string[];
  readonly statements: readonly string[];
  readonly expectedFailures: ExpectedFailures;
  readonly report: string | undefined;
  readonly html: string | undefined;
  /** Milliseconds to wait for one expected packet. */
  readonly timeoutMs: number | undefined;
  readonly concurrency: number;
  readonly credentials: { readonly username: string; readonly password: string } | undefined;
  readonly tls: DialUrlOptions;
  readonly profiles: readonly (readonly [name: string, url: string])[];
  readonly without: readonly string[];
  readonly list: boolean;
  readonly quiet: boolean;
}

/** The arguments make no sense; the message says which. */
export class UsageError extends ConformanceError {
  override readonly name = "UsageError";

  constructor(message: string) {
    super("usage", message);
  }
}

export const USAGE: string = `Usage: tidewire-conformance URL [options]

Runs every normative statement of MQTT 3.1.1 and 5.0 against the broker at URL
(mqtt://, mqtts://, ws:// or wss://).

  --version 3.1.1|5.0|both   versions to test (default both)
  --only TEXT                cases whose id contains TEXT; may be repeated
  --statement ID             cases of a statement, such as MQTT-3.1.0-2; may be repeated
  --expect FILE              JSON object: case id to the reason why it is expected to fail;
                             a case that passes in spite of that fails the run
  --report FILE              write the results as JSON
  --html FILE                write the results as a page
  --timeout MS               wait so long for an expected packet (default 5000)
  --concurrency N            cases at a time (default ${CONCURRENCY})
  --username NAME, --password TEXT
  --ca FILE, --cert FILE, --key FILE, --insecure
                             certificates in PEM; --insecure accepts any
  --profile NAME=URL         a server set up for the profile limited, secured or enhanced
  --without CAPABILITY       skip what needs it, such as retain, shared, anonymous; may be repeated
  --list                     print the cases and exit
  --quiet                    no progress line
  --help

Exit status: 0 all passed, 1 failures, 2 the target cannot be reached or the arguments are wrong.
`;

/** Throws `UsageError`; undefined when help was asked for. */
export function parseCliArgs(args: readonly string[]): CliOptions | undefined {
  const { values, positionals } = parse(args);
  if (values.help === true) {
    return undefined;
  }
  const url = positionals[0];
  if (positionals.length > 1) {
    throw new UsageError(`one URL is expected, not ${positionals.length}`);
  }
  if (url === undefined && values.list !== true) {
    throw new UsageError("the URL of a broker is missing");
  }
  return {
    url: url ?? "",
    versions: versions(values.version),
    only: values.only ?? [],
    statements: (values.statement ?? []).map(statementId),
    expectedFailures: values.expect === undefined ? {} : readExpected(values.expect),
    report: values.report,
    html: values.html,
    timeoutMs: values.timeout === undefined ? undefined : positive("--timeout", values.timeout),
    concurrency: values.concurrency === undefined ? CONCURRENCY : positive("--concurrency", values.concurrency),
    credentials: credentials(values.username, values.password),
    tls: {
      ...(values.ca === undefined ? {} : { ca: read(values.ca) }),
      ...(values.cert === undefined ? {} : { cert: read(values.cert) }),
      ...(values.key === undefined ? {} : { key: read(values.key) }),
      ...(values.insecure === undefined ? {} : { insecure: values.insecure }),
    },
    profiles: (values.profile ?? []).map(profile),
    without: values.without ?? [],
    list: values.list ?? false,
    quiet: values.quiet ?? false,
  };
}

function parse(args: readonly string[]) {
  const text = { type: "string" } as const;
  const texts = { type: "string", multiple: true } as const;
  const flag = { type: "boolean" } as const;
  try {
    return parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        version: text,
        only: texts,
        statement: texts,
        expect: text,
        report: text,
        html: text,
        timeout: text,
        concurrency: text,
        username: text,
        password: text,
        ca: text,
        cert: text,
        key: text,
        insecure: flag,
        profile: texts,
        without: texts,
        list: flag,
        quiet: flag,
        help: { ...flag, short: "h" },
      },
    });
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause));
  }
}

function versions(value: string | undefined): readonly MqttVersion[] {
  if (value === undefined || value === "both") {
    return ["3.1.1", "5.0"];
  }
  if (value === "3.1.1" || value === "5.0") {
    return [value];
  }
  throw new UsageError(`--version takes 3.1.1, 5.0 or both, not ${value}`);
}

function statementId(value: string): string {
  const id = value.replace(/^\[|\]$/g, "");
  return id.startsWith("MQTT-") ? id : `MQTT-${id}`;
}

function positive(name: string, value: string): number {
  const number = Number(value);
  if (Number.isInteger(number) && number > 0) {
    return number;
  }
  throw new UsageError(`${name} takes a whole number above 0, not ${value}`);
}

function credentials(username: string | undefined, password: string | undefined): CliOptions["credentials"] {
  if (username === undefined && password === undefined) {
    return undefined;
  }
  if (username === undefined) {
    throw new UsageError("--password needs --username");
  }
  return { username, password: password ?? "" };
}

function profile(value: string): readonly [string, string] {
  const at = value.indexOf("=");
  if (at > 0) {
    return [value.slice(0, at), value.slice(at + 1)];
  }
  throw new UsageError(`--profile takes NAME=URL, not ${value}`);
}

function readExpected(file: string): ExpectedFailures {
  let parsed: unknown;
  try {
    parsed = JSON.parse(read(file));
  } catch (cause) {
    if (cause instanceof UsageError) {
      throw cause;
    }
    throw new UsageError(`${file} is not JSON`);
  }
  const isObject = typeof parsed === "object" && parsed !== null && !Array.isArray(parsed);
  if (!isObject || Object.values(parsed as object).some((reason) => typeof reason !== "string" || reason === "")) {
    throw new UsageError(`${file} has to be an object of case ids, each with its reason`);
  }
  return parsed as ExpectedFailures;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    throw new UsageError(`cannot read ${file}`);
  }
}
