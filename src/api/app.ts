import { Hono } from "hono";
import { HTTPException } from "hono/http-exception";
import * as agents from "./agents.ts";
import * as audit from "./audit.ts";
import * as calls from "./calls.ts";
import * as campaigns from "./campaigns.ts";
import * as connections from "./connections.ts";
import type { AppEnv, Ctx } from "./context.ts";
import * as deployment from "./deployment.ts";
import * as erasures from "./erasures.ts";
import { errorBody, onError, Refused } from "./errors.ts";
import { serveOrigins } from "./form-origins.ts";
import * as formPost from "./form-post.ts";
import * as formScript from "./form-script.ts";
import * as forms from "./forms.ts";
import { safeHeaders } from "./headers.ts";
import * as imports from "./imports.ts";
import * as invitations from "./invitations.ts";
import * as keys from "./keys.ts";
import * as live from "./live.ts";
import * as numbers from "./numbers.ts";
import * as overview from "./overview.ts";
import { servePages } from "./pages.ts";
import * as people from "./people.ts";
import * as recording from "./recording.ts";
import * as reports from "./reports.ts";
import * as reseal from "./reseal.ts";
import { type Site, serve } from "./serve.ts";
import { SIGN_IN_PATH } from "./sign-in.ts";
import * as signInRoutes from "./sign-in-routes.ts";
import * as suppressions from "./suppressions.ts";
import * as system from "./system.ts";
import * as tasks from "./tasks.ts";
import * as tasksCsv from "./tasks-csv.ts";
import * as templates from "./templates.ts";
import * as webhooks from "./webhooks.ts";
import * as workspaces from "./workspaces.ts";

