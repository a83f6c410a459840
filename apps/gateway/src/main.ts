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
      await serve(await Gateway.open(invocation, (line) => console.error(line)));
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

function fail(message: string, exitCode: number): void {
  console.error(`tidewire-gateway: ${message}`);
  process.exitCode = exitCode;
}
