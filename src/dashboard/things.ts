import type { QueryOf, ReplyOf } from "../contract/wire.ts";

/*
 * What the API gives and takes, by the names that pages use.
 */

export type Campaign = ReplyOf<"GET /v1/campaigns/{id}">;
export type Task = ReplyOf<"GET /v1/tasks/{id}">;
export type TaskPage = ReplyOf<"GET /v1/campaigns/{id}/tasks">;
export type CallSummary = ReplyOf<"GET /v1/calls">["items"][number];
export type WholeCall = ReplyOf<"GET /v1/calls/{id}">;
export type Import = ReplyOf<"GET /v1/campaigns/{id}/imports">["items"][number];
export type Workspace = ReplyOf<"GET /v1/workspace">;
export type Agent = ReplyOf<"GET /v1/agents">["items"][number];
export type CallingNumber = ReplyOf<"GET /v1/numbers">["items"][number];
export type Me = ReplyOf<"GET /v1/me">;

export type TaskFilter = Omit<
  NonNullable<QueryOf<"GET /v1/campaigns/{id}/tasks">>,
  "limit" | "cursor"
>;

export type CallFilter = Omit<NonNullable<QueryOf<"GET /v1/calls">>, "limit" | "cursor">;
