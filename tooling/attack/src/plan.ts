import type { Attack } from "./attack.ts";
import type { Transport } from "./program.ts";
import { ALL_DIMENSIONS, type Variant } from "./variant.ts";

/** How much of each attack is run: one variant, enough that each value of each dimension comes up, or every combination. */
export type Coverage = "one" | "covering" | "all";

export interface PlannedRun {
  readonly attack: Attack;
  readonly variant: Variant;
}

/** The runs, those that can share a program next to each other. */
export function plan(
  attacks: readonly Attack[],
  coverage: Coverage,
  rotation: number,
  transport?: Transport,
): readonly PlannedRun[] {
  const runs = attacks.flatMap((attack, index) =>
    variants(attack, coverage, rotation + index, transport).map((variant) => ({ attack, variant })),
  );
  const place = ({ attack, variant }: PlannedRun) =>
    `${attack.server === undefined && attack.standsAlone !== true ? 0 : 1}${environmentOf(variant)}`;
  return runs
    .map((run, index) => ({ run, key: place(run), index }))
    .sort((a, b) => a.key.localeCompare(b.key) || a.index - b.index)
    .map(({ run }) => run);
}

/** Runs with the same one can share a program. */
export function environmentOf({ access, store }: Variant): string {
  return `${access ? "users" : "open"}, ${store}`;
}

export function variants(
  { on }: Attack,
  coverage: Coverage,
  rotation: number,
  transport?: Transport,
): readonly Variant[] {
  const { versions, access, stores, transports: possible } = { ...ALL_DIMENSIONS, ...on };
  const transports = possible.filter((each) => transport === undefined || each === transport);
  if (transports.length === 0) {
    return [];
  }
  if (coverage === "all") {
    return transports.flatMap((transport) =>
      versions.flatMap((version) =>
        access.flatMap((withUsers) => stores.map((store) => ({ transport, version, access: withUsers, store }))),
      ),
    );
  }
  const longest = Math.max(transports.length, versions.length, access.length, stores.length);
  const count = coverage === "one" ? 1 : longest;
  const at = <T>(values: readonly T[], index: number): T => values[index % values.length]!;
  return Array.from({ length: count }, (_, step) => ({
    transport: at(transports, rotation + step),
    // At different speeds, so that the same two do not always meet.
    version: at(versions, rotation + step + Math.floor(step / 2)),
    access: at(access, rotation + step),
    store: at(stores, rotation + Math.floor((rotation + step) / 2)),
  }));
}
