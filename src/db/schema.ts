import { sql } from "drizzle-orm";
import {
  index,
  integer,
  primaryKey,
  sqliteTable,
  sqliteView,
  text,
  uniqueIndex,
} from "drizzle-orm/sqlite-core";
import type { Permission, Role } from "../core/access.ts";
import { ACTOR_KINDS } from "../core/audit.ts";
import type { ConsentText, FormSettings } from "../core/form.ts";
import { type BadRow, IMPORT_STATUSES, type ImportOptions, type Rejected } from "../core/import.ts";
import type { Warning } from "../core/result.ts";
import { DELIVERY_STATUSES, WEBHOOK_SHAPES } from "../core/webhook.ts";

/*
 * D1 owns what people set up; `campaigns`, `tasks`, `calls` and `call_texts` are the Dialer's
 * stored projection and are written by its flush alone. Instants are epoch ms.
 *
 * Every set-up row has the workspace's `config_version` at its last change as `version`; a
 * deletion is a change too (`deleted_at`), so that a Dialer which missed it can catch up.
 * Local keys of what the Dialer owns are integers; `core/ids.ts` makes public ids of them.
 */

export const workspaces = sqliteTable(
  "workspaces",
  {
    id: text("id").primaryKey(),
    name: text("name").notNull(),
    slots: integer("slots").notNull(),
    timezone: text("timezone").notNull(),
    opensMin: integer("opens_min").notNull(),
    closesMin: integer("closes_min").notNull(),
    days: integer("days").notNull(),
    agent: text("agent"),
    from: text("from_number"),
    /** Rises with every change of the workspace or of anything set up in it. */
    configVersion: integer("config_version").notNull(),
    /** `config_version` at the last change of this row itself. */
    version: integer("version").notNull(),
    createdAt: integer("created_at").notNull(),
    /** Days after which contexts and what was said are removed from finished tasks, or null for never. */
    retentionDays: integer("retention_days"),
    /** The task at which retention goes on. */
    retentionTask: integer("retention_task").notNull().default(0),
    /** When it goes on: 0 for at once. */
    retentionAt: integer("retention_at").notNull().default(0),
    /** The call behind which recordings are copied next, where a bucket is bound. */
    recordingsCall: integer("recordings_call").notNull().default(0),
    /** When they were copied last. */
    recordingsAt: integer("recordings_at").notNull().default(0),
    /** Its end: nobody gets in any more, and what it had is removed in slices. */
    deletedAt: integer("deleted_at"),
    /** Nothing of it is left but this row and the entry of its end. */
    removedAt: integer("removed_at"),
  },
  (t) => [
    index("workspaces_by_retention").on(t.retentionAt).where(sql`retention_days IS NOT NULL`),
    index("workspaces_to_remove")
      .on(t.deletedAt)
      .where(sql`deleted_at IS NOT NULL AND removed_at IS NULL`),
  ],
);

/** Columns that every set-up table has. */
const setUp = {
  workspace: text("workspace").notNull(),
  version: integer("version").notNull(),
  createdAt: integer("created_at").notNull(),
  deletedAt: integer("deleted_at"),
};

export const keys = sqliteTable(
  "keys",
  {
    id: text("id").primaryKey(),
    ...setUp,
    name: text("name").notNull(),
    /** First letters of the key, to tell keys apart. */
    prefix: text("prefix").notNull(),
    hash: text("hash").notNull(),
    scopes: text("scopes", { mode: "json" }).$type<string[]>().notNull(),
    expiresAt: integer("expires_at"),
    /** The only campaign that it may push into, by its local key, or null for all. */
    campaign: integer("campaign"),
    /** Id of the person or key that made it, or null for keys older than that. */
    createdBy: text("created_by"),
    /** To the hour. */
    lastUsedAt: integer("last_used_at"),
    /** The key in whose stead it came. */
    replaces: text("replaces"),
  },
  (t) => [index("keys_by_version").on(t.workspace, t.version)],
);

