import { defineConfig } from "vitest/config";

// One worker, one file after the other. A file's hook at its end tries all its mutants, which takes as long as it takes.
export default defineConfig({
  resolve: { conditions: ["@tidewire/source"] },
  ssr: { resolve: { conditions: ["@tidewire/source"] } },
  test: {
    include: ["packages/*/{src,test}/**/*.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**", "**/*.slow.test.ts"],
    setupFiles: ["tooling/mutate/setup.js"],
    pool: "forks",
    maxWorkers: 1,
    testTimeout: 60_000,
    hookTimeout: 60_000,
    silent: true,
    reporters: ["dot"],
  },
});
