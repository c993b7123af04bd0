import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    include: ["src/**/*.test.ts", "src/**/*.fuzz.ts", "src/**/*.bench.ts", "test/**/*.test.ts"],
    testTimeout: 600_000,
    maxWorkers: 2,
    setupFiles: ["test/property-seed.ts"],
  },
});
