import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Address, Addresses } from "./addresses.ts";

const limits = { connectsPerSecondPerAddress: 10, failuresPerMinutePerAddress: 60 };

describe("addresses", () => {
  it("know the oldest silent connection of the heaviest address, whatever comes, speaks and goes", () => {
    const step = fc.record({ act: fc.constantFrom("add", "add", "speak", "remove"), key: fc.nat(3), which: fc.nat(9) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const addresses = new Addresses<number>(limits);
        /** Every connection, with its address and whether it is silent, in the order they came. */
        const model = new Map<number, { address: Address<number>; silent: boolean }>();
        for (const [member, { act, key, which }] of steps.entries()) {
          const [chosen, entry] = [...model][which % Math.max(1, model.size)] ?? [];
          if (act === "add") {
            model.set(member, { address: addresses.add(`10.0.0.${key}`, member), silent: true });
          } else if (entry !== undefined && chosen !== undefined) {
            if (act === "speak") {
              addresses.speaks(entry.address, chosen);
              entry.silent = false;
            } else {
              addresses.remove(entry.address, chosen);
              model.delete(chosen);
            }
          }
          const silent = [...model].filter(([, { silent }]) => silent);
          expect(addresses.silent).toBe(silent.length);
          const counts = new Map<string, number>();
          for (const [, { address }] of silent) {
            counts.set(address.key, (counts.get(address.key) ?? 0) + 1);
          }
          const most = Math.max(0, ...counts.values());
          const oldest = [...counts]
            .filter(([, count]) => count === most)
            .map(([key]) => {
              return silent.find(([, { address }]) => address.key === key)![0];
            });
          const heaviest = addresses.heaviest();
          expect(heaviest === undefined ? oldest.length === 0 : oldest.includes(heaviest)).toBe(true);
        }
      }),
    );
  });

  it("are forgotten once they have no connections and their rates have recovered", () => {
    const addresses = new Addresses<number>(limits);
    const gone = addresses.add("10.0.0.1", 1);
    addresses.add("10.0.0.2", 2);
    gone.failures.take(0);
    gone.connects.take(0);
    addresses.remove(gone, 1);
    addresses.sweep(500);
    expect(addresses.size).toBe(2);
    addresses.sweep(2000);
    expect(addresses.size).toBe(1);
  });
});
