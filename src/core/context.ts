import { fault } from "./body.ts";
import type { Issue, Result } from "./result.ts";
import type { Context } from "./task.ts";
import { shown } from "./time.ts";

/** Largest context as JSON, bytes of UTF-8. */
export const CONTEXT_BYTES_LIMIT = 16 * 1024;
/** Most keys, on all levels together. */
export const CONTEXT_KEYS_LIMIT = 200;
/** Deepest nesting; the context itself is level 1. */
export const CONTEXT_DEPTH_LIMIT = 5;
/** Longest key, characters. */
export const CONTEXT_KEY_LENGTH_LIMIT = 100;

/** A task's context: an object of JSON values within the limits, `{}` when left out. */
export function readContext(value: unknown): Result<Context> {
  if (value === undefined || value === null) return { ok: true, value: {} };
  if (typeof value !== "object" || Array.isArray(value)) {
    return fault("context", "an object", shown(value));
  }
  const issues: Issue[] = [];
  const walk = { keys: 0, issues };
  visit(value, "context", 1, walk);
  if (walk.keys > CONTEXT_KEYS_LIMIT) {
    issues.push({
      path: "context",
      expected: `at most ${CONTEXT_KEYS_LIMIT} keys`,
      got: `${walk.keys} keys`,
    });
  }
  if (issues.length > 0) return { ok: false, issues };
  const bytes = utf8Length(JSON.stringify(value));
  if (bytes <= CONTEXT_BYTES_LIMIT) return { ok: true, value: value as Context };
  return fault("context", `at most ${CONTEXT_BYTES_LIMIT} bytes as JSON`, `${bytes} bytes`);
}

/** Counts keys and notes what breaks a limit; goes no deeper than the limit. */
function visit(
  value: unknown,
  path: string,
  depth: number,
  walk: { keys: number; issues: Issue[] },
): void {
  if (typeof value !== "object" || value === null) {
    const json =
      value === null ||
      typeof value === "string" ||
      typeof value === "boolean" ||
      Number.isFinite(value);
    if (!json) walk.issues.push({ path, expected: "a JSON value", got: shown(value) });
    return;
  }
  if (depth > CONTEXT_DEPTH_LIMIT) {
    walk.issues.push({ path, expected: `at most ${CONTEXT_DEPTH_LIMIT} levels`, got: "one more" });
    return;
  }
  for (const [key, entry] of Object.entries(value)) {
    if (!Array.isArray(value)) walk.keys += 1;
    if (key.length > CONTEXT_KEY_LENGTH_LIMIT) {
      const expected = `keys of at most ${CONTEXT_KEY_LENGTH_LIMIT} characters`;
      walk.issues.push({ path, expected, got: `${key.length} characters: ${shown(key)}` });
    } else {
      visit(entry, `${path}.${key}`, depth + 1, walk);
    }
  }
}

function utf8Length(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
