import { readFileSync } from "node:fs";
import type { ClientError } from "@tidewire/client";
import { tcp } from "@tidewire/transport-tcp";
import { Agent, type AgentSettings } from "./agent.ts";
import { type AgentOptions, HELP, parseCommandLine, UsageError } from "./args.ts";

/** Runs the program with the arguments after its name; resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    const invocation = parseCommandLine(args);
    if (invocation === "help") {
      process.stdout.write(HELP);
    } else if (invocation === "version") {
      process.stdout.write(`${version()}\n`);
    } else {
      return await run(invocation, connectionOf(invocation));
    }
    return 0;
  } catch (error) {
    if (!(error instanceof UsageError)) {
      throw error;
    }
    process.stderr.write(`tidewire-device-agent: ${error.message}\n`);
    return 2;
  }
}

/** Until a signal (0), until whoever started it is gone (0), or until the broker refuses for good (1). */
function run(
  { broker, id, intervalMs, thresholds }: AgentOptions,
  connection: Pick<AgentSettings, "target" | "credentials">,
): Promise<number> {
  return new Promise((resolve) => {
    const notice = repeatsHidden((text) => process.stderr.write(`tidewire-device-agent: ${text}\n`));
    let code = 0;
    const agent = new Agent({
      ...{ ...connection, id, intervalMs, thresholds },
      onOnline: () => process.stdout.write(`online as ${id} at ${broker}\n`),
      onNotice: notice,
      onEnded: (error) => {
        if (error !== undefined) {
          notice(`${error.message}; ${remedyFor(error)}`);
          code = 1;
        }
        if (process.connected) {
          process.disconnect();
        }
        resolve(code);
      },
    });
    const stop = (): void => void agent.close();
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    // Started with an IPC channel, it lives as long as its parent.
    process.once("disconnect", stop);
  });
}

function connectionOf({
  host,
  port,
  secure,
  caFile,
  login,
}: AgentOptions): Pick<AgentSettings, "target" | "credentials"> {
  const tls = secure ? { tls: caFile === undefined ? {} : { ca: read("--ca", caFile) } } : {};
  const target = tcp({ host, port, ...tls });
  if (login === undefined) {
    return { target, credentials: {} };
  }
  const [password = ""] = read("--password-file", login.passwordFile).split(/\r?\n/, 1);
  return { target, credentials: { username: login.username, password } };
}

function read(flag: string, file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? error.code : error;
    throw new UsageError(`${flag} ${file} cannot be read (${reason}); check the path and its permissions`);
  }
}

function remedyFor({ reasonCode }: ClientError): string {
  return reasonCode === BAD_USER_NAME_OR_PASSWORD || reasonCode === NOT_AUTHORIZED
    ? "check --username and --password-file"
    : "use another --id when a device of this name is running already";
}

// MQTT 5 reason codes.
const BAD_USER_NAME_OR_PASSWORD = 0x86;
const NOT_AUTHORIZED = 0x87;

/** A broker that is away fails every attempt in the same words: once is enough. */
function repeatsHidden(write: (text: string) => void): (text: string) => void {
  let last: string | undefined;
  return (text) => {
    if (text !== last) {
      write(text);
    }
    last = text;
  };
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest !== null && typeof manifest === "object" && "version" in manifest ? String(manifest.version) : "";
}