export const connections = sqliteTable(
  "connections",
  {
    id: text("id").primaryKey(),
    ...setUp,
    name: text("name").notNull(),
    carrier: text("carrier").notNull(),
    sealed: text("sealed").notNull(),
    lengthMaxMs: integer("length_max_ms").notNull(),
    /** Calls started in 1,000 s, or null for no pace. */
    perThousandSeconds: integer("per_thousand_seconds"),
    callsMax: integer("calls_max"),
  },
  (t) => [index("connections_by_version").on(t.workspace, t.version)],
);

export const agents = sqliteTable(
  "agents",
  {
    id: text("id").primaryKey(),
    ...setUp,
    name: text("name").notNull(),
    connection: text("connection").notNull(),
    carrierAgentId: text("carrier_agent_id").notNull(),
    prompt: text("prompt"),
    placeholders: text("placeholders", { mode: "json" }).$type<string[]>().notNull(),
    outcomes: text("outcomes", { mode: "json" })
      .$type<{ name: string; suppress: boolean }[]>()
      .notNull(),
    usesCallback: integer("uses_callback", { mode: "boolean" }).notNull(),
    settings: text("settings", { mode: "json" }).$type<Record<string, unknown>>().notNull(),
  },
  (t) => [index("agents_by_version").on(t.workspace, t.version)],
);

export const numbers = sqliteTable(
  "numbers",
  {
    id: text("id").primaryKey(),
    ...setUp,
    phone: text("phone").notNull(),
    name: text("name"),
    connection: text("connection").notNull(),
    carrierNumberId: text("carrier_number_id"),
  },
  (t) => [index("numbers_by_version").on(t.workspace, t.version)],
);

/** H40. An entry made by an outcome has version 0 until a person touches it: the Dialer knows it already. */
export const suppressions = sqliteTable(
  "suppressions",
  {
    ...setUp,
    phone: text("phone").notNull(),
    reason: text("reason"),
    source: text("source").notNull(),
    expiresAt: integer("expires_at"),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.phone] }),
    index("suppressions_by_version").on(t.workspace, t.version),
  ],
);

export const imports = sqliteTable(
  "imports",
  {
    /** Local parts grow with time: the newest import has the largest id. */
    id: text("id").primaryKey(),
    workspace: text("workspace").notNull(),
    campaign: integer("campaign").notNull(),
    fileName: text("file_name"),
    /** `uploading` → `running` → `completed` | `failed`; or `uploading` → `abandoned` → gone. */
    status: text("status", { enum: IMPORT_STATUSES }).notNull(),
    options: text("options", { mode: "json" }).$type<ImportOptions>().notNull(),
    /** Cells of the file's first line, as they came. */
    header: text("header", { mode: "json" }).$type<string[]>().notNull(),
    missingPlaceholders: text("missing_placeholders", { mode: "json" }).$type<string[]>().notNull(),
    warnings: text("warnings", { mode: "json" }).$type<Warning[]>().notNull(),
    rows: integer("rows").notNull(),
    rowsRead: integer("rows_read").notNull(),
    rowsTaken: integer("rows_taken").notNull(),
    parts: integer("parts").notNull(),
    /** Parts whose result is in this row. */
    partsDone: integer("parts_done").notNull(),
    rejected: text("rejected", { mode: "json" }).$type<Rejected>().notNull(),
    /** Why it waits (H41), or why it failed. */
    note: text("note"),
    createdAt: integer("created_at").notNull(),
    /** Its last sign of life. */
    progressAt: integer("progress_at").notNull(),
    completedAt: integer("completed_at"),
  },
  (t) => [
    index("imports_by_campaign").on(t.workspace, t.campaign, t.id),
    index("imports_by_status").on(t.status, t.progressAt),
  ],
);

/** A `Part` of an upload: whole rows, at most 1 MB; deleted when the import is complete. */
export const importChunks = sqliteTable(
  "import_chunks",
  {
    import: text("import").notNull(),
    part: integer("part").notNull(),
    /** Rows of people who were not erased: an erasure makes it smaller. */
    rows: integer("rows").notNull(),
    body: text("body").notNull(),
  },
  (t) => [primaryKey({ columns: [t.import, t.part] })],
);

