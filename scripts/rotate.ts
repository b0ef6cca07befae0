/**
 * `npm run keys:rotate`: changes the key that seals the settings of a deployment's connections, while
 * calls go on. A new key comes beside the old one, every connection is sealed anew, then the old one
 * goes. Safe to repeat: where it was cut short, the next run goes on.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { ApiError, Client } from "./client.ts";
import { Deployment, SEALING_KEY } from "./deployment.ts";
import { draw } from "./home.ts";
import { Wrangler, WranglerError } from "./wrangler.ts";

const ROOT = join(import.meta.dirname, "..");
/** A new secret takes a while to be known everywhere, ms. */
const PATIENCE_MS = 120_000;
const AGAIN_MS = 1_000;

/** What people can do something about. */
class Refused extends Error {}

const { values } = parseArgs({ options: { folder: { type: "string" } } });
const FOLDER = values.folder ?? join(ROOT, ".deploy");
const CONFIG = join(FOLDER, "wrangler.toml");
const wrangler = new Wrangler(CONFIG);

try {
  await rotate();
} catch (error) {
  const known = error instanceof Refused || error instanceof WranglerError;
  console.error(known ? error.message : error);
  console.error("Nothing is lost: mend this and run it again.");
  process.exit(1);
}

async function rotate(): Promise<void> {
  const deployment = openDeployment();
  const { url } = deployment;
  const adminSecret = process.env.ADMIN_SECRET ?? deployment.adminSecret;
  if (url === null || adminSecret === null) {
    throw new Refused(
      "Deploy from here first, or give the secret: ADMIN_SECRET=… npm run keys:rotate",
    );
  }
  const before = await sealingKeys();
  // Two of them: a run before this one was cut short.
  const key = before.length > 1 ? Math.max(...before) : await addKey(deployment, before[0] ?? 0);
  await resealAll(new Client(url, adminSecret), key);
  for (const old of before.filter((one) => one !== key)) {
    console.log(`Removing ${nameOf(old)} …`);
    await wrangler.run(["secret", "delete", nameOf(old)]);
    const { [nameOf(old)]: _, ...left } = deployment.sealingKeys;
    deployment.keep({ sealingKeys: left });
  }
  console.log(`${nameOf(key)} seals now, and no other opens anything.`);
}

function openDeployment(): Deployment {
  const text = existsSync(CONFIG) ? readFileSync(CONFIG, "utf8") : "";
  const database = /^database_id = "(.+)"$/m.exec(text)?.[1];
  if (database === undefined) throw new Refused("There is no deployment here: npm run deploy");
  return new Deployment(FOLDER, database);
}

async function sealingKeys(): Promise<number[]> {
  const list = await wrangler.json<{ name: string }[]>(["secret", "list", "--format", "json"]);
  return list.flatMap(({ name }) => {
    const number = SEALING_KEY.exec(name)?.[1];
    return number === undefined ? [] : [Number(number)];
  });
}

/** Kept before it is used; the number of the new key. */
async function addKey(deployment: Deployment, newest: number): Promise<number> {
  const key = newest + 1;
  const name = nameOf(key);
  const value = deployment.sealingKeys[name] ?? draw();
  deployment.keep({ sealingKeys: { ...deployment.sealingKeys, [name]: value } });
  console.log(`Adding ${name} …`);
  await wrangler.run(["secret", "put", name], { input: value });
  return key;
}

/** Walks until a whole walk finds nothing more: what an edit sealed by the old key is found by the next. */
async function resealAll(api: Client, key: number): Promise<void> {
  for (;;) {
    let after: string | null = null;
    let sealed = 0;
    let seen = 0;
    do {
      const slice: Slice = await insist(() =>
        api.post<Slice>("/v1/connections/reseal", { key, after }),
      );
      sealed += slice.sealed;
      seen += slice.seen;
      after = slice.next;
    } while (after !== null);
    console.log(`${sealed} of ${seen} connections sealed anew.`);
    if (sealed === 0) return;
  }
}

type Slice = { seen: number; sealed: number; next: string | null };

/** Asks again while the answer may only be a matter of time: a new secret, a Dialer that was away. */
async function insist<T>(ask: () => Promise<T>): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await ask();
    } catch (error) {
      const passes = !(error instanceof ApiError) || error.status === 409 || error.status >= 500;
      if (!passes || Date.now() > deadline) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, AGAIN_MS));
  }
}

function nameOf(key: number): string {
  return `SEALING_KEY_${key}`;
}
