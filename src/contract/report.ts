import * as z from "zod";
import { MB, operation } from "./operation.ts";

/** Largest body of a carrier's report, bytes. */
export const REPORT_BYTES_MAX = MB;

const Accepted = z.object({
  received: z.int().meta({ description: "Reports that are safe now" }),
  dropped: z.int().meta({ description: "Authentic, but of no call of this workspace" }),
});
const connection = z
  .string()
  .max(60)
  .meta({ description: "Id of the connection", examples: ["con_k3v9q2m8xa_u4n9e2s7qd"] });

const common = {
  tag: "Reports",
  access: "carrier" as const,
  rawBody: {
    contentType: "application/json",
    description: "As the carrier sends it, with its own signature",
    bytesMax: REPORT_BYTES_MAX,
  },
  reply: {
    status: 200 as const,
    description: "Safe",
    schema: Accepted,
    example: { received: 1, dropped: 0 },
  },
  refusals: ["unauthorized" as const, "not_found" as const, "too_large" as const],
};

export const reportOperations = {
  "POST /reports/{connection}": operation({
    ...common,
    id: "report",
    summary: "Report on calls",
    description:
      "For carriers with one address for all calls: the call is found by our id in the body, else by the carrier's. 200 only once the report is durable.",
    params: z.object({ connection }),
  }),
  "POST /reports/{connection}/{call}": operation({
    ...common,
    id: "reportCall",
    summary: "Report on one call",
    description: "The address that every dial carries; its last part has the call's id and a MAC.",
    params: z.object({
      connection,
      call: z
        .string()
        .max(120)
        .meta({ examples: ["cal_k3v9q2m8xa_31.0f3a5c7e9b1d2f4a6c8e0b2d4f6a8c0e"] }),
    }),
  }),
};