/** The site map. Each route's description, access and schemas stand in `contract/`. */
const SITE: Site = {
  "POST /v1/workspaces": workspaces.create,
  "GET /v1/workspace": workspaces.read,
  "PATCH /v1/workspace": workspaces.edit,
  "DELETE /v1/workspace": workspaces.remove,

  "GET /v1/me": people.readMe,
  "DELETE /v1/me/workspaces/{id}": people.leave,
  "GET /v1/people": people.list,
  "PATCH /v1/people/{id}": people.edit,
  "DELETE /v1/people/{id}": people.removeFromWorkspace,

  "POST /v1/invitations": invitations.create,
  "GET /v1/invitations": invitations.list,
  "DELETE /v1/invitations/{id}": invitations.revoke,
  "GET /invitations/{token}": invitations.look,
  "POST /invitations/{token}": invitations.accept,

  "GET /v1/audit": audit.list,
  "GET /v1/audit.csv": audit.exportCsv,
  "POST /v1/erasures": erasures.create,

  "POST /v1/keys": keys.create,
  "GET /v1/keys": keys.list,
  "PATCH /v1/keys/{id}": keys.edit,
  "POST /v1/keys/{id}/roll": keys.roll,
  "DELETE /v1/keys/{id}": keys.remove,

  "POST /v1/connections": connections.create,
  "POST /v1/connections/reseal": reseal.resealSlice,
  "POST /v1/connections/{id}/test": connections.test,
  "GET /v1/connections": connections.list,
  "GET /v1/connections/{id}": connections.read,
  "PATCH /v1/connections/{id}": connections.edit,
  "DELETE /v1/connections/{id}": connections.remove,

  "GET /v1/templates": templates.list,
  "POST /v1/templates/preview": templates.preview,
  "POST /v1/templates/trial": templates.trial,

  "POST /v1/agents": agents.create,
  "GET /v1/agents": agents.list,
  "GET /v1/agents/{id}": agents.read,
  "PATCH /v1/agents/{id}": agents.edit,
  "DELETE /v1/agents/{id}": agents.remove,

  "POST /v1/numbers": numbers.create,
  "GET /v1/numbers": numbers.list,
  "GET /v1/numbers/{id}": numbers.read,
  "PATCH /v1/numbers/{id}": numbers.edit,
  "DELETE /v1/numbers/{id}": numbers.remove,

  "POST /v1/webhooks": webhooks.create,
  "GET /v1/webhooks": webhooks.list,
  "GET /v1/webhooks/{id}": webhooks.read,
  "PATCH /v1/webhooks/{id}": webhooks.edit,
  "DELETE /v1/webhooks/{id}": webhooks.remove,
  "POST /v1/webhooks/{id}/roll": webhooks.roll,
  "POST /v1/webhooks/{id}/test": webhooks.test,
  "GET /v1/deliveries": webhooks.deliveries,
  "POST /v1/deliveries/replay": webhooks.replay,
  "GET /v1/callbacks": webhooks.callbacks,

  "POST /v1/forms": forms.create,
  "GET /v1/forms": forms.list,
  "GET /v1/forms/{id}": forms.read,
  "PATCH /v1/forms/{id}": forms.edit,
  "DELETE /v1/forms/{id}": forms.remove,

  "POST /v1/suppressions": suppressions.create,
  "GET /v1/suppressions": suppressions.list,
  "DELETE /v1/suppressions/{phone}": suppressions.remove,

  "POST /v1/campaigns": campaigns.create,
  "GET /v1/campaigns": campaigns.list,
  "GET /v1/campaigns/{id}": campaigns.read,
  "PATCH /v1/campaigns/{id}": campaigns.edit,
  "POST /v1/campaigns/{id}/pause": campaigns.move("pause"),
  "POST /v1/campaigns/{id}/resume": campaigns.move("resume"),
  "POST /v1/campaigns/{id}/archive": campaigns.move("archive"),
  "GET /v1/campaigns/{id}/overview": overview.read,

  "POST /v1/campaigns/{id}/imports": imports.create,
  "GET /v1/campaigns/{id}/imports": imports.list,
  "GET /v1/campaigns/{id}/imports/{importId}": imports.read,
  "GET /v1/campaigns/{id}/imports/{importId}/rejected.csv": imports.downloadRejected,

  "POST /v1/tasks": tasks.create,
  "POST /v1/tasks/bulk": tasks.createMany,
  "GET /v1/tasks": tasks.list,
  "GET /v1/campaigns/{id}/tasks": tasks.listOfCampaign,
  "GET /v1/campaigns/{id}/tasks.csv": tasksCsv.exportCsv,
  "GET /v1/tasks/{id}": tasks.read,
  "POST /v1/tasks/{id}/pause": tasks.move("pause"),
  "POST /v1/tasks/{id}/resume": tasks.move("resume"),
  "POST /v1/tasks/{id}/archive": tasks.move("archive"),

  "GET /v1/tasks/{id}/calls": calls.listOfTask,
  "GET /v1/calls": calls.list,
  "GET /v1/calls/{id}": calls.read,
  "GET /v1/calls/{id}/recording": recording.play,

  // H39: what a client of the guide's product calls.
  "POST /routes/v1/tasks": tasks.create,
  "GET /routes/v1/tasks": tasks.list,
  "GET /routes/v1/tasks/{id}": tasks.read,
  "POST /routes/v1/campaigns": campaigns.createRealtime,
  "GET /routes/v1/campaigns": campaigns.list,
  "GET /routes/v1/campaigns/{id}": campaigns.read,
  "PATCH /routes/v1/campaigns/{id}": campaigns.edit,

  // H34
  "POST /v1/live": live.createTicket,
  "GET /v1/live": live.open,

  "POST /reports/{connection}": reports.receive,
  "POST /reports/{connection}/{call}": reports.receiveForCall,

  "POST /f/{id}": formPost.post,
  "GET /f/{id}": formPost.begin,
  "GET /form.js": formScript.script,
  "GET /demo/form": formScript.demo,

  "GET /setup": deployment.read,
  "POST /setup": deployment.setUp,

  "GET /healthz": system.health,
  "GET /openapi.json": system.description,
  "GET /docs": system.docs,
};

const REQUEST_ID = /^[\w.-]{8,64}$/;

/** The HTTP API: every request gets an id and one reading of the clock. */
export function makeApp(): Hono<AppEnv> {
  const app = new Hono<AppEnv>();
  app.use(async (c, next) => {
    const given = c.req.header("x-request-id") ?? "";
    const requestId = REQUEST_ID.test(given) ? given : crypto.randomUUID();
    c.set("requestId", requestId);
    c.set("now", Date.now());
    await next();
    c.res.headers.set("x-request-id", requestId);
  });
  app.use(safeHeaders());
  servePages(app);
  serveOrigins(app);
  serve(app, SITE);
  // better-auth's own routes, which docs/security.md lists: signing in and out, passwords, second factors.
  app.on(["GET", "POST"], `${SIGN_IN_PATH}/*`, signInRoutes.answer);
  app.notFound((c) => {
    const refusal = { code: "not_found", message: "There is no such route." };
    return c.json(errorBody(refusal, c.get("requestId")), 404);
  });
  app.onError((error, c: Ctx) => onError(malformed(error), c));
  return app;
}

/** The validator's own exception, for a body that is no JSON, as a refusal. */
function malformed(error: Error): Error {
  if (!(error instanceof HTTPException) || error.status !== 400) return error;
  return new Refused({ code: "invalid_json", message: "The body is not valid JSON." });
}

export default makeApp();
