import { env } from "cloudflare:test";
import Papa from "papaparse";
import { describe, expect, it } from "vitest";
import { type Entry, makeAuditId } from "../../src/core/audit.ts";
import type { WorkspaceId } from "../../src/core/ids.ts";
import { noteEntry } from "../../src/db/audit.ts";
import { database } from "../../src/db/database.ts";
import { imported, pausedBatch } from "../support/workerd/imports.ts";
import { entered, entriesOf, member } from "../support/workerd/people.ts";
import {
  itemsOf,
  type Json,
  made,
  mintCallingWorkspace,
  mintWorkspace,
  pathsOf,
  pausedCampaign,
  type Workspace,
} from "../support/workerd/workspace.ts";

const PHONE = "+919876540001";
const list = (workspace: Pick<Workspace, "ask">, query = "") =>
  workspace.ask(`GET /v1/audit${query}`);

async function actionsOf(workspace: Pick<Workspace, "ask">, query: string): Promise<unknown[]> {
  const reply = await list(workspace, query);
  expect(reply.status, reply.text).toBe(200);
  return itemsOf(reply).map(({ action }) => action);
}

/** An entry as another time has left it. */
async function entry(workspace: Workspace, more: Partial<Entry>): Promise<void> {
  const origin = { actorKind: "outdial" as const, actor: null, ip: null, requestId: null };
  const deed = { action: "test.one", targetKind: null, target: null };
  const whole = { ...origin, ...deed, at: Date.now(), ...more };
  await noteEntry(database(env), workspace.id as WorkspaceId, whole);
}

describe("GET /v1/audit", () => {
  it("says who did what to what, before and after, newest first", async () => {
    const workspace = await mintWorkspace();
    const { id, browser } = await member(workspace, "admin");
    browser.headers["cf-connecting-ip"] = "203.0.113.7";
    await browser.ask("PATCH /v1/workspace", { body: { slots: 25 } });
    const key = await made(workspace, "keys", { name: "Shop", scopes: ["read"] });
    await entered(workspace.id, "session.start");
    const items = itemsOf(await list(browser)).filter(({ action }) => action !== "session.start");
    expect(items).toMatchObject([
      {
        action: "key.create",
        target: key,
        actor: { kind: "key", id: workspace.keyId, name: "First key" },
        before: null,
        after: { name: "Shop", scopes: ["read"] },
        ip: null,
      },
      {
        action: "workspace.edit",
        actor: { kind: "person", id, name: "Somebody" },
        targetKind: "workspace",
        target: workspace.id,
        before: { slots: 10 },
        after: { slots: 25 },
        ip: "203.0.113.7",
      },
      { action: "workspace.create", actor: { kind: "deployment", id: null, name: null } },
    ]);
    const edit = items[1] as { before: Json; at: number };
    expect([Object.keys(edit.before), Math.abs(edit.at - Date.now()) < 60_000]).toEqual([
      ["slots"],
      true,
    ]);
  });

  it("is filtered by actor, by action or its noun, and by target", async () => {
    const workspace = await mintWorkspace();
    const { id, browser } = await member(workspace, "owner");
    const [one, two] = [
      await made(workspace, "keys", { name: "One", scopes: ["read"] }),
      await made(browser as never, "keys", { name: "Two", scopes: ["read"] }),
    ];
    await browser.ask(`DELETE /v1/keys/${one}`);
    await entry(workspace, { action: "keyboard.press" });
    expect(await actionsOf(workspace, "?action=key")).toEqual([
      ...["key.revoke", "key.create", "key.create"],
    ]);
    expect(await actionsOf(workspace, "?action=key.revoke")).toEqual(["key.revoke"]);
    expect(await actionsOf(workspace, `?target=${two}`)).toEqual(["key.create"]);
    expect(await actionsOf(workspace, `?target=${one}&action=key.create`)).toEqual(["key.create"]);
    expect(await actionsOf(workspace, `?actor=${id}&action=key`)).toEqual([
      ...["key.revoke", "key.create"],
    ]);
    expect(await actionsOf(workspace, "?actor=outdial")).toEqual(["keyboard.press"]);
    expect(await actionsOf(workspace, "?actor=deployment")).toEqual(["workspace.create"]);
    expect(await actionsOf(workspace, "?actor=nobody")).toEqual([]);
    // A filter is no pattern.
    expect(await actionsOf(workspace, "?action=%25")).toEqual([]);
    expect(await actionsOf(workspace, "?target=%25")).toEqual([]);
  });

  it("goes on page by page, each entry once, while new ones come", async () => {
    const workspace = await mintWorkspace();
    for (let n = 0; n < 7; n++) await entry(workspace, { action: `test.n${n}`, at: 1_000 + n });
    const seen: unknown[] = [];
    let cursor: unknown = null;
    for (let page = 0; page < 3; page++) {
      const after = cursor === null ? "" : `&cursor=${String(cursor)}`;
      const reply = await list(workspace, `?action=test&limit=3${after}`);
      seen.push(...itemsOf(reply).map(({ action }) => action));
      cursor = reply.json.nextCursor;
      await entry(workspace, { action: "test.new" });
    }
    expect([seen, cursor]).toEqual([[6, 5, 4, 3, 2, 1, 0].map((n) => `test.n${n}`), null]);
    const odd = await list(workspace, "?cursor=odd");
    expect([odd.status, pathsOf(odd)]).toEqual([422, ["cursor"]]);
    expect((await list(workspace, "?limit=0")).status).toBe(422);
  });

  it("shows nothing of another workspace, whatever is asked for", async () => {
    const [ours, theirs] = [await mintWorkspace(), await mintWorkspace()];
    await entry(theirs, { action: "test.theirs", target: "secret" });
    for (const query of ["?action=test", "?target=secret", `?target=${theirs.id}`]) {
      expect(await actionsOf(ours, query)).toEqual([]);
    }
    const id = makeAuditId(theirs.id as WorkspaceId, Date.now() + 1_000, () => 0.5);
    const cursor = btoa(`1:${id}`).replaceAll("=", "");
    const reply = await list(ours, `?cursor=${cursor}`);
    expect(JSON.stringify(reply.json)).not.toContain("test.theirs");
  });
});

