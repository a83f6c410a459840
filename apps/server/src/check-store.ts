import { checkStore, type StoreReport } from "@tidewire/store-lmdb";
import type { CheckStoreOptions } from "./args.ts";
import { storeFailure } from "./store.ts";

/** `tidewire check-store DIR`: reads everything in a data directory. Throws when something is damaged. */
export async function checkDirectory({ directory }: CheckStoreOptions): Promise<void> {
  let report: StoreReport;
  try {
    report = await checkStore({ directory });
  } catch (error) {
    throw storeFailure(directory, error);
  }
  const { problems, records } = report;
  const counts = Object.entries(records).map(([table, count]) => `${count} ${table}`);
  process.stdout.write(`${directory}: ${counts.join(", ")}\n`);
  for (const problem of problems) {
    process.stdout.write(`damaged: ${problem}\n`);
  }
  if (problems.length > 0) {
    throw new Error(
      `the data in ${directory} is damaged; restore a backup, or save what can be read with "tidewire repair ${directory} TO"`,
    );
  }
  process.stdout.write("nothing is damaged\n");
}
