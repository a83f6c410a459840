// The brokers to compare, each a process of its own on the first core; the load generator has the last.

import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import net from "node:net";
import { cpus, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = (path) => fileURLToPath(new URL(path, import.meta.url));
const pinned = cpus().length > 1 && hasProgram("taskset");

/** Keeps this process, the load generator, off the servers' core. */
export function pinLoadGenerator() {
  if (pinned) {
    spawnSync("taskset", ["-cp", String(cpus().length - 1), String(process.pid)]);
  }
}

/** Starts every broker that is installed. */
export async function startServers() {
  // Servers are stopped on exit, which a signal alone would not be.
  for (const signal of ["SIGINT", "SIGTERM"]) {
    process.once(signal, () => process.exit(1));
  }
  const folder = mkdtempSync(join(tmpdir(), "tidewire-bench-"));
  const servers = [];
  for (const start of [startTidewire, startNats, startMosquitto, startAedes]) {
    const server = await start(folder);
    if (server !== undefined) {
      servers.push(server);
    }
  }
  return { servers, stop: () => stopAll(servers, folder) };
}

const OWN_CHECKOUT = here("../../../");

/**
 * A fresh Tidewire alone, for figures that depend on what a process has done before. `checkout`: another checkout's, which has
 * been built.
 */
export async function startTidewire(_folder, { name = "tidewire", checkout = OWN_CHECKOUT } = {}) {
  const [tcp, ws] = [await freePort(), await freePort()];
  const listen = ["--listen", `tcp://127.0.0.1:${tcp}`, "--listen", `ws://127.0.0.1:${ws}/mqtt`];
  const program = join(checkout, "apps/server/bin/tidewire.js");
  // All clients of a benchmark have one address; a checkout of before knows no limit for that.
  const limits = checkout === OWN_CHECKOUT ? ["--max-connects-per-second-per-address", "1000000"] : [];
  const args = [program, "serve", ...listen, "--store", "memory", "--log-level", "error", ...limits];
  return launch(name, process.execPath, args, { tcp, ws, wsPath: "/mqtt" });
}

async function startNats(folder) {
  if (!hasProgram("nats-server")) {
    return undefined;
  }
  const [tcp, ws, client] = [await freePort(), await freePort(), await freePort()];
  const config = join(folder, "nats.conf");
  writeFileSync(
    config,
    `server_name: bench
     listen: 127.0.0.1:${client}
     jetstream { store_dir: "${folder}/jetstream" }
     mqtt { listen: 127.0.0.1:${tcp} }
     websocket { listen: "127.0.0.1:${ws}", no_tls: true }`,
  );
  return launch("nats-server", "nats-server", ["-c", config], { tcp, ws, wsPath: "/mqtt" });
}

async function startMosquitto(folder) {
  const program = existsSync("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
  if (!hasProgram(program)) {
    return undefined;
  }
  const [tcp, ws] = [await freePort(), await freePort()];
  const config = join(folder, "mosquitto.conf");
  writeFileSync(
    config,
    `listener ${tcp} 127.0.0.1
     listener ${ws} 127.0.0.1
     protocol websockets
     allow_anonymous true
     max_queued_messages 0
     max_inflight_messages 0
     set_tcp_nodelay true
     log_type error
    `.replace(/^ +/gm, ""),
  );
  return launch("mosquitto", program, ["-c", config], { tcp, ws, wsPath: "/mqtt" });
}

async function startAedes() {
  const [tcp, ws] = [await freePort(), await freePort()];
  return launch("aedes", process.execPath, [here("aedes-server.js"), String(tcp), String(ws)], {
    tcp,
    ws,
    wsPath: "/mqtt",
  });
}

/** Starts a server on its core and waits until it answers; undefined when it does not. */
export async function launch(name, program, args, ports, seconds = 10) {
  const server = new ServerProcess(name, program, args, ports);
  return (await server.start(seconds)) ? server : undefined;
}

class ServerProcess {
  #program;
  #args;
  #child;

  constructor(name, program, args, { tcp, ws, wsPath }) {
    Object.assign(this, { name, tcp, ws, wsPath });
    this.#program = program;
    this.#args = args;
    process.on("exit", () => this.stop());
  }

  get pid() {
    return this.#child.pid;
  }

  /** A server that was driven too hard may be gone. */
  get exited() {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  async start(seconds = 10) {
    const [command, ...rest] = [...(pinned ? ["taskset", "-c", "0"] : []), this.#program, ...this.#args];
    this.#child = spawn(command, rest, { stdio: "ignore" });
    for (let attempt = 0; attempt < seconds * 10 && !this.exited; attempt += 1) {
      if (await answers(this.tcp)) {
        return true;
      }
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
    console.error(`${this.name} did not start`);
    return false;
  }

  /** For figures that depend on what a process has done before, and after a crash. */
  async restart() {
    const gone =
      this.#child.exitCode === null && this.#child.signalCode === null ? once(this.#child, "exit") : undefined;
    this.stop();
    await gone;
    await this.start();
  }

  stop() {
    this.#child.kill("SIGKILL");
  }
}

function stopAll(servers, folder) {
  for (const server of servers) {
    server.stop();
  }
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}

/** Resident memory in bytes. */
export function residentBytes(pid) {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  return Number(/VmRSS:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}

/** Processor time that a process has used. */
export function processorMs(pid) {
  // Behind the name, which may have spaces: state, ppid, ... utime, stime, in hundredths of a second.
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1].split(" ");
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

function answers(port) {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host: "127.0.0.1" });
    socket.on("connect", () => resolve(true) || socket.destroy());
    socket.on("error", () => resolve(false));
  });
}

export function freePort() {
  return new Promise((resolve) => {
    const server = net.createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

export function hasProgram(program) {
  return spawnSync("sh", ["-c", `command -v ${program}`]).status === 0;
}
