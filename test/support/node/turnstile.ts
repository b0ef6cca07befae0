import type { TestProject } from "vitest/node";
import { startTurnstile } from "../../fakes/turnstile.ts";

declare module "vitest" {
  interface ProvidedContext {
    /** Address of Turnstile's stand-in. */
    turnstile: string;
  }
}

/** Starts Turnstile's stand-in for all tests of a run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const { url, stop } = await startTurnstile();
  project.provide("turnstile", url);
  return stop;
}
