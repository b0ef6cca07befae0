import * as z from "zod";
import { days, hhmm, instant, instantOrNull, windowFields } from "./fields.ts";
import { operation, SETUP_BYTES_MAX } from "./operation.ts";

const name = z.string().trim().min(1).max(200);
export const SLOTS_MAX = 10_000;
const slots = z.int().min(1).max(SLOTS_MAX).meta({ description: "Calls at once (H23)" });
const retentionDays = z.int().min(1).max(3650).nullable().meta({
  description:
    "Days after a task's end at which its context, and its calls' transcripts, analyses and recording links are removed, at the latest two days later; null for never. Tasks, calls and counts stay",
});

export const WorkspaceBody = z
  .object({ name, slots: slots.default(10), ...windowFields })
  .meta({ id: "WorkspaceBody" });

export const WorkspaceEdit = z
  .object({
    name: name.optional(),
    slots: slots.optional(),
    ...windowFields,
    agent: z.string().nullable().optional().meta({ description: "Default agent; null for none" }),
    from: z
      .string()
      .nullable()
      .optional()
      .meta({ description: "Default calling number, as E.164 or by its id; null for none" }),
    retentionDays: retentionDays.optional(),
  })
  .meta({ id: "WorkspaceEdit" });

export const WorkspaceEnd = z
  .object({ name: name.meta({ description: "The workspace's name, as confirmation" }) })
  .meta({ id: "WorkspaceEnd" });

const workspace = {
  id: z.string(),
  name: z.string(),
  slots: z.int(),
  timezone: z.string(),
  start: hhmm("Opens"),
  end: hhmm("Closes"),
  days,
  agent: z.string().nullable().meta({ description: "Default agent" }),
  from: z.string().nullable().meta({ description: "Default calling number, E.164" }),
  fromId: z.string().nullable(),
  retentionDays,
  createdAt: instant("Created"),
};

/** A workspace with what goes on in it now. */
export const Workspace = z
  .object({
    ...workspace,
    slotsInUse: z.int(),
    waiting: z.int().meta({ description: "Tasks waiting, all campaigns together" }),
    eventsWaiting: z.int().meta({
      description: "Events on their way to receivers, without those that wait for another try",
    }),
    connections: z.array(
      z.object({
        id: z.string(),
        state: z.enum(["ok", "backing_off", "probing"]),
        suspended: z.boolean().meta({
          description:
            "The account is refused, or dials fail again and again: one dial at a time tries it, and its tasks keep their attempts",
        }),
        reason: z.string().nullable(),
        since: instantOrNull("In this state since"),
        until: instantOrNull("Next try"),
      }),
    ),
  })
  .meta({ id: "Workspace" });

const example = {
  id: "ws_k3v9q2m8xa",
  name: "Acme",
  slots: 10,
  timezone: "Asia/Kolkata",
  start: 1000,
  end: 2000,
  days: ["mon", "tue", "wed", "thu", "fri", "sat"],
  agent: null,
  from: null,
  fromId: null,
  retentionDays: 365,
  createdAt: 1_764_576_000_000,
};
const state = { slotsInUse: 3, waiting: 1204, eventsWaiting: 0, connections: [] };

export const workspaceOperations = {
  "POST /v1/workspaces": operation({
    id: "createWorkspace",
    tag: "Workspace",
    summary: "Create a workspace",
    description:
      "With the deployment's admin secret. The reply carries the first key, shown this once.",
    access: "admin",
    body: {
      schema: WorkspaceBody,
      bytesMax: SETUP_BYTES_MAX,
      example: { name: "Acme", slots: 10, timezone: "Asia/Kolkata", start: 1000, end: 2000 },
    },
    reply: {
      status: 201,
      description: "The workspace and its first key",
      schema: z.object({
        ...workspace,
        key: z.string().meta({ description: "Id of the first key" }),
        apiKey: z.string().meta({ description: "The key itself, shown this once" }),
      }),
      example: {
        ...example,
        key: "key_k3v9q2m8xa_b8m1v4x0cz",
        apiKey: "od_k3v9q2m8xa_b8m1v4x0cz_…",
      },
    },
    refusals: ["invalid"],
  }),
  "GET /v1/workspace": operation({
    id: "readWorkspace",
    tag: "Workspace",
    summary: "Read the workspace",
    description: "Of the key that asks: defaults, slots, and how many are in use now.",
    access: "see",
    reply: {
      status: 200,
      description: "The workspace",
      schema: Workspace,
      example: { ...example, ...state },
    },
    refusals: [],
  }),
  "PATCH /v1/workspace": operation({
    id: "editWorkspace",
    tag: "Workspace",
    summary: "Edit the workspace",
    description: "Slots count at once; defaults count for campaigns created from now on (H33).",
    access: "set_up",
    body: { schema: WorkspaceEdit, bytesMax: SETUP_BYTES_MAX, example: { slots: 25 } },
    reply: {
      status: 200,
      description: "The workspace after the edit",
      schema: Workspace,
      example: { ...example, slots: 25, ...state },
    },
    refusals: ["invalid"],
  }),
  "DELETE /v1/workspace": operation({
    id: "endWorkspace",
    tag: "Workspace",
    summary: "End the workspace",
    description:
      "For good, and at once: keys and people get in no more, live views are closed, everything that waits is archived. Calls in progress go on to their end; then all that the workspace had is removed, in the course of minutes to hours. The audit log goes with it, but for the entry of the end itself.",
    access: "own",
    body: { schema: WorkspaceEnd, bytesMax: SETUP_BYTES_MAX, example: { name: "Acme" } },
    reply: {
      status: 202,
      description: "The workspace has ended",
      schema: z.object({
        id: z.string(),
        endedAt: instant("Ended"),
        callsOpen: z
          .int()
          .nullable()
          .meta({ description: "Calls that go on; null while the Dialer could not be asked" }),
      }),
      example: { id: "ws_k3v9q2m8xa", endedAt: 1_764_576_000_000, callsOpen: 2 },
    },
    refusals: ["invalid", "not_found"],
  }),
};
