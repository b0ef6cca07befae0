import * as z from "zod";
import { EVENT_VERSION, type EventType } from "../core/webhook.ts";
import { instant, outcome } from "./fields.ts";

/*
 * What webhooks are told (docs/webhooks.md), as `openapi.json` has it. A field that is added is no
 * new version; one that means something else is.
 */

const ids = { task: z.string(), campaign: z.string() };
const externalId = z.string().nullable();
const attempt = z.int();
const instantOrNull = (what: string) => instant(what).nullable();

const OfCall = z
  .object({
    call: z.string(),
    ...ids,
    externalId,
    attempt,
    outcome: outcome.nullable(),
    corrected: z.boolean().meta({ description: "It was told otherwise before (H22)" }),
    carrier: z.string(),
    connection: z.string(),
    carrierCallId: z.string().nullable(),
    placedAt: instantOrNull("The carrier took it"),
    answeredAt: instantOrNull("Answered"),
    endedAt: instantOrNull("Over"),
    talkMs: z.int().nullable(),
    callbackAt: instantOrNull("When to call back (H20)"),
    costMicros: z.int().nullable().meta({ description: "Millionths of `currency`" }),
    currency: z.string().nullable(),
  })
  .meta({ id: "CallEventData" });

/** What comes after its call has left has only what names it; what was said only where it is wanted. */
const OfTexts = OfCall.partial()
  .extend({
    call: z.string(),
    transcript: z.array(z.unknown()).nullable().optional(),
    analysis: z.record(z.string(), z.unknown()).nullable().optional(),
  })
  .meta({ id: "AnalysisEventData" });

const OfTask = z
  .object({ ...ids, externalId, attempts: z.int(), outcome: outcome.nullable() })
  .meta({ id: "TaskEventData" });

const OfCampaign = z
  .object({
    campaign: z.string(),
    name: z.string(),
    type: z.enum(["batch", "realtime"]),
    status: z.string(),
    counters: z.record(z.string(), z.unknown()),
  })
  .meta({ id: "CampaignEventData" });

const OfImport = z
  .object({ import: z.string(), campaign: z.string(), rowsTaken: z.int() })
  .meta({ id: "ImportEventData" });

const OfConnection = z
  .object({ connection: z.string(), reason: z.string().nullable() })
  .meta({ id: "ConnectionEventData" });

type About = { summary: string; data: z.ZodType };
/** Each type of event, with its data. */
export const EVENTS: Record<EventType, About> = {
  "call.started": { summary: "The carrier took a call", data: OfCall },
  "call.ended": { summary: "A call is over, or its outcome is known later", data: OfCall },
  "call.analyzed": { summary: "A transcript or an analysis has come", data: OfTexts },
  "task.completed": { summary: "A task is done", data: OfTask },
  "task.archived": { summary: "A task was archived singly, or by its own end", data: OfTask },
  "campaign.started": { summary: "A campaign dials for the first time", data: OfCampaign },
  "campaign.paused": { summary: "A campaign was paused", data: OfCampaign },
  "campaign.resumed": { summary: "A campaign was resumed", data: OfCampaign },
  "campaign.completed": { summary: "A campaign is done, or its end has passed", data: OfCampaign },
  "campaign.archived": { summary: "A campaign was archived, with all its tasks", data: OfCampaign },
  "import.completed": { summary: "All rows of an import are in", data: OfImport },
  "connection.suspended": {
    summary: "A connection is in trouble: one dial at a time tries it",
    data: OfConnection,
  },
  "connection.resumed": { summary: "A connection works again", data: OfConnection },
};

/** The body of a request for an event of this type. */
export function eventSchema(type: EventType) {
  return z.object({
    type: z.literal(type),
    timestamp: z.iso.datetime(),
    version: z.literal(EVENT_VERSION),
    sequence: z.int().meta({ description: "Larger than that of every event before it" }),
    workspace: z.string(),
    data: EVENTS[type].data,
  });
}
