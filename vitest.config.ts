import { join } from "node:path";
import { cloudflareTest, readD1Migrations } from "@cloudflare/vitest-plugin";
import { defineConfig } from "vitest/config";

/** Tests start hundreds of Node programs, the same few: they are compiled once. */
process.env.NODE_COMPILE_CACHE ??= join(import.meta.dirname, "node_modules", ".cache", "node");

const migrations = await readD1Migrations("migrations");

/** More than two cores hold: the tests that take longest wait for processes that they have started. */
const WORKERS = 3;
/** Each of these starts a Worker, a carrier and a browser, and waits for pages. */
const CROWDED = 2;

/** Pure rules, scripts and end-to-end tests run in plain Node; what runs on Workers is tested in workerd. */
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          name: "node",
          maxWorkers: WORKERS,
          // Files share what they import: no test leaves anything behind in it.
          isolate: false,
          // What starts processes waits for them on a busy machine.
          testTimeout: 30_000,
          include: [
            "test/{core,carriers,dashboard,handbook,sim,hostile,simulator,scripts,queries}/**/*.test.ts",
          ],
        },
      },
      {
        plugins: [
          cloudflareTest({
            wrangler: { configPath: "./wrangler.toml" },
            miniflare: {
              r2Buckets: ["RECORDINGS"],
              bindings: {
                ADMIN_SECRET: "test-admin-secret-of-32-characters",
                SIGNING_SECRET: "test-signing-secret-of-32-characters",
                SEALING_KEY_1: "test-sealing-key-one-of-32-characters",
                SEALING_KEY_2: "test-sealing-key-two-of-32-characters",
                // The simulated carrier and receivers of tests.
                OUTBOUND_ALLOW: "127.0.0.1:*",
                PUBLIC_URL: "http://outdial.test",
                SETUP_TOKEN: "test-setup-token-of-32-characters",
                // Caught by test/support/workerd/people.ts.
                MAIL_URL: "http://mails.test/",
                MAIL_FROM: "outdial@mails.test",
                MIGRATIONS: migrations,
              },
            },
          }),
        ],
        test: {
          name: "workerd",
          maxWorkers: WORKERS,
          // One workerd for many files: the setup empties all that is stored before each.
          isolate: false,
          testTimeout: 30_000,
          // A line that is logged after the last test would be waited for, and never come.
          disableConsoleIntercept: true,
          include: ["test/{dialer,api,queues,walls}/**/*.test.ts"],
          setupFiles: ["./test/support/workerd/setup.ts"],
          globalSetup: ["./test/support/node/carrier.ts", "./test/support/node/turnstile.ts"],
        },
      },
      {
        test: {
          name: "e2e",
          include: ["test/e2e/**/*.test.ts"],
          globalSetup: ["./test/e2e/bundle.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: CROWDED,
          // After the others: what starts processes of its own needs the machine more.
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: "browser",
          include: ["test/browser/**/*.test.ts"],
          globalSetup: ["./test/e2e/bundle.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000,
          maxWorkers: CROWDED,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
});
