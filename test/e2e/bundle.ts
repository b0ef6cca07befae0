import { build } from "../../scripts/local.ts";

/** Shared by the projects that serve it: each loads this file for itself. */
const shared = globalThis as { bundle?: Promise<void> };

/** The production bundle, made once for all of these tests. */
export default function bundle(): Promise<void> {
  shared.bundle ??= build();
  return shared.bundle;
}