/** H7: rejected rows, some hundred in one row, in the order of the file; deleted after 30 days. */
export const importRejects = sqliteTable(
  "import_rejects",
  {
    import: text("import").notNull(),
    firstLine: integer("first_line").notNull(),
    createdAt: integer("created_at").notNull(),
    rows: text("rows", { mode: "json" }).$type<BadRow[]>().notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.import, t.firstLine] }),
    index("import_rejects_by_age").on(t.createdAt),
  ],
);

/** Report bodies too large for a queue message; deleted once they were read. */
export const reportBodies = sqliteTable("report_bodies", {
  id: text("id").primaryKey(),
  workspace: text("workspace").notNull(),
  createdAt: integer("created_at").notNull(),
  body: text("body").notNull(),
});

/** Words of a carrier's for a call's end that its adapter has no meaning for; `id` is connection and word. */
export const unknownWords = sqliteTable(
  "unknown_words",
  {
    id: text("id").primaryKey(),
    workspace: text("workspace").notNull(),
    connection: text("connection").notNull(),
    word: text("word").notNull(),
    count: integer("count").notNull(),
    lastAt: integer("last_at").notNull(),
  },
  (t) => [index("unknown_words_by_connection").on(t.workspace, t.connection)],
);

/** Where events go that a workspace wants to hear of. */
export const webhooks = sqliteTable(
  "webhooks",
  {
    id: text("id").primaryKey(),
    ...setUp,
    name: text("name").notNull(),
    url: text("url").notNull(),
    /** Types of events that it wants. */
    events: text("events", { mode: "json" }).$type<string[]>().notNull(),
    /** Whether transcript and analysis go along. */
    texts: integer("texts", { mode: "boolean" }).notNull(),
    shape: text("shape", { enum: WEBHOOK_SHAPES }).notNull(),
    /** The signing secret, sealed, and the one before it until `oldUntil`. */
    sealed: text("sealed").notNull(),
    sealedOld: text("sealed_old"),
    oldUntil: integer("old_until"),
    /** Switched off, by a person or because it failed for too long; null while it is on. */
    offAt: integer("off_at"),
    offReason: text("off_reason"),
  },
  (t) => [index("webhooks_by_version").on(t.workspace, t.version)],
);

/**
 * What became of an event at one receiver: `target` is a webhook's id, or the origin of a task's own
 * address. Made WITHOUT ROWID by its migration: one row written for one delivery.
 */
export const deliveries = sqliteTable(
  "deliveries",
  {
    workspace: text("workspace").notNull(),
    target: text("target").notNull(),
    /** The event's number: it grows with time. */
    sequence: integer("sequence").notNull(),
    /** `webhook-id`: the same whenever the event is sent again. */
    event: text("event").notNull(),
    type: text("type").notNull(),
    task: integer("task"),
    call: integer("call"),
    url: text("url").notNull(),
    /** The event as JSON, without transcript and analysis: these are added as it is sent. */
    body: text("body").notNull(),
    status: text("status", { enum: DELIVERY_STATUSES }).notNull(),
    attempts: integer("attempts").notNull(),
    createdAt: integer("created_at").notNull(),
    /** Its three days begin with it: the event's time, or that of a replay. */
    since: integer("since").notNull(),
    lastAt: integer("last_at"),
    /** When it is tried next, while it waits. */
    nextAt: integer("next_at"),
    /** HTTP status of the last answer, or null when none came. */
    code: integer("code"),
    /** What the receiver said, or what went wrong; cut. */
    answer: text("answer"),
    tookMs: integer("took_ms"),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.target, t.sequence] }),
    index("deliveries_due").on(t.workspace, t.target, t.nextAt).where(sql`next_at IS NOT NULL`),
    index("deliveries_failed").on(t.workspace, t.target, t.sequence).where(sql`status = 'failed'`),
  ],
);

