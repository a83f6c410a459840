import { type RepairReport, repairStore } from "@tidewire/store-lmdb";
import type { RepairOptions } from "./args.ts";
import { describeError, UsageError } from "./errors.ts";

/** `tidewire repair DIR TO`: saves what can be read of a damaged data directory. */
export async function repair({ from, to }: RepairOptions): Promise<void> {
  let report: RepairReport;
  try {
    report = await repairStore({ directory: from, target: to });
  } catch (error) {
    const remedy = "name a data directory that no broker uses, and a new directory for the result; or restore a backup";
    throw new UsageError(`cannot repair ${from}: ${describeError(error)}`, remedy, { cause: error });
  }
  for (const problem of report.problems) {
    process.stdout.write(`damaged: ${problem}\n`);
  }
  for (const [table, { saved, lost }] of Object.entries(report.records)) {
    process.stdout.write(`${table}: ${saved} saved, ${lost ?? "an unknown number"} lost\n`);
  }
  process.stdout.write(`saved to ${to}; start the broker with --store ${to}\n`);
}
