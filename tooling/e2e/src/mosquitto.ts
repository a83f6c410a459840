import { writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { temporaryDirectory } from "./paths.ts";
import { peerPath } from "./peers.ts";
import { freePort } from "./ports.ts";
import { Program, runProgram } from "./program.ts";
import { until } from "./until.ts";

/** A running Debian mosquitto. */
export interface Mosquitto {
  readonly program: Program;
  readonly port: number;
  readonly webSocketPort: number;
}

/** Starts mosquitto with a TCP and a websockets listener on 127.0.0.1, by default on free ports; in memory, open to all. */
export async function startMosquitto(
  ports: { readonly port?: number; readonly webSocketPort?: number } = {},
): Promise<Mosquitto> {
  const port = ports.port ?? (await freePort());
  const webSocketPort = ports.webSocketPort ?? (await freePort());
  const config = join(temporaryDirectory(), "mosquitto.conf");
  const lines = [
    "allow_anonymous true",
    "persistence false",
    `listener ${port} 127.0.0.1`,
    `listener ${webSocketPort} 127.0.0.1`,
    "protocol websockets",
  ];
  writeFileSync(config, `${lines.join("\n")}\n`);
  const program = new Program(peerPath("mosquitto"), ["-c", config]);
  await until(`mosquitto on port ${port}`, () => canConnect(port));
  await until(`mosquitto on port ${webSocketPort}`, () => canConnect(webSocketPort));
  return { program, port, webSocketPort };
}

/** Publishes with mosquitto_pub and waits for its end. */
export async function mosquittoPub(port: number, args: readonly string[], input?: string): Promise<void> {
  const options = input === undefined ? {} : { input };
  const end = await runProgram(peerPath("mosquitto_pub"), ["-h", "127.0.0.1", "-p", String(port), ...args], options);
  if (end.code !== 0) {
    throw new Error(`mosquitto_pub ${args.join(" ")} ended with ${end.code}: ${end.stderr}`);
  }
}

/** Starts mosquitto_sub and waits for the SUBACK, or for a message that a resumed session has for it already. */
export async function mosquittoSub(port: number, args: readonly string[]): Promise<Program> {
  const all = ["-h", "127.0.0.1", "-p", String(port), "-d", ...args];
  // stdbuf: its own output is block-buffered into a pipe, and would come only at its end.
  const program = new Program("stdbuf", ["-oL", peerPath("mosquitto_sub"), ...all]);
  await program.line(/received (SUBACK|PUBLISH)/);
  return program;
}

function canConnect(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
