import * as z from "zod";
import { CALL_STATUSES } from "../core/call.ts";
import {
  durationMs,
  idParam,
  instant,
  instantOrNull,
  masked,
  outcome,
  pageOf,
  pageQuery,
} from "./fields.ts";
import { operation } from "./operation.ts";

const summary = {
  id: z.string(),
  task: z.string(),
  campaign: z.string(),
  attempt: z.int().meta({ description: "From 1" }),
  status: z.enum(CALL_STATUSES),
  agent: z.string(),
  connection: z.string(),
  carrier: z.string(),
  carrierCallId: z.string().nullable(),
  from: z.string(),
  to: z.string().meta({ description: "Masked as `phone` of a task; empty once it was erased" }),
  startedAt: instant("Its slot was taken"),
  placedAt: instantOrNull("The carrier took it"),
  ringingAt: instantOrNull("It rang"),
  answeredAt: instantOrNull("Somebody answered"),
  endedAt: instantOrNull("It ended"),
  durationMs: durationMs("Time on the line").nullable(),
  outcome: outcome.nullable(),
  word: z.string().nullable().meta({ description: "The carrier's own word for how it ended" }),
  reported: outcome
    .nullable()
    .meta({ description: "What a late report said after another outcome was assumed (H22)" }),
  callbackAt: instantOrNull("Time that the person asked for"),
  cost: z.number().nullable().meta({ description: "In `currency`" }),
  currency: z.string().nullable(),
  recordingUrl: z.string().nullable().meta({ description: "Playback through this API" }),
  masked,
};

/** A call as lists carry it. */
export const CallSummary = z.object(summary).meta({ id: "CallSummary" });
export type CallSummary = z.infer<typeof CallSummary>;

/** A call with everything that is known of it (H32). */
export const Call = z
  .object({
    ...summary,
    transcript: z
      .array(
        z.object({
          speaker: z.enum(["agent", "person"]),
          text: z.string(),
          atMs: z.number().nullable().meta({ description: "From the answer on" }),
        }),
      )
      .nullable(),
    analysis: z.record(z.string(), z.unknown()).nullable(),
  })
  .meta({ id: "Call" });
export type Call = z.infer<typeof Call>;

const summaryExample = {
  id: "cal_k3v9q2m8xa_31",
  task: "tsk_k3v9q2m8xa_2n",
  campaign: "cmp_k3v9q2m8xa_1",
  attempt: 1,
  status: "ended",
  agent: "agt_k3v9q2m8xa_p2d7f0w1zk",
  connection: "con_k3v9q2m8xa_u4n9e2s7qd",
  carrier: "simulator",
  carrierCallId: "sim_000031",
  from: "+918047112233",
  to: "+919876543210",
  startedAt: 1_764_576_000_000,
  placedAt: 1_764_576_000_120,
  ringingAt: 1_764_576_000_900,
  answeredAt: 1_764_576_006_000,
  endedAt: 1_764_576_041_000,
  durationMs: 35_000,
  outcome: "connected",
  word: "completed",
  reported: null,
  callbackAt: null,
  cost: 0.042,
  currency: "USD",
  recordingUrl: "https://outdial.example.com/v1/calls/cal_k3v9q2m8xa_31/recording",
};
const example = {
  ...summaryExample,
  transcript: [{ speaker: "agent", text: "Hello, is this Asha?", atMs: 0 }],
  analysis: { interested: true },
};

const id = idParam("call", example.id);
const page = {
  status: 200 as const,
  description: "One page",
  schema: pageOf(CallSummary),
  example: { items: [summaryExample], nextCursor: null },
};
const since = z.coerce.number().int().optional();
const lasted = z.coerce.number().int().min(0).optional();

export const callOperations = {
  "GET /v1/tasks/{id}/calls": operation({
    id: "listTaskCalls",
    tag: "Calls",
    summary: "List a task's calls",
    description: "All of them, first attempt first.",
    access: "see",
    params: idParam("task", "tsk_k3v9q2m8xa_2n"),
    reply: page,
    refusals: ["not_found"],
  }),
  "GET /v1/calls": operation({
    id: "listCalls",
    tag: "Calls",
    summary: "List calls",
    description: "Newest first; a change is at most a second behind.",
    access: "see",
    query: z.object({
      ...pageQuery,
      campaign: z.string().max(60).optional(),
      task: z.string().max(60).optional(),
      outcome: z.string().max(64).optional(),
      since: since.meta({ description: "Started at or after, epoch ms" }),
      until: since.meta({ description: "Started before, epoch ms" }),
      agent: z.string().max(60).optional().meta({ description: "Id of the agent" }),
      atLeastMs: lasted.meta({ description: "Time on the line, ms or longer" }),
      atMostMs: lasted.meta({ description: "Time on the line, ms or shorter" }),
    }),
    reply: page,
    refusals: ["invalid", "not_found"],
  }),
  "GET /v1/calls/{id}": operation({
    id: "readCall",
    tag: "Calls",
    summary: "Read a call",
    description: "With transcript, analysis and the carrier's own word (H32).",
    access: "see",
    params: id,
    reply: { status: 200, description: "The call", schema: Call, example },
    refusals: ["not_found"],
  }),
  "GET /v1/calls/{id}/recording": operation({
    id: "playRecording",
    tag: "Calls",
    summary: "Play a call's recording",
    description:
      "From the deployment's copy, if it keeps copies and has one, else passed through from the carrier; takes `Range`.",
    access: "see_personal",
    params: id,
    reply: {
      status: 200,
      description: "The recording, or 206 with a part of it",
      raw: { contentType: "audio/*", description: "As the carrier keeps it" },
    },
    refusals: ["not_found", "unavailable"],
  }),
};
