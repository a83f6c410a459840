// Installs the system programs that tests talk to, where that is possible without asking anybody.
import { spawnSync } from "node:child_process";
import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

/** Debian packages and the program each one is needed for. */
const PEERS = [
  { package: "chromium", program: "chromium" },
  { package: "mosquitto", program: "mosquitto" },
  { package: "mosquitto-clients", program: "mosquitto_pub" },
  { package: "nats-server", program: "nats-server" },
  { package: "nginx", program: "nginx" },
];

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = ensurePeers() ? 0 : 1;
}

/** True when every peer is there, or may be missing (then its tests are skipped, with the reason). */
export function ensurePeers() {
  let missing = missingPeers();
  if (missing.length === 0) {
    return true;
  }
  const packages = missing.map((peer) => peer.package);
  const install = `apt-get update && apt-get install -y --no-install-recommends ${packages.join(" ")}`;
  if (process.getuid?.() === 0 && findProgram("apt-get")) {
    console.log(`peers: installing ${packages.join(", ")} (needed by tests) with apt-get`);
    const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
    const result = spawnSync("sh", ["-c", install], { env, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
    if (result.status !== 0) {
      console.log(`${result.stdout}${result.stderr}`);
    }
    missing = missingPeers();
    if (missing.length === 0) {
      console.log("peers: installed");
      return true;
    }
  }
  console.log(`peers: not on this machine: ${missing.map((peer) => peer.package).join(", ")}`);
  console.log(`peers: to run their tests too:  sudo sh -c '${install}'`);
  if (process.env.CI === "true") {
    console.log("peers: CI=true, so a missing peer is a failure");
    return false;
  }
  return true;
}

function missingPeers() {
  return PEERS.filter((peer) => !findProgram(peer.program));
}

function findProgram(name) {
  // Debian keeps servers in sbin, which is not on every user's path.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/bin"];
  return folders.some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
