import type { QueryOf, ReplyOf } from "../contract/wire.ts";

/*
 * What the API gives and takes, by the names that pages use.
 */

export type Campaign = ReplyOf<"GET /v1/campaigns/{id}">;
export type Overview = ReplyOf<"GET /v1/campaigns/{id}/overview">;
export type Task = ReplyOf<"GET /v1/tasks/{id}">;
export type TaskPage = ReplyOf<"GET /v1/campaigns/{id}/tasks">;
export type CallSummary = ReplyOf<"GET /v1/calls">["items"][number];
export type WholeCall = ReplyOf<"GET /v1/calls/{id}">;
export type Import = ReplyOf<"GET /v1/campaigns/{id}/imports">["items"][number];
export type Workspace = ReplyOf<"GET /v1/workspace">;
export type Agent = ReplyOf<"GET /v1/agents">["items"][number];
export type CallingNumber = ReplyOf<"GET /v1/numbers">["items"][number];
export type Connection = ReplyOf<"GET /v1/connections">["items"][number];
export type Form = ReplyOf<"GET /v1/forms">["items"][number];
export type TemplatePreview = ReplyOf<"POST /v1/templates/preview">;
export type TemplateTrial = ReplyOf<"POST /v1/templates/trial">;
export type Suppression = ReplyOf<"GET /v1/suppressions">["items"][number];
export type Erasure = ReplyOf<"POST /v1/erasures">;
export type Person = ReplyOf<"GET /v1/people">["items"][number];
export type RemovedPerson = ReplyOf<"DELETE /v1/people/{id}">;
export type OpenInvitation = ReplyOf<"GET /v1/invitations">["items"][number];
export type Key = ReplyOf<"GET /v1/keys">["items"][number];
export type NewKey = ReplyOf<"POST /v1/keys">;
export type Webhook = ReplyOf<"GET /v1/webhooks/{id}">;
export type WebhookTest = ReplyOf<"POST /v1/webhooks/{id}/test">;
export type Delivery = ReplyOf<"GET /v1/deliveries">["items"][number];
export type Replayed = ReplyOf<"POST /v1/deliveries/replay">;
export type AuditEntry = ReplyOf<"GET /v1/audit">["items"][number];
/** A session as better-auth lists it. */
export type SignedIn = {
  token: string;
  createdAt: string;
  updatedAt: string;
  ipAddress?: string | null;
  userAgent?: string | null;
};
/** Where people may have an account that signs them in. */
export type Account = ReplyOf<"GET /setup">["accounts"][number];
export type Me = ReplyOf<"GET /v1/me">;

export type TaskFilter = Omit<
  NonNullable<QueryOf<"GET /v1/campaigns/{id}/tasks">>,
  "limit" | "cursor"
>;

export type CallFilter = Omit<NonNullable<QueryOf<"GET /v1/calls">>, "limit" | "cursor">;
