import { spawn, spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { type Broker, createBroker } from "@tidewire/broker";
import { tcpListener } from "@tidewire/transport-tcp";
import { webSocketListener } from "@tidewire/transport-websocket/node";
import { afterAll, beforeAll, expect, it } from "vitest";

// One suite, the built packages, every runtime. The other runtimes come from npm when they are needed: they are too
// large to be installed for everyone.

const root = fileURLToPath(new URL("../../../", import.meta.url));
const suite = fileURLToPath(new URL("../suite.js", import.meta.url));

const runtimes: Readonly<Record<string, readonly [command: string, ...args: string[]]>> = {
  "Node 20 or what runs the tests": [process.execPath],
  "Node 24": ["npx", "--yes", "--package=node@24", "--", "node"],
  Bun: ["npx", "--yes", "--package=bun@1", "--", "bun"],
  Deno: ["npx", "--yes", "--package=deno@2", "--", "deno", "run", "--allow-all"],
};

let broker: Broker;
let ports: string[];

beforeAll(async () => {
  const filters = ["client", "transport-tcp", "transport-websocket"].map((name) => `--filter=@tidewire/${name}`);
  const built = spawnSync("pnpm", ["exec", "turbo", "run", "build", ...filters], { cwd: root, encoding: "utf8" });
  if (built.status !== 0) {
    throw new Error(built.stdout + built.stderr);
  }
  broker = createBroker({ sysIntervalMs: 0 });
  await broker.start();
  const raw = await broker.listen(tcpListener({ host: "127.0.0.1", port: 0 }));
  const web = await broker.listen(webSocketListener({ host: "127.0.0.1", port: 0, path: "/mqtt", origins: "*" }));
  ports = [raw, web].map(({ addresses }) => new URL(addresses[0]!).port);
}, 300_000);

afterAll(() => broker.close());

it.each(Object.entries(runtimes))(
  "%s runs the client suite",
  { timeout: 300_000 },
  async (_name, [command, ...args]) => {
    const { code, output } = await run(command, [...args, suite, ...ports]);
    expect({ code, last: output.trim().split("\n").at(-1) }, output).toEqual({ code: 0, last: "done" });
  },
);

function run(
  command: string,
  args: readonly string[],
): Promise<{ readonly code: number | null; readonly output: string }> {
  return new Promise((resolve) => {
    const child = spawn(command, args, { cwd: root, stdio: ["ignore", "pipe", "pipe"], timeout: 240_000 });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        output += chunk.toString();
      });
    }
    child.once("close", (code) => resolve({ code, output }));
  });
}
