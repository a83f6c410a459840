// Starts each broker of the comparison on loopback, with its defaults, and stops it again.
import { spawn, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const repository = fileURLToPath(new URL("../..", import.meta.url));

/** Name, how to start, and what the suite is told. */
export const PEERS = [
  { name: "Tidewire", version: () => "this repository", start: startTidewire },
  { name: "Mosquitto", version: () => versionOf("mosquitto", ["-h"], /version (\S+)/), start: startMosquitto },
  // One by one: some packets end this process, and what runs beside them would fail with it.
  {
    name: "nats-server",
    version: () => versionOf("nats-server", ["--version"], /v?(\d\S*)/),
    start: startNats,
    ends: ["topics/very-long"],
  },
  { name: "Aedes 1.2", version: () => npmVersion("aedes"), start: () => startAedes("aedes") },
  { name: "Aedes 2.0 beta", version: () => npmVersion("aedes-next"), start: () => startAedes("aedes-next") },
];

async function startTidewire() {
  const server = join(repository, "apps/server/bin/tidewire.js");
  const args = [server, "serve", "--listen", "tcp://127.0.0.1:0", "--store", "memory"];
  return await started(spawn(process.execPath, args), /listening (\S+)/);
}

async function startAedes(name) {
  return await started(spawn(process.execPath, [join(here, "aedes-server.js"), name]), /listening (\S+)/);
}

async function startMosquitto() {
  const port = await freePort();
  const { directory, file } = configuration(
    "mosquitto.conf",
    `listener ${port} 127.0.0.1\nallow_anonymous true\npersistence false\nlog_dest stderr\n`,
  );
  return await reachable(spawn("mosquitto", ["-c", file]), port, directory);
}

async function startNats() {
  const [port, mqttPort] = [await freePort(), await freePort()];
  const { directory, file } = configuration(
    "nats.conf",
    (path) => `host: 127.0.0.1
port: ${port}
server_name: conformance
jetstream { store_dir: ${JSON.stringify(join(path, "store"))} }
mqtt { host: 127.0.0.1, port: ${mqttPort} }
`,
  );
  return await reachable(spawn("nats-server", ["-c", file]), mqttPort, directory);
}

function configuration(name, content) {
  const directory = mkdtempSync(join(tmpdir(), "conformance-"));
  const file = join(directory, name);
  writeFileSync(file, typeof content === "function" ? content(directory) : content);
  return { directory, file };
}

/** The process says where it listens. */
async function started(child, pattern) {
  const url = await new Promise((resolve, reject) => {
    let output = "";
    const read = (chunk) => {
      output += chunk;
      const found = pattern.exec(output)?.[1];
      if (found !== undefined) {
        resolve(found);
      }
    };
    child.stdout.on("data", read);
    child.stderr.on("data", read);
    child.once("exit", (code) => reject(new Error(`ended with ${code}: ${output}`)));
    child.once("error", reject);
  });
  return { url: url.replace("tcp:", "mqtt:"), stop: () => stop(child) };
}

/** The process does not say so: wait until the port answers. */
async function reachable(child, port, directory) {
  child.stdout.resume();
  child.stderr.resume();
  const deadline = Date.now() + 10_000;
  while (!(await answers(port))) {
    if (Date.now() > deadline || child.exitCode !== null) {
      throw new Error(`nothing listens on port ${port}`);
    }
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  return {
    url: `mqtt://127.0.0.1:${port}`,
    stop: async () => {
      await stop(child);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) {
    return;
  }
  const ended = new Promise((resolve) => child.once("exit", resolve));
  child.kill("SIGTERM");
  const timer = setTimeout(() => child.kill("SIGKILL"), 3_000);
  await ended;
  clearTimeout(timer);
}

async function answers(port) {
  return await new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => resolve(true));
    socket.once("error", () => resolve(false));
    socket.once("connect", () => socket.destroy());
  });
}

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

function versionOf(program, args, pattern) {
  const { stdout, stderr } = spawnSync(program, args, { encoding: "utf8" });
  return pattern.exec(`${stdout}${stderr}`)?.[1] ?? "unknown";
}

function npmVersion(name) {
  return JSON.parse(readFileSync(join(here, "node_modules", name, "package.json"), "utf8")).version;
}
