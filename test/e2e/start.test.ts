import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import {
  cpSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  statSync,
  symlinkSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Client } from "../../scripts/client.ts";
import type { Demo } from "../../scripts/home.ts";
import type { Call } from "../../src/contract/call.ts";
import type { Campaign } from "../../src/contract/campaign.ts";
import type { Task } from "../../src/contract/task.ts";
import { ROLES } from "../../src/core/access.ts";
import { type Leak, leaksIn } from "../support/leaks.ts";
import { type Dial, freePort, until } from "./rig.ts";

const TEMPORARY = mkdtempSync(join(tmpdir(), "outdial-start-"));
const FOLDER = join(TEMPORARY, ".local");
/** A clone, in which a start builds: what other tests serve meanwhile stays as it is. */
const ROOT = join(TEMPORARY, "clone");
const ROWS = 300;
/** A report that was acknowledged an instant before the stop is found by a look-up, after 2 min. */
const DEADLINE_MS = 170_000;
const LEAD = { phone: "+915550123456", context: { name: "Maya", orderId: "LK-1", colour: "teal" } };

/** What becomes of a number of the demo's file (docs/simulator.md); every other one connects. */
const OUTCOMES: Record<string, string> = {
  "0001": "no_answer",
  "0002": "busy",
  "0003": "failed",
  "0004": "voicemail",
  "0005": "no_response",
  "0006": "busy_callback",
  "0007": "busy_callback",
  "0008": "interested",
  "0009": "not_interested",
  "0010": "failed",
  "0014": "init_failed",
  "0034": "failed",
  "0036": "interested",
  "0041": "failed",
};

function clone(): void {
  const from = join(import.meta.dirname, "..", "..");
  for (const name of readdirSync(from)) {
    if (name.startsWith(".") || ["node_modules", "dist", "coverage"].includes(name)) continue;
    cpSync(join(from, name), join(ROOT, name), { recursive: true });
  }
  symlinkSync(realpathSync(join(from, "node_modules")), join(ROOT, "node_modules"));
}

type Started = { child: ChildProcess; port: number; said: () => string };
const started: Started[] = [];

/** `npm start`, without a terminal. */
function start(port: number, folder = FOLDER): Started {
  const child = spawn("npm", ["start", "--", "--folder", folder], {
    cwd: ROOT,
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, PORT: String(port) },
  });
  let said = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk: Buffer) => {
      said += chunk.toString();
    });
  }
  const one = { child, port, said: () => said };
  started.push(one);
  return one;
}

async function exitOf({ child }: Started): Promise<number | null> {
  if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
  return child.exitCode;
}

/** The demo, once it runs there. */
function demoAt(one: Started): Promise<Demo> {
  const url = `http://127.0.0.1:${one.port}`;
  return until(
    async () => {
      expect(one.child.exitCode, one.said()).toBe(null);
      return one.said().includes("curl") ? readDemo() : null;
    },
    (demo): demo is Demo => demo?.url === url,
  ) as Promise<Demo>;
}

function readDemo(): Demo {
  return JSON.parse(readFileSync(join(FOLDER, "demo.json"), "utf8")) as Demo;
}

/** The role of whom a reply has signed in. */
async function roleOf(demo: Demo, reply: Response): Promise<string | undefined> {
  await reply.body?.cancel();
  const cookie = reply.headers.getSetCookie().map((one) => one.split(";")[0]);
  const me = await fetch(`${demo.url}/v1/me`, { headers: { cookie: cookie.join("; ") } });
  const { workspaces } = (await me.json()) as { workspaces: { role: string }[] };
  return workspaces[0]?.role;
}

/** Secrets and numbers in what the Worker has logged since its start. */
function leaksInLog(): Leak[] {
  const keys = JSON.parse(readFileSync(join(FOLDER, "keys.json"), "utf8")) as object;
  const secrets = Object.entries(keys).flatMap(([name, value]): [string, string][] =>
    typeof value === "string" ? [[name, value]] : [],
  );
  const lines = readFileSync(join(FOLDER, "worker.log"), "utf8").split("\n");
  return lines.flatMap((line) => leaksIn("worker.log", line, secrets));
}

/** Processes of a start that are still there. */
function leftOf({ port }: Started): string[] {
  const all = execFileSync("ps", ["-eo", "args"], { encoding: "utf8", timeout: 10_000 }).split(
    "\n",
  );
  return all.filter((line) => line.includes(FOLDER) || line.includes(`127.0.0.1:${port}`));
}

afterAll(async () => {
  for (const one of started) {
    if (one.child.exitCode === null) one.child.kill("SIGTERM");
    await exitOf(one);
  }
  rmSync(TEMPORARY, { recursive: true, force: true });
});

