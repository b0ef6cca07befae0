/** One thing that is wrong with an input: where, what was expected, what came (H38). */
export type Issue = { path: string; expected: string; got: string };

/** Something that was accepted but not used as it was written (H16, H17, H24). */
export type Warning = { path: string; message: string };

/** A value, or every issue that stands in its way. */
export type Result<T> = { ok: true; value: T } | { ok: false; issues: Issue[] };

/** Why the domain says no. `api/errors.ts` alone maps codes to HTTP statuses. */
export const REFUSAL_CODES = [
  "invalid", // 422: the body's meaning is wrong; carries issues
  "unauthorized", // 401
  "forbidden", // 403
  "not_found", // 404
  "conflict", // 409: the state does not allow it; message says why
  "in_use", // 409: deleting what something live uses
  "idempotency_conflict", // 409: same key, another body
  "too_large", // 413
  "too_many_requests", // 429
  "unavailable", // 503: try again
  "full", // 507: the workspace has no room for more tasks
] as const;
export type RefusalCode = (typeof REFUSAL_CODES)[number];

/** A refusal travels as a value through every RPC: thrown classes do not survive one. */
export type Refusal = { ok: false; code: RefusalCode; message: string; issues?: Issue[] };

export function refuse(code: RefusalCode, message: string, issues?: Issue[]): Refusal {
  return issues === undefined ? { ok: false, code, message } : { ok: false, code, message, issues };
}
