import { readFileSync } from "node:fs";
import { join } from "node:path";

/** What is written instead of what, in one file; `find` is there exactly once. */
export type Edit = { file: string; find: string; replace: string };

/** A small mistake in the source that must not get past the checks. */
export type Fault = Edit & {
  /** What is wrong with it, in a few words. */
  name: string;
  /** The rule of the handbook that it breaks, or one of the architecture's *What must stay true*. */
  rule: string;
  /** Who must find it: the simulation, or a file of tests for pure rules and for what runs in workerd. */
  by: "sim" | `test/${string}.test.ts`;
  /** Other places that the same mistake takes. */
  also?: readonly Edit[];
};

export function editsOf(fault: Fault): Edit[] {
  const { file, find, replace } = fault;
  return [{ file, find, replace }, ...(fault.also ?? [])];
}

/** The files that a fault changes, as they are with it; throws when it no longer applies. */
export function withFault(root: string, fault: Fault): Map<string, string> {
  const files = new Map<string, string>();
  for (const { file, find, replace } of editsOf(fault)) {
    const before = files.get(file) ?? readFileSync(join(root, file), "utf8");
    const parts = before.split(find);
    if (parts.length !== 2) {
      const times = parts.length - 1;
      throw new Error(`"${fault.name}" no longer applies: ${file} has it ${times} times: ${find}`);
    }
    files.set(file, parts.join(replace));
  }
  return files;
}
