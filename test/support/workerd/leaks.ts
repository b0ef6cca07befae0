import { env } from "cloudflare:test";
import { inject } from "vitest";
import { type Leak, leaksIn } from "../leaks.ts";

/*
 * Reads along with everything that the Worker and its objects log, for tests, Worker and objects
 * share one isolate and its console; and with every refusal that a test gets. `setup.ts` of this
 * folder fails the test in which something was found.
 */
const found: Leak[] = [];

/** Passwords that tests give to people. */
const PASSWORDS = ["three lamps and a kite"];

function secrets(): [string, string][] {
  const { apiKey, reportSecret } = inject("carrier");
  const own = Object.entries(env as unknown as Record<string, unknown>).flatMap(
    ([name, value]): [string, string][] =>
      typeof value === "string" && /SECRET|TOKEN|SEALING_KEY/.test(name) ? [[name, value]] : [],
  );
  return [
    ...own,
    ["the carrier's key", apiKey],
    ["the carrier's secret", reportSecret],
    ...PASSWORDS.map((password): [string, string] => ["a password", password]),
  ];
}

for (const level of ["debug", "info", "log", "warn", "error"] as const) {
  const real = console[level].bind(console);
  console[level] = (...given: unknown[]) => {
    const text = given.map(textOf).join(" ");
    found.push(...leaksIn(`console.${level}`, text, secrets()));
    real(...given);
  };
}

/** A reply that a test got: what it refuses it must not repeat. */
export function readAlong(route: string, status: number, text: string): void {
  if (status >= 400) found.push(...leaksIn(`${status} ${route}`, text, secrets()));
}

/** What was found since the last time. */
export function takeLeaks(): Leak[] {
  return found.splice(0);
}

function textOf(value: unknown): string {
  if (value instanceof Error) return `${value.stack} ${textOf(value.cause ?? "")}`;
  return typeof value === "string" ? value : (JSON.stringify(value) ?? String(value));
}
