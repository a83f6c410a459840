import type { ConformanceCase } from "../../case.ts";
import type { StoreCapability, StoreHarness } from "../harness.ts";

export type StoreCase = ConformanceCase<StoreHarness>;

export function defineCase(
  id: string,
  title: string,
  run: (harness: StoreHarness) => Promise<void>,
  needs: readonly StoreCapability[] = [],
): StoreCase {
  return { id: `store/${id}`, title, statements: [], needs, run };
}
