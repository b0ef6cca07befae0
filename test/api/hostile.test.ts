import { env, runInDurableObject } from "cloudflare:test";
import * as fc from "fast-check";
import { describe, expect, inject, it } from "vitest";
import { STATUS_OF } from "../../src/api/errors.ts";
import { reportUrl } from "../../src/carriers/report-url.ts";
import { openapi } from "../../src/contract/openapi.ts";
import type { CallId, ConnectionId } from "../../src/core/ids.ts";
import { REPORTERS, type Reporter, written } from "../hostile/adapters.ts";
import { contentType, type Json, type Known, odd, textOf, valid, wire } from "../hostile/bodies.ts";
import { damagedFiles, files, goodPhone } from "../hostile/files.ts";
import { oddBody } from "../hostile/odd-reports.ts";
import { oddText, TIMEOUT, tried } from "../hostile/runs.ts";
import { quotedLine, readSlowly } from "../hostile/slow-csv.ts";
import { imported, pausedBatch, send, tasksOf } from "../support/workerd/imports.ts";
import {
  type Ask,
  ask,
  made,
  mintCallingWorkspace,
  pathsOf,
  pausedCampaign,
  poll,
  type Reply,
} from "../support/workerd/workspace.ts";

type Calling = Awaited<ReturnType<typeof mintCallingWorkspace>>;
type Described = {
  operationId: string;
  parameters?: { name: string; in: string; schema: Json }[];
  requestBody?: { content: Record<string, { schema: Json }> };
  responses: Record<string, unknown>;
};

const DOCUMENT = openapi("http://outdial.test", STATUS_OF);
const OPERATIONS = Object.entries(
  DOCUMENT.paths as Record<string, Record<string, Described>>,
).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, described]) => {
    return { method: method.toUpperCase(), path, described };
  }),
);
/** Reports have a test of their own. */
const ASKED = OPERATIONS.filter(({ path }) => !path.startsWith("/reports/"));

/** A workspace with something of everything in it, and the ids of all that; nothing of it dials. */
async function furnished() {
  const workspace = await mintCallingWorkspace();
  const leads = await pausedCampaign(workspace);
  const batch = await pausedBatch(workspace);
  const task = await made(workspace, "tasks", {
    campaign: leads,
    phone: goodPhone(1),
    externalId: "x1",
  });
  const key = await made(workspace, "keys", { name: "Other", scopes: ["*"] });
  await workspace.ask("POST /v1/suppressions", { body: { phone: goodPhone(2) } });
  const done = await imported(workspace, batch, `phone,name\n${goodPhone(3)},Asha\n12,Bela\n`);
  const part = workspace.id.slice(3);
  const ids = {
    campaigns: [leads, batch],
    tasks: [task],
    calls: [`cal_${part}_1`],
    keys: [key],
    agents: [workspace.agent],
    numbers: [workspace.from],
    connections: [workspace.connection],
    suppressions: [goodPhone(2)],
  };
  const known: Known = {
    agent: [workspace.agent],
    from: ["+918047112233", workspace.from],
    campaign: [leads, batch],
    task: [task],
    connection: [workspace.connection],
    importId: [String(done.id)],
    phone: [goodPhone(4), goodPhone(2), "+919876540001"],
    carrier: ["simulator"],
    timezone: ["Asia/Kolkata", "UTC"],
    externalId: ["x1"],
    carrierAgentId: ["agent-1"],
    defaultCountry: ["IN"],
  };
  return { workspace, ids, known };
}
type Furnished = Awaited<ReturnType<typeof furnished>>;

