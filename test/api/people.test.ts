import { env } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import { MAY, PERMISSIONS, ROLES } from "../../src/core/access.ts";
import {
  entered,
  entriesOf,
  joins,
  member,
  signedIn,
  somebody,
} from "../support/workerd/people.ts";
import { codeOf, itemsOf, type Json, mintWorkspace } from "../support/workerd/workspace.ts";

const keysOf = (reply: { json: Json }) => (reply.json.keys as Json[]).map((key) => key.id);

describe("who is signed in", () => {
  it.each(ROLES)("sees as %s what the table says", async (role) => {
    const workspace = await mintWorkspace({ name: "Acme" });
    const { browser, id, email } = await member(workspace, role);
    const me = await browser.ask("GET /v1/me");
    const permissions = PERMISSIONS.filter((one) => MAY[one][role] === "yes");
    expect(me.json).toEqual({
      id,
      name: "Somebody",
      email,
      secondFactor: false,
      workspaces: [{ id: workspace.id, name: "Acme", role, permissions }],
    });
  });

  it("is asked to sign in, and a key is nobody", async () => {
    const workspace = await mintWorkspace();
    expect((await workspace.ask("GET /v1/me")).status).toBe(401);
  });

  it("names a workspace where there are several, and gets none of others", async () => {
    const [first, second, foreign] = [
      await mintWorkspace({ name: "First" }),
      await mintWorkspace({ name: "Second" }),
      await mintWorkspace({ name: "Foreign" }),
    ];
    const { id, browser } = await member(first, "viewer");
    expect((await browser.ask("GET /v1/workspace")).json.name).toBe("First");
    await joins({ id }, second.id, "viewer");
    expect((await browser.ask("GET /v1/workspace")).status).toBe(422);
    const in_ = (workspace: string) =>
      browser.ask("GET /v1/workspace", { headers: { "x-workspace": workspace } });
    expect((await in_(second.id)).json.name).toBe("Second");
    const other = await in_(foreign.id);
    const none = await in_("ws_nothinghere");
    expect([other.status, codeOf(other)]).toEqual([404, "not_found"]);
    expect({ ...other.json, requestId: "" }).toEqual({ ...none.json, requestId: "" });
  });
});

describe("people of a workspace", () => {
  it("are listed page by page, with role and grants", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const viewer = await member(workspace, "viewer", ["see_personal"]);
    await member(await mintWorkspace(), "owner");
    const first = await owner.browser.ask("GET /v1/people?limit=1");
    const second = await owner.browser.ask(
      `GET /v1/people?limit=1&cursor=${first.json.nextCursor}`,
    );
    const all = [...itemsOf(first), ...itemsOf(second)];
    expect(all.map(({ id, role, grants }) => ({ id, role, grants })).sort(byId)).toEqual(
      [
        { id: owner.id, role: "owner", grants: [] },
        { id: viewer.id, role: "viewer", grants: ["see_personal"] },
      ].sort(byId),
    );
    expect(second.json.nextCursor).toBe(null);
  });

  it.each(["viewer", "operator"] as const)("are none of a %s's business", async (role) => {
    const workspace = await mintWorkspace();
    const other = await member(workspace, "viewer");
    const { browser } = await member(workspace, role);
    for (const route of ["GET /v1/people", `DELETE /v1/people/${other.id}`]) {
      expect(codeOf(await browser.ask(route)), route).toBe("forbidden");
    }
    const edit = await browser.ask(`PATCH /v1/people/${other.id}`, { body: { role: "admin" } });
    expect(codeOf(edit)).toBe("forbidden");
  });

  it("get another role by an admin, at once, and it is written down", async () => {
    const workspace = await mintWorkspace();
    const admin = await member(workspace, "admin");
    const viewer = await member(workspace, "viewer");
    const body = { name: "Asha", agent: null };
    expect((await viewer.browser.ask("PATCH /v1/workspace", { body })).status).toBe(403);
    const edit = { role: "admin", grants: ["see_personal"] };
    const reply = await admin.browser.ask(`PATCH /v1/people/${viewer.id}`, { body: edit });
    expect(reply.json).toMatchObject({ id: viewer.id, ...edit });
    expect((await viewer.browser.ask("PATCH /v1/workspace", { body })).status).toBe(200);
    const [entry] = await entered(workspace.id, "person.edit");
    expect(entry).toMatchObject({ actor_kind: "person", actor: admin.id, target: viewer.id });
    expect(JSON.parse(String(entry?.before))).toEqual({ role: "viewer", grants: [] });
    expect(JSON.parse(String(entry?.after))).toEqual(edit);
  });

  it("of another workspace look like nobody", async () => {
    const { browser } = await member(await mintWorkspace(), "owner");
    const stranger = await member(await mintWorkspace(), "viewer");
    for (const id of [stranger.id, "nobody"]) {
      const body = { role: "admin" };
      expect((await browser.ask(`PATCH /v1/people/${id}`, { body })).status).toBe(404);
      expect((await browser.ask(`DELETE /v1/people/${id}`)).status).toBe(404);
    }
    expect((await stranger.browser.ask("GET /v1/workspace")).status).toBe(200);
  });

  it("are made, changed and removed as owners by owners alone", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    await member(workspace, "owner");
    const admin = await member(workspace, "admin");
    const viewer = await member(workspace, "viewer");
    const edit = (one: { id: string }, role: string) =>
      admin.browser.ask(`PATCH /v1/people/${one.id}`, { body: { role } });
    expect(codeOf(await edit(viewer, "owner"))).toBe("forbidden");
    expect(codeOf(await edit(admin, "owner"))).toBe("forbidden");
    expect(codeOf(await edit(owner, "viewer"))).toBe("forbidden");
    expect(codeOf(await admin.browser.ask(`DELETE /v1/people/${owner.id}`))).toBe("forbidden");
    const body = { role: "owner" };
    const made = await owner.browser.ask(`PATCH /v1/people/${viewer.id}`, { body });
    expect(made.json.role).toBe("owner");
  });
});