describe("GET /v1/audit.csv", () => {
  it("is every entry that the filter wants, no cell of it a formula, and is recorded", async () => {
    const workspace = await mintCallingWorkspace();
    const name = '=HYPERLINK("http://evil.test","x")';
    await workspace.ask("POST /v1/keys", { body: { name, scopes: ["read"] } });
    for (const target of ["=1+1", "@x", "-2", "+91••••••••01", "\tx"]) {
      await entry(workspace, { target });
    }
    await made(workspace, "suppressions", { phone: PHONE });
    const reply = await workspace.ask("GET /v1/audit.csv");
    expect([reply.status, reply.headers.get("content-type")]).toEqual([
      200,
      "text/csv; charset=utf-8",
    ]);
    expect(reply.headers.get("content-disposition")).toMatch(/^attachment/);
    const { data } = Papa.parse<string[]>(reply.text.trim());
    const [head = [], ...rows] = data;
    expect(head).toEqual(
      expect.arrayContaining(["id", "at", "actor", "action", "before", "after"]),
    );
    expect(new Set(rows.map((row) => row.length))).toEqual(new Set([head.length]));
    const formulas = rows.flat().filter((cell) => /^[=+\-@\t\r]/.test(cell));
    expect(formulas).toEqual([]);
    const targets = rows.map((row) => row[head.indexOf("target")]);
    expect(targets).toEqual(expect.arrayContaining(["'=1+1", "'@x", "'-2", "'\tx"]));
    expect(reply.text).not.toContain(PHONE.slice(3));
    const of = await workspace.ask("GET /v1/audit.csv?action=audit");
    const exported = Papa.parse<string[]>(of.text.trim()).data.slice(1);
    expect(exported.map((row) => row[head.indexOf("action")])).toEqual([
      ...["audit.export", "audit.export"],
    ]);
  });

  it("is whole when it is long", async () => {
    const workspace = await mintWorkspace();
    const rows = `INSERT INTO audit (workspace, id, at, actor_kind, action)
      WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200)
      SELECT ?1, printf('aud_x_%09d', i), i, 'outdial', 'test.n' || i FROM n`;
    await env.DB.prepare(rows).bind(workspace.id).run();
    const reply = await workspace.ask("GET /v1/audit.csv?action=test");
    const found = Papa.parse<string[]>(reply.text.trim()).data.slice(1);
    expect(new Set(found.map((row) => row[5])).size).toBe(1200);
  });
});

describe("who sees full numbers", () => {
  const views = async (workspace: string) =>
    (await entriesOf(workspace))
      .filter(({ action }) => action === "phone.read")
      .map(({ actor, target }) => [actor, target]);

  it("is recorded: a person for each campaign and task, once an hour; a viewer sees none", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const task = await made(workspace, "tasks", { campaign, phone: PHONE });
    const { id, browser } = await member(workspace, "operator");
    const viewer = await member(workspace, "viewer");
    const granted = await member(workspace, "viewer", ["see_personal"]);
    for (const one of [browser, browser, viewer.browser]) {
      for (const path of [`campaigns/${campaign}/tasks`, `tasks/${task}`, `tasks/${task}/calls`]) {
        expect((await one.ask(`GET /v1/${path}`)).status, path).toBe(200);
      }
    }
    expect(await views(workspace.id)).toEqual([
      [id, campaign],
      [id, task],
    ]);
    await granted.browser.ask("GET /v1/tasks");
    await granted.browser.ask("GET /v1/suppressions");
    await granted.browser.ask("GET /v1/calls");
    expect((await views(workspace.id)).slice(2)).toEqual([[granted.id, workspace.id]]);
  });

  it("is recorded of a key once an hour, for all that it reads", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const task = await made(workspace, "tasks", { campaign, phone: PHONE });
    expect(await views(workspace.id)).toEqual([]);
    for (const path of [`tasks/${task}`, "tasks", `campaigns/${campaign}/tasks`]) {
      await workspace.ask(`GET /v1/${path}`);
    }
    expect(await views(workspace.id)).toEqual([[workspace.keyId, workspace.id]]);
  });

  it("is recorded when he exports them, by key, too", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const batch = await pausedBatch(workspace);
    const { id } = await imported(workspace, batch, `phone\n${PHONE}\n12\n`);
    const { browser, id: person } = await member(workspace, "operator");
    await workspace.ask(`GET /v1/campaigns/${campaign}/tasks.csv`);
    await browser.ask(`GET /v1/campaigns/${batch}/imports/${String(id)}/rejected.csv`);
    const exports_ = (await entriesOf(workspace.id)).filter(({ action }) =>
      String(action).endsWith(".export"),
    );
    expect(exports_.map(({ actor, action, target }) => [actor, action, target])).toEqual([
      [workspace.keyId, "task.export", campaign],
      [person, "import.export", id],
    ]);
  });
});

describe("the log itself", () => {
  it("has no route that changes it", async () => {
    const workspace = await mintWorkspace();
    const [{ id } = {}] = itemsOf(await list(workspace));
    for (const method of ["POST", "PATCH", "DELETE", "PUT"]) {
      for (const path of ["audit", `audit/${String(id)}`]) {
        expect((await workspace.ask(`${method} /v1/${path}`, { body: {} })).status).toBe(404);
      }
    }
  });
});
