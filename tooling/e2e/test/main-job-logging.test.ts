import { spawn } from "node:child_process";
import { connect, type Socket } from "node:net";
import { afterEach, describe, expect, it, vi } from "vitest";
import { connectMqttJs } from "../src/mqttjs.ts";
import { builtProgram } from "../src/paths.ts";
import { until } from "../src/until.ts";

// "A log that blocks" (field-failures.md): standard error was written synchronously, and a reader that had stopped
// stopped the broker: no PINGRESP, no new client.

// Two thousand connections are made one hundred at a time.
vi.setConfig({ testTimeout: 60_000 });

const running = new Set<() => void>();
afterEach(() => {
  for (const end of running) {
    end();
  }
  running.clear();
});

/** `tidewire serve` at `debug`, whose standard error is read by `shell` (a pipe) or by nobody yet (a socket). */
async function startUnread(shell: boolean): Promise<{ port: number; child: ReturnType<typeof spawn> }> {
  const args = [builtProgram("server", "tidewire.js"), "serve", "--listen", "tcp://127.0.0.1:0"];
  args.push("--store", "memory", "--log-level", "debug");
  const command = [process.execPath, ...args].map((arg) => `'${arg}'`).join(" ");
  const child = shell
    ? // The reader waits for a byte on its standard input before it reads the pipe.
      spawn("sh", ["-c", `{ ${command} 2>&1 >&3 & echo "pid $!" >&3; wait; } | { read go <&4; cat >&5; }`], {
        stdio: ["ignore", "inherit", "inherit", "pipe", "pipe", "pipe"],
      })
    : spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"] });
  const output = (shell ? child.stdio[3] : child.stdout) as Socket;
  let text = "";
  output.on("data", (chunk) => {
    text += chunk;
  });
  await until("ready", () => /^ready$/m.test(text));
  const pid = Number(/^pid (\d+)$/m.exec(text)?.[1] ?? child.pid);
  running.add(() => {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended.
    }
    child.kill("SIGKILL");
  });
  return { port: Number(/^listening \S+:(\d+)$/m.exec(text)?.[1]), child };
}

/** CONNECT with a long client identifier, which is logged when it comes and when it goes. */
function connectPacket(id: string): Buffer {
  const clientId = Buffer.from(id.padEnd(250, "x"));
  const body = Buffer.concat([Buffer.from("00044d5154540402003c", "hex"), Buffer.of(0, clientId.length), clientId]);
  return Buffer.concat([Buffer.of(0x10, (body.length & 0x7f) | 0x80, body.length >> 7), body]);
}

/** Connects and leaves; resolves when CONNACK was there. */
function visit(port: number, id: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(connectPacket(id)));
    socket.once("data", () => {
      socket.destroy();
      resolve();
    });
    socket.once("error", reject);
  });
}

describe("tidewire serve, whose log nobody reads", () => {
  it.each([
    ["socket", false],
    ["pipe", true],
  ] as const)("goes on serving, and says afterwards how much is missing: %s", async (_kind, shell) => {
    const { port, child } = await startUnread(shell);
    const reader = (shell ? (child.stdio as readonly unknown[])[5] : child.stderr) as Socket;
    const before = await connectMqttJs(`mqtt://127.0.0.1:${port}`, { protocolVersion: 5 });
    // 800 bytes for each: far more than pipe and buffer hold.
    for (let round = 0; round < 26; round += 1) {
      await Promise.all(Array.from({ length: 100 }, (_, index) => visit(port, `${round} ${index}`)));
    }
    const answered = new Promise<void>((resolve) => {
      before.client.on("packetreceive", ({ cmd }) => cmd === "pingresp" && resolve());
    });
    before.client.sendPing();
    await answered;
    await (await connectMqttJs(`mqtt://127.0.0.1:${port}`)).client.endAsync();
    expect(before.client.connected).toBe(true);

    let log = "";
    reader.on("data", (chunk) => {
      log += chunk;
    });
    if (shell) {
      (child.stdio[4] as Socket).write("go\n");
    }
    const [, count] = await until("the gap", () => /"leftOut":(\d+)/.exec(log) ?? undefined);
    expect(Number(count)).toBeGreaterThan(100);
    await visit(port, "after the gap");
    await until("the log to go on", () => log.includes("after the gap"));
    // Every line is whole.
    for (const line of log.trimEnd().split("\n")) {
      expect(() => JSON.parse(line), line).not.toThrow();
    }
    await before.client.endAsync();
  });

  it("ends on SIGTERM all the same", async () => {
    const { port, child } = await startUnread(false);
    for (let round = 0; round < 6; round += 1) {
      await Promise.all(Array.from({ length: 100 }, (_, index) => visit(port, `${round} ${index}`)));
    }
    const exit = new Promise((resolve) => child.once("exit", (code, signal) => resolve({ code, signal })));
    child.kill("SIGTERM");
    expect(await exit).toEqual({ code: 0, signal: null });
  });
});
