/*
 * Functions that do not take the workspace first, or take it from elsewhere than the request, each
 * with its reason. Whatever is not needed here any more fails the test, too.
 */

const SWEEP = "the clock's sweep over all workspaces; no request gets here";
export const OF_PERSON = "a person belongs to the deployment, not to a workspace";

/** In `src/db`: queries without a workspace. */
export const QUERIES: Record<string, string> = {
  "src/db/campaigns.ts liveWorkspaces": SWEEP,
  "src/db/endings.ts endedWorkspaces": SWEEP,
  "src/db/retention.ts retainedWorkspaces": SWEEP,
  "src/db/recordings.ts workspacesToCopy": SWEEP,
  "src/db/imports.ts importsWithoutLife": SWEEP,
  "src/db/imports.ts touchImports": SWEEP,
  "src/db/imports.ts deleteRejectsBefore": SWEEP,
  "src/db/reports.ts deleteReportTextsBefore": SWEEP,
  "src/db/deliveries.ts overdueReceivers": SWEEP,
  "src/db/deliveries.ts workspacesWithReceivers": SWEEP,
  "src/db/webhooks.ts listEveryWebhook":
    "the deployment's change of its sealing key, by its admin secret",
  "src/db/connections.ts listEveryConnection":
    "the deployment's change of its sealing key, by its admin secret",
  "src/db/forms.ts listEverySealedForm":
    "the deployment's change of its sealing key, by its admin secret",
  "src/db/forms.ts findFormNamed":
    "the local demo's page: any workspace's, where the deployment is reached without TLS",
  "src/db/members.ts listWorkspacesOf": "a person's own workspaces, found by the person",
  "src/db/members.ts newMember": "takes a row, its workspace in it",
  "src/db/members.ts changeMember": "takes a row that was read by its workspace",
  "src/db/members.ts removeMember": "takes a row that was read by its workspace",
  "src/db/invitations.ts isInvited": "whether anybody invited an address that comes from elsewhere",
  "src/db/invitations.ts acceptInvitation": "takes a row that was opened by its token",
  "src/db/workspaces.ts findOldestWorkspace": "the first owner's, by the deployment's setup token",
};

/** Elsewhere: a Dialer or a workspace that is not the request's, and ways to D1 past `src/db`. */
export const WORKSPACES: Record<string, string> = {
  "src/api/auth.ts admitPerson": "the one place that lets a person in: checks the member next",
  "src/api/deployment.ts setUp": "the first owner's, by the deployment's setup token",
  "src/api/deployment.ts chooseWorkspace": "the first owner's, by the deployment's setup token",
  "src/api/form-of.ts openForm": "the form's id names it: a form is open to whoever has its page",
  "src/api/form-post.ts push": "the form's own, read by its id; its origins are checked before",
  "src/api/invitations.ts look": "the invitation's, opened by its token",
  "src/api/invitations.ts accept": "the invitation's, opened by its token",
  "src/api/invitations.ts find": "the token names it; its hash opens it",
  "src/api/people.ts leave": "a person's own: the member is looked up in it next",
  "src/api/live.ts readTicket": "the ticket's own, by its MAC",
  "src/api/live.ts open": "the ticket's own, by its MAC",
  "src/api/reports.ts accept": "the connection's id names it; the carrier's signature opens it",
  "src/api/system.ts health": "an object that belongs to nobody",
  "src/api/system.ts ": "only `SELECT 1`, to see whether D1 answers",
  "src/queues/watchdog.ts removeStopped": SWEEP,
  "src/queues/watchdog.ts retain": SWEEP,
  "src/queues/watchdog.ts forgetDeliveries": SWEEP,
  "src/queues/events.ts ": "a message's own: the Dialer or the clock has sent it",
  "src/api/sign-in.ts ": `better-auth's own tables: ${OF_PERSON}`,
  "src/dialer/object.ts outsideOf":
    "sends the Dialer's statements, which are read here by themselves",
  "src/dialer/object.ts prepare":
    "sends the Dialer's statements, which are read here by themselves",
  "src/shell/dialer.ts dialerOf": "the way to a Dialer itself",
  "src/shell/live.ts openLive": "the way to a Dialer itself",
};
