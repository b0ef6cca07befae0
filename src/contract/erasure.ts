import * as z from "zod";
import { operation, SETUP_BYTES_MAX } from "./operation.ts";

export const Erasure = z
  .object({
    phone: z.string().meta({ description: "Masked" }),
    tasks: z.int().meta({ description: "Tasks that lost number and context" }),
    archived: z.int().meta({ description: "Those of them that waited" }),
    calls: z.int().meta({ description: "Calls that lost number, recording and texts" }),
    rows: z.int().meta({ description: "Rows of files that were not read yet" }),
    rejected: z.int().meta({ description: "Rejected rows that lost their cells" }),
    suppressed: z.boolean().meta({
      description: "Whether a do-not-call entry stays, as a keyed hash, and goes on refusing it",
    }),
  })
  .meta({ id: "Erasure" });

export const erasureOperations = {
  "POST /v1/erasures": operation({
    id: "erasePerson",
    tag: "Privacy",
    summary: "Erase a person who was called",
    description:
      "Archives what waits for this number, and removes number, context, transcripts, analyses and recording links wherever this workspace has them; counts stay. A call in progress goes on, and what is heard of it later is not kept. Values of the audit log that quote the number are masked; an `externalId` or `Idempotency-Key` that quotes it goes on as a keyed hash, so that a repeated push is still the same. A do-not-call entry stays as a keyed hash. What the carrier keeps is the carrier's. Repeating it is harmless, and needed after a 503.",
    access: "govern",
    body: {
      schema: z.object({
        phone: z.string().max(40).meta({ description: "With + and its country code" }),
      }),
      bytesMax: SETUP_BYTES_MAX,
      example: { phone: "+919876543210" },
    },
    reply: {
      status: 200,
      description: "What was done",
      schema: Erasure,
      example: {
        phone: "+91••••••••10",
        tasks: 3,
        archived: 1,
        calls: 4,
        rows: 0,
        rejected: 1,
        suppressed: true,
      },
    },
    refusals: ["invalid", "unavailable"],
  }),
};
