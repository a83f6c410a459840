import { builtProgram } from "./paths.ts";
import { Program, type ProgramOptions, runProgram } from "./program.ts";

/** A running `tidewire serve`. */
export interface Server {
  readonly program: Program;
  /** Where it listens, in the order of `--listen`, with the real ports. */
  readonly urls: readonly URL[];
  readonly ports: readonly number[];
}

/** A running `tidewire demo`. */
export interface Demo {
  readonly program: Program;
  /** The live page, such as `http://127.0.0.1:8080/`. */
  readonly pageUrl: string;
  readonly httpPort: number;
  readonly mqttPort: number;
}

/** Starts the broker, by default in memory and on free ports for TCP and WebSocket; resolves when it is ready. */
export async function startServer(args: readonly string[] = DEFAULT_ARGS, options?: ProgramOptions): Promise<Server> {
  const program = tidewire(["serve", ...args], options);
  await program.line(/^ready$/);
  const urls = program.stdout.flatMap((line) => (line.startsWith("listening ") ? [new URL(line.slice(10))] : []));
  return { program, urls, ports: urls.map((url) => Number(url.port)) };
}

/** Starts the demo in memory; port 0 (the default) picks a free one. */
export async function startDemo(
  ports: { readonly http?: number; readonly mqtt?: number } = {},
  args: readonly string[] = ["--store", "memory"],
): Promise<Demo> {
  const program = tidewire([
    ...["demo", "--http-port", String(ports.http ?? 0), "--mqtt-port", String(ports.mqtt ?? 0)],
    ...args,
  ]);
  await program.line(/^ready$/);
  const [page] = await program.line(/http:\/\/\S+/);
  const [, mqttPort] = await program.line(/tcp:\/\/\S+:(\d+)/);
  return { program, pageUrl: page, httpPort: Number(new URL(page).port), mqttPort: Number(mqttPort) };
}

/** Starts a device agent and waits until the broker has it. */
export async function startAgent(mqttPort: number, id: string, args: readonly string[] = []): Promise<Program> {
  const bin = builtProgram("device-agent", "device-agent.js");
  const broker = `tcp://127.0.0.1:${mqttPort}`;
  const program = new Program(process.execPath, [bin, "--broker", broker, "--id", id, ...args]);
  await program.line(/^online/);
  return program;
}

/** Starts the program with any arguments. */
export function tidewire(args: readonly string[], options?: ProgramOptions): Program {
  return new Program(process.execPath, [builtProgram("server", "tidewire.js"), ...args], options);
}

/** Runs the program to its end. */
export function runTidewire(args: readonly string[]): ReturnType<typeof runProgram> {
  return runProgram(process.execPath, [builtProgram("server", "tidewire.js"), ...args]);
}

const DEFAULT_ARGS: readonly string[] = [
  ...["--listen", "tcp://127.0.0.1:0", "--listen", "ws://127.0.0.1:0/mqtt"],
  ...["--store", "memory", "--log-level", "warn"],
];
