import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** The built command. */
export const program: string = fileURLToPath(new URL("../../../apps/server/bin/tidewire.js", import.meta.url));

/** None outlives the tests. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) {
    child.kill("SIGKILL");
  }
});

/** A `tidewire serve` on one data directory that is killed and started again, each time on a port of its own choice. */
export class Server {
  readonly #directory: string;
  #child: ChildProcess | undefined;
  #port = 0;
  #log = "";

  constructor(directory: string) {
    this.#directory = directory;
  }

  /** Where it listens now; 0 while it does not. */
  get port(): number {
    return this.#port;
  }

  /** What it has logged since it was started last. */
  get log(): string {
    return this.#log;
  }

  /** Resolves when it serves; rejects with what it said when it does not. */
  async start(): Promise<void> {
    const parameters = ["serve", "--listen", "tcp://127.0.0.1:0", "--store", this.#directory, "--log-level", "error"];
    const child = spawn(process.execPath, [program, ...parameters], { stdio: ["ignore", "pipe", "pipe"] });
    this.#child = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
    let said = "";
    this.#log = "";
    child.stderr.on("data", (chunk: Buffer) => {
      said += chunk.toString();
      this.#log += chunk.toString();
    });
    this.#port = await new Promise<number>((resolve, reject) => {
      child.stdout.on("data", (chunk: Buffer) => {
        said += chunk.toString();
        const port = /^listening tcp:\/\/\S+:(\d+)$/m.exec(said)?.[1];
        if (port !== undefined && /^ready$/m.test(said)) {
          resolve(Number(port));
        }
      });
      child.once("exit", (code, signal) => reject(new Error(`the server ended (${code ?? signal}): ${said}`)));
    });
  }

  /** Ends it without a word of warning. */
  kill(): Promise<void> {
    return this.#end("SIGKILL");
  }

  /** Ends it in order. */
  stop(): Promise<void> {
    return this.#end("SIGTERM");
  }

  async #end(signal: NodeJS.Signals): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    this.#port = 0;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) {
      return;
    }
    const exited = once(child, "exit");
    child.kill(signal);
    await exited;
  }
}
