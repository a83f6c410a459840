import { readFileSync } from "node:fs";
import { parseCommandLine } from "./args.ts";
import { describeError, UsageError } from "./errors.ts";
import { FatalFault } from "./faults.ts";
import { HELP } from "./help.ts";

/** Runs the program with the arguments after its name; resolves with the exit code. */
export async function main(args: readonly string[]): Promise<number> {
  try {
    await run(args);
    return 0;
  } catch (error) {
    process.stderr.write(`tidewire: ${describeError(error)}\n`);
    return exitCodeOf(error);
  }
}

/** 2 for what the person at the keyboard can put right, 70 for a fault of the program, 1 for all else. */
function exitCodeOf(error: unknown): number {
  if (error instanceof UsageError) {
    return 2;
  }
  return error instanceof FatalFault ? error.exitCode : 1;
}

/** Each command is loaded when it is asked for, so that `--help` needs no database. */
async function run(args: readonly string[]): Promise<void> {
  const command = parseCommandLine(args);
  switch (command.name) {
    case "help":
      process.stdout.write(HELP[command.topic]);
      return;
    case "version":
      process.stdout.write(`${version()}\n`);
      return;
    case "serve":
      return (await import("./serve.ts")).serve(command.options);
    case "demo":
      return (await import("./demo.ts")).demo(command.options);
    case "passwd":
      return (await import("./passwd.ts")).passwd(command.options);
    case "backup":
      return (await import("./backup.ts")).backup(command.options);
    case "check-store":
      return (await import("./check-store.ts")).checkDirectory(command.options);
    case "repair":
      return (await import("./repair.ts")).repair(command.options);
    case "delete-session":
      return (await import("./delete-session.ts")).deleteSession(command.options);
  }
}

function version(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  return manifest !== null && typeof manifest === "object" && "version" in manifest ? String(manifest.version) : "";
}
