import type { Permission, Role, Scope } from "../../src/core/access.ts";

/*
 * What is promised, written down by hand a second time: an edit of `core/access.ts`, or of one
 * operation's `access`, must be made here too.
 */

type May = "yes" | "grant" | "no";

/** The table, a row for each permission. */
export const PROMISED: Record<Permission, Record<Role, May>> = {
  see: { viewer: "yes", operator: "yes", admin: "yes", owner: "yes" },
  see_personal: { viewer: "grant", operator: "yes", admin: "yes", owner: "yes" },
  push: { viewer: "no", operator: "yes", admin: "yes", owner: "yes" },
  run: { viewer: "no", operator: "yes", admin: "yes", owner: "yes" },
  set_up: { viewer: "no", operator: "no", admin: "yes", owner: "yes" },
  govern: { viewer: "no", operator: "no", admin: "yes", owner: "yes" },
  own: { viewer: "no", operator: "no", admin: "no", owner: "yes" },
};

export const PROMISED_SCOPES: Record<Scope, Permission[]> = {
  "*": ["see", "see_personal", "push", "run", "set_up", "govern", "own"],
  "tasks:write": ["push"],
  read: ["see", "see_personal"],
  "campaigns:write": ["push", "run"],
  admin: ["see", "see_personal", "push", "run", "set_up", "govern"],
};

/** All that is there for anybody. */
export const PUBLIC = [
  /^\/healthz$/,
  /^\/openapi\.json$/,
  /^\/docs$/,
  /^\/api\/auth\/\*$/,
  /^\/setup$/,
  /^\/invitations\/\{token\}(\/[a-z]+)?$/,
  /^\/reports\//,
  /^\/f\/\{id\}$/,
  /^\/form\.js$/,
  /^\/demo\/form$/,
];

export type Needs = Permission | "open" | "carrier" | "ticket" | "admin" | "person";

/** What each operation asks for. A new one needs its line. */
export const NEEDS: Record<string, Needs> = {
  "POST /v1/workspaces": "admin",
  "GET /v1/workspace": "see",
  "PATCH /v1/workspace": "set_up",
  // Its example names another workspace: whoever may end it is told that this is not its name.
  "DELETE /v1/workspace": "own",

  "GET /v1/audit": "govern",
  "GET /v1/audit.csv": "govern",
  "POST /v1/erasures": "govern",

  "GET /v1/me": "person",
  "DELETE /v1/me/workspaces/{id}": "person",
  "GET /v1/people": "govern",
  "PATCH /v1/people/{id}": "govern",
  "DELETE /v1/people/{id}": "govern",

  "POST /v1/invitations": "govern",
  "GET /v1/invitations": "govern",
  "DELETE /v1/invitations/{id}": "govern",
  "GET /invitations/{token}": "open",
  "POST /invitations/{token}": "open",

  "GET /setup": "open",
  "POST /setup": "open",

  "POST /v1/keys": "govern",
  "GET /v1/keys": "govern",
  "PATCH /v1/keys/{id}": "govern",
  "POST /v1/keys/{id}/roll": "govern",
  "DELETE /v1/keys/{id}": "govern",

  "POST /v1/webhooks": "set_up",
  "GET /v1/webhooks": "set_up",
  "GET /v1/webhooks/{id}": "set_up",
  "PATCH /v1/webhooks/{id}": "set_up",
  "DELETE /v1/webhooks/{id}": "set_up",
  "POST /v1/webhooks/{id}/roll": "set_up",
  "POST /v1/webhooks/{id}/test": "set_up",
  "GET /v1/deliveries": "set_up",
  "POST /v1/deliveries/replay": "set_up",
  "GET /v1/callbacks": "set_up",

  "POST /v1/connections": "set_up",
  "POST /v1/connections/reseal": "admin",
  "POST /v1/connections/{id}/test": "set_up",
  "GET /v1/connections": "see",
  "GET /v1/connections/{id}": "see",
  "PATCH /v1/connections/{id}": "set_up",
  "DELETE /v1/connections/{id}": "set_up",

  "GET /v1/templates": "see",
  "POST /v1/templates/preview": "set_up",
  "POST /v1/templates/trial": "set_up",

  "POST /v1/agents": "set_up",
  "GET /v1/agents": "see",
  "GET /v1/agents/{id}": "see",
  "PATCH /v1/agents/{id}": "set_up",
  "DELETE /v1/agents/{id}": "set_up",

  "POST /v1/numbers": "set_up",
  "GET /v1/numbers": "see",
  "GET /v1/numbers/{id}": "see",
  "PATCH /v1/numbers/{id}": "set_up",
  "DELETE /v1/numbers/{id}": "set_up",

  "POST /v1/forms": "set_up",
  "GET /v1/forms": "see",
  "GET /v1/forms/{id}": "see",
  "PATCH /v1/forms/{id}": "set_up",
  "DELETE /v1/forms/{id}": "set_up",
  // Whoever fills in a form is nobody; its origins are looked at by test/api/forms.test.ts.
  "POST /f/{id}": "open",
  "GET /f/{id}": "open",
  "GET /form.js": "open",
  "GET /demo/form": "open",

  "POST /v1/suppressions": "run",
  "GET /v1/suppressions": "see_personal",
  "DELETE /v1/suppressions/{phone}": "run",

  "POST /v1/campaigns": "run",
  "GET /v1/campaigns": "see",
  "GET /v1/campaigns/{id}": "see",
  "GET /v1/campaigns/{id}/overview": "see",
  "PATCH /v1/campaigns/{id}": "run",
  "POST /v1/campaigns/{id}/pause": "run",
  "POST /v1/campaigns/{id}/resume": "run",
  "POST /v1/campaigns/{id}/archive": "run",

  "POST /v1/campaigns/{id}/imports": "run",
  "GET /v1/campaigns/{id}/imports": "see",
  "GET /v1/campaigns/{id}/imports/{importId}": "see",
  "GET /v1/campaigns/{id}/imports/{importId}/rejected.csv": "see_personal",

  "POST /v1/tasks": "push",
  "POST /v1/tasks/bulk": "push",
  "GET /v1/tasks": "see",
  "GET /v1/campaigns/{id}/tasks": "see",
  "GET /v1/campaigns/{id}/tasks.csv": "see_personal",
  "GET /v1/tasks/{id}": "see",
  "POST /v1/tasks/{id}/pause": "run",
  "POST /v1/tasks/{id}/resume": "run",
  "POST /v1/tasks/{id}/archive": "run",

  "GET /v1/tasks/{id}/calls": "see",
  "GET /v1/calls": "see",
  "GET /v1/calls/{id}": "see",
  "GET /v1/calls/{id}/recording": "see_personal",

  "POST /routes/v1/tasks": "push",
  "GET /routes/v1/tasks": "see",
  "GET /routes/v1/tasks/{id}": "see",
  "POST /routes/v1/campaigns": "run",
  "GET /routes/v1/campaigns": "see",
  "GET /routes/v1/campaigns/{id}": "see",
  "PATCH /routes/v1/campaigns/{id}": "run",

  "POST /v1/live": "see",
  "GET /v1/live": "ticket",

  "POST /reports/{connection}": "carrier",
  "POST /reports/{connection}/{call}": "carrier",

  "GET /healthz": "open",
  "GET /openapi.json": "open",
  "GET /docs": "open",
};
