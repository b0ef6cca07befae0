import { env } from "cloudflare:test";
import { afterEach, beforeEach, describe, expect, inject, it, vi } from "vitest";
import { makeId, type WorkspaceId } from "../../src/core/ids.ts";
import { database } from "../../src/db/database.ts";
import { calls, campaigns, recordingRetries, tasks } from "../../src/db/schema.ts";
import { copyRecordings, MINUTE_LIMITS } from "../../src/queues/recordings.ts";
import { watchdog } from "../../src/queues/watchdog.ts";
import { askWith } from "../support/workerd/bindings.ts";
import { recordedCall } from "../support/workerd/recordings.ts";
import { mintCallingWorkspace, poll, type Reply } from "../support/workerd/workspace.ts";

type Calling = Awaited<ReturnType<typeof mintCallingWorkspace>>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;
const PHONE = "+919876540001";
const bucket = env.RECORDINGS as R2Bucket;

/** What the carrier answers for a recording, by its name; the simulated carrier answers for all others. */
const answers = new Map<string, () => Response | Promise<Response>>();
const asked: string[] = [];
const realFetch = globalThis.fetch;
globalThis.fetch = async (input: RequestInfo | URL, init?: RequestInit) => {
  const name = /\/v1\/recordings\/([\w-]+)\.wav$/.exec(String(input))?.[1];
  if (name !== undefined) asked.push(name);
  const answer = name === undefined ? undefined : answers.get(name);
  return answer === undefined ? realFetch(input, init) : answer();
};

