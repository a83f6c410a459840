import { type ChildProcess, spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import type { Socket } from "node:net";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { sleep, until, within } from "./wait.ts";

export type Transport = "tcp" | "tls" | "ws" | "wss";

/** Where something listens. */
export interface Endpoints {
  /** By scheme, with the real ports. */
  readonly urls: ReadonlyMap<Transport, URL>;
}

/** What the probe saw since the last `begin`; see `probe.js`. */
export interface Reading {
  readonly wallMs: number;
  /** Processor time of the loop's thread. */
  readonly loopCpuMs: number;
  /** How long that thread was ready and had no processor: the machine's business, not the broker's. */
  readonly waitedForCpuMs: number;
  readonly processCpuMs: number;
  readonly utilization: number;
  readonly collectionMs: number;
  /** The longest turns of the loop, longest first. */
  readonly blocks: readonly Block[];
  readonly blocksAboveLimit: number;
  readonly delayP99Ms: number;
  readonly rssBeforeBytes: number;
  readonly rssPeakBytes: number;
  readonly rssBytes: number;
}

export interface Block {
  readonly cpuMs: number;
  /** Processor time without the garbage collector's. */
  readonly workMs: number;
  readonly wallMs: number;
  /** How much of it is because the thread had to wait for a processor before. */
  readonly slackMs: number;
}

export interface LogLine {
  /** pino's: 30 is info, 40 warn, 50 error; 0 for what is no JSON, such as a stack trace. */
  readonly level: number;
  readonly text: string;
  /** When it came, by `performance.now`. */
  readonly atMs: number;
}

export interface ProgramOptions {
  /** The script that is run; default: the built `tidewire`. */
  readonly script?: string | undefined;
  readonly env?: Readonly<Record<string, string>>;
  readonly nodeArguments?: readonly string[];
  /** How long it may take until it says `ready`. */
  readonly startMs?: number;
}

const PROBE = new URL("../probe.js", import.meta.url).href;
const TIDEWIRE = fileURLToPath(new URL("../../../apps/server/bin/tidewire.js", import.meta.url));

/** None outlives the tool. */
const running = new Set<ChildProcess>();
process.once("exit", () => {
  for (const child of running) {
    child.kill("SIGKILL");
  }
});

/** A `tidewire` that runs, with the probe inside. */
export class Program implements Endpoints {
  readonly pid: number;
  readonly stdout: string[] = [];
  readonly log: LogLine[] = [];
  /** Settles when it has ended, with how it did. */
  readonly exited: Promise<string>;
  readonly #child: ChildProcess;
  readonly #answers: ((reading: Reading | undefined) => void)[] = [];
  #exit: string | undefined;

  constructor(args: readonly string[], options: ProgramOptions = {}) {
    const { script = TIDEWIRE, env = {}, nodeArguments = [] } = options;
    const child = spawn(process.execPath, ["--import", PROBE, ...nodeArguments, script, ...args], {
      env: { ...process.env, ...env },
      stdio: ["ignore", "pipe", "pipe", "pipe"],
    });
    this.#child = child;
    this.pid = child.pid ?? -1;
    running.add(child);
    createInterface({ input: child.stdout! }).on("line", (line) => this.stdout.push(line));
    createInterface({ input: child.stderr! }).on("line", (line) => this.log.push(parseLine(line)));
    const probe = child.stdio[3] as Socket;
    createInterface({ input: probe }).on("line", (line) => this.#answers.shift()?.(JSON.parse(line)));
    probe.on("error", () => {});
    this.exited = new Promise((resolve) => {
      child.once("close", (code, signal) => {
        running.delete(child);
        this.#exit = signal ?? `exit code ${code}`;
        for (const answer of this.#answers.splice(0)) {
          answer(undefined);
        }
        resolve(this.#exit);
      });
    });
  }

  /** Starts `serve` and resolves when it is ready; rejects with what it said when it ends instead. */
  static async serve(args: readonly string[], options: ProgramOptions = {}): Promise<Program> {
    const program = new Program(["serve", ...args], options);
    const ready = () => program.stdout.includes("ready");
    await until(() => ready() || program.exit !== undefined, options.startMs ?? 30_000);
    if (!ready()) {
      program.kill("SIGKILL");
      throw new Error(`the program did not start (${program.exit ?? "no answer"}): ${program.lastWords()}`);
    }
    return program;
  }

  /** How it ended; undefined while it runs. */
  get exit(): string | undefined {
    return this.#exit;
  }

  /** Where it listens, by scheme. */
  get urls(): ReadonlyMap<Transport, URL> {
    const lines = this.stdout.filter((line) => line.startsWith("listening "));
    const urls = lines.map((line) => new URL(line.slice("listening ".length)));
    return new Map(urls.map((url) => [url.protocol.slice(0, -1) as Transport, url]));
  }

  /** Forgets what the probe saw. */
  begin(): Promise<Reading | undefined> {
    return this.#ask("begin");
  }

  /** What the probe saw; undefined when the program has ended or does not answer. */
  read(): Promise<Reading | undefined> {
    return this.#ask("read");
  }

  /** Open files and sockets. */
  openFiles(): number {
    try {
      return readdirSync(`/proc/${this.pid}/fd`).length;
    } catch {
      return 0;
    }
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end, and after `limitMs` makes it; resolves with how it ended, and whether it had to be made to. */
  async stop(limitMs = 20_000): Promise<{ readonly exit: string; readonly inTime: boolean }> {
    this.kill("SIGTERM");
    const inTime = (await within(this.exited, limitMs, undefined)) !== undefined;
    if (!inTime) {
      this.kill("SIGKILL");
    }
    return { exit: await this.exited, inTime };
  }

  /** The end of its log, for messages. */
  lastWords(): string {
    return this.log
      .slice(-4)
      .map(({ text }) => text.slice(0, 300))
      .join(" | ");
  }

  /** Stops reading what it logs, as a log collector that hangs does. */
  holdLog(): void {
    this.#child.stderr?.pause();
  }

  releaseLog(): void {
    this.#child.stderr?.resume();
  }

  async #ask(question: "begin" | "read"): Promise<Reading | undefined> {
    if (this.#exit !== undefined) {
      return undefined;
    }
    const answer = new Promise<Reading | undefined>((resolve) => this.#answers.push(resolve));
    (this.#child.stdio[3] as Socket).write(`${question}\n`);
    return within(answer, 60_000, undefined);
  }
}

/** The port of a transport; throws when nobody listens for it. */
export function portOf({ urls }: Endpoints, transport: Transport): number {
  const url = urls.get(transport);
  if (url === undefined) {
    throw new Error(`the program does not listen for ${transport}`);
  }
  return Number(url.port);
}

/** Runs a command to its end: exit, what it printed, what it complained of. */
export async function runProgram(
  args: readonly string[],
  options: ProgramOptions & { readonly limitMs?: number } = {},
): Promise<{ readonly exit: string; readonly stdout: string; readonly stderr: string; readonly tookMs: number }> {
  const from = performance.now();
  const program = new Program(args, options);
  const exit = await within(program.exited, options.limitMs ?? 20_000, undefined);
  if (exit === undefined) {
    program.kill("SIGKILL");
    await program.exited;
  }
  await sleep(0);
  const stderr = program.log.map(({ text }) => text).join("\n");
  return {
    exit: exit ?? "did not end",
    stdout: program.stdout.join("\n"),
    stderr,
    tookMs: performance.now() - from,
  };
}

function parseLine(line: string): LogLine {
  const level = /^\{"level":(\d+)/.exec(line)?.[1];
  return { level: level === undefined ? 0 : Number(level), text: line, atMs: performance.now() };
}