/** Rows of every table of the workspace's object and of what D1 owns; a flush takes rows away, never more. */
async function rowsOf(workspace: Calling): Promise<Record<string, unknown>> {
  const stub = env.DIALER.get(env.DIALER.idFromName(workspace.id));
  const inObject = await runInDurableObject(stub, (_object, state) => {
    const { sql } = state.storage;
    const counts = OBJECT_TABLES.map((table) => `(SELECT COUNT(*) FROM ${table}) AS ${table}`);
    const campaigns =
      "(SELECT json_group_array(json_array(id, settings, paused, epoch, archived_at, tasks)) FROM campaign)";
    return sql.exec(`SELECT ${counts.join(", ")}, ${campaigns} AS campaigns`).one();
  });
  const counts = D1_TABLES.map((table) => `(SELECT COUNT(*) FROM ${table}) AS d1_${table}`);
  const versions = ["workspaces", ...D1_TABLES.slice(0, 5)].map(
    (table) => `(SELECT SUM(version) FROM ${table}) AS d1_${table}_version`,
  );
  const inD1 = await env.DB.prepare(`SELECT ${[...counts, ...versions].join(", ")}`).first();
  return { ...inObject, ...inD1 };
}
const OBJECT_TABLES = [
  "copy",
  "suppressed",
  "campaign",
  "import",
  "import_part",
  "lane",
  "waiting",
  "task",
  "seen_phone",
  "external",
  "idempotency",
  "call",
  "late",
];
/** The first ones have versions. */
const D1_TABLES = [
  "keys",
  "connections",
  "agents",
  "numbers",
  "suppressions",
  "imports",
  "import_chunks",
  "import_rejects",
  "report_bodies",
];

/** H38: the reply is one that the route is described with, and a refusal says what is wrong in its shape. */
function checkReply(what: string, described: Described, reply: Reply) {
  const said = `${what} → ${reply.status} ${reply.text.slice(0, 300)}`.toWellFormed();
  // A recording is fetched from the carrier, which may have none.
  if (described.operationId !== "playRecording") expect(reply.status, said).toBeLessThan(500);
  expect([...Object.keys(described.responses), "404"], said).toContain(String(reply.status));
  expect(reply.headers.get("x-request-id"), said).toMatch(/^[\w.-]{8,64}$/);
  if (reply.status < 400) return;
  const { error, requestId } = reply.json as { error: Json; requestId: string };
  expect(requestId, said).toBe(reply.headers.get("x-request-id"));
  expect(typeof error.code, said).toBe("string");
  expect(error.message, said).toMatch(/\w/);
  if (reply.status !== 422) return;
  const issues = error.issues as { path: string; expected: string; got: string }[];
  expect(issues.length, said).toBeGreaterThan(0);
  for (const issue of issues) {
    expect(Object.keys(issue).sort(), said).toEqual(["expected", "got", "path"]);
    for (const text of Object.values(issue)) expect(typeof text, said).toBe("string");
    expect(issue.expected, said).not.toBe("");
  }
}

/** One request of an operation: its path, query, headers and body. */
type Request = { path: string; headers: Record<string, string>; raw: string | Uint8Array | null };

