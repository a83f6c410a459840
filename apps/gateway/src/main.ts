import { readFileSync } from "node:fs";
import { HELP, type Invocation, parseCommandLine, UsageError } from "./args.ts";
import { Gateway } from "./gateway.ts";

/** Runs the command; the process ends when a signal comes or with the exit code that is set. */
export async function main(args: readonly string[]): Promise<void> {
  let invocation: Invocation;
  try {
    invocation = parseCommandLine(args);
  } catch (error) {
    if (!(error instanceof UsageError)) {
      throw error;
    }
    fail(`${error.message}; see --help`, 2);
    return;
  }
  if (invocation === "help") {
    process.stdout.write(HELP);
  } else if (invocation === "version") {
    const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
    console.log(version);
  } else {
    try {
      await serve(
        await Gateway.open(
          invocation,
          floodCounted((line) => process.stderr.write(`${line}\n`)),
        ),
      );
    } catch (error) {
      fail(error instanceof Error ? error.message : String(error), 1);
    }
  }
}

async function serve(gateway: Gateway): Promise<void> {
  for (const address of gateway.addresses) {
    console.log(`listening ${address}`);
  }
  console.log("ready");
  await new Promise<void>((resolve) => {
    process.once("SIGTERM", resolve).once("SIGINT", resolve);
  });
  await gateway.close();
  process.exitCode = 0;
}

/**
 * Anybody can cause these lines: in ten seconds some are written, and then how many were left out. What nobody reads
 * waits in memory, so that it must not be much.
 */
function floodCounted(write: (line: string) => void): (line: string) => void {
  let written = 0;
  let leftOut = 0;
  return (line) => {
    if (written >= LINES_PER_WINDOW) {
      leftOut += 1;
      return;
    }
    if (written === 0) {
      setTimeout(() => {
        if (leftOut > 0) {
          write(`${leftOut} more lines within ${WINDOW_MS / 1000} s were left out`);
        }
        [written, leftOut] = [0, 0];
      }, WINDOW_MS).unref();
    }
    written += 1;
    write(line);
  };
}

const LINES_PER_WINDOW = 20;
const WINDOW_MS = 10_000;

function fail(message: string, exitCode: number): void {
  console.error(`tidewire-gateway: ${message}`);
  process.exitCode = exitCode;
}
