import { accessSync, constants } from "node:fs";
import { delimiter, join } from "node:path";
import { describe, it } from "vitest";

/** System programs that tests talk to; `tooling/peers` installs what is missing. */
export type Peer = "chromium" | "mosquitto" | "mosquitto_pub" | "mosquitto_sub" | "nats-server" | "nginx";

/** Where a peer is, or undefined when this machine has none. */
export function findPeer(peer: Peer): string | undefined {
  // Debian keeps servers in sbin, which is not on every user's path.
  const folders = [...(process.env.PATH ?? "").split(delimiter), "/usr/sbin", "/usr/bin"];
  return folders.map((folder) => join(folder, peer)).find(isExecutable);
}

/** Where a peer is; throws when there is none. */
export function peerPath(peer: Peer): string {
  const path = findPeer(peer);
  if (path === undefined) {
    throw new Error(missingReason([peer]));
  }
  return path;
}

/**
 * Like `describe`, for tests that need system programs: without them they are skipped with the reason in the title, and
 * with CI=true they fail, so that nothing is left out unnoticed.
 */
export function describeWithPeers(peers: readonly Peer[], title: string, tests: () => void): void {
  const missing = peers.filter((peer) => findPeer(peer) === undefined);
  if (missing.length === 0) {
    describe(title, tests);
  } else if (process.env.CI === "true") {
    describe(title, () => {
      it("has the programs it needs", () => {
        throw new Error(missingReason(missing));
      });
    });
  } else {
    describe.skip(`${title} (skipped: ${missingReason(missing)})`, tests);
  }
}

function missingReason(missing: readonly Peer[]): string {
  return `not on this machine: ${missing.join(", ")}; run "node tooling/peers/ensure.js"`;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