function requests(
  { path, described }: (typeof ASKED)[number],
  { ids, known }: Furnished,
): fc.Arbitrary<Request> {
  const noun = /\/(?:v1)\/(\w+)\/\{/.exec(path)?.[1] ?? "";
  const fitting: Known = { ...known, id: ids[noun as keyof typeof ids] ?? [] };
  const others = Object.values(ids).flat();
  const value = (name: string) =>
    fc.oneof(
      ...((fitting[name]?.length ?? 0) > 0
        ? [{ weight: 6, arbitrary: fc.constantFrom(...(fitting[name] ?? [])) }]
        : []),
      { weight: 1, arbitrary: fc.constantFrom(...others) },
      { weight: 1, arbitrary: oddText },
      { weight: 1, arbitrary: fc.constantFrom("x".repeat(200), "-1", "1e3", "tsk__", "cmp_a_b_c") },
    );
  const names = [...path.matchAll(/\{(\w+)\}/g)].map((match) => match[1] ?? "");
  const paths = fc
    .tuple(...names.map((name) => value(name)))
    .map((some) =>
      some.reduce((whole, one, n) => whole.replace(`{${names[n]}}`, () => pathPart(one)), path),
    );
  const queries = (described.parameters ?? []).filter((one) => one.in === "query");
  const query = fc.array(
    fc.oneof(
      ...queries.map(({ name, schema }) =>
        fc.tuple(
          fc.constant(name),
          fc.oneof(
            valid(schema, name, known, DOCUMENT).map(String),
            value(name),
            fc.constantFrom(
              "",
              "0",
              "201",
              "NaN",
              "1e999",
              "9007199254740993",
              "eyJhIjoxfQ",
              "MQ",
              "true",
            ),
          ),
        ),
      ),
      fc.tuple(oddText, oddText),
    ),
    { maxLength: 3 },
  );
  const json = described.requestBody?.content["application/json"]?.schema;
  const body =
    json === undefined
      ? fc.oneof(fc.constant(null), odd.map(textOf))
      : wire(valid(json, "", known, DOCUMENT));
  const headers = fc.record(
    {
      "content-type": contentType,
      "idempotency-key": fc.constantFrom("one", "two", "", "x".repeat(300), "é"),
    },
    { requiredKeys: ["content-type"] },
  );
  return fc.record({ path: paths, query, body, headers }).map((one) => {
    const search = one.query.map(([key, text]) => `${pathPart(key)}=${pathPart(text)}`).join("&");
    const { "content-type": type, ...others } = one.headers;
    return {
      path: search === "" ? one.path : `${one.path}?${search}`,
      headers: { ...others, ...(type === undefined ? {} : { "content-type": type }) },
      raw: one.body,
    };
  });
}

/** A part of an address; a lone surrogate, which has no code, stays out. */
function pathPart(text: string): string {
  return encodeURIComponent(text.toWellFormed());
}

/** What is only read can serve every test that only reads. */
let reading: Promise<Furnished> | null = null;

describe("H38 whatever is sent, nothing breaks, and what is refused has no effect", () => {
  it.each(ASKED)("$method $path", TIMEOUT, async (operation) => {
    const { method, described } = operation;
    if (reading === null) reading = furnished();
    const furniture = await (method === "GET" ? reading : furnished());
    const { workspace } = furniture;
    const admin =
      operation.path === "/v1/workspaces" ? { authorization: `Bearer ${env.ADMIN_SECRET}` } : {};
    const property = fc.asyncProperty(
      requests(operation, furniture),
      async ({ path, headers, raw }) => {
        const body = method === "GET" || raw === null ? {} : { raw };
        const request: Ask = { ...body, headers: { ...sendable(headers), ...admin } };
        const before = method === "GET" ? {} : await rowsOf(workspace);
        const reply = await workspace.ask(`${method} ${path}`, request);
        checkReply(`${method} ${path} ${String(raw).slice(0, 200)}`, described, reply);
        if (method === "GET" || reply.status < 400) return;
        const after = await rowsOf(workspace);
        for (const [table, count] of Object.entries(after)) {
          const was = before[table];
          const leaves =
            typeof was === "number" && !table.startsWith("d1_") && table !== "versions";
          const said = `${table} after ${method} ${path} → ${reply.status}`;
          if (leaves) expect(count, said).toBeLessThanOrEqual(was);
          else expect(count, said).toEqual(was);
        }
      },
    );
    await fc.assert(property, tried(8));
    // What was made of it all can still be read.
    for (const noun of [
      "campaigns",
      "tasks",
      "agents",
      "numbers",
      "connections",
      "keys",
      "suppressions",
    ]) {
      const reply = await workspace.ask(`GET /v1/${noun}?limit=200`);
      if (reply.status !== 401)
        expect(reply.status, `${noun}: ${reply.text.slice(0, 300)}`).toBe(200);
    }
  });
});

it("H38 lists within lists without end are refused where they would break an RPC", async () => {
  const { workspace } = await furnished();
  const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
  const campaign = await pausedCampaign(workspace);
  for (const route of ["POST /v1/tasks", "POST /v1/campaigns", "POST /v1/agents"]) {
    const raw = `{"campaign":"${campaign}","name":"A","phone":"${goodPhone(5)}","startAfter":${deep}}`;
    const reply = await workspace.ask(route, { raw });
    expect(reply.status, reply.text.slice(0, 300)).toBe(422);
    expect(pathsOf(reply)).toEqual(["body"]);
  }
  // Signs of lists inside a text nest nothing.
  const name = `${'["\\{'.repeat(30)}`;
  const made = await workspace.ask("POST /v1/campaigns", { body: { name, type: "realtime" } });
  expect(made.json.name).toBe(name);
});

/** Headers as a client can send them: Latin-1. */
function sendable(headers: Record<string, string>): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).filter(([, value]) => /^[\x20-\xff]*$/.test(value)),
  );
}

type Counted = { rows: number; rowsTaken: number; rejectedCount: number; columns: string[] };

