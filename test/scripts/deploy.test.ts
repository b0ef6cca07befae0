import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStage, type Stage } from "./account.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const COMMITTED = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
const QUEUES = ["outdial-ingest", "outdial-reports", "outdial-events", "outdial-dead"];
const TIMEOUT_MS = 30_000;

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => {
  expect(readFileSync(join(ROOT, "wrangler.toml"), "utf8")).toBe(COMMITTED);
  stage.close();
});

const commands = () => stage.read().asked.map((one) => one.command);
const uploads = () => stage.read().asked.filter((one) => one.command === "deploy");
/** Values that a secret was ever given. */
const valuesOf = (name: string) => new Set(uploads().flatMap(({ secrets }) => secrets[name] ?? []));

describe("npm run deploy", { timeout: TIMEOUT_MS }, () => {
  test("makes everything in an empty account, and says where it is", async () => {
    const { code, out } = await stage.deploy();
    expect(code).toBe(0);
    const { databases, queues, migrated, worker, workspaces } = stage.read();
    expect(databases.map((one) => one.name)).toEqual(["outdial"]);
    expect(queues).toEqual(QUEUES);
    expect(migrated).toEqual([databases[0]?.uuid]);
    expect(Object.keys(worker?.secrets ?? {}).sort()).toEqual([
      "ADMIN_SECRET",
      "SEALING_KEY_1",
      "SETUP_TOKEN",
      "SIGNING_SECRET",
    ]);
    expect(worker?.publicUrl).toBe(stage.address);
    expect(workspaces).toEqual(["ws_1"]);
    expect(out).toContain(stage.address);
    expect(out).toContain("key: od_ws_1");
    // Secrets are this user's alone, and wrangler's copy of them is gone.
    const kept = readdirSync(stage.memory).filter((name) => name.endsWith(".json"));
    expect(kept).toEqual([`${databases[0]?.uuid}.json`]);
    expect(statSync(join(stage.memory, kept[0] ?? "")).mode & 0o777).toBe(0o600);
    // The schema is there before the code that needs it.
    expect(commands().indexOf("d1 migrations apply outdial")).toBeLessThan(
      commands().indexOf("deploy"),
    );
  });

  test("builds what is served", async () => {
    const built = () => statSync(join(ROOT, "dist", "assets", "_headers")).mtimeMs;
    const before = built();
    expect((await stage.deploy()).code).toBe(0);
    expect(built()).toBe(before);
    expect((await stage.deploy({}, [])).code).toBe(0);
    expect(built()).toBeGreaterThan(before);
  });

  test("repeated, makes nothing, touches no secret and uploads once", async () => {
    await stage.deploy();
    const before = stage.read();
    stage.write({ asked: [] });
    const { code, out } = await stage.deploy();
    const after = stage.read();
    expect(code).toBe(0);
    expect({ ...after, asked: [], migrated: [] }).toEqual({ ...before, asked: [], migrated: [] });
    expect(uploads().map(({ secrets, publicUrl }) => ({ secrets, publicUrl }))).toEqual([
      { secrets: {}, publicUrl: stage.address },
    ]);
    expect(commands().filter((one) => one.includes("create"))).toEqual([]);
    expect(out).toContain("key: od_ws_1");
  });

  test("from a fresh clone, learns what is there from wrangler and the Worker", async () => {
    await stage.deploy({ PUBLIC_URL: stage.address });
    const before = stage.read();
    rmSync(stage.memory, { recursive: true });
    stage.write({ asked: [], hasOwner: true });
    const { code, out } = await stage.deploy();
    expect(code).toBe(0);
    expect(stage.read().worker).toEqual(before.worker);
    expect(stage.read().workspaces).toEqual(["ws_1"]);
    // A live Worker is never without its address, not even between two uploads.
    expect(uploads().map(({ keepVars }) => keepVars)).toEqual([true]);
    expect(out).toContain("workspace ws_1, key: was shown when the workspace was made");
  });

  test.each(["d1 create", "queues create outdial-reports", "d1 migrations", "deploy"])(
    "goes on after %s failed",
    async (failing) => {
      stage.write({ failing });
      const first = await stage.deploy();
      expect(first.code).toBe(1);
      expect(first.errors).toContain("Nothing is lost");
      expect(first.errors).toContain("Internal error [code: 10013]");
      stage.write({ failing: null });
      expect((await stage.deploy()).code).toBe(0);
      const { databases, queues, worker, workspaces } = stage.read();
      expect(databases).toHaveLength(1);
      expect(queues.toSorted()).toEqual(QUEUES.toSorted());
      expect(worker?.publicUrl).toBe(stage.address);
      expect(workspaces).toEqual(["ws_1"]);
      expect(valuesOf("SIGNING_SECRET").size).toBe(1);
    },
  );

  test("makes the workspace later when the Worker could not", async () => {
    stage.trouble.workspaces = 1;
    expect((await stage.deploy()).code).toBe(1);
    const { code, out } = await stage.deploy();
    expect(code).toBe(0);
    expect(out).toContain("key: od_ws_1");
    expect(stage.read().workspaces).toEqual(["ws_1"]);
    expect(valuesOf("ADMIN_SECRET").size).toBe(1);
  });

  test("draws the admin secret anew where nobody knows it and a workspace is to be made", async () => {
    stage.trouble.workspaces = 1;
    await stage.deploy();
    const signing = stage.read().worker?.secrets.SIGNING_SECRET;
    rmSync(stage.memory, { recursive: true });
    expect((await stage.deploy()).code).toBe(0);
    expect(stage.read().workspaces).toEqual(["ws_1"]);
    expect(valuesOf("ADMIN_SECRET").size).toBe(2);
    expect(stage.read().worker?.secrets.SIGNING_SECRET).toBe(signing);
  });

  test("does not sign over data that was signed with a lost secret", async () => {
    await stage.deploy();
    rmSync(stage.memory, { recursive: true });
    stage.write({ worker: null, asked: [] });
    const refused = await stage.deploy();
    expect(refused.code).toBe(1);
    expect(refused.errors).toContain("SIGNING_SECRET=… npm run deploy");
    expect(uploads()).toEqual([]);
    expect((await stage.deploy({ SIGNING_SECRET: "the one it had" })).code).toBe(0);
    expect(stage.read().worker?.secrets.SIGNING_SECRET).toBe("the one it had");
  });

  test("refuses what is for local runs: a list of those let through (OUTBOUND_ALLOW)", async () => {
    const refused = await stage.deploy({ OUTBOUND_ALLOW: "127.0.0.1:8788" });
    expect(refused.code).toBe(1);
    expect(refused.errors).toContain("OUTBOUND_ALLOW is for local runs");
    expect(commands()).toEqual([]);
    await stage.deploy();
    const { worker } = stage.read();
    if (worker === null) throw new Error("no Worker");
    worker.secrets.OUTBOUND_ALLOW = "127.0.0.1:8788";
    stage.write({ worker, asked: [] });
    expect((await stage.deploy()).code).toBe(1);
    expect(uploads()).toEqual([]);
  });

  test("refuses links that sign in, which are for local runs (LOCAL_SIGN_IN)", async () => {
    const refused = await stage.deploy({ LOCAL_SIGN_IN: "x".repeat(32) });
    expect(refused.code).toBe(1);
    expect(refused.errors).toContain("LOCAL_SIGN_IN is for local runs");
    expect(commands()).toEqual([]);
    await stage.deploy();
    const { worker } = stage.read();
    expect(Object.keys(worker?.secrets ?? {})).not.toContain("LOCAL_SIGN_IN");
    if (worker === null) throw new Error("no Worker");
    worker.secrets.LOCAL_SIGN_IN = "x".repeat(32);
    stage.write({ worker, asked: [] });
    expect((await stage.deploy()).code).toBe(1);
    expect(uploads()).toEqual([]);
  });

  test("prints the token for the first owner until there is one", async () => {
    const first = await stage.deploy();
    const token = stage.read().worker?.secrets.SETUP_TOKEN ?? "none";
    expect(token).toMatch(/^[\w-]{43}$/);
    expect(first.out).toContain(token);
    expect((await stage.deploy()).out).toContain(token);
    expect(valuesOf("SETUP_TOKEN").size).toBe(1);
    // Where nobody knows it any more, another one takes its place.
    rmSync(stage.memory, { recursive: true });
    const again = await stage.deploy();
    const other = stage.read().worker?.secrets.SETUP_TOKEN ?? "none";
    expect(other).not.toBe(token);
    expect(again.out).toContain(other);
    stage.write({ hasOwner: true });
    const last = await stage.deploy();
    expect(last.code).toBe(0);
    expect(last.out).not.toContain(other);
    expect(last.out).not.toContain("no owner");
  });

  test("gives a deployment from before a sealing key, and one that has one no other", async () => {
    await stage.deploy();
    const { worker } = stage.read();
    if (worker === null) throw new Error("no Worker");
    const { SEALING_KEY_1: first, ...secrets } = worker.secrets;
    rmSync(stage.memory, { recursive: true });
    stage.write({ worker: { ...worker, secrets } });
    expect((await stage.deploy()).code).toBe(0);
    const second = stage.read().worker?.secrets.SEALING_KEY_1;
    expect(second).toMatch(/^[\w-]{43}$/);
    expect(second).not.toBe(first);
    expect((await stage.deploy()).code).toBe(0);
    expect(stage.read().worker?.secrets.SEALING_KEY_1).toBe(second);
  });

  test("says how to sign in", async () => {
    stage.write({ signedIn: false });
    const { code, errors } = await stage.deploy();
    expect(code).toBe(1);
    expect(errors).toContain("npx wrangler login");
    expect(commands()).toEqual(["whoami"]);
  });

  test("writes a configuration that the real wrangler takes", async () => {
    await stage.deploy({ MAIL_FROM: "calls@example.com" });
    // Kept: the next one sends mails, too.
    await stage.deploy();
    const wrangler = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
    const out = join(stage.memory, "out");
    const config = join(stage.memory, "wrangler.toml");
    // As somebody has it who keeps copies of recordings: the script leaves such blocks as they are.
    const block = /^# (\[\[r2_buckets\]\]\n)# (.+\n)# (.+\n)/m;
    expect(readFileSync(config, "utf8")).toMatch(block);
    writeFileSync(config, readFileSync(config, "utf8").replace(block, "$1$2$3"));
    const args = [wrangler, "deploy", "--dry-run", "--config", config, "--outdir", out];
    const said = execFileSync(process.execPath, args, {
      cwd: ROOT,
      encoding: "utf8",
      timeout: TIMEOUT_MS,
      stdio: ["ignore", "pipe", "inherit"],
      env: { ...process.env, WRANGLER_SEND_METRICS: "false" },
    });
    expect(said).toContain(`env.PUBLIC_URL ("${stage.address}")`);
    expect(said).toContain('env.MAIL_FROM ("calls@example.com")');
    expect(said).toContain("env.MAILS");
    expect(said).toContain("env.ATTEMPTS");
    expect(said).toContain("env.RECORDINGS (outdial-recordings)");
    expect(existsSync(join(out, "index.js"))).toBe(true);
  });
});
