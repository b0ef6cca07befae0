import { env } from "cloudflare:test";
import { expect, inject } from "vitest";
import { newKeyText, randomText } from "../../src/api/key-text.ts";
import { signIn } from "../../src/api/sign-in.ts";
import type { Permission, Role, Scope } from "../../src/core/access.ts";
import { localKey, makeId, type WorkspaceId } from "../../src/core/ids.ts";
import { database } from "../../src/db/database.ts";
import {
  accounts,
  calls,
  callTexts,
  deliveries,
  invitations,
  keys,
  members,
  people,
} from "../../src/db/schema.ts";
import { completed, imported, pausedBatch } from "../support/workerd/imports.ts";
import { made, mintCallingWorkspace, pausedCampaign } from "../support/workerd/workspace.ts";
import { ask, ORIGIN, watched } from "./ask.ts";

/** What nobody may see who may not see numbers and what was said. */
export const PERSONAL = {
  phone: "+919876512345",
  suppressed: "+919876519999",
  context: "Canarywala",
  transcript: "canaries sing in the morning",
};
type Personal = typeof PERSONAL;
/** What the other workspace has in the same places. */
export const OTHERS: Personal = {
  phone: "+919876522222",
  suppressed: "+919876523333",
  context: "Sparrowwala",
  transcript: "sparrows do not",
};
const PASSWORD = "a long and quiet password 7";

/** Ids of one workspace, by the word that paths have for them. */
export type Ids = Record<string, string>;
type Calling = Awaited<ReturnType<typeof mintCallingWorkspace>>;
export type Lived = Calling & { ids: Ids; workspace: WorkspaceId };

/** A workspace in which everything is there once. */
export async function lived(personal: Personal): Promise<Lived> {
  const calling = await mintCallingWorkspace();
  const workspace = calling.id as WorkspaceId;
  const campaign = await pausedCampaign(calling);
  const task = await made(calling, "tasks", {
    campaign,
    phone: personal.phone,
    context: { name: personal.context },
  });
  const batch = await pausedBatch(calling);
  const csv = `phone,name\n${personal.phone},${personal.context}\n12,${personal.context}\n`;
  const taken = await imported(calling, batch, csv);
  await completed(calling, batch, String(taken.id));
  const call = await insertCall(calling, campaign, task, personal);
  const form = await made(calling, "forms", {
    name: "Call me back",
    campaign,
    consentText: "You may call me.",
    withoutOrigin: true,
    origins: [ORIGIN],
  });
  const webhook = await insertWebhook(calling);
  const suppression = { phone: personal.suppressed, reason: "asked" };
  const entered = await calling.ask("POST /v1/suppressions", { body: suppression });
  expect(entered.status, entered.text).toBe(201);
  const ids = {
    connections: calling.connection,
    agents: calling.agent,
    numbers: calling.from,
    campaigns: campaign,
    batches: batch,
    tasks: task,
    calls: call,
    imports: String(taken.id),
    keys: calling.keyId,
    forms: form,
    webhooks: webhook,
    f: form,
    suppressions: personal.suppressed,
    people: (await newcomer(workspace)).id,
    invitations: await insertInvitation(workspace),
    workspaces: workspace,
  };
  return { ...calling, workspace, ids };
}

/** A webhook with a delivery that failed. */
async function insertWebhook(calling: Calling): Promise<string> {
  const workspace = calling.id as WorkspaceId;
  const id = await made(calling, "webhooks", {
    name: "CRM",
    url: `${inject("receiver")}/${workspace}`,
    // Nothing of what these tests do.
    events: ["connection.resumed"],
  });
  await database(env)
    .insert(deliveries)
    .values({
      workspace,
      target: id,
      sequence: 1,
      event: "con_a_b-resumed-1",
      type: "connection.resumed",
      url: `${inject("receiver")}/${workspace}`,
      body: "{}",
      status: "failed",
      attempts: 1,
      createdAt: Date.now(),
      since: Date.now(),
    });
  return id;
}