beforeAll(clone);

describe("npm start", () => {
  const first = {} as { run: Started; demo: Demo };
  const second = {} as { run: Started; demo: Demo };

  test("makes a demo, says how to push a lead, and the lead rings next though slots are busy", async () => {
    first.run = start(await freePort());
    first.demo = await demoAt(first.run);
    const { demo, run } = first;
    expect(Object.keys(demo).sort()).toEqual(
      [
        ...["agent", "apiKey", "batchCampaign", "from", "realtimeCampaign", "url"],
        ...["other", "people"],
      ].sort(),
    );
    for (const name of ["demo.json", "keys.json"]) {
      expect(statSync(join(FOLDER, name)).mode & 0o777).toBe(0o600);
    }
    expect(run.said()).toContain("286 taken, rejected: missing 1, no_country_code 2");

    const api = new Client(demo.url, demo.apiKey);
    // Calls end one by one by now, and each slot that frees is taken again.
    await until(
      async () => ({
        ...(await carrierOf(run).get<{ ended: number }>("/_/stats")),
        ...(await api.get<{ slotsInUse: number }>("/v1/workspace")),
      }),
      ({ ended, slotsInUse }) => ended > 10 && slotsInUse === 10,
    );
    const pushedAt = Date.now();
    const task = await api.post<Task>("/v1/tasks", { campaign: demo.realtimeCampaign, ...LEAD });
    const dial = await rings(run, LEAD.phone);
    expect(dial.at - pushedAt).toBeLessThan(2_000);
    const call = await until(
      async () => (await api.get<{ items: Call[] }>(`/v1/tasks/${task.id}/calls`)).items[0],
      (one) => one?.outcome === "connected",
    );
    const { transcript } = await api.get<Call>(`/v1/calls/${call?.id}`);
    const spoken = transcript?.map((turn) => turn.text).join("\n");
    const { name, orderId, colour } = LEAD.context;
    for (const value of [name, orderId]) expect(spoken).toContain(value);
    // The agent does not list it: it stays here.
    expect(spoken).not.toContain(colour);
  });

  test("has a page with a form, and whoever leaves a number there is called", async () => {
    const { demo, run } = first;
    const page = await fetch(`${demo.url}/demo/form`, { headers: { accept: "text/html" } });
    const action = /<form action="(\/f\/frm_\w+)"/.exec(await page.text())?.[1];
    expect(action).toBeDefined();
    const phone = "98765 43219";
    const sent = await fetch(demo.url + action, {
      method: "POST",
      headers: { origin: demo.url, accept: "application/json" },
      body: new URLSearchParams({ phone, consent: "1", name: "Maya" }),
    });
    expect(sent.status).toBe(201);
    await rings(run, "+919876543219");
  });

  test("lets one person of each role in, by password and by the link that it prints", async () => {
    const { demo, run } = first;
    expect(demo.people.map(({ role }) => role).sort()).toEqual([...ROLES].sort());
    for (const { email, password, role } of demo.people) {
      const headers = { "content-type": "application/json", origin: demo.url };
      const body = JSON.stringify({ email, password });
      const path = `${demo.url}/api/auth/sign-in/email`;
      const reply = await fetch(path, { method: "POST", headers, body });
      expect([role, reply.status]).toEqual([role, 200]);
      expect(await roleOf(demo, reply)).toBe(role);
    }
    const [link = ""] = /http:\S+\/api\/auth\/local-sign-in\S+/.exec(run.said()) ?? [];
    const opened = await fetch(link, { redirect: "manual" });
    expect([opened.status, await roleOf(demo, opened)]).toEqual([302, "owner"]);
  });

  test("has another workspace, whose things are there for its key and for no other", async () => {
    const { demo } = first;
    const { apiKey, campaign, task, call } = demo.other;
    for (const path of [`campaigns/${campaign}`, `tasks/${task}`, `calls/${call}`]) {
      const ask = async (key: string) => {
        const headers = { authorization: `Bearer ${key}` };
        const reply = await fetch(`${demo.url}/v1/${path}`, { headers });
        await reply.body?.cancel();
        return reply.status;
      };
      expect([path, await ask(apiKey), await ask(demo.apiKey)]).toEqual([path, 200, 404]);
    }
  });

  test("is ended by SIGTERM in the middle of its batch, and leaves no process", async () => {
    const { run } = first;
    expect(leftOf(run).length).toBeGreaterThan(0);
    // A line when something changed.
    await until(
      async () => run.said(),
      (said) => /slots 10\/10 \| .*November orders running/.test(said),
    );
    run.child.kill("SIGTERM");
    expect(await exitOf(run)).toBe(0);
    expect(leftOf(run)).toEqual([]);
    // Numbers are masked, but for the sample's.
    const lines = run.said().split("\n");
    expect(lines.filter((line) => /\+\d{9,}/.test(line) && !line.startsWith("curl"))).toEqual([]);
    expect(leaksInLog()).toEqual([]);
  });

  test(
    "goes on where it ended, on another port too, until every row is accounted for",
    async () => {
      second.run = start(await freePort());
      second.demo = await demoAt(second.run);
      const { run, demo } = second;
      expect({ ...demo, url: "" }).toEqual({ ...first.demo, url: "" });
      await carrierOf(run).post("/_/behaviour", { speed: 20 });
      const api = new Client(demo.url, demo.apiKey);
      await api.patch(`/v1/campaigns/${demo.batchCampaign}`, { intervals: 1_000 });
      const batch = await until(
        () => api.get<Campaign>(`/v1/campaigns/${demo.batchCampaign}`),
        ({ status }) => status === "completed",
        { everyMs: 200, deadlineMs: DEADLINE_MS },
      );
      const { counters } = batch;
      expect(counters).toMatchObject({ queued: 0, running: 0, paused: 0 });
      expect(counters.completed + counters.archived + 14).toBe(ROWS);
      const tasks = await until(
        () => tasksOf(api, demo.batchCampaign),
        (some) => some.every((task) => task.lastOutcome === outcomeOf(task)),
      );
      expect(tasks.length).toBe(ROWS - 14);
      expect(await carrierOf(run).get("/_/stats")).toMatchObject({ repeated: 0 });
      const { items } = await api.get<{ items: Campaign[] }>("/v1/campaigns");
      expect(items.length).toBe(2);
      await until(
        async () => run.said(),
        (said) => said.includes("300 rows = 286 completed + 0 archived + 14 rejected."),
      );

      await api.post("/v1/tasks", { campaign: demo.realtimeCampaign, ...LEAD });
      await rings(run, LEAD.phone);
      expect(leaksInLog()).toEqual([]);
    },
    DEADLINE_MS + 60_000,
  );

  test("says so when a port is taken, or when it runs already, and exits with 1", async () => {
    const { run } = second;
    const other = join(FOLDER, "..", "other");
    const taken = start(run.port, other);
    expect(await exitOf(taken)).toBe(1);
    expect(taken.said()).toContain(`Port ${run.port}, for outdial, is taken.`);
    const simulatorTaken = start(run.port - 1, other);
    expect(await exitOf(simulatorTaken)).toBe(1);
    expect(simulatorTaken.said()).toContain(`Port ${run.port}, for the simulated carrier, is`);
    const twice = start(await freePort());
    expect(await exitOf(twice)).toBe(1);
    expect(twice.said()).toContain(`It runs already: http://127.0.0.1:${run.port}`);
  });

  test("leaves no process behind when npm itself is killed, and reset starts over", async () => {
    const { run } = second;
    run.child.kill("SIGKILL");
    await until(
      async () => leftOf(run),
      (left) => left.length === 0,
    );
    const reset = ["run", "reset", "--", "--folder", FOLDER];
    execFileSync("npm", reset, { cwd: ROOT, stdio: "ignore", timeout: 30_000 });
    expect(existsSync(FOLDER)).toBe(false);
  });
});

/** The simulated carrier of a start. */
function carrierOf({ port }: Started): Client {
  return new Client(`http://127.0.0.1:${port + 1}`, "");
}

/** The dial that made this number ring. */
async function rings(run: Started, phone: string): Promise<Dial> {
  const ask = async () => {
    const { dials } = await carrierOf(run).get<{ dials: Dial[] }>("/_/dials?since=0");
    return dials.find((one) => one.to === phone && one.accepted);
  };
  return (await until(ask, (dial) => dial !== undefined, { everyMs: 10 })) as Dial;
}

/** How the last call of a task must have ended. */
function outcomeOf({ phone }: Task): string {
  return OUTCOMES[phone.slice(-4)] ?? "connected";
}

/** What a list says: at most a second behind. */
async function tasksOf(api: Client, campaign: string): Promise<Task[]> {
  const tasks: Task[] = [];
  let cursor = "";
  for (;;) {
    type Page = { items: Task[]; nextCursor: string | null };
    const page = await api.get<Page>(`/v1/campaigns/${campaign}/tasks?limit=200${cursor}`);
    tasks.push(...page.items);
    if (page.nextCursor === null) return tasks;
    cursor = `&cursor=${page.nextCursor}`;
  }
}
