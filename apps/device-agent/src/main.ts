import { readFileSync } from "node:fs";
import { tcp } from "@tidewire/transport-tcp";
import { Agent } from "./agent.ts";
import { type AgentOptions, HELP, type Invocation, parseCommandLine, UsageError } from "./args.ts";

/** Runs the program with the arguments after its name; resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  let invocation: Invocation;
  try {
    invocation = parseCommandLine(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    process.stderr.write(`tidewire-device-agent: ${error.message}\n`);
    return 2;
  }
  if (invocation === "help") {
    process.stdout.write(HELP);
    return 0;
  }
  if (invocation === "version") {
    process.stdout.write(`${version()}\n`);
    return 0;
  }
  return await run(invocation);
}

/** Until a signal (0), until whoever started it is gone (0), or until the broker refuses for good (1). */
function run({ broker, host, port, id, intervalMs, thresholds }: AgentOptions): Promise<number> {
  return new Promise((resolve) => {
    const notice = repeatsHidden((text) => process.stderr.write(`tidewire-device-agent: ${text}\n`));
    let code = 0;
    const agent = new Agent({
      ...{ target: tcp({ host, port }), id, intervalMs, thresholds },
      onOnline: () => process.stdout.write(`online as ${id} at ${broker}\n`),
      onNotice: notice,
      onEnded: (error) => {
        if (error !== undefined) {
          notice(`${error.message}; use another --id when a device of this name is running already`);
          code = 1;
        }
        if (process.connected) process.disconnect();
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

/** A broker that is away fails every attempt in the same words: once is enough. */
function repeatsHidden(write: (text: string) => void): (text: string) => void {
  let last: string | undefined;
  return (text) => {
    if (text !== last) write(text);
    last = text;
  };
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest !== null && typeof manifest === "object" && "version" in manifest ? String(manifest.version) : "";
}
