import * as z from "zod";
import { campaignExample } from "./campaign.ts";
import { durationMs, idParam, instant } from "./fields.ts";
import { operation } from "./operation.ts";

/** Borders between which first dials are counted, ms. */
export const WAIT_STEPS_MS = [1_000, 2_000, 5_000, 15_000, 60_000, 300_000, 3_600_000] as const;

const outcomes = z.record(z.string(), z.int()).meta({ description: "Calls by outcome" });

export const Overview = z
  .object({
    since: instant("Calls that started from then on are counted: 30 days"),
    attempts: z
      .array(z.object({ attempt: z.int(), outcomes }))
      .meta({ description: "Concluded calls, by attempt" }),
    minutes: z
      .array(z.object({ at: instant("Beginning of the minute"), calls: z.int() }))
      .meta({ description: "Calls started in the last 60 minutes; minutes without any left out" }),
    hours: z.array(z.object({ hour: z.int().min(0).max(23), outcomes })).meta({
      description: "Concluded calls by the hour that the campaign's clock showed when they started",
    }),
    firstDial: z
      .object({
        medianMs: durationMs("Half are dialled within it"),
        p95Ms: durationMs("95 of 100 are dialled within it"),
        steps: z
          .array(z.object({ upToMs: z.number().nullable(), calls: z.int() }))
          .meta({ description: "How many took longer than the step before, and up to this" }),
      })
      .nullable()
      .meta({
        description:
          "Realtime: from a push to its first dial, of the newest 1,000 tasks without a start of their own",
      }),
  })
  .meta({ id: "Overview" });
export type Overview = z.infer<typeof Overview>;

const example: Overview = {
  since: 1_761_984_000_000,
  attempts: [
    { attempt: 1, outcomes: { connected: 30, no_answer: 12 } },
    { attempt: 2, outcomes: { connected: 8, no_answer: 2 } },
  ],
  minutes: [{ at: 1_764_576_000_000, calls: 12 }],
  hours: [{ hour: 10, outcomes: { connected: 38, no_answer: 14 } }],
  firstDial: {
    medianMs: 42,
    p95Ms: 180,
    steps: [
      { upToMs: 1_000, calls: 41 },
      { upToMs: null, calls: 1 },
    ],
  },
};

export const overviewOperations = {
  "GET /v1/campaigns/{id}/overview": operation({
    id: "readOverview",
    tag: "Campaigns",
    summary: "Read what a campaign's calls come to",
    description:
      "Outcomes by attempt and by hour of the day, calls per minute, time from push to dial; a change is at most a second behind. It reads the campaign's calls of 30 days once: do not ask every second.",
    access: "see",
    params: idParam("campaign", campaignExample.id),
    reply: { status: 200, description: "The overview", schema: Overview, example },
    refusals: ["not_found"],
  }),
};