let workspace: Calling;
let now: number;
beforeEach(async () => {
  // What other tests have left is not looked at.
  await env.DB.prepare("UPDATE workspaces SET recordings_call = 1000000").run();
  await env.DB.prepare("DELETE FROM recording_retries").run();
  asked.length = 0;
  now = Date.now();
  workspace = await mintCallingWorkspace();
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** The address of a recording for which the test answers; its name. */
function scripted(answer: () => Response | Promise<Response>): { url: string; name: string } {
  const name = crypto.randomUUID();
  answers.set(name, answer);
  return { url: `${inject("carrier").baseUrl}/v1/recordings/${name}.wav`, name };
}

const sound = (text: string, headers: Record<string, string> = {}) => {
  const length = String(new TextEncoder().encode(text).byteLength);
  return new Response(text, {
    headers: { "content-type": "audio/mpeg", "content-length": length, ...headers },
  });
};

/** A body whose length nobody says. */
function stream(chunks: Uint8Array[]): Response {
  const body = new ReadableStream({
    pull(controller) {
      const chunk = chunks.shift();
      if (chunk === undefined) controller.close();
      else controller.enqueue(chunk);
    },
  });
  return new Response(body, { headers: { "content-type": "audio/mpeg" } });
}

/** A call in D1 that has left the Dialer, over for an hour; its public id. */
async function call(
  id: number,
  recordingUrl: string | null,
  more: Partial<typeof calls.$inferInsert> = {},
  of: Pick<Calling, "id" | "agent" | "connection"> = workspace,
): Promise<string> {
  const owner = of.id as WorkspaceId;
  await database(env)
    .insert(calls)
    .values({
      workspace: owner,
      id,
      task: id,
      campaign: 1,
      attempt: 1,
      status: "ended",
      concluded: 1,
      agent: of.agent,
      connection: of.connection,
      carrier: "simulator",
      from: "+918047112233",
      to: PHONE,
      claimedAt: now - 2 * HOUR_MS,
      endedAt: now - HOUR_MS,
      outcome: "connected",
      recordingUrl,
      version: 1,
      ...more,
    });
  return makeId("cal", owner, id);
}

const minute = (at = now, limits = MINUTE_LIMITS, bindings: Env = env) =>
  copyRecordings(bindings, database(bindings), at, limits);

/** Local ids of the workspace's calls that have a copy. */
async function copies(of: { id: string } = workspace): Promise<number[]> {
  const { objects } = await bucket.list({ prefix: `${of.id}/` });
  const ids = objects.map(({ key }) => Number.parseInt(key.split("_").at(-1) ?? "", 36));
  return ids.sort((a, b) => a - b);
}

const textOf = async (id: string) => (await bucket.get(`${workspace.id}/${id}`))?.text();
const retries = () => database(env).select().from(recordingRetries);
const pointer = () =>
  env.DB.prepare("SELECT recordings_call FROM workspaces WHERE id = ?")
    .bind(workspace.id)
    .first<number>("recordings_call");
const play = (id: string, range?: string) =>
  workspace.ask(`GET /v1/calls/${id}/recording`, range === undefined ? {} : { headers: { range } });

function logged(): { lines: () => Record<string, unknown>[] } {
  const log = vi.spyOn(console, "log");
  return { lines: () => log.mock.calls.map(([line]) => JSON.parse(String(line))) };
}

describe("recordings are copied to the bucket", () => {
  it("with the carrier's key, and played in whole and in part once the carrier has forgotten them", async () => {
    const url = await recordedCall();
    const id = await call(7, url);
    const before = await play(id);
    expect(before.status).toBe(200);
    // Calls that are planted are old enough to be copied as they are played.
    await bucket.delete(`${workspace.id}/${id}`);
    await minute();
    expect(await copies()).toEqual([7]);
    await env.DB.prepare("UPDATE calls SET recording_url = ? WHERE workspace = ?")
      .bind(url.replace(/[\w-]+\.wav$/, "forgotten.wav"), workspace.id)
      .run();
    const whole = await play(id);
    expect(whole.status).toBe(200);
    expect(whole.text).toBe(before.text);
    for (const name of ["content-type", "content-length", "accept-ranges", "cache-control"]) {
      expect(whole.headers.get(name), name).toBe(before.headers.get(name));
    }
    const part = await play(id, "bytes=8-11");
    expect([part.status, part.text]).toEqual([206, "WAVE"]);
    const size = before.headers.get("content-length");
    expect(part.headers.get("content-range")).toBe(`bytes 8-11/${size}`);
    expect(part.headers.get("content-length")).toBe("4");
    const last = await play(id, "bytes=-2");
    expect([last.status, last.headers.get("content-length")]).toEqual([206, "2"]);
    const beyond = await play(id, `bytes=${size}-`);
    expect([beyond.status, beyond.text]).toEqual([416, ""]);
    expect(beyond.headers.get("content-range")).toBe(`bytes */${size}`);
  });

  it("once, by the clock, when a call has been over for ten minutes, in their order", async () => {
    const { url, name } = scripted(() => sound("hello"));
    await call(1, url, { endedAt: now - 10 * MINUTE_MS });
    await call(2, null);
    await call(3, url, { endedAt: now - 10 * MINUTE_MS + 1 });
    await call(4, url);
    await watchdog(env as Env, now);
    expect(await copies()).toEqual([1]);
    expect(await pointer()).toBe(2);
    await watchdog(env as Env, now + 1);
    expect(await copies()).toEqual([1, 3, 4]);
    await watchdog(env as Env, now + MINUTE_MS);
    expect(asked).toEqual([name, name, name]);
  });

  it("but behind no call that goes on, unless it has stood for a day", async () => {
    const { url } = scripted(() => sound("hello"));
    await call(1, null, { concluded: 0, endedAt: null, claimedAt: now - DAY_MS + MINUTE_MS });
    await call(2, url);
    await minute();
    expect(await copies()).toEqual([]);
    await minute(now + MINUTE_MS);
    expect(await copies()).toEqual([2]);
  });

  it("a slice a minute, in bytes and in time; the next minute goes on", async () => {
    const { url } = scripted(() => sound("hello"));
    for (const id of [1, 2, 3, 4, 5]) await call(id, url);
    await minute(now, { ...MINUTE_LIMITS, beginMs: 0 });
    expect([await copies(), await pointer()]).toEqual([[], 0]);
    await minute(now, { ...MINUTE_LIMITS, bytes: 1 });
    expect([await copies(), await pointer()]).toEqual([[1, 2, 3], 3]);
    await minute();
    expect([await copies(), await pointer()]).toEqual([[1, 2, 3, 4, 5], 5]);
  });

  it("part by part where nobody says how long they are", async () => {
    const small = scripted(() => stream([new Uint8Array([82, 73]), new Uint8Array([70, 70])]));
    const chunk = () => new Uint8Array(3 * 1024 * 1024).fill(7);
    const large = scripted(() => stream(Array.from({ length: 6 }, chunk)));
    const packed = scripted(() =>
      sound("hello", { "content-encoding": "x", "content-length": "2" }),
    );
    const ids = [await call(1, small.url), await call(2, large.url), await call(3, packed.url)];
    await minute();
    const [first = "", second = "", third = ""] = ids;
    expect(await textOf(first)).toBe("RIFF");
    const whole = await (await bucket.get(`${workspace.id}/${second}`))?.bytes();
    expect(whole?.byteLength).toBe(18 * 1024 * 1024);
    expect(whole?.every((byte) => byte === 7)).toBe(true);
    expect(await textOf(third)).toBe("hello");
    const { headers } = await play(first);
    expect(headers.get("content-type")).toBe("audio/mpeg");
  });

  it("never as a page", async () => {
    const { url } = scripted(() => sound("<script>", { "content-type": "text/html" }));
    const id = await call(1, url);
    await minute();
    expect((await play(id)).headers.get("content-type")).toBe("application/octet-stream");
  });

  it("when they are played, if they came later still, and not while the call is young", async () => {
    const { url, name } = scripted(() => sound("hello"));
    const old = await call(1, url);
    const young = await call(2, url, { endedAt: now - MINUTE_MS });
    await env.DB.prepare("UPDATE workspaces SET recordings_call = 2 WHERE id = ?")
      .bind(workspace.id)
      .run();
    expect((await play(young)).text).toBe("hello");
    expect((await play(old)).text).toBe("hello");
    await poll(copies, (ids) => ids.length > 0);
    expect(await copies()).toEqual([1]);
    expect((await play(old)).text).toBe("hello");
    expect(asked).toEqual([name, name, name]);
    await poll(retries, (rows) => rows.length === 0);
  });

  it("by the clock, where copying broke off as it was played", async () => {
    const { url } = scripted(() => {
      return asked.length === 2 ? new Response("no", { status: 500 }) : sound("hello");
    });
    const id = await call(1, url);
    await env.DB.prepare("UPDATE workspaces SET recordings_call = 1 WHERE id = ?")
      .bind(workspace.id)
      .run();
    expect((await play(id)).text).toBe("hello");
    await poll(
      async () => asked.length,
      (count) => count === 2,
    );
    await poll(retries, (rows) => rows.length === 1);
    await minute(now + 6 * MINUTE_MS);
    expect([await copies(), await retries()]).toEqual([[1], []]);
  });
});

describe("a recording that cannot be copied", () => {
  it("is tried five times within a day, then given up, with its call's id in the log", async () => {
    const { lines } = logged();
    const broken = scripted(() => new Response("no", { status: 500 }));
    const good = scripted(() => sound("hello"));
    const id = await call(1, broken.url);
    await call(2, good.url);
    await minute();
    expect(await copies()).toEqual([2]);
    expect(await pointer()).toBe(2);
    const tries = () => asked.filter((name) => name === broken.name).length;
    let at = now;
    for (const wait of [5, 30, 3 * 60, 12 * 60]) {
      const before = tries();
      await minute(at + wait * MINUTE_MS - 1);
      expect(tries()).toBe(before);
      at += wait * MINUTE_MS;
      await minute(at);
      expect(tries()).toBe(before + 1);
    }
    expect(await retries()).toEqual([]);
    await minute(at + DAY_MS);
    expect(tries()).toBe(5);
    const why = "the carrier answered 500";
    expect(lines()).toContainEqual({ event: "recording given up", call: id, why });
  });

  it("is copied at a later try", async () => {
    const { url, name } = scripted(() => {
      return asked.length > 1 ? sound("hello") : new Response("no", { status: 404 });
    });
    await call(1, url);
    await minute();
    expect(await copies()).toEqual([]);
    await minute(now + 5 * MINUTE_MS);
    expect([await copies(), await retries(), asked]).toEqual([[1], [], [name, name]]);
  });

  it("is not asked for again once it is long gone, too large, or of a connection that is gone", async () => {
    const { lines } = logged();
    const ids = [
      await call(1, scripted(() => new Response("", { status: 404 })).url, {
        endedAt: now - DAY_MS,
      }),
      await call(2, scripted(() => sound("0123456789")).url),
      await call(3, scripted(() => stream([new Uint8Array(6), new Uint8Array(6)])).url),
      await call(4, "http://127.0.0.1:1/", {
        connection: makeId("con", workspace.id as WorkspaceId, "gone"),
      }),
    ];
    await minute(now, { ...MINUTE_LIMITS, each: { ...MINUTE_LIMITS.each, bytesMax: 9 } });
    expect([await copies(), await retries(), await pointer()]).toEqual([[], [], 4]);
    const gone = lines().filter(({ event }) => event === "recording given up");
    expect(gone.sort((a, b) => String(a.call).localeCompare(String(b.call)))).toMatchObject([
      { call: ids[0], why: "the carrier answered 404" },
      { call: ids[1], why: "it is too large" },
      { call: ids[2], why: "it is too large" },
      { call: ids[3], why: "its connection is gone" },
    ]);
  });

  it("leaves no half behind: broken off, empty, or slower than there is time", async () => {
    const { lines } = logged();
    const secret = "http://127.0.0.1:9/secret";
    const cut = scripted(() => sound("hello", { "content-length": "9" }));
    const empty = scripted(() => new Response(null, { headers: { "content-length": "0" } }));
    const away = scripted(() => Promise.reject(new Error(`no way to ${secret}`)));
    const stuck = scripted(() => stream([]));
    const silent = scripted(() => new Promise<Response>(() => undefined));
    answers.set(
      stuck.name,
      () => new Response(new ReadableStream({ pull: () => new Promise(() => undefined) })),
    );
    for (const [index, { url }] of [cut, empty, away, stuck, silent].entries())
      await call(index + 1, url);
    await minute(now, { ...MINUTE_LIMITS, each: { ...MINUTE_LIMITS.each, ms: 300 } });
    expect(await copies()).toEqual([]);
    expect((await retries()).map(({ call: id }) => id).sort()).toEqual([1, 2, 3, 4, 5]);
    expect(JSON.stringify(lines())).not.toContain(secret);
  });

  it("is played from the carrier while the bucket is away", async () => {
    const error = vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { url } = scripted(() => sound("hello"));
    const id = await call(1, url);
    await minute();
    const broken = { head: () => Promise.reject(new Error("away")) } as unknown as R2Bucket;
    const reply = await askWith(
      { ...env, RECORDINGS: broken },
      `GET /v1/calls/${id}/recording`,
      `Bearer ${workspace.key}`,
    );
    expect([reply.status, reply.text]).toEqual([200, "hello"]);
    expect(error).toHaveBeenCalled();
  });
});

describe("without a bucket", () => {
  it("nothing is asked of D1 or a carrier, and the carrier plays", async () => {
    const { url, name } = scripted(() => sound("hello"));
    const id = await call(1, url);
    const { RECORDINGS: _, ...unbound } = env;
    const nothing = new Proxy({}, { get: () => expect.unreachable("D1 was asked") });
    await copyRecordings({ ...unbound, DB: nothing as D1Database } as Env, database(env), now);
    await watchdog(unbound as Env, now);
    expect([asked, await pointer()]).toEqual([[], 0]);
    const reply = await askWith(
      unbound as Env,
      `GET /v1/calls/${id}/recording`,
      `Bearer ${workspace.key}`,
    );
    expect([reply.status, reply.text, asked, await copies()]).toEqual([200, "hello", [name], []]);
  });
});

/** An erasure of the number, asked of the Worker with this bucket. */
async function erase(of: Calling, copiesIn: R2Bucket = bucket): Promise<Reply> {
  return askWith({ ...env, RECORDINGS: copiesIn }, "POST /v1/erasures", `Bearer ${of.key}`, {
    phone: PHONE,
  });
}

describe("copies go", () => {
  it("with the person, and with nobody else", async () => {
    const { url } = scripted(() => sound("hello"));
    const other = await mintCallingWorkspace();
    const id = await call(1, url);
    await call(2, url, { to: "+919876540002" });
    await call(1, url, {}, other);
    await minute();
    expect(await copies()).toEqual([1, 2]);
    const reply = await erase(workspace);
    expect(reply.status, reply.text).toBe(200);
    expect([await copies(), await copies(other)]).toEqual([[2], [1]]);
    expect((await play(id)).status).toBe(404);
    await minute(now + DAY_MS);
    expect((await erase(workspace)).status).toBe(200);
    expect(await copies()).toEqual([2]);
  });

  it("before the person's rows do: what breaks off is found again", async () => {
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const { url } = scripted(() => sound("hello"));
    await call(1, url);
    await minute();
    const broken = { delete: () => Promise.reject(new Error("away")) } as unknown as R2Bucket;
    expect((await erase(workspace, broken)).status).toBeGreaterThanOrEqual(500);
    const row = await env.DB.prepare("SELECT to_phone FROM calls WHERE workspace = ?")
      .bind(workspace.id)
      .first();
    expect(row).toEqual({ to_phone: PHONE });
    expect((await erase(workspace)).status).toBe(200);
    expect(await copies()).toEqual([]);
  });

  it("when the person is erased while one is being made", async () => {
    let go = () => {};
    const gate = new Promise<void>((resolve) => {
      go = resolve;
    });
    const { url } = scripted(async () => {
      await gate;
      return sound("hello");
    });
    await call(1, url);
    const copying = minute();
    await poll(
      async () => asked.length,
      (count) => count === 1,
    );
    expect((await erase(workspace)).status).toBe(200);
    go();
    await copying;
    expect([await copies(), await retries()]).toEqual([[], []]);
  });

  it("when one was made after the first look, and before its row was erased", async () => {
    const { url } = scripted(() => sound("hello"));
    const id = await call(1, url);
    let looks = 0;
    const meanwhile = {
      delete: async (keys: string[]) => {
        await bucket.delete(keys);
        if (looks++ === 0) await bucket.put(`${workspace.id}/${id}`, "made meanwhile");
      },
    } as unknown as R2Bucket;
    expect((await erase(workspace, meanwhile)).status).toBe(200);
    expect([looks, await copies()]).toEqual([2, []]);
  });

  it("when who made one has died before he could see that the person is erased", async () => {
    const { url } = scripted(() => sound("hello"));
    const ids = [await call(1, url), await call(2, url)];
    await database(env)
      .insert(recordingRetries)
      .values({ workspace: workspace.id, call: 2, tries: 0, nextAt: now });
    expect((await erase(workspace)).status).toBe(200);
    for (const id of ids) await bucket.put(`${workspace.id}/${id}`, "left");
    await minute(now, { ...MINUTE_LIMITS });
    expect([await copies(), await retries()]).toEqual([[], []]);
  });

  it("when a repeated erasure finds one that was left", async () => {
    const { url } = scripted(() => sound("hello"));
    const id = await call(1, url);
    expect((await erase(workspace)).status).toBe(200);
    await bucket.put(`${workspace.id}/${id}`, "left");
    expect((await erase(workspace)).status).toBe(200);
    expect(await copies()).toEqual([]);
  });

  it("by retention, with the links", async () => {
    await workspace.ask("PATCH /v1/workspace", { body: { retentionDays: 30 } });
    const db = database(env);
    const own = { workspace: workspace.id, version: 1 };
    const campaign = { ...own, id: 1, name: "X", type: "realtime", status: "running" };
    await db.insert(campaigns).values({
      ...campaign,
      ...{ settings: "{}", paused: 0, epoch: 1, createdAt: 1, counters: "{}" },
    });
    for (const id of [1, 2]) {
      const endedAt = now - (id === 1 ? 30 : 29) * DAY_MS;
      await call(id, scripted(() => sound("hello")).url, { endedAt });
      const task = { ...own, id, campaign: 1, phone: PHONE, context: "{}", attempts: 1 };
      await db.insert(tasks).values({ ...task, createdAt: 1, ended: "completed", endedAt });
    }
    await minute();
    expect(await copies()).toEqual([1, 2]);
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const broken = { delete: () => Promise.reject(new Error("away")) } as unknown as R2Bucket;
    await watchdog({ ...env, RECORDINGS: broken } as Env, now);
    expect(await copies()).toEqual([1, 2]);
    await watchdog(env as Env, now + MINUTE_MS);
    expect(await copies()).toEqual([2]);
    const left = await env.DB.prepare(
      "SELECT id FROM calls WHERE workspace = ? AND recording_url IS NOT NULL",
    )
      .bind(workspace.id)
      .all();
    expect(left.results).toEqual([{ id: 2 }]);
  });

  it("with the workspace, before its rows", async () => {
    const { url } = scripted(() => sound("hello"));
    await call(1, url);
    await minute();
    const reply = await workspace.ask("DELETE /v1/workspace", { body: { name: "Test" } });
    expect(reply.status, reply.text).toBe(202);
    const rows = () =>
      env.DB.prepare("SELECT COUNT(*) AS n FROM calls WHERE workspace = ?")
        .bind(workspace.id)
        .first<number>("n");
    vi.spyOn(console, "error").mockImplementation(() => undefined);
    const broken = { list: () => Promise.reject(new Error("away")) } as unknown as R2Bucket;
    for (let tries = 0; tries < 5; tries++) {
      await watchdog({ ...env, RECORDINGS: broken } as Env, now + tries * MINUTE_MS);
      await scheduler.wait(50);
    }
    expect([await rows(), await copies()]).toEqual([1, [1]]);
    let at = now;
    await poll(
      async () => {
        at += MINUTE_MS;
        await watchdog(env as Env, at);
        return rows();
      },
      (count) => count === 0,
    );
    expect(await copies()).toEqual([]);
  });
});