/** A call with all that is personal, which has left the Dialer. */
async function insertCall(
  { id, agent, connection }: Calling,
  campaign: string,
  task: string,
  personal: Personal,
) {
  const workspace = id as WorkspaceId;
  const db = database(env);
  await db.insert(calls).values({
    workspace,
    id: 1000,
    task: localKey("tsk", workspace, task) ?? 0,
    campaign: localKey("cmp", workspace, campaign) ?? 0,
    attempt: 1,
    status: "ended",
    concluded: 1,
    agent,
    connection,
    carrier: "simulator",
    from: "+918047112233",
    to: personal.phone,
    claimedAt: 1_764_576_000_000,
    outcome: "connected",
    // No address of the simulator's: the carrier is asked, and does not answer.
    recordingUrl: "http://outdial.test/nowhere",
    version: 1,
  });
  await db.insert(callTexts).values({
    workspace,
    call: 1000,
    transcript: JSON.stringify([{ speaker: "agent", text: personal.transcript, atMs: 0 }]),
    analysis: JSON.stringify({ said: personal.transcript }),
  });
  return `cal_${workspace.slice(3)}_${(1000).toString(36)}`;
}

/** A viewer whom nothing else needs. */
export async function newcomer(workspace: WorkspaceId): Promise<Somebody> {
  const one = await person("newcomer");
  await join(workspace, one, "viewer");
  return one;
}

/** An open invitation, whose mail nobody has. */
export async function insertInvitation(workspace: WorkspaceId): Promise<string> {
  const local = randomText(10);
  const id = makeId("inv", workspace, local);
  await database(env)
    .insert(invitations)
    .values({
      id,
      workspace,
      email: `${local}@example.com`,
      role: "viewer",
      grants: [],
      hash: local.repeat(6).slice(0, 64),
      createdBy: "nobody",
      createdAt: Date.now(),
      expiresAt: Date.now() + 86_400_000,
    });
  return id;
}

/** Somebody who can sign in. */
export type Somebody = { id: string; email: string };

let hashed: Promise<string> | null = null;

/** A person with a password, as a sign-up leaves one. */
export async function person(name: string): Promise<Somebody> {
  hashed ??= signIn(watched.env).$context.then((context) => context.password.hash(PASSWORD));
  const id = `walls-${name}-${randomText(8)}`;
  const email = `${id}@example.com`;
  const now = new Date();
  const dates = { createdAt: now, updatedAt: now };
  const db = database(env);
  await db.insert(people).values({ id, name, email, emailVerified: true, ...dates });
  const password = await hashed;
  const account = { accountId: id, providerId: "credential", userId: id, password };
  await db.insert(accounts).values({ id: `account-${id}`, ...account, ...dates });
  return { id, email };
}

export async function join(
  workspace: WorkspaceId,
  { id }: Somebody,
  role: Role,
  grants: Permission[] = [],
): Promise<void> {
  await database(env)
    .insert(members)
    .values({ workspace, person: id, role, grants, createdAt: Date.now() });
}

let addresses = 0;

/** The cookie of a new session. */
export async function cookieOf({ email }: Somebody): Promise<string> {
  addresses += 1;
  const reply = await ask("POST /api/auth/sign-in/email", {
    headers: {
      "content-type": "application/json",
      origin: ORIGIN,
      "cf-connecting-ip": `198.51.100.${addresses}`,
    },
    body: JSON.stringify({ email, password: PASSWORD }),
  });
  expect(reply.status, reply.text).toBe(200);
  return reply.headers
    .getSetCookie()
    .map((one) => one.split(";")[0])
    .join("; ");
}

/** A key of D1 alone, as it may have been made long ago. */
export async function storedKey(
  workspace: WorkspaceId,
  scopes: Scope[],
  more: { expiresAt?: number; campaign?: number } = {},
): Promise<{ id: string; text: string }> {
  const { id, text, prefix, hash } = await newKeyText(env.SIGNING_SECRET, workspace);
  const row = { id, workspace, name: "Walls", prefix, hash, scopes, version: 1, createdAt: 1 };
  await database(env)
    .insert(keys)
    .values({ ...row, ...more });
  return { id, text };
}
