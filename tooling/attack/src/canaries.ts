import { type ChildProcess, fork } from "node:child_process";
import { fileURLToPath } from "node:url";
import type { Endpoints, Transport } from "./program.ts";
import { within } from "./wait.ts";

/** What the canary process is started with. */
export interface CanaryOptions {
  readonly urls: readonly string[];
  readonly transports: readonly Transport[];
  readonly username: string | undefined;
  readonly password: string | undefined;
}

/** What the canaries saw since `begin`, all pairs together. */
export interface CanaryReport {
  readonly sent: number;
  readonly lost: number;
  readonly disconnected: number;
  /** Attempts to come back that failed. */
  readonly refused: number;
  /** With which they were disconnected. */
  readonly reasonCodes: readonly number[];
  /** From PUBLISH to its arrival at the other one. */
  readonly tripsMs: { readonly p50: number; readonly p99: number; readonly longest: number };
}

const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) {
    child.kill("SIGKILL");
  }
});

/** Beside this module, once it is bundled. */
const SCRIPT = fileURLToPath(new URL("./canary-process.js", import.meta.url));

/** The clients that do nothing wrong, in their process. */
export class Canaries {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
    running.add(child);
    child.once("exit", () => running.delete(child));
  }

  /** Resolves when all of them are connected; rejects when one was refused. */
  static async start(
    endpoints: Endpoints,
    transports: readonly Transport[],
    user: Pick<CanaryOptions, "username" | "password">,
  ): Promise<Canaries> {
    const options: CanaryOptions = { ...user, transports, urls: [...endpoints.urls.values()].map(String) };
    const child = fork(SCRIPT, [JSON.stringify(options)], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
    const canaries = new Canaries(child);
    if ((await canaries.#answer(20_000)) === undefined) {
      canaries.stop();
      throw new Error("the canaries could not connect");
    }
    return canaries;
  }

  async begin(): Promise<void> {
    await this.#ask("begin");
  }

  /** Undefined when their process has ended. */
  async report(): Promise<CanaryReport | undefined> {
    return (await this.#ask("report")) as CanaryReport | undefined;
  }

  stop(): void {
    this.#child.kill("SIGKILL");
  }

  async #ask(question: string): Promise<unknown> {
    if (!this.#child.connected) {
      return undefined;
    }
    const answer = this.#answer(60_000);
    this.#child.send(question);
    return answer;
  }

  async #answer(limitMs: number): Promise<unknown> {
    const done = new AbortController();
    const once = (event: string) =>
      new Promise<unknown>((resolve) => {
        const listener = (value: unknown) => resolve(event === "message" ? value : undefined);
        this.#child.once(event, listener);
        done.signal.addEventListener("abort", () => this.#child.off(event, listener));
      });
    try {
      return await within(Promise.race([once("message"), once("exit")]), limitMs, undefined);
    } finally {
      done.abort();
    }
  }
}
