import { env } from "cloudflare:test";
import { beforeAll, describe, expect, inject, it } from "vitest";
import { seal } from "../../src/carriers/seal.ts";
import type { WorkspaceId } from "../../src/core/ids.ts";
import {
  Browser,
  entriesOf,
  joins,
  mailed,
  member,
  PASSWORD,
  type Somebody,
} from "../support/workerd/people.ts";
import { endedCall, signedReport } from "../support/workerd/report.ts";
import {
  ask,
  type Json,
  made,
  mintWorkspace,
  pausedCampaign,
  poll,
  type Reply,
} from "../support/workerd/workspace.ts";
import { freshFor } from "./fresh.ts";
import { operations, requestOf } from "./requests.ts";
import { type Ids, type Lived, lived, PERSONAL } from "./world.ts";

/*
 * Every operation that can change something is done once, and its entry of the audit log is looked
 * for by the id of the request. A new one needs nothing here but an example that can be done.
 */

const TASK = "a task is its own record: when it came and as what; its key says when it was used";
const NOTHING = "changes nothing that is kept";
const CARRIER = "the carrier's: the call's record says what it has reported";
/** Operations without an entry, and why. */
const QUIET: Record<string, string> = {
  "POST /v1/tasks": TASK,
  "POST /v1/tasks/bulk": TASK,
  "POST /routes/v1/tasks": TASK,
  "POST /f/{id}": "a task is its own record, and has the consent with its page and address",
  "POST /v1/connections/{id}/test": NOTHING,
  "POST /v1/webhooks/{id}/test": NOTHING,
  "POST /v1/templates/preview": NOTHING,
  "POST /v1/templates/trial": NOTHING,
  "POST /v1/live": NOTHING,
  "POST /reports/{connection}": CARRIER,
  "POST /reports/{connection}/{call}": CARRIER,
};

let ours: Lived;
let owner: Somebody;
/** Done before all else: it is there only while nobody is. */
let setUp: Done;
let fresh: Record<string, () => Promise<Ids>>;

beforeAll(async () => {
  setUp = await firstOwner();
  ours = await lived(PERSONAL);
  owner = await member(ours, "owner");
  owner.browser.headers["x-workspace"] = ours.workspace;
  const another = (await mintWorkspace()).id as WorkspaceId;
  const first = freshFor(ours, another);
  const whole = Object.entries(first).map(([route, make]) => [
    route,
    () => make({ person: owner.id }),
  ]);
  fresh = { ...Object.fromEntries(whole), ...(await freshest()) };
}, 60_000);

async function firstOwner(): Promise<Done> {
  const { id } = await mintWorkspace();
  const who = { name: "First", email: "first@example.test", password: PASSWORD };
  const body = { token: env.SETUP_TOKEN, ...who, workspace: { id } };
  return { reply: await new Browser().ask("POST /setup", { body }), where: id };
}

/** What the walls need not have fresh, since they take a 409 for let through. */
async function freshest(): Promise<Record<string, () => Promise<Ids>>> {
  const { connection } = ours;
  const waits = { paused: false, startAfter: Date.now() + 86_400_000 };
  const open = () => pausedCampaign(ours, waits);
  const task = async () => {
    const phone = "+919876518001";
    return made(ours, "tasks", { campaign: await open(), phone });
  };
  const pausedTask = async () => {
    const id = await task();
    expect((await ours.ask(`POST /v1/tasks/${id}/pause`)).status).toBe(200);
    return id;
  };
  const campaign = async () => ({ campaigns: await open() });
  const settings = inject("carrier");
  return {
    "POST /v1/campaigns/{id}/pause": campaign,
    "PATCH /routes/v1/campaigns/{id}": campaign,
    "POST /v1/tasks/{id}/pause": async () => ({ tasks: await task() }),
    "POST /v1/tasks/{id}/resume": async () => ({ tasks: await pausedTask() }),
    "POST /v1/tasks/{id}/archive": async () => ({ tasks: await task() }),
    "DELETE /v1/agents/{id}": async () => ({
      agents: await made(ours, "agents", { name: "Unused", connection, carrierAgentId: "a" }),
    }),
    "DELETE /v1/numbers/{id}": async () => ({
      numbers: await made(ours, "numbers", { phone: "+918047112277", connection }),
    }),
    "DELETE /v1/connections/{id}": async () => ({
      connections: await made(ours, "connections", { name: "X", carrier: "simulator", settings }),
    }),
  };
}

/** A reply, and the workspace whose log must tell of it. */
type Done = { reply: Reply; where: string };
const admin = { authorization: `Bearer ${env.ADMIN_SECRET}` };

