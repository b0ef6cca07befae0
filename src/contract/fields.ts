import * as z from "zod";
import { OUTCOMES } from "../core/outcome.ts";
import { WEEKDAYS } from "../core/window.ts";

/** A JSON schema for a field whose meaning `core` reads by itself. */
type JsonSchema = Record<string, unknown>;

/**
 * A field that passes as it came: `core` reads it and says what is wrong with it, in the rule's
 * words. `json` describes it for people and for `/openapi.json`; `T` is what a client sends.
 */
export function readByCore<T>(json: JsonSchema): z.ZodOptional<z.ZodType<T>> {
  return z.custom<T>().meta(json).optional();
}

const INSTANT = "epoch milliseconds";

/** An instant of a reply. */
export const instant = (what: string) =>
  z.int().meta({ description: `${what}; ${INSTANT}`, examples: [1_764_576_000_000] });
export const instantOrNull = (what: string) =>
  z
    .int()
    .nullable()
    .meta({ description: `${what}; ${INSTANT}, or null` });

export const durationMs = (what: string) =>
  z
    .int()
    .min(0)
    .meta({ description: `${what}, ms` });

/** Calling hours and weekdays of a reply (H15). */
export const hhmm = (what: string) =>
  z
    .int()
    .min(0)
    .max(4759)
    .meta({ description: `${what} as HHMM: 1000 is 10:00` });
export const days = z.array(z.enum(WEEKDAYS)).meta({ description: "Weekdays on which it opens" });

export const outcome = z.string().meta({
  description: `One of ${OUTCOMES.join(", ")}, or one of the agent's own`,
});

const window = {
  start: {
    type: ["integer", "null"],
    minimum: 0,
    maximum: 4759,
    description: "Calls from this local time on, HHMM (1000 is 10:00); together with `end`",
  },
  end: {
    type: ["integer", "null"],
    minimum: 0,
    maximum: 4759,
    description: "Calls until this local time, HHMM, not included; past 2400 is the next day",
  },
  days: {
    type: ["array", "null"],
    items: { enum: WEEKDAYS },
    description: "Weekdays on which the calling hours open",
  },
  timezone: { type: ["string", "null"], description: "IANA name, such as Asia/Kolkata" },
};

/** Hours, weekdays and timezone of a body (H12, H15). */
export const windowFields = {
  start: readByCore<number | null>(window.start),
  end: readByCore<number | null>(window.end),
  days: readByCore<(typeof WEEKDAYS)[number][] | null>(window.days),
  timezone: readByCore<string | null>(window.timezone),
};

const instantIn = (description: string): JsonSchema => ({
  type: ["integer", "string", "null"],
  description: `${description}: ${INSTANT}, or ISO 8601 with an offset`,
});

/** What campaigns and tasks share in their bodies (H2, H15–H18). */
export const callingFields = {
  agent: readByCore<string | null>({
    type: ["string", "null"],
    description: "Id of the agent who speaks; together with `from` it is one pair (H33)",
  }),
  from: readByCore<string | null>({
    type: ["string", "null"],
    description: "Number to call from, as E.164 or by its id, on the agent's connection",
  }),
  ...windowFields,
  startAfter: readByCore<number | string | null>(instantIn("First dial not before")),
  endAfter: readByCore<number | string | null>(instantIn("No dial from then on")),
  maxAttempts: readByCore<number | null>({
    type: ["integer", "null"],
    minimum: 1,
    maximum: 20,
    description: "Attempts in total",
  }),
  intervals: readByCore<number | number[] | null>({
    type: ["array", "integer", "null"],
    items: { type: "integer", minimum: 0 },
    description: "Gap between the end of an attempt and the next one, ms: one, or one for each",
  }),
  retryOutcomes: readByCore<string[] | null>({
    type: ["array", "null"],
    items: { type: "string" },
    description:
      "Retried beside no_answer, busy, failed and init_failed: voicemail, no_response, the agent's own",
  }),
};

/** In a reply to whoever may not see personal data. */
export const masked = z.boolean().optional().meta({
  description: "Set where numbers are masked, and values of contexts and what was said withheld",
});

/** Query of every list. */
export const pageQuery = {
  limit: z.coerce
    .number()
    .int()
    .min(1)
    .max(200)
    .default(50)
    .meta({ description: "Entries of one page, at most 200" }),
  cursor: z
    .string()
    .max(200)
    .optional()
    .meta({ description: "`nextCursor` of the page before; a page stays put under inserts" }),
};

/** One page of a list. */
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({
    items: z.array(item),
    nextCursor: z
      .string()
      .nullable()
      .meta({ description: "Asks for the next page; null on the last" }),
  });

export const warnings = z
  .array(z.object({ path: z.string(), message: z.string() }))
  .meta({ description: "What was accepted but not used as it was written" });

export const waiting = z
  .object({
    reason: z.string(),
    until: z.int().nullable(),
    detail: z.string().optional(),
  })
  .nullable()
  .meta({
    description:
      "Why nothing is dialled and until when (H41): start, hours, interval, callback, import, paused, slots, limit, pace, connection; null where nothing waits",
  });

export const idParam = (name: string, example: string) =>
  z.object({
    id: z
      .string()
      .max(60)
      .meta({ description: `Id of the ${name}`, examples: [example] }),
  });

/** A refused request (H38). */
export const ErrorBody = z
  .object({
    error: z.object({
      code: z.string().meta({ examples: ["invalid"] }),
      message: z.string(),
      issues: z
        .array(z.object({ path: z.string(), expected: z.string(), got: z.string() }))
        .optional(),
    }),
    requestId: z.string(),
  })
  .meta({ id: "Error" });
