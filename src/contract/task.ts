import * as z from "zod";
import { TASK_STATUSES } from "../core/task.ts";
import {
  callingFields,
  days,
  hhmm,
  idParam,
  instant,
  instantOrNull,
  masked,
  outcome,
  pageOf,
  pageQuery,
  readByCore,
  waiting,
  warnings,
} from "./fields.ts";
import { KB, MB, operation } from "./operation.ts";

/** Most tasks of one bulk push. */
export const BULK_TASKS_MAX = 1000;

/** What people push (H15–H17, H39). */
export const TaskBody = z
  .object({
    phone: readByCore<string>({
      type: "string",
      description: "Number to call, with + and its country code",
    }),
    campaign: readByCore<string>({ type: "string", description: "Id of a realtime campaign" }),
    ...callingFields,
    priorities: readByCore<number[] | null>({
      type: ["array", "null"],
      items: { type: "number" },
      description: "One for each attempt, 0–10,000, larger first (H17, H24)",
    }),
    priority: readByCore<number[] | null>({
      type: ["array", "null"],
      items: { type: "number" },
      description: "Another spelling of `priorities`",
    }),
    retries: readByCore<number | null>({
      type: ["integer", "null"],
      minimum: 0,
      maximum: 20,
      description: "Attempts in total; 0 reads as 1 (H16)",
    }),
    context: readByCore<Record<string, unknown> | null>({
      type: ["object", "null"],
      description: "Values for the agent's placeholders, at most 16 KB",
    }),
    externalId: readByCore<string | null>({
      type: ["string", "null"],
      maxLength: 200,
      description: "Your id: the same one in the same campaign is the same task (H9)",
    }),
    statusCallbackUrl: readByCore<string | null>({
      type: ["string", "null"],
      maxLength: 2000,
      description: "Where events of this task are told, besides the workspace's webhooks: https",
    }),
  })
  .meta({ id: "TaskBody" });

/** What the person agreed to who asked for the call by a form. */
const consent = z
  .object({
    form: z.string(),
    version: z.int(),
    text: z.string().meta({ description: "As it stood beside the box" }),
    at: instant("When the form was sent"),
    page: z.string().nullable().meta({ description: "Address of the page" }),
    address: z.string().nullable().meta({ description: "Network address of the sender" }),
    userAgent: z.string().nullable(),
  })
  .nullable();

const setting = <T extends z.ZodType>(value: T) =>
  z.object({ value, origin: z.enum(["task", "campaign"]) });

/** A task's configuration after inheritance, each value with its origin (H33). */
export const EffectiveSettings = z
  .object({
    agent: setting(z.string().nullable()),
    from: setting(z.string().nullable()),
    start: setting(hhmm("Opens")),
    end: setting(hhmm("Closes")),
    days: setting(days),
    timezone: setting(z.string()),
    startAfter: setting(instantOrNull("First dial not before")),
    endAfter: setting(instantOrNull("No dial from then on")),
    priorities: setting(z.array(z.number())),
    maxAttempts: setting(z.int()),
    intervals: setting(z.array(z.int())),
    retryOutcomes: setting(z.array(outcome)),
  })
  .meta({ id: "EffectiveSettings" });

/** A task as replies carry it. */
export const Task = z
  .object({
    id: z.string(),
    taskId: z.string().meta({ description: "The same as `id`" }),
    campaign: z.string(),
    status: z.enum(TASK_STATUSES),
    phone: z.string().meta({
      description:
        "E.164; for whoever may not see it only the country code and the last two digits; empty once it was erased",
    }),
    context: z.record(z.string(), z.unknown()),
    externalId: z.string().nullable(),
    import: z.string().nullable().meta({ description: "The import that brought it" }),
    attempts: z.int().meta({ description: "Attempts that were used" }),
    lastOutcome: outcome.nullable(),
    nextAttemptAt: instantOrNull("When the next attempt is due"),
    waiting,
    createdAt: instant("Accepted"),
    endedAt: instantOrNull("Completed or archived"),
    maxAttempts: z
      .int()
      .optional()
      .meta({ description: "Attempts in total; not in a push's reply" }),
    settings: EffectiveSettings.optional().meta({ description: "Not in a push's reply" }),
    consent: consent.optional().meta({
      description:
        "What the person agreed to who asked for the call by a form; null for other tasks, and for whoever may not see numbers. Only where one task is read",
    }),
    masked,
    statusCallbackUrl: z
      .string()
      .nullable()
      .meta({ description: "Where its events are told; only for whoever sees what is personal" }),
    warnings: warnings.optional().meta({ description: "In a push's reply (H16, H17, H24)" }),
  })
  .meta({ id: "Task" });
export type Task = z.infer<typeof Task>;

export const taskExample = {
  id: "tsk_k3v9q2m8xa_2n",
  taskId: "tsk_k3v9q2m8xa_2n",
  campaign: "cmp_k3v9q2m8xa_1",
  status: "queued",
  phone: "+919876543210",
  context: { name: "Asha" },
  externalId: null,
  import: null,
  attempts: 0,
  lastOutcome: null,
  nextAttemptAt: 1_764_576_000_000,
  waiting: { reason: "slots", until: null },
  createdAt: 1_764_576_000_000,
  endedAt: null,
  statusCallbackUrl: null,
};

