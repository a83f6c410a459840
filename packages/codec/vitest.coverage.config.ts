import { defineConfig } from "vitest/config";

// `pnpm --filter @tidewire/codec coverage`: all of the codec is covered by its own tests.
export default defineConfig({
  resolve: { conditions: ["@tidewire/source"] },
  ssr: { resolve: { conditions: ["@tidewire/source"] } },
  test: {
    include: ["{src,test}/**/*.test.ts"],
    pool: "forks",
    testTimeout: 60_000,
    coverage: {
      enabled: true,
      provider: "v8",
      include: ["src/**/*.ts"],
      exclude: ["src/**/*.test.ts"],
      reporter: ["text"],
      reportsDirectory: "node_modules/.coverage",
      thresholds: { statements: 100, branches: 100 },
    },
  },
});
