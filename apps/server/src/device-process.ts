import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { Logger } from "pino";

/** The device agent as a process of its own, as on a device. */
export interface DeviceProcess {
  /** The name it publishes under. */
  readonly id: string;
  readonly pid: number | undefined;
  stop(): Promise<void>;
}

/** Starts it and waits until it is connected. */
export async function startDevice(brokerUrl: string, logger: Logger): Promise<DeviceProcess> {
  const program = fileURLToPath(import.meta.resolve("@tidewire/device-agent/bin"));
  // It ends when the IPC channel does, so that it never outlives a demo that was killed.
  const child = spawn(process.execPath, [program, "--broker", brokerUrl], { stdio: ["ignore", "pipe", "pipe", "ipc"] });
  const exited = once(child, "exit");
  if (child.stderr) {
    createInterface({ input: child.stderr }).on("line", (line) => logger.warn(line));
  }
  const id = await Promise.race([onlineId(child), exited.then(([code]) => failedStart(code))]);

  const onExit = (code: number | null, signal: string | null): void => {
    logger.warn(`the device agent ended with ${signal ?? `code ${code}`}`);
  };
  child.once("exit", onExit);
  return {
    id,
    pid: child.pid,
    async stop() {
      child.off("exit", onExit);
      child.kill("SIGTERM");
      await exited;
    },
  };
}

/** The agent's first line names the device. */
async function onlineId({ stdout }: ChildProcess): Promise<string> {
  if (stdout === null) {
    throw new Error("the device agent has no output");
  }
  const [line] = await once(createInterface({ input: stdout }), "line");
  return /^online as (\S+)/.exec(String(line))?.[1] ?? "?";
}

function failedStart(code: unknown): never {
  throw new Error(`the device agent ended with code ${code} before it was connected`);
}
