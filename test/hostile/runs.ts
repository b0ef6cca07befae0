import * as fc from "fast-check";

type Settings = Record<string, string | undefined>;
const ofProcess = (globalThis as { process?: { env?: Settings } }).process?.env ?? {};
const ofVite = (import.meta as unknown as { env?: Settings }).env ?? {};
/** Vite hands on only what starts like this, and tests in workerd get nothing else. */
const setting = (name: string) => ofProcess[name] ?? ofVite[`VITE_${name}`];

/** `FC_RUNS=20` tries everything twenty times as often; `VITE_FC_RUNS=20` in workerd too. */
export const TIMES = Math.max(1, Number(setting("FC_RUNS")) || 1);

/** What a test of properties may take, ms. */
export const TIMEOUT = { timeout: 30_000 + 30_000 * TIMES };

/**
 * How often a property is tried, each run of the tests with other inputs. A failure prints its
 * seed and path: `FC_SEED=… FC_PATH=…` repeat it (in workerd with `VITE_` before them).
 */
export function tried<T>(runs: number): fc.Parameters<T> {
  const [seed, path] = [setting("FC_SEED"), setting("FC_PATH")];
  return {
    numRuns: Math.ceil(runs * TIMES),
    // A failure that is only half shrunk in that time is told as it is.
    interruptAfterTimeLimit: TIMEOUT.timeout - 15_000,
    markInterruptAsFailure: true,
    ...(seed ? { seed: Number(seed) } : {}),
    ...(path ? { path } : {}),
  };
}

/** Texts as nobody means them: signs of every kind, markup of formats, lone surrogates, NULs. */
export const oddText: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: "grapheme", maxLength: 12 }),
  fc.string({ unit: "binary", maxLength: 8 }),
  fc.constantFrom(
    "",
    " ",
    "__proto__",
    "constructor",
    "hasOwnProperty",
    "toString",
    "NaN",
    "Infinity",
    "-0",
    "1e999",
    "null",
    "true",
    "[object Object]",
    "\ud800",
    "\udc00x",
    "\0",
    "a\0b",
    "\ufeff",
    "\u202e",
    "'; DROP TABLE task; --",
    "%",
    "../..",
    "=1+1",
    "<script>",
  ),
);
