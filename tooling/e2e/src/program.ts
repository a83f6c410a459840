import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { afterAll } from "vitest";

export interface ProgramOptions {
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Written to its standard input, which is then closed. */
  readonly input?: string | Uint8Array;
}

export interface Exit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

// Far above what any step takes on an idle machine: only a real failure should reach it on a loaded one.
const WAIT_MS = 15_000;

// What a failed test did not stop must not outlive its file. (A worker that is killed runs no exit handler.)
const running = new Set<ChildProcess>();
afterAll(() => {
  for (const child of running) {
    child.kill("SIGKILL");
  }
});

/** A child process whose output is kept, line by line. */
export class Program {
  readonly pid: number;
  /** Settles when it has ended and all its output has been read. */
  readonly exited: Promise<Exit>;
  readonly stdout: string[] = [];
  readonly stderr: string[] = [];
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #watchers = new Set<() => void>();
  #exit: Exit | undefined;

  constructor(command: string, args: readonly string[], options: ProgramOptions = {}) {
    this.#name = [command, ...args].join(" ");
    const child = spawn(command, args, {
      cwd: options.cwd,
      env: { ...process.env, ...options.env },
      stdio: [options.input === undefined ? "ignore" : "pipe", "pipe", "pipe"],
    });
    this.#child = child;
    this.pid = child.pid ?? -1;
    running.add(child);
    child.stdin?.end(options.input);
    for (const [stream, lines] of [
      [child.stdout, this.stdout],
      [child.stderr, this.stderr],
    ] as const) {
      if (stream === null) {
        continue;
      }
      createInterface({ input: stream }).on("line", (line) => {
        lines.push(line);
        this.#changed();
      });
    }
    this.exited = new Promise((resolve) => {
      const end = (exit: Exit) => {
        running.delete(child);
        this.#exit = exit;
        this.#changed();
        resolve(exit);
      };
      child.once("close", (code, signal) => end({ code, signal }));
      child.once("error", (error) => {
        this.stderr.push(String(error));
        end({ code: null, signal: null });
      });
    });
  }

  /** The first line of standard output that matches, past or to come. */
  async line(pattern: RegExp, waitMs: number = WAIT_MS): Promise<RegExpMatchArray> {
    const match = await this.#until(() => firstMatch(this.stdout, pattern), waitMs);
    if (match === undefined) {
      throw new Error(`no line ${pattern} from: ${this.#name}\n${this.output()}`);
    }
    return match;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  /** Asks it to end with `signal`; after a while, makes it. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<Exit> {
    this.kill(signal);
    const timer = setTimeout(() => this.kill("SIGKILL"), WAIT_MS);
    const exit = await this.exited;
    clearTimeout(timer);
    return exit;
  }

  /** All it has said, for error messages. */
  output(): string {
    const exit = this.#exit === undefined ? "still running" : `ended: ${JSON.stringify(this.#exit)}`;
    return [`stdout: ${this.stdout.join("\n")}`, `stderr: ${this.stderr.join("\n")}`, exit].join("\n");
  }

  #until<T>(find: () => T | undefined, waitMs: number): Promise<T | undefined> {
    return new Promise((resolve) => {
      const check = () => {
        const found = find();
        if (found === undefined && this.#exit === undefined) {
          return;
        }
        done(found);
      };
      const done = (found: T | undefined) => {
        clearTimeout(timer);
        this.#watchers.delete(check);
        resolve(found);
      };
      const timer = setTimeout(() => done(find()), waitMs);
      this.#watchers.add(check);
      check();
    });
  }

  #changed(): void {
    for (const watcher of [...this.#watchers]) {
      watcher();
    }
  }
}

/** Runs a program to its end. */
export async function runProgram(
  command: string,
  args: readonly string[],
  options: ProgramOptions = {},
): Promise<Exit & { readonly stdout: string; readonly stderr: string }> {
  const program = new Program(command, args, options);
  const timer = setTimeout(() => program.kill("SIGKILL"), 2 * WAIT_MS);
  const exit = await program.exited;
  clearTimeout(timer);
  return { ...exit, stdout: program.stdout.join("\n"), stderr: program.stderr.join("\n") };
}

function firstMatch(lines: readonly string[], pattern: RegExp): RegExpMatchArray | undefined {
  for (const line of lines) {
    const match = line.match(pattern);
    if (match !== null) {
      return match;
    }
  }
  return undefined;
}
