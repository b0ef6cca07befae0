import { defineConfig } from "vitest/config";

/**
 * Plain Node and nothing of workerd; which folder of tests is tried, Stryker's config says. Tests
 * of files at their largest are left out: they ask how long a reading takes, not what it reads.
 */
export default defineConfig({
  test: { include: ["**/*.test.ts"], exclude: ["**/*-size.test.ts"], testTimeout: 60_000 },
});