const pushExample = {
  campaign: "cmp_k3v9q2m8xa_1",
  phone: "+919876543210",
  retries: 2,
  intervals: [180_000],
  context: { name: "Asha" },
};
const pushedExample = { ...taskExample, waiting: null, warnings: [] };
const id = idParam("task", taskExample.id);

const TaskPage = {
  status: 200 as const,
  description: "One page",
  schema: pageOf(Task),
  example: { items: [taskExample], nextCursor: null },
};
const filters = {
  ...pageQuery,
  status: z.enum(TASK_STATUSES).optional().meta({ description: "Effective status (H29)" }),
  outcome: z.string().max(64).optional().meta({ description: "Of the last attempt" }),
  phone: z.string().max(40).optional().meta({ description: "E.164" }),
  order: z
    .enum(["oldest", "newest"])
    .default("oldest")
    .meta({ description: "Which task comes first, by when it was accepted" }),
};

const move = (verb: string, id_: string, description: string) =>
  operation({
    id: id_,
    tag: "Tasks",
    summary: `${verb} a task`,
    description,
    access: "run",
    params: id,
    reply: {
      status: 200,
      description: "The task after the move",
      schema: Task,
      example: taskExample,
    },
    refusals: ["not_found", "conflict"],
  });

/** One answer of a bulk push. */
const Pushed = z.union([
  Task,
  z.object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      issues: z
        .array(z.object({ path: z.string(), expected: z.string(), got: z.string() }))
        .optional(),
    }),
  }),
]);

export const taskOperations = {
  "POST /v1/tasks": operation({
    id: "pushTask",
    tag: "Tasks",
    summary: "Push a task",
    description:
      "Everything but `phone` and `campaign` may be left out and is inherited (H17, H33). A 201 is durable. The same `Idempotency-Key` or `externalId` gives the same task again (H9).",
    access: "push",
    idempotent: true,
    body: { schema: TaskBody, bytesMax: 256 * KB, example: pushExample },
    reply: { status: 201, description: "The task", schema: Task, example: pushedExample },
    refusals: ["invalid", "not_found", "conflict", "idempotency_conflict", "full"],
  }),
  "POST /v1/tasks/bulk": operation({
    id: "pushTasks",
    tag: "Tasks",
    summary: "Push many tasks",
    description:
      "1 to 1,000 tasks, each answered at its index with the task or an error; a bad one does not keep the others out.",
    access: "push",
    idempotent: true,
    body: {
      schema: z.object({
        tasks: z
          .array(TaskBody)
          .min(1)
          .max(BULK_TASKS_MAX)
          .meta({ description: `1 to ${BULK_TASKS_MAX} create-task bodies` }),
      }),
      bytesMax: 21 * MB,
      example: { tasks: [pushExample] },
    },
    reply: {
      status: 201,
      description: "One entry for each task, in order",
      schema: z.object({
        items: z.array(Pushed),
        taken: z.int().meta({ description: "Tasks that are there now" }),
        refused: z.int(),
      }),
      example: { items: [pushedExample], taken: 1, refused: 0 },
    },
    refusals: ["invalid", "idempotency_conflict", "full"],
  }),
  "GET /v1/tasks": operation({
    id: "listTasks",
    tag: "Tasks",
    summary: "List tasks",
    description:
      "Of the whole workspace, or of one campaign; oldest first, unless `order` says else.",
    access: "see",
    query: z.object({ ...filters, campaign: z.string().max(60).optional() }),
    reply: TaskPage,
    refusals: ["invalid", "not_found"],
  }),
  "GET /v1/campaigns/{id}/tasks": operation({
    id: "listCampaignTasks",
    tag: "Tasks",
    summary: "List a campaign's tasks",
    description:
      "Oldest first, unless `order` says else; a change is at most a second behind. `waiting` is as the Dialer has it now.",
    access: "see",
    params: idParam("campaign", "cmp_k3v9q2m8xa_1"),
    query: z.object(filters),
    reply: TaskPage,
    refusals: ["invalid", "not_found"],
  }),
  "GET /v1/campaigns/{id}/tasks.csv": operation({
    id: "exportTasks",
    tag: "Tasks",
    summary: "Export a campaign's tasks",
    description:
      "A CSV with phone, context, status, attempts, and outcome and analysis of the last call. Cells that a spreadsheet would read as a formula get a leading '.",
    access: "see_personal",
    params: idParam("campaign", "cmp_k3v9q2m8xa_1"),
    reply: {
      status: 200,
      description: "The tasks",
      raw: { contentType: "text/csv", description: "UTF-8, one line for each task" },
    },
    refusals: ["not_found"],
  }),
  "GET /v1/tasks/{id}": operation({
    id: "readTask",
    tag: "Tasks",
    summary: "Read a task",
    description: "With its configuration after inheritance, each value with its origin (H33).",
    access: "see",
    params: id,
    reply: { status: 200, description: "The task", schema: Task, example: taskExample },
    refusals: ["not_found"],
  }),
  "POST /v1/tasks/{id}/pause": move("Pause", "pauseTask", "It waits until it is resumed (H31)."),
  "POST /v1/tasks/{id}/resume": move(
    "Resume",
    "resumeTask",
    "In a paused campaign this is a 409: resume the campaign (H31).",
  ),
  "POST /v1/tasks/{id}/archive": move("Archive", "archiveTask", "For good: no more attempts."),
};