describe("H7 no row of an import is lost", () => {
  it("and the rejected ones, mended, import to the rest", TIMEOUT, async () => {
    const workspace = await mintCallingWorkspace();
    const good = fc.tuple(files(12), fc.boolean()).map(([file]) => file.bytes);
    const property = fc.asyncProperty(fc.oneof(good, damagedFiles(12)), async (bytes) => {
      const campaign = await pausedBatch(workspace);
      const trial = await send(workspace, campaign, bytes, { query: "?dryRun=true" });
      const reply = await send(workspace, campaign, bytes);
      if (reply.status === 422) {
        expect(trial.status).toBe(422);
        expect(pathsOf(reply).length).toBeGreaterThan(0);
        const listed = await workspace.ask(`GET /v1/campaigns/${campaign}/imports`);
        expect(listed.json.items).toEqual([]);
        return;
      }
      expect(reply.status, reply.text).toBe(202);
      const path = `/v1/campaigns/${campaign}/imports/${reply.json.id}`;
      const done = await poll(
        () => workspace.ask(`GET ${path}`),
        (one) => one.json.status !== "running",
      );
      const { rows, rowsTaken, rejectedCount, columns } = done.json as Counted;
      expect(done.json.status, done.text).toBe("completed");
      expect(rowsTaken + rejectedCount).toBe(rows);
      expect(trial.json).toMatchObject({ rows, rowsTaken, rejectedCount, columns });
      if (rejectedCount > 0) {
        const download = await workspace.ask(`GET ${path}/rejected.csv`);
        const [head, ...bad] = readSlowly(download.text.replace(/^\ufeff/, ""), ",");
        expect(bad.length).toBe(rejectedCount);
        const width = head?.cells.length ?? 0;
        const mended = bad.map(({ cells }, n) => [
          goodPhone(95_000_000 + n),
          ...cells.slice(1, width),
        ]);
        const text = [head?.cells ?? [], ...mended].map(quotedLine).join("");
        const again = await imported(workspace, campaign, `\ufeff${text}`);
        expect(again).toMatchObject({ rowsTaken: rejectedCount, rejectedCount: 0, columns });
      }
      await tasksOf(workspace, campaign, Math.min(rows, 200));
    });
    await fc.assert(property, tried(12));
  });
});

/** A workspace with a connection to the reporter's carrier, and where its reports go. */
async function connected(reporter: Reporter) {
  const { workspace } = await furnished();
  const { carrier } = reporter;
  const settings = carrier === "simulator" ? inject("carrier") : reporter.settings;
  const connection =
    carrier === "simulator"
      ? workspace.connection
      : await made(workspace, "connections", { name: carrier, carrier, settings });
  const call = `cal_${workspace.id.slice(3)}_1`;
  const own = await reportUrl(
    "http://outdial.test",
    env.SIGNING_SECRET,
    connection as ConnectionId,
    call as CallId,
  );
  const url = reporter.byAddress ? own : `http://outdial.test/reports/${connection}`;
  const sign = (raw: string | Uint8Array) => reporter.sign(settings, raw, Date.now(), url);
  return { workspace, connection, call, url, sign };
}

