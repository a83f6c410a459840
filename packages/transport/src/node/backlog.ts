import { readFileSync } from "node:fs";
import { limits } from "./limits.ts";

/**
 * How many connections the system keeps until they are accepted, at most (`net.core.somaxconn` on Linux): a fleet that
 * reconnects comes all at once. Where it cannot be read, a number that systems cut to their own.
 */
export function systemBacklog(file = "/proc/sys/net/core/somaxconn"): number {
  try {
    const read = Number(readFileSync(file, "latin1"));
    return Number.isSafeInteger(read) && read > 0 ? read : limits.backlog;
  } catch {
    return limits.backlog;
  }
}
