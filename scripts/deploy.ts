/**
 * `npm run deploy`: makes what is missing in the Cloudflare account that wrangler is signed in to,
 * deploys, and makes the first workspace. Safe to repeat, and to run again after a failure: what
 * is there is learned from wrangler. `PUBLIC_URL=https://…` names another address than workers.dev;
 * `MAIL_FROM=calls@…` sends mails through Cloudflare, by a domain that it may send for. With
 * `--built` it takes `dist/assets` as the last build left it.
 */
import { execFileSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import { ApiError, Client } from "./client.ts";
import { Deployment, SEALING_KEY } from "./deployment.ts";
import { draw, writePrivately } from "./home.ts";
import { Wrangler, WranglerError } from "./wrangler.ts";

const ROOT = join(import.meta.dirname, "..");
const BUILD = join(ROOT, "scripts", "build.ts");
const NAME = "outdial";
const QUEUES = ["outdial-ingest", "outdial-reports", "outdial-events", "outdial-dead"];
const WORKSPACE = { name: "Main", slots: 10 };
/** A new address or a new secret takes a while to be known everywhere, ms. */
const PATIENCE_MS = 120_000;
const AGAIN_MS = 1_000;

/** What people can do something about. */
class Refused extends Error {}

const { values } = parseArgs({
  options: { folder: { type: "string" }, built: { type: "boolean", default: false } },
});
const FOLDER = values.folder ?? join(ROOT, ".deploy");
const CONFIG = join(FOLDER, "wrangler.toml");
const NO_DATABASE = "00000000-0000-0000-0000-000000000000";
const wrangler = new Wrangler(CONFIG);
/** Sender of mails through Cloudflare's email sending, or null. */
let mailFrom: string | null = null;

try {
  await deploy();
} catch (error) {
  const known = error instanceof Refused || error instanceof WranglerError;
  console.error(known ? error.message : error);
  console.error("Nothing is lost: mend this and run it again.");
  process.exit(1);
}

async function deploy(): Promise<void> {
  refuseLocal(Object.keys(process.env));
  mkdirSync(FOLDER, { recursive: true, mode: 0o700 });
  writeConfig(NO_DATABASE, null);
  await checkSignedIn();
  const database = await ensureDatabase();
  for (const queue of QUEUES) await ensureQueue(queue);
  const deployment = new Deployment(FOLDER, database);
  if (process.env.MAIL_FROM) deployment.keep({ mailFrom: process.env.MAIL_FROM });
  mailFrom = deployment.mailFrom;
  writeConfig(database, process.env.PUBLIC_URL ?? deployment.url);
  say("Applying migrations …");
  await wrangler.run(["d1", "migrations", "apply", NAME, "--remote"]);
  const workspace = await firstWorkspace();
  const names = await secretNames();
  refuseLocal(names);
  const secrets = secretsToSet(names, workspace, deployment);
  const isSetUp = await hasOwner();
  if (!isSetUp) Object.assign(secrets, setupToken(names, deployment));
  if (!values.built) execFileSync(process.execPath, [BUILD, "--assets"]);
  const url = await upload(database, secrets, deployment);
  await makeWorkspace(url, workspace, deployment);
  if (isSetUp) return;
  say(`
It has no owner yet. Whoever has this token makes the first one, once (POST ${url}/setup, docs/security.md):
${deployment.setupToken}`);
}

/**
 * What is for local runs: a list that lets the simulator through would let anybody with a key reach
 * inside of a network, and links that sign in are nothing for a deployment.
 */
function refuseLocal(given: readonly string[]): void {
  const committed = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  for (const name of ["OUTBOUND_ALLOW", "LOCAL_SIGN_IN"]) {
    if (!given.includes(name) && !new RegExp(`^\\s*${name}\\s*=`, "m").test(committed)) continue;
    throw new Refused(
      `${name} is for local runs: take it out of the environment, wrangler.toml and the Worker's secrets.`,
    );
  }
}

/** Whether /setup was used. */
async function hasOwner(): Promise<boolean> {
  const sql = "SELECT set_up_at FROM deployment";
  type Answer = { results: unknown[] }[];
  const args = ["d1", "execute", NAME, "--remote", "--json", "--yes", "--command", sql];
  const [answer] = await wrangler.json<Answer>(args);
  return (answer?.results.length ?? 0) > 0;
}

/** The token for /setup, drawn anew where nobody here knows the one that the Worker has. */
function setupToken(names: readonly string[], deployment: Deployment): Record<string, string> {
  if (names.includes("SETUP_TOKEN") && deployment.setupToken !== null) return {};
  const token = deployment.setupToken ?? draw();
  deployment.keep({ setupToken: token });
  return { SETUP_TOKEN: token };
}

async function checkSignedIn(): Promise<void> {
  try {
    await wrangler.run(["whoami", "--json"]);
  } catch (error) {
    if (!(error instanceof WranglerError)) throw error;
    throw new Refused(`Sign in first: npx wrangler login\n${error.message}`);
  }
}

/** The id of the D1 database of this name, made now if there is none. */
async function ensureDatabase(): Promise<string> {
  const find = async () => {
    const list = await wrangler.json<{ uuid: string; name: string }[]>(["d1", "list", "--json"]);
    return list.find((one) => one.name === NAME)?.uuid ?? null;
  };
  const known = await find();
  if (known !== null) return known;
  say(`Making the D1 database ${NAME} …`);
  await wrangler.run(["d1", "create", NAME]);
  const made = await find();
  if (made === null) throw new Refused(`wrangler made the database ${NAME} but does not list it.`);
  return made;
}

async function ensureQueue(queue: string): Promise<void> {
  try {
    await wrangler.run(["queues", "info", queue]);
  } catch (error) {
    if (!(error instanceof WranglerError) || !error.output.includes("does not exist")) throw error;
    say(`Making the queue ${queue} …`);
    await wrangler.run(["queues", "create", queue]);
  }
}

/** The secrets that the Worker has; none where there is no Worker yet. */
async function secretNames(): Promise<string[]> {
  try {
    const list = await wrangler.json<{ name: string }[]>(["secret", "list", "--format", "json"]);
    return list.map((one) => one.name);
  } catch (error) {
    if (error instanceof WranglerError && error.output.includes(`"${NAME}" not found`)) return [];
    throw error;
  }
}

async function firstWorkspace(): Promise<string | null> {
  const sql = "SELECT id FROM workspaces ORDER BY created_at LIMIT 1";
  type Answer = { results: { id: string }[] }[];
  const args = ["d1", "execute", NAME, "--remote", "--json", "--yes", "--command", sql];
  const [answer] = await wrangler.json<Answer>(args);
  return answer?.results[0]?.id ?? null;
}

/**
 * Keys and report addresses hang on SIGNING_SECRET, settings of connections on SEALING_KEY_<n>: one that is there is never
 * touched, and data that was made with another is a reason to stop. ADMIN_SECRET is drawn anew
 * where nobody here knows it and a workspace is still to be made.
 */
function secretsToSet(
  names: readonly string[],
  workspace: string | null,
  deployment: Deployment,
): Record<string, string> {
  const secrets: Record<string, string> = {};
  if (!names.includes("SIGNING_SECRET")) {
    const known = process.env.SIGNING_SECRET ?? deployment.signingSecret;
    if (known === null && workspace !== null) {
      throw new Refused(
        "The database has workspaces, but the Worker has no SIGNING_SECRET: their keys and settings were made with the one it had. Give it, and the newest SEALING_KEY_<n> that it had: SEALING_KEY_1=… SIGNING_SECRET=… npm run deploy",
      );
    }
    secrets.SIGNING_SECRET = known ?? draw();
    deployment.keep({ signingSecret: secrets.SIGNING_SECRET });
  }
  if (!names.some((name) => SEALING_KEY.test(name))) {
    const [given] = Object.entries(process.env).filter(([name]) => SEALING_KEY.test(name));
    const kept = Object.entries(deployment.sealingKeys).at(-1);
    const [name, value = draw()] = given ?? kept ?? ["SEALING_KEY_1"];
    secrets[name] = value;
    deployment.keep({ sealingKeys: { ...deployment.sealingKeys, [name]: value } });
  }
  const unknown = deployment.adminSecret === null && workspace === null;
  if (!names.includes("ADMIN_SECRET") || unknown) {
    secrets.ADMIN_SECRET = deployment.adminSecret ?? draw();
    deployment.keep({ adminSecret: secrets.ADMIN_SECRET });
  }
  return secrets;
}

/**
 * Uploads code, secrets and settings; the address at which it is reached. Where that is not known
 * before, the Worker keeps the address that it has, or learns it in a second upload.
 */
async function upload(
  database: string,
  secrets: Record<string, string>,
  deployment: Deployment,
): Promise<string> {
  const args: string[] = [];
  const file = join(FOLDER, "secrets.json");
  const report = join(FOLDER, "deployed.ndjson");
  if (Object.keys(secrets).length > 0) {
    writePrivately(file, secrets);
    args.push("--secrets-file", file);
  }
  const wanted = process.env.PUBLIC_URL ?? deployment.url;
  if (wanted === null) args.push("--keep-vars");
  say("Deploying …");
  let targets: string[];
  try {
    targets = await wrangler.deploy(args, report);
  } finally {
    rmSync(file, { force: true });
  }
  const address = wanted ?? targets.find((target) => /^https:\/\/[^ /*]+$|^http:/.test(target));
  if (address === undefined) {
    throw new Refused("It has no address of its own: name one with PUBLIC_URL=https://…");
  }
  await waitUntilHealthy(address);
  const known = wanted ?? (await publicUrlOf(address));
  if (known === null) {
    writeConfig(database, address);
    await wrangler.deploy([], report);
  }
  deployment.keep({ url: known ?? address });
  return known ?? address;
}

/** PUBLIC_URL of the Worker that answers there: its description names it. */
async function publicUrlOf(address: string): Promise<string | null> {
  const api = new Client(address, "");
  const { servers } = await api.get<{ servers: { url?: string }[] }>("/openapi.json");
  return servers[0]?.url ?? null;
}

async function waitUntilHealthy(address: string): Promise<void> {
  say(`Waiting for ${address} …`);
  await insist(() => new Client(address, "").get("/healthz"));
}

async function makeWorkspace(
  url: string,
  workspace: string | null,
  deployment: Deployment,
): Promise<void> {
  const { adminSecret } = deployment;
  if (workspace === null && adminSecret !== null) {
    say("Making the first workspace …");
    const api = new Client(url, adminSecret);
    type Made = { id: string; apiKey: string };
    const made = await insist(() => api.post<Made>("/v1/workspaces", WORKSPACE), [401, 404]);
    deployment.keep({ workspace: made.id, apiKey: made.apiKey });
  }
  const { apiKey } = deployment;
  const id = workspace ?? deployment.workspace;
  const shown = apiKey ?? "was shown when the workspace was made";
  const where = relative(process.cwd(), deployment.file);
  say(`
outdial is at ${url} (API: ${url}/docs)
workspace ${id}, key: ${shown}
Secrets are kept in ${where}: keep that file, and show it to nobody.`);
}

/** Asks again while the answer may only be a matter of time. */
async function insist<T>(ask: () => Promise<T>, passing?: readonly number[]): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      // Whether a request without an answer made a workspace, only the next run can tell.
      const passes =
        passing === undefined || (error instanceof ApiError && passing.includes(error.status));
      if (!passes || Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

/** `wrangler.toml` for this account: the committed one stays free of ids. */
function writeConfig(database: string, publicUrl: string | null): void {
  const up = relative(FOLDER, ROOT);
  let text = readFileSync(join(ROOT, "wrangler.toml"), "utf8");
  for (const key of ["main", "directory", "migrations_dir"]) {
    text = replaceOnce(text, new RegExp(`^${key} = "(.+)"$`, "m"), (path) => join(up, path));
  }
  text = replaceOnce(text, /^database_id = "(.+)"$/m, () => database);
  const mails = mailFrom === null ? "" : '\n[[send_email]]\nname = "MAILS"\n';
  const vars = Object.entries({ PUBLIC_URL: publicUrl, MAIL_FROM: mailFrom })
    .filter(([, value]) => value !== null)
    .map(([name, value]) => `${name} = ${JSON.stringify(value)}\n`);
  const all = vars.length === 0 ? "" : `\n[vars]\n${vars.join("")}`;
  writeFileSync(CONFIG, `# Made by npm run deploy from wrangler.toml.\n${text}${mails}${all}`);
}

function replaceOnce(text: string, line: RegExp, change: (value: string) => string): string {
  const found = line.exec(text);
  if (found === null) throw new Error(`bug: wrangler.toml has no line like ${line}`);
  const [whole, value = ""] = found;
  const changed = whole.replace(/".+"$/, () => JSON.stringify(change(value)));
  return text.replace(whole, () => changed);
}

function say(line: string): void {
  console.log(line);
}
