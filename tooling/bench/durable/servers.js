// The brokers to compare, each keeping what it acknowledges on disk in its own way.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { freePort, hasProgram, launch } from "../broker/servers.js";

const program = fileURLToPath(new URL("tidewire-server.js", import.meta.url));

/** Forces what it commits to the disk before it acknowledges, unless told otherwise. */
export async function startTidewire(folder, { fsync = "always", directory = join(folder, `tidewire-${fsync}`) } = {}) {
  const tcp = await freePort();
  return launch(`tidewire, fsync ${fsync}`, process.execPath, [program, String(tcp), directory, fsync], { tcp }, 60);
}

/** JetStream with files; it forces them to the disk every two minutes. */
export async function startNats(folder) {
  if (!hasProgram("nats-server")) {
    return undefined;
  }
  const [tcp, client] = [await freePort(), await freePort()];
  const config = join(folder, "nats.conf");
  writeFileSync(
    config,
    `server_name: durable
     listen: 127.0.0.1:${client}
     jetstream { store_dir: "${folder}/jetstream" }
     mqtt { listen: 127.0.0.1:${tcp}, max_ack_pending: 10000 }`,
  );
  return launch("nats-server", "nats-server", ["-c", config], { tcp });
}

/** Writes a snapshot every 30 minutes and at its end. */
export async function startMosquitto(folder) {
  const mosquitto = existsSync("/usr/sbin/mosquitto") ? "/usr/sbin/mosquitto" : "mosquitto";
  if (!hasProgram(mosquitto)) {
    return undefined;
  }
  const tcp = await freePort();
  const config = join(folder, "mosquitto.conf");
  mkdirSync(join(folder, "mosquitto"));
  writeFileSync(
    config,
    `listener ${tcp} 127.0.0.1
     allow_anonymous true
     user root
     persistence true
     persistence_location ${folder}/mosquitto/
     max_queued_messages 0
     max_inflight_messages 0
     set_tcp_nodelay true
     log_type error
    `.replace(/^ +/gm, ""),
  );
  return launch("mosquitto", mosquitto, ["-c", config], { tcp });
}
