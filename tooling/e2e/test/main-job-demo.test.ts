import { expect, it } from "vitest";
import { connectMqttJs } from "../src/mqttjs.ts";
import { startAgent, startDemo, startServer } from "../src/tidewire.ts";
import { until } from "../src/until.ts";
import { upgradeStatus } from "../src/upgrade.ts";

it("the demo prints what to open, serves it, and ends as a whole on Ctrl-C", async () => {
  const demo = await startDemo();
  const output = demo.program.stdout.join("\n");
  expect(output).toContain(`ws://127.0.0.1:${demo.httpPort}/mqtt`);
  expect(output).toContain(`tcp://127.0.0.1:${demo.mqttPort}`);
  const agentPid = Number(/\(process (\d+)\)/.exec(output)?.[1]);
  expect(isRunning(agentPid)).toBe(true);

  const response = await fetch(demo.pageUrl);
  expect(await response.text()).toContain("<title>Tidewire Live</title>");
  expect(response.headers.get("content-security-policy")).toContain("script-src 'self'");

  expect(await demo.program.stop("SIGINT")).toEqual({ code: 0, signal: null });
  expect(isRunning(agentPid)).toBe(false);
  expect(demo.program.stderr).toEqual([]);
});

it("the device agent ends with a demo that is killed", async () => {
  const demo = await startDemo();
  const agentPid = Number(/\(process (\d+)\)/.exec(demo.program.stdout.join("\n"))?.[1]);
  await demo.program.stop("SIGKILL");
  await until("the end of the agent", () => !isRunning(agentPid));
});

it("the demo refuses a page of another origin", async () => {
  const demo = await startDemo();
  const status = (origin: string) => upgradeStatus(`ws://127.0.0.1:${demo.httpPort}/mqtt`, origin);
  expect(await status(new URL(demo.pageUrl).origin)).toBe(101);
  expect(await status("https://elsewhere.example")).toBe(403);
  expect(await status(`http://127.0.0.1:${demo.httpPort}.elsewhere.example`)).toBe(403);
  await demo.program.stop();
});

it("the device agent publishes real figures, takes commands and says goodbye", async () => {
  const server = await startServer();
  const port = server.ports[0] ?? 0;
  const { client, received, message } = await connectMqttJs(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
  await client.subscribeAsync(["devices/lab/#", "alerts/lab/#"], { qos: 1 });
  const agent = await startAgent(port, "lab", ["--interval", "0.2", "--threshold", "memory=0"]);

  expect(await message("devices/lab/status")).toMatchObject({ text: "online" });
  for (const name of ["cpu", "memory", "load"]) {
    expect(Number((await message(`devices/lab/metrics/${name}`)).text)).toBeGreaterThanOrEqual(0);
  }
  const alert: unknown = JSON.parse((await message("alerts/lab/memory")).text);
  expect(alert).toMatchObject({ id: expect.any(String), text: expect.stringMatching(/^memory at .* %, above 0 %$/) });

  await client.publishAsync("devices/lab/commands/alert-test", "Hello", { qos: 1 });
  expect(JSON.parse((await message("alerts/lab/test")).text)).toMatchObject({ text: "Hello" });

  await client.publishAsync("devices/lab/commands/interval", "fast", { qos: 1 });
  await until("a word about it", () =>
    agent.stderr.some((line) => line.includes("interval takes a number of seconds")),
  );

  expect(await agent.stop("SIGTERM")).toEqual({ code: 0, signal: null });
  await until("offline", () => received.some(({ text }) => text === "offline"));
  await client.endAsync();
  await server.program.stop();
});

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