/** How receivers answer, and when they are looked at next: webhooks, and origins of tasks' own addresses. */
export const receivers = sqliteTable(
  "receivers",
  {
    workspace: text("workspace").notNull(),
    /** As `deliveries.target`. */
    target: text("target").notNull(),
    /** The first failure since the last success, or null while it answers well. */
    failingSince: integer("failing_since"),
    /** Failures since then. */
    failures: integer("failures").notNull(),
    /** When what waits for it is tried next; before, nothing is sent while it fails. Null when nothing waits. */
    dueAt: integer("due_at"),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.target] }),
    index("receivers_due").on(t.dueAt).where(sql`due_at IS NOT NULL`),
  ],
);

/** Forms of websites, each bound to one realtime campaign: what `POST /f/{id}` takes, and from where. */
export const forms = sqliteTable(
  "forms",
  {
    id: text("id").primaryKey(),
    ...setUp,
    name: text("name").notNull(),
    /** Local key of the campaign that its tasks are pushed to. */
    campaign: integer("campaign").notNull(),
    /** All else that a person sets. */
    settings: text("settings", { mode: "json" }).$type<FormSettings>().notNull(),
    /** Texts of consent that pages may still show, the newest last. */
    consents: text("consents", { mode: "json" }).$type<ConsentText[]>().notNull(),
    /** Turnstile's secret, sealed, or null without it. */
    sealed: text("sealed"),
  },
  (t) => [index("forms_by_workspace").on(t.workspace, t.id)],
);

export const campaigns = sqliteTable(
  "campaigns",
  {
    workspace: text("workspace").notNull(),
    id: integer("id").notNull(),
    name: text("name").notNull(),
    type: text("type").notNull(),
    /** Without pauses and ends of tasks; `task_status` does the rest. */
    status: text("status").notNull(),
    settings: text("settings").notNull(),
    paused: integer("paused").notNull(),
    epoch: integer("epoch").notNull(),
    startsAt: integer("starts_at"),
    createdAt: integer("created_at").notNull(),
    startedAt: integer("started_at"),
    completedAt: integer("completed_at"),
    archivedAt: integer("archived_at"),
    counters: text("counters").notNull(),
    version: integer("version").notNull(),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.id] })],
);

export const tasks = sqliteTable(
  "tasks",
  {
    workspace: text("workspace").notNull(),
    id: integer("id").notNull(),
    campaign: integer("campaign").notNull(),
    import: text("import"),
    phone: text("phone").notNull(),
    context: text("context").notNull(),
    /** Own settings as JSON, or null where all is inherited. */
    settings: text("settings"),
    /** Own terminal status, or null: the view knows the effective one. */
    ended: text("ended"),
    /** The campaign's epoch in which it was paused singly (H31), or null. */
    held: integer("held"),
    attempts: integer("attempts").notNull(),
    lastOutcome: text("last_outcome"),
    dueAt: integer("due_at"),
    externalId: text("external_id"),
    createdAt: integer("created_at").notNull(),
    endedAt: integer("ended_at"),
    version: integer("version").notNull(),
    /** What a person agreed to who asked for the call, as JSON, or null. */
    consent: text("consent"),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index("tasks_by_campaign").on(t.workspace, t.campaign, t.id),
  ],
);

