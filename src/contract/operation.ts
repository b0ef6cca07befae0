import type * as z from "zod";
import type { Permission } from "../core/access.ts";
import type { RefusalCode } from "../core/result.ts";

export type Method = "GET" | "POST" | "PATCH" | "DELETE";

/** A body, or a reply, that is not JSON. */
export type Raw = { contentType: string; description: string };

export type RequestBody = {
  /** Fields that are not in it are ignored (H39). */
  schema: z.ZodType;
  example: unknown;
  /** Largest body, bytes; a longer one is a 413. */
  bytesMax: number;
  /** Other content types that the route reads by itself. */
  others?: Raw[];
};

export type ReplyBody =
  | { status: 200 | 201 | 202; description: string; schema: z.ZodType; example: unknown }
  | { status: 200 | 206; description: string; raw: Raw }
  | { status: 101 | 204; description: string };

/**
 * One route as everybody sees it: the app registers it, `/openapi.json` describes it, and no
 * route is without (`api/app.ts` has exactly one handler for each).
 */
export type Operation = {
  /** Unique, a verb and a noun. */
  id: string;
  tag: string;
  summary: string;
  description: string;
  /**
   * `admin`: the deployment's secret. `open`: nothing. `carrier`: the carrier's own signature.
   * `ticket`: a ticket for the live socket. `person`: somebody signed in, of whatever workspace. Else a key or a person with this
   * permission in the workspace; for `push` the Dialer checks the key in the same request.
   */
  access: "admin" | "open" | "carrier" | "ticket" | "person" | Permission;
  params?: z.ZodObject;
  query?: z.ZodObject;
  /** Whether an `Idempotency-Key` header makes a repetition harmless (H9). */
  idempotent?: boolean;
  body?: RequestBody;
  /** A body that the handler reads by itself, as it comes. */
  rawBody?: Raw & { bytesMax: number; others?: Raw[] };
  reply: ReplyBody;
  /** What it replies when it was asked for something else than usual. */
  otherReply?: ReplyBody;
  /** Refusals of its own, beside those that every route has. */
  refusals: RefusalCode[];
};

/** Keeps an operation's own types. */
export function operation<const O extends Operation>(o: O): O {
  return o;
}

export const KB = 1024;
export const MB = 1024 * KB;
/** Largest body of a route that sets up one thing. */
export const SETUP_BYTES_MAX = 256 * KB;