describe.each(REPORTERS)("H38 hostile reports of $carrier", (reporter) => {
  it("without their signature change nothing, and are no fault", TIMEOUT, async () => {
    const { workspace, connection, call, sign } = await connected(reporter);
    const known = [connection, `con_${workspace.id.slice(3)}_zz`, call];
    const place = fc.oneof(fc.constantFrom(...known), oddText.map(pathPart));
    const before = await rowsOf(workspace);
    const property = fc.asyncProperty(
      place,
      fc.option(
        fc.oneof(fc.constantFrom(call, `${call}.${"0".repeat(32)}`), oddText.map(pathPart)),
      ),
      oddBody(reporter, call),
      fc.string({ unit: "grapheme-ascii" }),
      async (named, part, raw, signature) => {
        const good = await sign(raw);
        const headers = Object.fromEntries(Object.keys(good).map((name) => [name, signature]));
        const path = part === null ? named : `${named}/${part}`;
        const reply = await ask(`POST /reports/${path}`, { raw, headers });
        expect([401, 404], `${path} ${reply.status} ${reply.text}`.toWellFormed()).toContain(
          reply.status,
        );
      },
    );
    await fc.assert(property, tried(40));
    expect(await rowsOf(workspace)).toEqual(before);
  });

  it(
    "H37 with their signature are taken or refused, and touch no other workspace",
    TIMEOUT,
    async () => {
      const { call: own, url, sign } = await connected(reporter);
      const other = (await furnished()).workspace;
      const before = await rowsOf(other);
      const foreign = `cal_${other.id.slice(3)}_1`;
      let taken = 0;
      const property = fc.asyncProperty(
        fc.oneof(oddBody(reporter, foreign), oddBody(reporter, own)),
        async (text) => {
          const raw = new TextEncoder().encode(text);
          const headers = await sign(raw);
          const reply = await ask(`POST ${new URL(url).pathname}`, { raw, headers });
          if (reply.status === 200) taken += 1;
          expect(
            [200, 400],
            `${reply.status} ${reply.text} ${text.slice(0, 300)}`.toWellFormed(),
          ).toContain(reply.status);
        },
      );
      await fc.assert(property, tried(40));
      expect(taken).toBeGreaterThan(0);
      // Only a text that is too long for its message is kept in D1, which all workspaces share.
      const after = await rowsOf(other);
      expect({ ...after, d1_report_bodies: 0 }).toEqual({ ...before, d1_report_bodies: 0 });
    },
  );

  it("that nest without end are refused, though signed", async () => {
    const { call, url, sign } = await connected(reporter);
    const report = written(reporter, reporter.report(call, { analysis: { deep: "DEEP" } }));
    const raw = report.replace(/("|%22)DEEP("|%22)/, "[".repeat(100_000) + "]".repeat(100_000));
    const headers = await sign(raw);
    const reply = await ask(`POST ${new URL(url).pathname}`, { raw, headers });
    expect(reply.status).toBe(400);
  });
});

/** The carrier that the test suite runs: only it dials. */
const LIVE = REPORTERS.filter(({ carrier }) => carrier === "simulator");

describe.each(LIVE)("H38 signed reports of $carrier", (reporter) => {
  const settings = inject("carrier");

  it(
    "with impossible instants and amounts leave the object well, and the next call is dialled",
    TIMEOUT,
    async () => {
      const workspace = await mintCallingWorkspace();
      await workspace.ask(`PATCH /v1/agents/${workspace.agent}`, {
        body: { usesCallback: true, settings: { ringMs: 60_000, talkMs: 60_000 } },
      });
      const { agent, from } = workspace;
      const campaign = await made(workspace, "campaigns", {
        name: "L",
        type: "realtime",
        agent,
        from,
        retries: 3,
      });
      for (const at of [8.64e15, 8.65e15, 1e300, -1e300, 2 ** 53]) {
        const task = await made(workspace, "tasks", { campaign, phone: goodPhone(7) });
        const calls = await poll(
          () => workspace.ask(`GET /v1/tasks/${task}/calls`),
          (one) => (one.json.items as Json[])?.length === 1,
        );
        const call = String((calls.json.items as Json[])[0]?.id);
        const wrong = { outcome: "busy_callback", callbackAt: at, talkMs: at, costMicros: at };
        const times = { ringingAt: at, answeredAt: at };
        const raw = JSON.stringify(
          reporter.report(call, { ...wrong, ...times, analysis: { callbackAt: at } }),
        );
        const url = `http://outdial.test/reports/${workspace.connection}`;
        const headers = await reporter.sign(settings, raw, Date.now(), url);
        const reply = await ask(`POST /reports/${workspace.connection}`, { raw, headers });
        expect(reply.status, reply.text).toBe(200);
        const after = await poll(
          () => workspace.ask(`GET /v1/tasks/${task}`),
          (one) => one.json.attempts === 1,
        );
        // H20: without a time it is an ordinary retry.
        const due = Number(after.json.nextAttemptAt) - Date.now();
        expect(due).toBeGreaterThan(25 * 60_000);
        expect(due).toBeLessThan(31 * 60_000);
      }
      const read = await workspace.ask(`GET /v1/campaigns/${campaign}`);
      expect(read.json.counters).toMatchObject({ attempts: 5, talkMs: 0 });
      const csv = await workspace.ask(`GET /v1/campaigns/${campaign}/tasks.csv`);
      expect(csv.status).toBe(200);
    },
  );
});
