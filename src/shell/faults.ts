import { withoutNumbers } from "../core/phone.ts";

/** One line about something that went wrong, without personal data. */
export function logFault(event: string, error: unknown, more: Record<string, unknown>): void {
  const text = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  const stack = error instanceof Error ? (error.stack?.split("\n").slice(1, 5) ?? []) : [];
  const line = { level: "error", event, ...more, error: withoutNumbers(text), stack };
  console.error(JSON.stringify(line));
}

/** Whether an error is another part's absence (D1, a queue, an object) and not a mistake of ours. */
export function isAway(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const marks = error as Error & { retryable?: boolean; overloaded?: boolean };
  if (marks.retryable === true || marks.overloaded === true) return true;
  // Storage that is full, broken or busy: the same statement may succeed later.
  if (/SQLITE_(FULL|IOERR|BUSY)/.test(error.message)) return true;
  if (/^D1_(ERROR|EXEC_ERROR): .*(SQLITE_|no such|syntax)/.test(error.message)) return false;
  return (
    /D1_ERROR|Network connection lost|storage caused object to be reset|reset because|^internal error; reference/i.test(
      error.message,
    ) ||
    (error.cause !== undefined && isAway(error.cause))
  );
}
