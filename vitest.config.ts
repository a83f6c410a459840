import { defineConfig } from "vitest/config";

// Tests run on the source through the `@tidewire/source` export condition, and once more, with
// TIDEWIRE_TEST_BUILT=1, on the built packages: then only `test/` folders, which import packages by name.
const built = process.env.TIDEWIRE_TEST_BUILT === "1";
const roots = "{packages,apps,tooling}/*";

export default defineConfig({
  resolve: { conditions: built ? [] : ["@tidewire/source"] },
  ssr: { resolve: { conditions: built ? [] : ["@tidewire/source"] } },
  test: {
    include: built ? [`packages/*/test/**/*.test.ts`] : [`${roots}/src/**/*.test.ts`, `${roots}/test/**/*.test.ts`],
    exclude: ["**/node_modules/**", "**/dist/**", "**/*.slow.test.ts"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
});
