import type { StoreCase } from "./cases/define.ts";
import { durabilityCases } from "./cases/durability.ts";
import { inflightCases } from "./cases/inflight.ts";
import { queueCases } from "./cases/queues.ts";
import { retainedCases } from "./cases/retained.ts";
import { sessionCases } from "./cases/sessions.ts";

export type { StoreCase } from "./cases/define.ts";
export type * from "./contract.ts";
export type { StoreCapability, StoreHarness } from "./harness.ts";
export { ReferenceDisk, referenceHarness, referenceStore } from "./reference.ts";
export { type Saboteur, saboteurs } from "./saboteurs.ts";

/** The contract of the broker's store, as cases: every store passes all that it has the capabilities for. */
export const storeCases: readonly StoreCase[] = [
  ...sessionCases,
  ...queueCases,
  ...inflightCases,
  ...retainedCases,
  ...durabilityCases,
];
