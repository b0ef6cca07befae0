import * as z from "zod";
import { ROW_REASONS } from "../core/csv.ts";
import { IMPORT_ROWS_MAX } from "../core/import.ts";
import { idParam, instant, instantOrNull, pageOf, pageQuery, warnings } from "./fields.ts";
import { MB, operation } from "./operation.ts";

/** Largest file, bytes. */
export const IMPORT_BYTES_MAX = 20 * MB;
/** Rejected rows that a reply shows; the download has them all. */
export const PROBLEMS_SHOWN = 50;

const options = z
  .object({
    numbers: z.enum(["e164", "international-without-plus"]).optional(),
    defaultCountry: z.string().optional(),
    allowDuplicates: z.boolean(),
  })
  .meta({ description: "How its numbers are read (H8), and whether repeated ones are dialled" });

const rejected = z
  .partialRecord(z.enum(ROW_REASONS), z.int())
  .meta({ description: "Rows that became no task, by reason (H7)" });

const problems = z
  .array(z.object({ line: z.int(), reason: z.enum(ROW_REASONS) }))
  .meta({ description: `The first ${PROBLEMS_SHOWN} rejected rows; line 1 is the header` });

const read = {
  campaign: z.string(),
  fileName: z.string().nullable(),
  options,
  columns: z
    .array(z.string())
    .meta({ description: "Columns that became context keys, for the agent's prompt (H5)" }),
  rows: z.int().meta({ description: "Rows of the file, without its header and empty lines" }),
  rowsTaken: z.int().meta({ description: "Rows that became tasks" }),
  rejected,
  rejectedCount: z.int(),
  missingPlaceholders: z
    .array(z.string())
    .meta({ description: "Placeholders of the agent that no column fills: empty text (H10)" }),
  warnings,
};

/** One upload, and what became of its rows. */
export const Import = z
  .object({
    id: z.string(),
    status: z.enum(["running", "completed", "failed"]).meta({
      description:
        "`running`: rows are still on their way; none is dialled before `completed` (H11)",
    }),
    ...read,
    rowsRead: z.int().meta({ description: "Rows that are decided" }),
    rejectedUrl: z
      .string()
      .nullable()
      .meta({ description: "The rejected rows as a CSV to mend (H7); null when there are none" }),
    problems: problems.optional().meta({ description: "On a single import only" }),
    note: z.string().nullable().meta({ description: "Why it waits (H41), or why it failed" }),
    createdAt: instant("Uploaded"),
    completedAt: instantOrNull("Completed"),
  })
  .meta({ id: "Import" });
export type Import = z.infer<typeof Import>;

/** What an import would do. */
export const ImportPreview = z
  .object({ dryRun: z.literal(true), ...read, problems })
  .meta({ id: "ImportPreview" });
export type ImportPreview = z.infer<typeof ImportPreview>;

const shown = {
  campaign: "cmp_k3v9q2m8xa_2",
  fileName: "november.csv",
  options: { defaultCountry: "IN", allowDuplicates: false },
  columns: ["name", "orderId"],
  rows: 300,
  missingPlaceholders: ["city"],
  warnings: [
    {
      path: "header",
      message: "The agent's placeholder city has no column: it is left empty.",
    },
  ],
};
const importExample = {
  id: "imp_k3v9q2m8xa_0mi1b2c3dq4r5s6t",
  status: "running" as const,
  ...shown,
  rowsRead: 0,
  rowsTaken: 0,
  rejected: {},
  rejectedCount: 0,
  rejectedUrl: null,
  note: null,
  createdAt: 1_764_576_000_000,
  completedAt: null,
};
const doneExample = {
  ...importExample,
  status: "completed" as const,
  rowsRead: 300,
  rowsTaken: 298,
  rejected: { too_short: 1, duplicate: 1 },
  rejectedCount: 2,
  rejectedUrl: `https://outdial.example.com/v1/campaigns/${shown.campaign}/imports/${importExample.id}/rejected.csv`,
  completedAt: 1_764_576_000_400,
};
const problemsExample = [
  { line: 17, reason: "too_short" as const },
  { line: 203, reason: "duplicate" as const },
];

