import { appendFileSync, existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { isRecord } from "./settings.ts";
import type { Call } from "./speech.ts";

const DONE_KEPT = 2_000;

export type Kept = { call: Call; done: boolean };

/**
 * Keeps calls in a file, one JSON line per change, the last of a call counting: so a carrier that was
 * killed goes on with its calls. `done` means that nothing of the call is left to report.
 */
export class Journal {
  private readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** The calls of the file: all that are not done, and the newest of the others. Rewrites the file. */
  load(): Kept[] {
    const kept = new Map<string, Kept>();
    const text = existsSync(this.path) ? readFileSync(this.path, "utf8") : "";
    for (const line of text.split("\n")) {
      const value = parse(line);
      if (value === null) continue;
      if (isRecord(value.call)) kept.set(value.id, { call: value.call as Call, done: false });
      const known = kept.get(value.id);
      if (known !== undefined && value.done === true) known.done = true;
    }
    const all = [...kept.values()];
    let surplus = all.filter((each) => each.done).length - DONE_KEPT;
    const left = all.filter((each) => !(each.done && surplus-- > 0));
    const lines = left.map(({ call, done }) => lineOf({ id: call.id, call, done }));
    writeFileSync(`${this.path}.new`, lines.join(""));
    renameSync(`${this.path}.new`, this.path);
    return left;
  }

  write(call: Call): void {
    appendFileSync(this.path, lineOf({ id: call.id, call }));
  }

  done(call: Call): void {
    appendFileSync(this.path, lineOf({ id: call.id, done: true }));
  }

  clear(): void {
    writeFileSync(this.path, "");
  }
}

function lineOf(value: Record<string, unknown>): string {
  return `${JSON.stringify(value)}\n`;
}

/** A line of the file, or null for one that was cut off by a kill. */
function parse(line: string): { id: string; call?: unknown; done?: unknown } | null {
  try {
    const value: unknown = JSON.parse(line);
    if (!isRecord(value) || typeof value.id !== "string") return null;
    return { id: value.id, call: value.call, done: value.done };
  } catch {
    return null;
  }
}
