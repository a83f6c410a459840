import { defineConfig } from "vitest/config";

// `pnpm test:slow`: what takes minutes of real time, or needs other runtimes and compilers.
export default defineConfig({
  resolve: { conditions: ["@tidewire/source"] },
  ssr: { resolve: { conditions: ["@tidewire/source"] } },
  test: {
    include: ["{packages,apps,tooling}/*/{src,test}/**/*.slow.test.ts"],
    exclude: ["**/node_modules/**", "**/dist/**"],
    pool: "forks",
    maxWorkers: 2,
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
});
