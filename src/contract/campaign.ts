import * as z from "zod";
import { BANDS, CAMPAIGN_STATUSES, CAMPAIGN_TYPES } from "../core/campaign.ts";
import {
  callingFields,
  days,
  durationMs,
  hhmm,
  idParam,
  instant,
  instantOrNull,
  outcome,
  pageOf,
  pageQuery,
  readByCore,
  waiting,
  warnings,
} from "./fields.ts";
import { operation, SETUP_BYTES_MAX } from "./operation.ts";

/** What people send to create or edit a campaign (H2). */
export const CampaignBody = z
  .object({
    name: readByCore<string>({ type: "string", minLength: 1, maxLength: 200 }),
    type: readByCore<"batch" | "realtime">({
      enum: CAMPAIGN_TYPES,
      description: "`batch`: tasks from a CSV. `realtime`: tasks are pushed. Never changes.",
    }),
    priority: readByCore<"high" | "normal" | "low" | null>({
      enum: [...BANDS, null],
      description: "A free slot goes to high before normal before low (H24, H26)",
    }),
    priorities: readByCore<unknown>({
      description: "Refused on a batch (H25); a realtime campaign's tasks have their own",
    }),
    ...callingFields,
    retries: readByCore<number | null>({
      type: ["integer", "null"],
      minimum: 0,
      maximum: 19,
      description: "Attempts after the first: 0 is a single one (H16)",
    }),
    slots: readByCore<number | null>({
      type: ["integer", "null"],
      minimum: 1,
      description: "Most calls of this campaign at once (H27)",
    }),
    paused: readByCore<boolean | null>({
      type: ["boolean", "null"],
      description: "Created paused: waits for resume (H11)",
    }),
  })
  .meta({ id: "CampaignBody" });

export const Counters = z
  .object({
    queued: z.int(),
    running: z.int(),
    completed: z.int(),
    paused: z.int(),
    archived: z.int(),
    attempts: z.int().meta({ description: "Attempts whose outcome is known" }),
    talkMs: durationMs("Time that people were on the line"),
    outcomes: z.record(z.string(), z.int()).meta({ description: "Attempts by outcome" }),
  })
  .meta({ id: "Counters" });

/** A campaign as replies carry it. */
export const Campaign = z
  .object({
    id: z.string(),
    name: z.string(),
    type: z.enum(CAMPAIGN_TYPES),
    status: z.enum(CAMPAIGN_STATUSES),
    agent: z.string().nullable(),
    from: z.string().nullable().meta({ description: "E.164" }),
    fromId: z.string().nullable().meta({ description: "Id of the calling number" }),
    priority: z.enum(BANDS),
    timezone: z.string(),
    startAfter: instantOrNull("As it was set"),
    endAfter: instantOrNull("No dial from then on"),
    start: hhmm("Opens"),
    end: hhmm("Closes"),
    days,
    retries: z.int().meta({ description: "Attempts after the first" }),
    maxAttempts: z.int().meta({ description: "Attempts in total" }),
    intervals: z.array(z.int()).meta({ description: "ms; the last repeats" }),
    retryOutcomes: z.array(outcome),
    slots: z.int().nullable().meta({ description: "Its own limit" }),
    counters: Counters,
    waiting,
    startsAt: instantOrNull("The start that counts; null while a batch waits for its first import"),
    createdAt: instant("Created"),
    startedAt: instantOrNull("First dial"),
    completedAt: instantOrNull("Completed"),
    archivedAt: instantOrNull("Archived"),
    sampleTask: z
      .record(z.string(), z.unknown())
      .optional()
      .meta({ description: "Realtime only: a create-task body that works as it stands (H3)" }),
    warnings: warnings.optional(),
  })
  .meta({ id: "Campaign" });
export type Campaign = z.infer<typeof Campaign>;