const campaignParam = idParam("campaign", shown.campaign);
const importParams = campaignParam.extend({
  importId: z
    .string()
    .max(60)
    .meta({ description: "Id of the import", examples: [importExample.id] }),
});

export const importOperations = {
  "POST /v1/campaigns/{id}/imports": operation({
    id: "importRows",
    tag: "Imports",
    summary: "Import a CSV into a batch campaign",
    description: `Each good row becomes a task; a bad one is reported and sinks nothing (H7). The first column's header is \`phone\`, the others become context (H5). Comma, semicolon or tab; UTF-8 or UTF-16. At most 20 MB and ${IMPORT_ROWS_MAX} rows. A 202 is durable: the rows arrive by themselves, and none is dialled before all have (H11). A number that the campaign had before is a duplicate (H9).`,
    access: "run",
    params: campaignParam,
    query: z.object({
      numbers: z.enum(["e164", "international-without-plus"]).optional().meta({
        description:
          "`international-without-plus`: numbers without + start with their country code (H8)",
      }),
      defaultCountry: z
        .string()
        .max(10)
        .optional()
        .meta({
          description: "Country of numbers without +, two letters (H8)",
          examples: ["IN"],
        }),
      allowDuplicates: z
        .stringbool()
        .default(false)
        .meta({ description: "`true`: a number that came before is dialled again (H9)" }),
      dryRun: z
        .stringbool()
        .default(false)
        .meta({ description: "`true`: says what the import would do, and does nothing" }),
    }),
    rawBody: {
      contentType: "text/csv",
      description: "The file",
      bytesMax: IMPORT_BYTES_MAX,
      others: [{ contentType: "multipart/form-data", description: "A form with the file" }],
    },
    reply: {
      status: 202,
      description: "The import, under way",
      schema: Import,
      example: importExample,
    },
    otherReply: {
      status: 200,
      description: "With `dryRun`: what the import would do, as far as lists know by now",
      schema: ImportPreview,
      example: {
        dryRun: true,
        ...shown,
        rowsTaken: 298,
        rejected: doneExample.rejected,
        rejectedCount: 2,
        problems: problemsExample,
      },
    },
    refusals: ["not_found", "invalid", "conflict"],
  }),
  "GET /v1/campaigns/{id}/imports": operation({
    id: "listImports",
    tag: "Imports",
    summary: "List a campaign's imports",
    description: "Newest first.",
    access: "see",
    params: campaignParam,
    query: z.object(pageQuery),
    reply: {
      status: 200,
      description: "One page",
      schema: pageOf(Import),
      example: { items: [doneExample], nextCursor: null },
    },
    refusals: ["not_found", "invalid"],
  }),
  "GET /v1/campaigns/{id}/imports/{importId}": operation({
    id: "readImport",
    tag: "Imports",
    summary: "Read an import",
    description: "How far it is, and its report: rows taken, rows rejected by reason (H7).",
    access: "see",
    params: importParams,
    reply: {
      status: 200,
      description: "The import",
      schema: Import,
      example: { ...doneExample, problems: problemsExample },
    },
    refusals: ["not_found"],
  }),
  "GET /v1/campaigns/{id}/imports/{importId}/rejected.csv": operation({
    id: "downloadRejectedRows",
    tag: "Imports",
    summary: "Download an import's rejected rows",
    description:
      "The file's columns, then `outdial_line` and `outdial_reason`, which an import ignores: mend it and upload it again (H7). Kept for 30 days.",
    access: "see_personal",
    params: importParams,
    reply: {
      status: 200,
      description: "The rejected rows so far",
      raw: { contentType: "text/csv", description: "UTF-8, in the order of the file" },
    },
    refusals: ["not_found"],
  }),
};
