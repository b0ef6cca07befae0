import { describe, expect, it } from "vitest";
import {
  itemsOf,
  listed,
  mintCallingWorkspace,
  pausedCampaign,
} from "../support/workerd/workspace.ts";

const PHONE = "+919876540001";
const HOUR = 3_600_000;

describe("lists of tasks", () => {
  it("page by cursor, stable under inserts, and filter", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const push = (n: number) =>
      workspace.ask("POST /v1/tasks", { body: { campaign, phone: `+91987654000${n}` } });
    const ids: unknown[] = [];
    for (const n of [1, 2, 3, 4, 5]) ids.push((await push(n)).json.id);
    const path = `/v1/campaigns/${campaign}/tasks`;
    await listed(workspace, path, 5);
    const first = await workspace.ask(`GET ${path}?limit=2`);
    const second = await workspace.ask(`GET ${path}?limit=3&cursor=${first.json.nextCursor}`);
    expect([...itemsOf(first), ...itemsOf(second)].map((item) => item.id)).toEqual(ids);
    expect(second.json.nextCursor).toBeNull();

    const phone = await workspace.ask(`GET ${path}?phone=%2B919876540003`);
    expect(itemsOf(phone).map((item) => item.id)).toEqual([ids[2]]);
    const plus = await workspace.ask(`GET ${path}?phone=+919876540003`);
    expect(itemsOf(plus)).toHaveLength(1);
    expect(itemsOf(await workspace.ask(`GET ${path}?status=queued`))).toEqual([]);
    expect(itemsOf(await workspace.ask(`GET ${path}?status=paused`))).toHaveLength(5);
    expect(itemsOf(await workspace.ask(`GET ${path}?outcome=busy`))).toEqual([]);
    expect(itemsOf(await workspace.ask(`GET /v1/tasks?campaign=${campaign}`))).toHaveLength(5);
    expect((await workspace.ask(`GET ${path}?status=gone`)).status).toBe(422);
  });

  it("H30 show the effective status once the campaign is archived", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    await workspace.ask("POST /v1/tasks", { body: { campaign, phone: PHONE } });
    const path = `/v1/campaigns/${campaign}/tasks`;
    await listed(workspace, `${path}?status=paused`, 1);
    await workspace.ask(`POST /v1/campaigns/${campaign}/archive`);
    const archived = await listed(workspace, `${path}?status=archived`, 1);
    expect(itemsOf(archived)[0]).toMatchObject({ status: "archived", nextAttemptAt: null });
    expect(itemsOf(await workspace.ask(`GET ${path}?status=paused`))).toEqual([]);
  });

  it("H31 pause, resume and archive a single task", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const pushed = await workspace.ask("POST /v1/tasks", {
      body: { campaign, phone: PHONE, startAfter: Date.now() + HOUR },
    });
    const move = (verb: string) => workspace.ask(`POST /v1/tasks/${pushed.json.id}/${verb}`);
    expect((await move("resume")).status).toBe(409);
    await workspace.ask(`POST /v1/campaigns/${campaign}/resume`);
    expect((await move("pause")).json.status).toBe("paused");
    expect((await move("resume")).json.status).toBe("queued");
    expect((await move("archive")).json.status).toBe("archived");
  });
});

describe("the export", () => {
  it("has each task with its context, numbers as they are and formulas guarded", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const tasks = [
      { campaign, phone: PHONE, context: { name: "Asha, B.", note: "=1+1" } },
      { campaign, phone: "+919876540002", context: { city: "Pune" } },
    ];
    await workspace.ask("POST /v1/tasks/bulk", { body: { tasks } });
    await listed(workspace, `/v1/campaigns/${campaign}/tasks`, 2);
    const csv = await workspace.ask(`GET /v1/campaigns/${campaign}/tasks.csv`);
    expect(csv.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    const [header, first, second, end] = csv.text.replace(/^\ufeff/, "").split("\r\n");
    expect(header).toMatch(/^phone,city,name,note,id,status,/);
    expect(first).toMatch(/^\+919876540001,,"Asha, B\.","?'=1\+1"?,tsk_/);
    expect(second).toMatch(/^\+919876540002,Pune,,,tsk_\w+,paused,0,/);
    expect(end).toBe("");
  });

  it("is a 404 for a campaign that is not there", async () => {
    const workspace = await mintCallingWorkspace();
    const route = `GET /v1/campaigns/cmp_${workspace.id.slice(3)}_zz/tasks.csv`;
    expect((await workspace.ask(route)).status).toBe(404);
  });
});

describe("a list of tasks", () => {
  it("starts with the newest where it is asked to, and goes back page by page", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const ids: unknown[] = [];
    for (const n of [1, 2, 3]) {
      const body = { campaign, phone: `+91987654000${n}` };
      ids.push((await workspace.ask("POST /v1/tasks", { body })).json.id);
    }
    const path = `/v1/campaigns/${campaign}/tasks`;
    await listed(workspace, path, 3);
    const first = await workspace.ask(`GET ${path}?limit=2&order=newest`);
    const next = `limit=2&order=newest&cursor=${first.json.nextCursor}`;
    const second = await workspace.ask(`GET ${path}?${next}`);
    expect([...itemsOf(first), ...itemsOf(second)].map(({ id }) => id)).toEqual(ids.reverse());
    expect(second.json.nextCursor).toBeNull();
  });

  it("H41 says of each waiting task why it waits", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    await workspace.ask("POST /v1/tasks", { body: { campaign, phone: "+919876540001" } });
    const path = `/v1/campaigns/${campaign}/tasks`;
    await listed(workspace, path, 1);
    const [task] = itemsOf(await workspace.ask(`GET ${path}`));
    expect(task?.waiting).toEqual({ reason: "paused", until: null });
  });
});