export const calls = sqliteTable(
  "calls",
  {
    workspace: text("workspace").notNull(),
    id: integer("id").notNull(),
    task: integer("task").notNull(),
    campaign: integer("campaign").notNull(),
    attempt: integer("attempt").notNull(),
    status: text("status").notNull(),
    /** 0 while the task still waits for what this call brings: such a task is `running`. */
    concluded: integer("concluded").notNull(),
    agent: text("agent").notNull(),
    connection: text("connection").notNull(),
    carrier: text("carrier").notNull(),
    carrierCallId: text("carrier_call_id"),
    from: text("from_phone").notNull(),
    to: text("to_phone").notNull(),
    claimedAt: integer("claimed_at").notNull(),
    placedAt: integer("placed_at"),
    ringingAt: integer("ringing_at"),
    answeredAt: integer("answered_at"),
    endedAt: integer("ended_at"),
    talkMs: integer("talk_ms"),
    outcome: text("outcome"),
    word: text("word"),
    reported: text("reported"),
    callbackAt: integer("callback_at"),
    costMicros: integer("cost_micros"),
    currency: text("currency"),
    recordingUrl: text("recording_url"),
    version: integer("version").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    /** Of a campaign, and of one of its tasks: written once a call, never changed. */
    index("calls_by_campaign").on(t.workspace, t.campaign, t.task),
    index("calls_by_carrier").on(t.connection, t.carrierCallId),
  ],
);

/** Apart from `calls`, so that lists do not read them. */
export const callTexts = sqliteTable(
  "call_texts",
  {
    workspace: text("workspace").notNull(),
    call: integer("call").notNull(),
    transcript: text("transcript"),
    analysis: text("analysis"),
  },
  (t) => [primaryKey({ columns: [t.workspace, t.call] })],
);

/** Recordings that could not be copied yet: gone once they are, or once they are given up. */
export const recordingRetries = sqliteTable(
  "recording_retries",
  {
    workspace: text("workspace").notNull(),
    call: integer("call").notNull(),
    /** How often it was tried. */
    tries: integer("tries").notNull(),
    nextAt: integer("next_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.call] }),
    index("recording_retries_due").on(t.workspace, t.nextAt),
  ],
);

/** Everything set up in a workspace, in the shape of the Dialer's copies: a view at the end of the migration. */
export const copies = sqliteView("copies", {
  workspace: text("workspace").notNull(),
  kind: text("kind").notNull(),
  id: text("id").notNull(),
  version: integer("version").notNull(),
  /** JSON, or null for a tombstone. */
  doc: text("doc"),
}).existing();

/*
 * People. The first five tables are better-auth's, in its shapes; it alone writes them, but for a
 * person's first row. A person is of the deployment, not of a workspace: `members` ties them.
 */
const date = (name: string) => integer(name, { mode: "timestamp_ms" });

export const people = sqliteTable("people", {
  id: text("id").primaryKey(),
  name: text("name").notNull(),
  /** Lower case. */
  email: text("email").notNull().unique(),
  emailVerified: integer("email_verified", { mode: "boolean" }).notNull(),
  image: text("image"),
  twoFactorEnabled: integer("two_factor_enabled", { mode: "boolean" }),
  createdAt: date("created_at").notNull(),
  updatedAt: date("updated_at").notNull(),
});

export const sessions = sqliteTable(
  "sessions",
  {
    id: text("id").primaryKey(),
    expiresAt: date("expires_at").notNull(),
    token: text("token").notNull().unique(),
    createdAt: date("created_at").notNull(),
    updatedAt: date("updated_at").notNull(),
    ipAddress: text("ip_address"),
    userAgent: text("user_agent"),
    userId: text("person").notNull(),
  },
  (t) => [index("sessions_by_person").on(t.userId)],
);

/** Ways to sign in: a password, or an account elsewhere. */
export const accounts = sqliteTable(
  "accounts",
  {
    id: text("id").primaryKey(),
    accountId: text("account_id").notNull(),
    providerId: text("provider_id").notNull(),
    userId: text("person").notNull(),
    accessToken: text("access_token"),
    refreshToken: text("refresh_token"),
    idToken: text("id_token"),
    accessTokenExpiresAt: date("access_token_expires_at"),
    refreshTokenExpiresAt: date("refresh_token_expires_at"),
    scope: text("scope"),
    /** Hashed by scrypt. */
    password: text("password"),
    createdAt: date("created_at").notNull(),
    updatedAt: date("updated_at").notNull(),
  },
  (t) => [index("accounts_by_person").on(t.userId)],
);

/** Tokens of mails and of steps between two requests. */
export const verifications = sqliteTable(
  "verifications",
  {
    id: text("id").primaryKey(),
    identifier: text("identifier").notNull(),
    value: text("value").notNull(),
    expiresAt: date("expires_at").notNull(),
    createdAt: date("created_at").notNull(),
    updatedAt: date("updated_at").notNull(),
  },
  (t) => [index("verifications_by_identifier").on(t.identifier)],
);

export const secondFactors = sqliteTable(
  "second_factors",
  {
    id: text("id").primaryKey(),
    /** Encrypted by the deployment's secret, as the recovery codes are. */
    secret: text("secret").notNull(),
    backupCodes: text("backup_codes").notNull(),
    userId: text("person").notNull(),
    verified: integer("verified", { mode: "boolean" }),
    failedVerificationCount: integer("failed_verification_count"),
    lockedUntil: date("locked_until"),
  },
  (t) => [index("second_factors_by_person").on(t.userId)],
);

export const members = sqliteTable(
  "members",
  {
    workspace: text("workspace").notNull(),
    person: text("person").notNull(),
    role: text("role").$type<Role>().notNull(),
    /** What a viewer was given by name (`MAY` says "grant"). */
    grants: text("grants", { mode: "json" }).$type<Permission[]>().notNull(),
    createdAt: integer("created_at").notNull(),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.person] }),
    index("members_by_person").on(t.person),
  ],
);

