import type { Context } from "hono";
import type * as z from "zod";

import { withoutNumbers } from "../core/phone.ts";
import { type Issue, type Refusal, type RefusalCode, refuse } from "../core/result.ts";
import { shown } from "../core/time.ts";
import { isAway, logFault } from "../shell/faults.ts";
import type { AppEnv } from "./context.ts";

/** The only map from refusals to HTTP. */
export const STATUS_OF = {
  invalid: 422,
  unauthorized: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  in_use: 409,
  idempotency_conflict: 409,
  too_large: 413,
  too_many_requests: 429,
  unavailable: 503,
  full: 507,
} as const satisfies Record<RefusalCode, number>;

const CODES_OF_THE_EDGE = { invalid_json: 400, invalid_report: 400, bug: 500 } as const;
type EdgeCode = keyof typeof CODES_OF_THE_EDGE;
export type ErrorStatus = (typeof STATUS_OF)[RefusalCode] | (typeof CODES_OF_THE_EDGE)[EdgeCode];

/** A refusal on its way out of a handler; `api/errors.ts` makes the reply of it. */
export class Refused extends Error {
  readonly refusal: { code: RefusalCode | EdgeCode; message: string; issues?: Issue[] };
  readonly headers: Record<string, string>;
  constructor(
    refusal: { code: RefusalCode | EdgeCode; message: string; issues?: Issue[] },
    headers: Record<string, string> = {},
  ) {
    super(refusal.message);
    this.refusal = refusal;
    this.headers = headers;
  }
}

/** The value of a Dialer's reply; a refusal ends the request. */
export function take<T>(reply: { ok: true; value: T } | Refusal): T {
  if (reply.ok) return reply.value;
  throw new Refused(reply);
}

/** Ends the request; an unknown id and one of another workspace look the same (H37). */
export function notFound(what: string): Refused {
  return new Refused(refuse("not_found", `There is no such ${what}.`));
}

export function invalid(...issues: Issue[]): Refused {
  return new Refused(refuse("invalid", "The request cannot be taken as it is.", issues));
}

/** What the reply to a refused or broken request says (H38). */
export function errorBody(
  refusal: { code: string; message: string; issues?: Issue[] },
  requestId: string,
): { error: { code: string; message: string; issues?: Issue[] }; requestId: string } {
  return { error: errorOf(refusal), requestId };
}

/** The `error` of a reply, or of one entry of a bulk reply. */
export function errorOf(refusal: { code: string; message: string; issues?: Issue[] }): {
  code: string;
  message: string;
  issues?: Issue[];
} {
  const { code, message, issues } = refusal;
  if (issues === undefined) return { code, message };
  return { code, message, issues: issues.map(withoutSecrets) };
}

export function statusOf({ refusal }: Refused): ErrorStatus {
  return refusal.code in STATUS_OF
    ? STATUS_OF[refusal.code as RefusalCode]
    : CODES_OF_THE_EDGE[refusal.code as EdgeCode];
}

/** Every error ends here: refusals become replies, faults a 503, bugs a 500 and a log line. */
export function onError(error: Error, c: Context<AppEnv>): Response {
  const requestId = c.get("requestId");
  if (error instanceof Refused) {
    const { refusal, headers } = error;
    return c.json(errorBody(refusal, requestId), statusOf(error), headers);
  }
  const away = isAway(error);
  logFault(away ? "away" : "bug", error, { requestId, route: c.req.routePath });
  if (away) {
    const refusal = { code: "unavailable", message: "Something outdial needs is away: try again." };
    return c.json(errorBody(refusal, requestId), 503, { "retry-after": "1" });
  }
  const refusal = { code: "bug", message: "outdial made a mistake; it is logged." };
  return c.json(errorBody(refusal, requestId), 500);
}

/** Issues of a zod error in the contract's shape; `given` is what was parsed. */
export function issuesOf(error: z.core.$ZodError, given: unknown): Issue[] {
  return error.issues.slice(0, 50).map((issue) => {
    const path = issue.path.map(String).join(".");
    const value = issue.path.reduce<unknown>(childOf, given);
    return { path, expected: expectedOf(issue), got: shown(value) };
  });
}

function childOf(value: unknown, key: PropertyKey): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Record<PropertyKey, unknown>)[key];
}

function expectedOf(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case "invalid_type":
      return issue.expected === "int" ? "a whole number" : `a value of type ${issue.expected}`;
    case "invalid_value":
      return `one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      return `at least ${issue.minimum} ${sizeOf(issue.origin)}`.trim();
    case "too_big":
      return `at most ${issue.maximum} ${sizeOf(issue.origin)}`.trim();
    case "invalid_union":
      return "one of the shapes that the description lists";
    default:
      return issue.message;
  }
}

function sizeOf(origin: string): string {
  if (origin === "string") return "characters";
  return origin === "array" ? "entries" : "";
}

const SECRET = /(^|\.)(settings|apiKey|secret|token|password|authorization)(\.|$)/i;
/** A number anywhere else, as people write it. */
const WRITTEN_PHONE = /\+\d[\d .()-]{4,}\d/g;
const PHONE = /(^|\.)(phone|from|to)$/;

/** An issue that quotes neither a phone number nor a secret. */
function withoutSecrets(issue: Issue): Issue {
  const { path, expected, got } = issue;
  if (SECRET.test(path)) return { path, expected, got: got === "nothing" ? got : "a value" };
  if (PHONE.test(path)) return { path, expected, got: withoutNumbers(got) };
  return { path, expected, got: got.replace(WRITTEN_PHONE, withoutNumbers) };
}
