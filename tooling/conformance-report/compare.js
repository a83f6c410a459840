// Runs the conformance program against every peer and gives its reports.
import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { PEERS } from "./peers.js";

const program = fileURLToPath(new URL("../../packages/conformance/bin/conformance.js", import.meta.url));

/** One report for each peer; `undefined` where the peer is not installed. */
export async function compare(only) {
  const compared = [];
  for (const peer of PEERS) {
    if (only !== undefined && !peer.name.toLowerCase().includes(only.toLowerCase())) {
      continue;
    }
    process.stderr.write(`${peer.name} ...\n`);
    compared.push({ name: peer.name, version: peer.version(), report: await reportOn(peer) });
  }
  return compared;
}

async function reportOn(peer) {
  const all = await run(peer, []);
  // What a fatal case took down with it has to be judged without that case.
  if (peer.ends === undefined) {
    return all;
  }
  const fatal = await run(
    peer,
    peer.ends.flatMap((id) => ["--only", id]),
  );
  const rest = await run(
    peer,
    [...new Set(all.results.map(({ id }) => id))]
      .filter((id) => !peer.ends.some((end) => id.includes(end)))
      .flatMap((id) => ["--only", id]),
  );
  const results = [...rest.results, ...fatal.results];
  const summary = { passed: 0, failed: 0, skipped: 0 };
  for (const { outcome } of results) {
    summary[outcome] += 1;
  }
  return { ...rest, results, summary };
}

async function run(peer, args) {
  const server = await peer.start();
  const directory = mkdtempSync(join(tmpdir(), "conformance-report-"));
  const file = join(directory, "report.json");
  try {
    const child = spawn(process.execPath, [program, server.url, "--report", file, ...args], { stdio: "ignore" });
    await new Promise((resolve) => child.once("exit", resolve));
    return JSON.parse(readFileSync(file, "utf8"));
  } finally {
    await server.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}