describe("the last owner", () => {
  it("is not demoted, removed or let go, and nothing is written down", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    await member(workspace, "admin");
    const before = await entriesOf(workspace.id);
    const { browser, id } = owner;
    const demoted = await browser.ask(`PATCH /v1/people/${id}`, { body: { role: "admin" } });
    const removed = await browser.ask(`DELETE /v1/people/${id}`);
    const left = await browser.ask(`DELETE /v1/me/workspaces/${workspace.id}`);
    for (const reply of [demoted, removed, left]) {
      expect([reply.status, codeOf(reply)]).toEqual([409, "conflict"]);
    }
    const mine = (entries: Json[]) =>
      entries.filter((entry) => String(entry.action).startsWith("person."));
    expect(mine(await entriesOf(workspace.id))).toEqual(mine(before));
    expect((await browser.ask("GET /v1/me")).json.workspaces).toHaveLength(1);
  });

  it("stays, whoever is faster: of two owners who remove each other one is left", async () => {
    for (let round = 0; round < 5; round++) {
      const workspace = await mintWorkspace();
      const pair = [await member(workspace, "owner"), await member(workspace, "owner")] as const;
      const [a, b] = pair;
      await Promise.all([
        a.browser.ask(`DELETE /v1/people/${b.id}`),
        b.browser.ask(`PATCH /v1/people/${a.id}`, { body: { role: "viewer" } }),
        a.browser.ask(`DELETE /v1/me/workspaces/${workspace.id}`),
        b.browser.ask(`DELETE /v1/me/workspaces/${workspace.id}`),
      ]);
      expect(await ownersOf(workspace.id)).toBe(1);
    }
  });
});

describe("a removed person", () => {
  it("is refused by the very next request, with the same session", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const viewer = await member(workspace, "viewer");
    const asViewer = (route: string) =>
      viewer.browser.ask(route, { headers: { "x-workspace": workspace.id } });
    expect((await asViewer("GET /v1/workspace")).status).toBe(200);
    expect((await owner.browser.ask(`DELETE /v1/people/${viewer.id}`)).status).toBe(200);
    for (const route of ["GET /v1/workspace", "GET /v1/campaigns", "GET /v1/people"]) {
      expect((await asViewer(route)).status, route).toBe(404);
    }
    // Still somebody, only no longer there.
    expect((await viewer.browser.ask("GET /v1/me")).json.workspaces).toEqual([]);
    const [entry] = await entered(workspace.id, "person.remove");
    expect(entry).toMatchObject({ actor: owner.id, target: viewer.id });
    expect(JSON.parse(String(entry?.before))).toEqual({ role: "viewer", grants: [] });
  });

  it("leaves keys behind, which the reply names", async () => {
    const workspace = await mintWorkspace();
    const owner = await member(workspace, "owner");
    const admin = await member(workspace, "admin");
    await env.DB.prepare("UPDATE keys SET created_by = ? WHERE id = ?")
      .bind(admin.id, workspace.keyId)
      .run();
    const removed = await owner.browser.ask(`DELETE /v1/people/${admin.id}`);
    expect(removed.json).toMatchObject({ id: admin.id });
    expect(keysOf(removed)).toEqual([workspace.keyId]);
    expect(removed.text).not.toContain(workspace.key);
    expect((await workspace.ask("GET /v1/workspace")).status).toBe(200);
  });

  it("leaves by themselves, whatever the role", async () => {
    const workspace = await mintWorkspace();
    const viewer = await member(workspace, "viewer");
    const left = await viewer.browser.ask(`DELETE /v1/me/workspaces/${workspace.id}`);
    expect(left.json).toEqual({ id: viewer.id, keys: [] });
    expect((await viewer.browser.ask("GET /v1/workspace")).status).toBe(404);
    const again = await viewer.browser.ask(`DELETE /v1/me/workspaces/${workspace.id}`);
    expect(again.status).toBe(404);
    expect(await entered(workspace.id, "person.leave")).toHaveLength(1);
  });

  it("of a workspace that has ended is in it no more", async () => {
    const workspace = await mintWorkspace();
    const one = await somebody();
    await joins(one, workspace.id, "owner");
    await signedIn(one);
    await env.DB.prepare("UPDATE workspaces SET deleted_at = 1 WHERE id = ?")
      .bind(workspace.id)
      .run();
    expect((await one.browser.ask("GET /v1/workspace")).status).toBe(404);
  });
});

async function ownersOf(workspace: string): Promise<number> {
  const sql = "SELECT COUNT(*) AS count FROM members WHERE workspace = ? AND role = 'owner'";
  return (await env.DB.prepare(sql).bind(workspace).first<number>("count")) ?? 0;
}

function byId(a: Json, b: Json): number {
  return String(a.id).localeCompare(String(b.id));
}
