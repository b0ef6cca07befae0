import { equalConstantTime } from "../carriers/secret.ts";
import { ACCOUNTS } from "../contract/deployment.ts";
import type { OPERATIONS } from "../contract/operations.ts";
import { parseWorkspaceId, type WorkspaceId } from "../core/ids.ts";
import { refuse } from "../core/result.ts";
import { recordEntry } from "../db/audit.ts";
import { readCopies } from "../db/copies.ts";
import { brokeConstraint, database } from "../db/database.ts";
import { newMember } from "../db/members.ts";
import { closeSetup, isSetUp, newPerson } from "../db/people.ts";
import { findOldestWorkspace, insertWorkspace, readWorkspaceRow } from "../db/workspaces.ts";
import { checkOrigin } from "./auth.ts";
import type { Ctx } from "./context.ts";
import { entryOf } from "./entry.ts";
import { invalid, notFound, Refused } from "./errors.ts";
import { handOver } from "./hand-over.ts";
import { randomText } from "./key-text.ts";
import { limitAddress } from "./limits.ts";
import { hashNewPassword } from "./password.ts";
import type { Handler, Input } from "./serve.ts";
import { accountsOf, startSession } from "./sign-in.ts";
import { newWorkspaceRow } from "./workspaces.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      /** Makes the first owner, once; without it `/setup` is closed. */
      SETUP_TOKEN?: string;
    }
  }
}

export const read: Handler<"GET /setup"> = async (c) => {
  const open = await isOpen(c);
  const needsWorkspace = open && (await findOldestWorkspace(database(c.env))) === null;
  c.header("cache-control", "no-store");
  const offered = accountsOf(c.env);
  const accounts = ACCOUNTS.filter((one) => one in offered);
  return c.json({ open, needsWorkspace, accounts });
};

export const setUp: Handler<"POST /setup"> = async (c, { body }) => {
  checkOrigin(c);
  await limitAddress(c, "setup");
  // Closed for good: as a route that is not there.
  if (!(await isOpen(c))) throw notFound("route");
  if (!equalConstantTime(body.token, c.env.SETUP_TOKEN ?? "")) {
    throw new Refused(refuse("forbidden", "This is not the setup token."));
  }
  const db = database(c.env);
  const now = c.get("now");
  const { workspace, make } = await chooseWorkspace(c, body.workspace);
  const passwordHash = await hashNewPassword(c.env, body.password);
  const { name, email } = body;
  const id = randomText(20);
  c.set("person", { id, name, email });
  const deed = { action: "person.set_up", targetKind: "person", target: id };
  const entry = entryOf(c, { ...deed, after: { role: "owner" } });
  try {
    await db.batch([
      closeSetup(db, now),
      ...(make === null ? [] : [insertWorkspace(db, workspace, make)]),
      ...newPerson(db, { id, name, email, passwordHash }, now),
      newMember(db, { workspace, person: id, role: "owner", grants: [], createdAt: now }),
      recordEntry(db, workspace, entry),
    ]);
  } catch (error) {
    if (!brokeConstraint(error, "deployment")) throw error;
    throw new Refused(refuse("conflict", "Somebody was faster: it is set up already."));
  }
  if (make !== null) {
    const docs = await readCopies(db, workspace, [{ kind: "workspace", id: workspace }]);
    await handOver(c.env, workspace, docs);
  }
  await startSession(c, email, body.password);
  return c.json({ workspace, person: id }, 201);
};

async function isOpen(c: Ctx): Promise<boolean> {
  return (c.env.SETUP_TOKEN ?? "").length >= 16 && !(await isSetUp(database(c.env)));
}

type Wanted = Input<(typeof OPERATIONS)["POST /setup"]>["body"];

/** The workspace that the owner gets: one that is there, or one to be made. */
async function chooseWorkspace(
  c: Ctx,
  wanted: Wanted["workspace"],
): Promise<{ workspace: WorkspaceId; make: ReturnType<typeof newWorkspaceRow> | null }> {
  const db = database(c.env);
  if (wanted !== undefined && !("id" in wanted)) {
    const workspace = parseWorkspaceId(`ws_${randomText(10)}`);
    if (workspace === null) throw new Error("bug: a workspace id that is none");
    return { workspace, make: newWorkspaceRow(wanted, c.get("now")) };
  }
  if (wanted === undefined) {
    const oldest = await findOldestWorkspace(db);
    if (oldest !== null) return { workspace: oldest, make: null };
    const expected = "a name for the first workspace";
    throw invalid({ path: "workspace.name", expected, got: "nothing" });
  }
  const workspace = parseWorkspaceId(wanted.id);
  const row = workspace === null ? null : await readWorkspaceRow(db, workspace);
  if (workspace === null || row === null || row.deletedAt !== null) {
    const expected = "the id of a workspace that is there";
    throw invalid({ path: "workspace.id", expected, got: "an unknown id" });
  }
  return { workspace, make: null };
}
