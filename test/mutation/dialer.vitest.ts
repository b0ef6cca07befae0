import { defineConfig } from "vitest/config";

/** One process for the whole handbook: mutants of a module's load are left out, so none needs its own. */
export default defineConfig({
  test: { include: ["**/*.test.ts"], testTimeout: 60_000, isolate: false },
});
