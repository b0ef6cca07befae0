/**
 * `npm start`: builds, then runs outdial in local workerd with the simulated carrier and a demo.
 * What it knows is kept in `.local`. `PORT` chooses another port, the simulator takes the next one.
 */
import { appendFileSync, existsSync, readFileSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join, relative } from "node:path";
import { parseArgs } from "node:util";
import type { Campaign } from "../src/contract/campaign.ts";
import type { Import } from "../src/contract/import.ts";
import { ApiError, Client } from "./client.ts";
import {
  type CarrierAccount,
  DEMO_FORM,
  describeEnd,
  makeDemo,
  makeForm,
  makeOther,
  OTHER_WORKSPACE,
  plugIn,
  WORKSPACE,
} from "./demo.ts";
import { type Demo, Home } from "./home.ts";
import {
  build,
  PortTaken,
  type Running,
  startSimulator,
  startWorker,
  stopEverything,
} from "./local.ts";
import { linkOf, mailTeller, makePeople, peopleOf } from "./people.ts";
import { showLive, type View } from "./table.ts";

const { values } = parseArgs({ options: { folder: { type: "string" } } });
const FOLDER = values.folder ?? join(import.meta.dirname, "..", ".local");
const PORT = readPort(process.env.PORT ?? "8787");
const URL_ = `http://127.0.0.1:${PORT}`;
const CARRIER_URL = `http://127.0.0.1:${PORT + 1}`;

const PARENT_MS = 250;
/** What a dial that is on its way takes at most, as a rule. */
const SETTLE_MS = 100;
const HUSH_MS = 600;

/** What people can do something about; everything else is a mistake of ours and shows its stack. */
class Refused extends Error {}

const home = new Home(FOLDER);
let carrier: Running | null = null;
let ending = false;
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => void end(0));
}
leaveWithNpm();
try {
  await start();
} catch (error) {
  if (!ending) {
    const known = error instanceof Refused || error instanceof PortTaken;
    console.error(known ? error.message : error);
    await end(1);
  }
}

async function start(): Promise<void> {
  const runner = home.runner();
  if (runner !== null) {
    throw new Refused(`It runs already: ${runner.url} (process ${runner.pid}). End that first.`);
  }
  await checkPort(PORT);
  await checkPort(PORT + 1);
  home.enter(URL_);
  say("Building …");
  await build();
  const before = home.demo();
  if (before !== null && before.url !== URL_) await move(before);
  const { carrierKey, carrierSecret } = home.keys();
  carrier = await startSimulator({
    port: PORT + 1,
    key: carrierKey,
    secret: carrierSecret,
    state: home.carrierState,
  });
  watch(carrier, "The simulated carrier");
  const worker = await openWorker(false);
  watch(worker, "The Worker");
  const made = before === null ? await makeAnew() : { ...before, url: URL_ };
  if (before !== null) await checkKey(made);
  await makeForm(new Client(URL_, made.apiKey), made.realtimeCampaign, URL_);
  const demo: Demo = {
    ...made,
    people: made.people ?? (await makeTeam(made.apiKey)),
    other: made.other ?? (await makeNeighbour()),
  };
  home.keepDemo(demo);
  greet(demo, before === null);
  const api = new Client(demo.url, demo.apiKey);
  const [tellEnd, tellMails] = [await endTeller(api, demo.batchCampaign), mailTeller(home.mails)];
  showLive(api, process.stdout, (view) => {
    const lines = [tellMails(), tellEnd(view)].filter((line) => line !== null);
    return lines.length === 0 ? null : lines.join("\n");
  });
}

function openWorker(unplugged: boolean): Promise<Running> {
  const { ADMIN_SECRET, SIGNING_SECRET, SEALING_KEY_1, SETUP_TOKEN, LOCAL_SIGN_IN } = home.keys();
  writeFileSync(home.log, "", { mode: 0o600 });
  return startWorker({
    folder: FOLDER,
    port: PORT,
    secrets: { ADMIN_SECRET, SIGNING_SECRET, SEALING_KEY_1 },
    vars: { SETUP_TOKEN, LOCAL_SIGN_IN, DEMO_FORM },
    unplugged,
    onLine: (line) => appendFileSync(home.log, `${line}\n`),
  });
}

/** A workspace, kept at once, since its key is shown only once, and the demo in it. */
async function makeAnew(): Promise<Omit<Demo, "people" | "other"> & Partial<Demo>> {
  const keys = home.keys();
  let { apiKey } = keys;
  if (apiKey === null) {
    const admin = new Client(URL_, keys.ADMIN_SECRET);
    ({ apiKey } = await admin.post<{ apiKey: string }>("/v1/workspaces", WORKSPACE));
    home.keep({ apiKey });
  }
  say("Making the demo …");
  const api = new Client(URL_, apiKey);
  return { url: URL_, apiKey, ...(await makeDemo(api, carrierAccount(), say)) };
}

/** One person of each role in the demo's workspace. */
async function makeTeam(apiKey: string): Promise<Demo["people"]> {
  const { SETUP_TOKEN, LOCAL_SIGN_IN, passwords } = home.keys();
  const people = peopleOf(passwords);
  const { id } = await new Client(URL_, apiKey).get<{ id: string }>("/v1/workspace");
  const keys = { setupToken: SETUP_TOKEN, localSignIn: LOCAL_SIGN_IN, mails: home.mails };
  await makePeople(URL_, { ...keys, workspace: id }, people);
  return people;
}

async function makeNeighbour(): Promise<Demo["other"]> {
  const keys = home.keys();
  let apiKey = keys.otherApiKey;
  if (apiKey === null) {
    const admin = new Client(URL_, keys.ADMIN_SECRET);
    ({ apiKey } = await admin.post<{ apiKey: string }>("/v1/workspaces", OTHER_WORKSPACE));
    home.keep({ otherApiKey: apiKey });
  }
  return { apiKey, ...(await makeOther(new Client(URL_, apiKey), carrierAccount())) };
}

