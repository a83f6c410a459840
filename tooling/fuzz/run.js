// `pnpm fuzz [seconds] [seed]`: mutated packets through the built decoder, and those of several
// clients through a protocol engine each, for a minute unless told. A failure names the
// seed of its batch; given again, it fails again.

import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";

const ROUNDS = 20_000;
const PROTOCOL_ROUNDS = 500;
const root = new URL("../../", import.meta.url);
const [seconds = "60", seed = String(Date.now() % 0x7fff_ffff)] = process.argv.slice(2);

const build = spawnSync(
  "pnpm",
  ["exec", "turbo", "run", "build", "--output-logs=errors-only", "--filter=@tidewire/session"],
  {
    cwd: root,
    stdio: "inherit",
  },
);
if (build.status !== 0) {
  process.exit(build.status ?? 1);
}

const { fuzzDecoder } = await import("./codec.js");
const { fuzzProtocols } = await import("./protocol.js");
const corpus = ["valid", "invalid-bytes"].flatMap((name) =>
  JSON.parse(readFileSync(new URL(`packages/codec/vectors/${name}.json`, root), "utf8")).map(({ version, bytes }) => ({
    version,
    bytes: Uint8Array.from(Buffer.from(bytes, "hex")),
  })),
);

const end = Date.now() + Number(seconds) * 1000;
let batch = Number(seed);
let packets = 0;
let errors = 0;
let connections = 0;
do {
  const totals = fuzzDecoder({ seed: batch, rounds: ROUNDS, corpus });
  packets += totals.packets;
  errors += totals.errors;
  connections += fuzzProtocols({ seed: batch, rounds: PROTOCOL_ROUNDS, corpus }).connects;
  batch += 1;
} while (Date.now() < end);
console.log(
  `seeds ${seed} to ${batch - 1}: ${packets} packets read, ${errors} streams refused, ${connections} connections, nothing else escaped`,
);