/** What the owner does not do, or not by the description's example. */
const SPECIAL: Record<string, () => Promise<Done>> = {
  "POST /v1/numbers": async () => {
    const body = { phone: "+918047112255", connection: ours.connection };
    const reply = await owner.browser.ask("POST /v1/numbers", { body });
    return { reply, where: ours.workspace };
  },
  "POST /v1/workspaces": async () => {
    const reply = await ask("POST /v1/workspaces", {
      body: { name: "A", slots: 1 },
      headers: admin,
    });
    return { reply, where: String(reply.json.id) };
  },
  "DELETE /v1/workspace": async () => {
    const workspace = await mintWorkspace();
    const reply = await workspace.ask("DELETE /v1/workspace", { body: { name: "Test" } });
    return { reply, where: workspace.id };
  },
  "POST /setup": async () => setUp,
  "POST /invitations/{token}": async () => {
    const email = "joins@example.test";
    const invited = await ours.ask("POST /v1/invitations", { body: { email, role: "viewer" } });
    expect(invited.status, invited.text).toBe(201);
    const body = { name: "Joins", password: PASSWORD };
    const reply = await new Browser().ask(`POST /invitations/${await mailed(email)}`, { body });
    return { reply, where: ours.workspace };
  },
  "POST /v1/connections/reseal": async () => {
    const { SEALING_KEY_2: _, ...before } = env as unknown as Record<string, string>;
    const sealed = await seal(before as never, JSON.stringify(inject("carrier")));
    const old = env.DB.prepare("UPDATE connections SET sealed = ? WHERE id = ?");
    await old.bind(sealed, ours.connection).run();
    const body = { key: 2, after: null };
    const reply = await ask("POST /v1/connections/reseal", { body, headers: admin });
    return { reply, where: ours.workspace };
  },
  "DELETE /v1/me/workspaces/{id}": async () => {
    const left = await mintWorkspace();
    await joins(owner, left.id, "viewer");
    const reply = await owner.browser.ask(`DELETE /v1/me/workspaces/${left.id}`);
    return { reply, where: left.id };
  },
  "POST /reports/{connection}": async () => {
    const report = await signedReport("call.ended", endedCall());
    const reply = await ask(`POST /reports/${ours.connection}`, report);
    return { reply, where: ours.workspace };
  },
  // Its address has a MAC; the same handler.
  "POST /reports/{connection}/{call}": () => doIt("POST /reports/{connection}"),
};

async function doIt(route: string): Promise<Done> {
  const special = SPECIAL[route];
  if (special !== undefined) return special();
  const operation = operations.find(([one]) => one === route)?.[1];
  if (operation === undefined) throw new Error(`no operation ${route}`);
  const ids = { ...ours.ids, ...(await fresh[route]?.()) };
  const { route: asked, headers, body } = requestOf(route, operation, ids);
  const raw = body === undefined ? {} : { raw: body };
  return { reply: await owner.browser.ask(asked, { headers, ...raw }), where: ours.workspace };
}

async function entriesFor({ reply, where }: Done): Promise<Json[]> {
  const id = reply.headers.get("x-request-id");
  return (await entriesOf(where)).filter((entry) => entry.request_id === id);
}

const changing = operations.map(([route]) => route).filter((route) => !route.startsWith("GET "));

describe("what changes something is in the audit log", () => {
  it.each(Object.entries(QUIET))("but not %s: %s", async (route) => {
    expect(changing).toContain(route);
    const done = await doIt(route);
    expect(done.reply.status, done.reply.text).toBeLessThan(300);
    // Longer than the Dialer gathers what its flush tells.
    await scheduler.wait(800);
    expect(await entriesFor(done)).toEqual([]);
  });

  it.each(changing.filter((route) => !(route in QUIET)))("%s", async (route) => {
    const done = await doIt(route);
    expect(done.reply.status, done.reply.text).toBeLessThan(300);
    const [entry, ...others] = await poll(
      async () => (await entriesFor(done)).filter(({ action }) => action !== "phone.read"),
      (entries) => entries.length > 0,
    );
    expect(others).toEqual([]);
    expect(entry).toMatchObject({
      action: expect.stringMatching(/^[a-z_]+\.[a-z_]+$/),
      actor_kind: expect.stringMatching(/^(person|key|deployment)$/),
      target_kind: expect.any(String),
    });
    if (entry?.actor_kind !== "deployment") expect(entry?.actor).toEqual(expect.any(String));
  });

  it("and never a secret, nor a whole number of somebody who is called", async () => {
    const { results } = await env.DB.prepare("SELECT * FROM audit").all();
    const text = JSON.stringify(results);
    expect(results.length).toBeGreaterThan(30);
    const { apiKey, reportSecret } = inject("carrier");
    const digits = [PERSONAL.phone, PERSONAL.suppressed].map((phone) => phone.slice(3));
    for (const secret of [apiKey, reportSecret, PASSWORD, ours.key, env.ADMIN_SECRET, ...digits]) {
      expect(text).not.toContain(secret);
    }
    expect(text).not.toMatch(/outdial_[a-z0-9]+_[a-z0-9]+_[a-z0-9]{32}|v2\.\d+\.[\w-]{20}|\+\d{9}/);
  });
});