export const invitations = sqliteTable(
  "invitations",
  {
    id: text("id").primaryKey(),
    workspace: text("workspace").notNull(),
    /** Lower case; only a person with this address can accept. */
    email: text("email").notNull(),
    role: text("role").$type<Role>().notNull(),
    grants: text("grants", { mode: "json" }).$type<Permission[]>().notNull(),
    /** SHA-256 of the token in the mail, hex. */
    hash: text("hash").notNull(),
    createdBy: text("created_by").notNull(),
    createdAt: integer("created_at").notNull(),
    expiresAt: integer("expires_at").notNull(),
    acceptedAt: integer("accepted_at"),
    revokedAt: integer("revoked_at"),
  },
  (t) => [
    uniqueIndex("invitations_by_hash").on(t.hash),
    index("invitations_by_workspace").on(t.workspace, t.id),
    index("invitations_by_email").on(t.email),
  ],
);

/** Tries to sign in, to reset, to invite: what the platform's own limits do not count. */
export const attempts = sqliteTable(
  "attempts",
  {
    /** A keyed hash of what is counted: addresses of strangers are not kept. */
    key: text("key").primaryKey(),
    count: integer("count").notNull(),
    since: integer("since").notNull(),
  },
  (t) => [index("attempts_by_age").on(t.since)],
);

/** One row once the first owner is there: `/setup` is closed for good. */
export const deployment = sqliteTable("deployment", {
  /** Always 1. */
  id: integer("id").primaryKey(),
  setUpAt: integer("set_up_at").notNull(),
});

/** Append-only: who did what, on what, when. Written with the change that it records. */
export const audit = sqliteTable(
  "audit",
  {
    workspace: text("workspace").notNull(),
    /** Local parts grow with time: the newest entry has the largest id. */
    id: text("id").notNull(),
    at: integer("at").notNull(),
    actorKind: text("actor_kind", { enum: ACTOR_KINDS }).notNull(),
    /** Id of the person or key; null for the deployment and outdial itself. */
    actor: text("actor"),
    action: text("action").notNull(),
    targetKind: text("target_kind"),
    target: text("target"),
    /** What changed, as JSON objects with the same fields; never a secret or a whole number. */
    before: text("before"),
    after: text("after"),
    /** Address that the request came from. */
    ip: text("ip"),
    requestId: text("request_id"),
  },
  (t) => [
    primaryKey({ columns: [t.workspace, t.id] }),
    index("audit_by_actor").on(t.workspace, t.actor, t.id),
    index("audit_by_target").on(t.workspace, t.target, t.id),
  ],
);
