import * as z from "zod";
import { instant, instantOrNull, pageOf, pageQuery } from "./fields.ts";
import { MB, operation } from "./operation.ts";

/** Most numbers of one request. */
export const SUPPRESSIONS_MAX = 100_000;

const entry = {
  phone: z.string().max(40).meta({ description: "With + and its country code" }),
  reason: z.string().trim().max(500).nullable().optional(),
  expiresAt: z
    .int()
    .nullable()
    .optional()
    .meta({ description: "May be dialled again from this instant on, epoch milliseconds" }),
};

export const SuppressionBody = z.object(entry).meta({ id: "SuppressionBody" });
export type SuppressionBody = z.infer<typeof SuppressionBody>;
export const SuppressionsBody = z.union([
  z.object({ suppressions: z.array(SuppressionBody).min(1).max(SUPPRESSIONS_MAX) }),
  SuppressionBody,
]);

export const Suppression = z
  .object({
    id: z
      .string()
      .meta({ description: "The number; of one that was erased, a keyed hash after #" }),
    phone: z.string().nullable().meta({ description: "E.164; null once it was erased" }),
    reason: z.string().nullable(),
    source: z.string().meta({ description: "`api`, `csv`, or the outcome that put it there" }),
    expiresAt: instantOrNull("May be dialled again"),
    createdAt: instant("Entered"),
  })
  .meta({ id: "Suppression" });

const example = {
  id: "+919876543210",
  phone: "+919876543210",
  reason: "asked not to be called",
  source: "api",
  expiresAt: null,
  createdAt: 1_764_576_000_000,
};

export const suppressionOperations = {
  "POST /v1/suppressions": operation({
    id: "suppress",
    tag: "Do-not-call list",
    summary: "Put numbers on the do-not-call list",
    description:
      "One, many, or a CSV whose first column is `phone` (a column `reason` is read too). Good numbers are entered and bad ones reported; one number that is bad is a 422. A number that is there already gets the new reason and expiry (H40).",
    access: "run",
    body: {
      schema: SuppressionsBody,
      bytesMax: 21 * MB,
      example: { phone: "+919876543210", reason: "asked not to be called" },
      others: [{ contentType: "text/csv", description: "First column `phone`" }],
    },
    reply: {
      status: 201,
      description: "What was entered; the entry itself when it was one",
      schema: z.object({
        ...Suppression.partial().shape,
        entered: z.int(),
        rejected: z.array(z.object({ index: z.int(), reason: z.string() })).meta({
          description: "Numbers that cannot be read, by their place from 0; the first 50",
        }),
        rejectedCount: z.int(),
      }),
      example: { ...example, entered: 1, rejected: [], rejectedCount: 0 },
    },
    refusals: ["invalid"],
  }),
  "GET /v1/suppressions": operation({
    id: "listSuppressions",
    tag: "Do-not-call list",
    summary: "List the do-not-call list",
    description: "All entries, by number.",
    access: "see_personal",
    query: z.object(pageQuery),
    reply: {
      status: 200,
      description: "One page",
      schema: pageOf(Suppression),
      example: { items: [example], nextCursor: null },
    },
    refusals: ["invalid"],
  }),
  "DELETE /v1/suppressions/{phone}": operation({
    id: "unsuppress",
    tag: "Do-not-call list",
    summary: "Take a number off the do-not-call list",
    description: "It may be dialled again; tasks that it archived stay archived.",
    access: "run",
    params: z.object({
      phone: z
        .string()
        .max(40)
        .meta({ description: "E.164, or the entry's id", examples: ["+919876543210"] }),
    }),
    reply: { status: 204, description: "Taken off" },
    refusals: ["not_found"],
  }),
};