function carrierAccount(): CarrierAccount {
  const { carrierKey, carrierSecret } = home.keys();
  return { baseUrl: CARRIER_URL, apiKey: carrierKey, reportSecret: carrierSecret };
}

/**
 * Another port than last time: the carrier's calls learn where to report, and the connection where
 * its carrier is. Until it does, the Worker reaches nobody, so that no dial goes to the old address.
 */
async function move(before: Omit<Demo, "people" | "other"> & Partial<Demo>): Promise<void> {
  if (existsSync(home.carrierState)) {
    const text = readFileSync(home.carrierState, "utf8");
    writeFileSync(home.carrierState, text.replaceAll(`"${before.url}/`, `"${URL_}/`));
  }
  const worker = await openWorker(true);
  await plugIn(new Client(URL_, before.apiKey), before.agent, carrierAccount());
  if (before.other !== undefined) {
    const api = new Client(URL_, before.other.apiKey);
    const { agent } = await api.get<{ agent: string }>(`/v1/campaigns/${before.other.campaign}`);
    await plugIn(api, agent, carrierAccount());
  }
  // The edit has it try again: those dials are answered before it ends.
  await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  await worker.stop();
}

async function checkKey({ url, apiKey }: Pick<Demo, "url" | "apiKey">): Promise<void> {
  try {
    await new Client(url, apiKey).get("/v1/workspace");
  } catch (error) {
    if (!(error instanceof ApiError && error.status === 401)) throw error;
    throw new Refused(`${FOLDER} is damaged: its key is unknown here. Start over: npm run reset`);
  }
}

function greet(demo: Demo, fresh: boolean): void {
  const lead = {
    campaign: demo.realtimeCampaign,
    phone: "+915550123456",
    context: { name: "Maya", orderId: "LK-31007" },
  };
  say(`
outdial runs at ${demo.url} (API: ${demo.url}/docs), its simulated carrier at ${CARRIER_URL}.
${fresh ? "The demo is made" : "The demo goes on where it ended"}; ids and key: ${relative(process.cwd(), join(FOLDER, "demo.json"))}, log: ${relative(process.cwd(), home.log)}.
Sign in as the demo's owner (the others are in that file, too; none of it is in a deployment):
${linkOf(demo.url, home.keys().LOCAL_SIGN_IN, demo.people[0] ?? { email: "" })}
Ctrl-C ends it, npm start goes on, npm run reset starts over. Leave a number at ${demo.url}/demo/form, or push
a lead, and its phone rings next:

curl ${demo.url}/v1/tasks -H "Authorization: Bearer ${demo.apiKey}" -H "Content-Type: application/json" -d '${JSON.stringify(lead)}'
`);
}

/** Says once, when the batch is over, what became of every row. */
async function endTeller(api: Client, batch: string): Promise<(view: View) => string | null> {
  const files = await api.get<{ items: Import[] }>(`/v1/campaigns/${batch}/imports?limit=200`);
  let told = false;
  return ({ campaigns }) => {
    const found: Campaign | undefined = campaigns.find(({ id }) => id === batch);
    if (told || found === undefined) return null;
    if (found.status !== "completed" && found.status !== "archived") return null;
    told = true;
    return describeEnd(found, files.items);
  };
}

function watch({ child }: Running, what: string): void {
  child.once("exit", () => {
    if (ending) return;
    console.error(`${what} has ended. Its last words are in ${home.log}.`);
    void end(1);
  });
}

function checkPort(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EADDRINUSE") reject(error);
      const what = port === PORT ? "outdial" : "the simulated carrier";
      const advice = "End what uses it, or choose others: PORT=9000 npm start";
      reject(new Refused(`Port ${port}, for ${what}, is taken. ${advice}`));
    });
    server.listen(port, "127.0.0.1", () => server.close(() => resolve()));
  });
}

function readPort(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port > 0 && port < 65_535) return port;
  console.error(`PORT: expected a number from 1 to 65534, got ${text}`);
  process.exit(1);
}

/**
 * Every dial is refused from now on, provably not dialled. Once the Worker was told so it backs off
 * for a second; where no dial comes for a while, none is likely in the instant of the end.
 */
async function hushCarrier(): Promise<void> {
  if (carrier === null) return;
  const ask = async (path: string, body?: string) => {
    const signal = AbortSignal.timeout(HUSH_MS);
    const init = body === undefined ? {} : { method: "POST", body };
    const response = await fetch(carrier?.url + path, { ...init, signal });
    return (await response.json()) as { refused: number; inFlight: number };
  };
  try {
    await ask("/_/behaviour", JSON.stringify({ capacity: 0 }));
    const { refused, inFlight } = await ask("/_/stats");
    const deadline = Date.now() + (inFlight === 0 ? SETTLE_MS : HUSH_MS);
    while (Date.now() < deadline && (await ask("/_/stats")).refused === refused) {
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
  } catch {
    // It has ended already.
  }
}

/** npm that is killed takes nobody along. */
function leaveWithNpm(): void {
  if (process.env.npm_lifecycle_event === undefined) return;
  const parent = process.ppid;
  setInterval(() => {
    if (process.ppid !== parent) void end(0);
  }, PARENT_MS).unref();
}

function say(line: string): void {
  console.log(line);
}

/**
 * The carrier first: it takes no more dials, and is gone before anybody who could miss its reports.
 * So no call is left whose fate the next start would have to wait for.
 */
async function end(code: number): Promise<void> {
  if (ending) return;
  ending = true;
  await hushCarrier();
  await stopEverything();
  home.leave();
  process.exit(code);
}
