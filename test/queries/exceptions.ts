/*
 * Functions that do not take the workspace first, or take it from elsewhere than the request, each
 * with its reason. Whatever is not needed here any more fails the test, too.
 */

const SWEEP = "the clock's sweep over all workspaces; no request gets here";
export const OF_PERSON = "a person belongs to the deployment, not to a workspace";

/** In `src/db`: queries without a workspace. */
export const QUERIES: Record<string, string> = {
  "src/db/campaigns.ts liveWorkspaces": SWEEP,
  "src/db/imports.ts importsWithoutLife": SWEEP,
  "src/db/imports.ts touchImports": SWEEP,
  "src/db/imports.ts deleteRejectsBefore": SWEEP,
  "src/db/reports.ts deleteReportTextsBefore": SWEEP,
  "src/db/connections.ts listEveryConnection":
    "the deployment's change of its sealing key, by its admin secret",
  "src/db/members.ts listWorkspacesOf": "a person's own workspaces, found by the person",
};

/** Elsewhere: a Dialer or a workspace that is not the request's, and ways to D1 past `src/db`. */
export const WORKSPACES: Record<string, string> = {
  "src/api/auth.ts admitPerson": "the one place that lets a person in: checks the member next",
  "src/api/reports.ts accept": "the connection's id names it; the carrier's signature opens it",
  "src/api/system.ts health": "an object that belongs to nobody",
  "src/api/system.ts ": "only `SELECT 1`, to see whether D1 answers",
  "src/queues/watchdog.ts removeStopped": SWEEP,
  "src/api/sign-in.ts ": `better-auth's own tables: ${OF_PERSON}`,
  "src/dialer/object.ts outsideOf":
    "sends the Dialer's statements, which are read here by themselves",
  "src/dialer/object.ts prepare":
    "sends the Dialer's statements, which are read here by themselves",
  "src/shell/dialer.ts dialerOf": "the way to a Dialer itself",
};