export const campaignExample = {
  id: "cmp_k3v9q2m8xa_1",
  name: "Website leads",
  type: "realtime",
  status: "running",
  agent: "agt_k3v9q2m8xa_p2d7f0w1zk",
  from: "+918047112233",
  fromId: "num_k3v9q2m8xa_h5c8r3t6yb",
  priority: "high",
  timezone: "Asia/Kolkata",
  startAfter: null,
  endAfter: null,
  start: 1000,
  end: 2000,
  days: ["mon", "tue", "wed", "thu", "fri", "sat"],
  retries: 1,
  maxAttempts: 2,
  intervals: [1_800_000],
  retryOutcomes: ["voicemail"],
  slots: null,
  counters: {
    queued: 3,
    running: 1,
    completed: 41,
    paused: 0,
    archived: 0,
    attempts: 52,
    talkMs: 1_904_000,
    outcomes: { connected: 38, no_answer: 14 },
  },
  waiting: null,
  startsAt: 1_764_576_000_000,
  createdAt: 1_764_576_000_000,
  startedAt: 1_764_576_060_000,
  completedAt: null,
  archivedAt: null,
  sampleTask: {
    phone: "+919876543210",
    from: "+918047112233",
    agent: "agt_k3v9q2m8xa_p2d7f0w1zk",
    campaign: "cmp_k3v9q2m8xa_1",
    retries: 2,
    intervals: [1_800_000],
    context: { name: "Asha" },
  },
};

const id = idParam("campaign", campaignExample.id);
const reply = (description: string) => ({
  status: 200 as const,
  description,
  schema: Campaign,
  example: campaignExample,
});
const move = (verb: string, id_: string, description: string) =>
  operation({
    id: id_,
    tag: "Campaigns",
    summary: `${verb} a campaign`,
    description,
    access: "run",
    params: id,
    reply: reply("The campaign after the move"),
    refusals: ["not_found", "conflict"],
  });

export const campaignOperations = {
  "POST /v1/campaigns": operation({
    id: "createCampaign",
    tag: "Campaigns",
    summary: "Create a campaign",
    description:
      "A batch needs name, agent and calling number, and gets its tasks from an import; a realtime campaign needs only a name, and its reply carries `sampleTask`. What is left out is filled once, from the workspace (H1–H3, H33).",
    access: "run",
    idempotent: true,
    body: {
      schema: CampaignBody,
      bytesMax: SETUP_BYTES_MAX,
      example: { name: "Website leads", type: "realtime", priority: "high", retries: 1 },
    },
    reply: { ...reply("The new campaign"), status: 201 },
    refusals: ["invalid", "idempotency_conflict"],
  }),
  "GET /v1/campaigns": operation({
    id: "listCampaigns",
    tag: "Campaigns",
    summary: "List campaigns",
    description: "Newest first; a change is at most a second behind.",
    access: "see",
    query: z.object({
      ...pageQuery,
      type: z.enum(CAMPAIGN_TYPES).optional(),
      status: z.enum(CAMPAIGN_STATUSES).optional(),
    }),
    reply: {
      status: 200,
      description: "One page",
      schema: pageOf(Campaign),
      example: { items: [campaignExample], nextCursor: null },
    },
    refusals: ["invalid"],
  }),
  "GET /v1/campaigns/{id}": operation({
    id: "readCampaign",
    tag: "Campaigns",
    summary: "Read a campaign",
    description: "With its counters, and why nothing is dialled, if so (H41).",
    access: "see",
    params: id,
    reply: reply("The campaign"),
    refusals: ["not_found"],
  }),
  "PATCH /v1/campaigns/{id}": operation({
    id: "editCampaign",
    tag: "Campaigns",
    summary: "Edit a campaign",
    description:
      "Any subset of the body; it counts from the next dial on, for every waiting task (H4). What cannot change any more is a 409 with its reason.",
    access: "run",
    params: id,
    body: {
      schema: CampaignBody,
      bytesMax: SETUP_BYTES_MAX,
      example: { priority: "high", start: 900, end: 1900 },
    },
    reply: reply("The campaign after the edit"),
    refusals: ["not_found", "invalid", "conflict"],
  }),
  "POST /v1/campaigns/{id}/pause": move(
    "Pause",
    "pauseCampaign",
    "Every queued task becomes paused; calls in progress finish (H30).",
  ),
  "POST /v1/campaigns/{id}/resume": move(
    "Resume",
    "resumeCampaign",
    "Every paused task becomes queued, singly paused ones too (H30, H31).",
  ),
  "POST /v1/campaigns/{id}/archive": move(
    "Archive",
    "archiveCampaign",
    "For good: every queued or paused task becomes archived; calls in progress finish (H30).",
  ),
};
