import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { describe, expect, it } from "vitest";
import { connectMqttJs } from "../src/mqttjs.ts";
import { temporaryDirectory } from "../src/paths.ts";
import { type Server, startServer } from "../src/tidewire.ts";
import { until } from "../src/until.ts";

// "Thrown inside a promise's continuation: the process ends" (field-failures.md). Here with a module that Node loads
// before the program, and that throws whenever it gets SIGUSR2, as an embedder's or a dependency's callback might.

const FAULTS = {
  exception: 'setTimeout(() => { throw new TypeError("thrown in a timer"); });',
  loop: 'setInterval(() => { throw new TypeError("thrown again and again"); }, 10);',
  rejection: 'void Promise.reject(new TypeError("rejected without a handler"));',
  store: 'void Promise.reject(Object.assign(new Error("cannot write"), { code: "store-failed" }));',
} as const;

async function startWith(fault: keyof typeof FAULTS, args: readonly string[]): Promise<Server> {
  const file = join(temporaryDirectory(), "fault.mjs");
  writeFileSync(file, `process.on("SIGUSR2", () => { ${FAULTS[fault]} });`);
  const env = { NODE_OPTIONS: `--import ${pathToFileURL(file)}` };
  return startServer(["--listen", "tcp://127.0.0.1:0", "--log-level", "error", ...args], { env });
}

describe("tidewire serve, when something throws that nobody catches", () => {
  it.each([
    ["exception", /thrown in a timer/],
    ["rejection", /rejected without a handler/],
  ] as const)("serves on after one (%s), and says so once with the stack", async (fault, message) => {
    const server = await startWith(fault, ["--store", "memory"]);
    const url = `mqtt://127.0.0.1:${server.ports[0]}`;
    const before = await connectMqttJs(url, { protocolVersion: 5 });
    await before.client.subscribeAsync("still/here", { qos: 1 });
    const said = () => server.program.stderr.filter((line) => line.includes("an error that nobody caught"));
    for (let count = 0; count < 5; count += 1) {
      server.program.kill("SIGUSR2");
      await until("the log line", () => said().length > 0);
      const after = await connectMqttJs(url, { protocolVersion: 5 });
      await after.client.publishAsync("still/here", `${count}`, { qos: 1 });
      await after.client.endAsync();
    }
    await until("all messages", () => before.received.length === 5);
    const [line = ""] = said();
    expect(line).toMatch(message);
    expect(JSON.parse(line)).toMatchObject({ err: { type: "TypeError", stack: expect.any(Array) } });
    expect(said().filter((one) => one.includes('"stack"'))).toHaveLength(1);
    await before.client.endAsync();
    expect(await server.program.stop()).toEqual({ code: 0, signal: null });
  });

  it("ends in order with code 70 when it happens too often", async () => {
    const server = await startWith("loop", ["--store", "memory"]);
    const { client } = await connectMqttJs(`mqtt://127.0.0.1:${server.ports[0]}`, { protocolVersion: 5 });
    const reasons: (number | undefined)[] = [];
    client.on("disconnect", ({ reasonCode }) => reasons.push(reasonCode));
    server.program.kill("SIGUSR2");
    expect(await server.program.exited).toEqual({ code: 70, signal: null });
    expect(server.program.stderr).toContainEqual(
      expect.stringMatching(/^tidewire: more than 10 errors that nobody caught within a minute; see the log/),
    );
    expect(reasons).toEqual([0x8b]);
    await client.endAsync(true);
  });

  it("ends in order with code 70 at an error of the store, with all that was acknowledged on disk", async () => {
    const store = ["--store", join(temporaryDirectory(), "data")];
    const server = await startWith("store", store);
    const { client } = await connectMqttJs(`mqtt://127.0.0.1:${server.ports[0]}`, { protocolVersion: 5 });
    for (let index = 0; index < 100; index += 1) {
      await client.publishAsync(`kept/${index}`, `${index}`, { qos: 1, retain: true });
    }
    server.program.kill("SIGUSR2");
    expect(await server.program.exited).toEqual({ code: 70, signal: null });
    const last = expect.stringMatching(/^tidewire: an error of the store that nobody caught/);
    expect(server.program.stderr).toContainEqual(last);
    await client.endAsync(true);

    const again = await startServer(["--listen", "tcp://127.0.0.1:0", "--log-level", "error", ...store]);
    const reader = await connectMqttJs(`mqtt://127.0.0.1:${again.ports[0]}`, { protocolVersion: 5 });
    await reader.client.subscribeAsync("kept/#", { qos: 1 });
    await until("all that was kept", () => reader.received.length === 100);
    await reader.client.endAsync();
    await again.program.stop();
  });
});
