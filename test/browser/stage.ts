import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import { Client } from "../../scripts/client.ts";
import { type Running, startSimulator, startWorker } from "../../scripts/local.ts";
import { makePeople, peopleOf, readMails } from "../../scripts/people.ts";
import type { Role } from "../../src/core/access.ts";
import { freePort, until } from "../support/node/local.ts";

const SECRETS = {
  ADMIN_SECRET: "browser-admin-secret-of-32-characters",
  SIGNING_SECRET: "browser-signing-secret-of-32-characters",
  SEALING_KEY_1: "browser-sealing-key-of-32-characters",
};
const SETUP_TOKEN = "browser-setup-token-of-32-characters";
const LOCAL_SIGN_IN = "browser-local-sign-in-of-32-characters";
const ACCOUNT = { apiKey: "browser_key", reportSecret: "browser_secret" };
const FROM = "+918047112233";
const PASSWORDS: Record<Role, string> = {
  viewer: "lamps and kites 1",
  operator: "lamps and kites 2",
  admin: "lamps and kites 3",
  owner: "lamps and kites 4",
};

export const WIDE = { width: 1280, height: 800 };
export const NARROW = { width: 390, height: 844 };

/** Debian's, or one that CHROMIUM names and that must be there then; without any, these tests cannot run. */
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
export const hasBrowser = process.env.CHROMIUM !== undefined || existsSync(CHROMIUM);
/** Asks nobody on the network for anything. */
const QUIET = [
  ...["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-quic"],
  ...["--no-first-run", "--disable-background-networking", "--disable-component-update"],
  "--disable-sync",
];

type Parts = { worker: Running; simulator: Running; browser: Browser; folder: string };

/** The production bundle in workerd, the simulated carrier and a browser; nobody has set it up yet. */
export class Deployment {
  readonly url: string;
  readonly carrier = ACCOUNT;
  readonly carrierUrl: string;
  readonly setupToken = SETUP_TOKEN;
  readonly browser: Browser;
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.url = parts.worker.url;
    this.carrierUrl = parts.simulator.url;
    this.browser = parts.browser;
    this.#parts = parts;
  }

  static async launch(more: Record<string, string> = {}): Promise<Parts> {
    const folder = mkdtempSync(join(tmpdir(), "outdial-browser-"));
    const port = await freePort();
    const { apiKey: key, reportSecret: secret } = ACCOUNT;
    const [simulator, worker, browser] = await Promise.all([
      startSimulator({ port: port + 1, key, secret }),
      startWorker({
        folder,
        port,
        secrets: SECRETS,
        vars: { SETUP_TOKEN, LOCAL_SIGN_IN, ...more },
      }),
      chromium.launch({ executablePath: CHROMIUM, args: QUIET }),
    ]);
    return { worker, simulator, browser, folder };
  }

  /** The newest link under this path that was mailed to somebody; waits for it. */
  async linkTo(email: string, path: string): Promise<string> {
    const mails = join(this.#parts.folder, "mails");
    return until(
      async () => {
        const links = readMails(mails)
          .filter(({ to }) => to === email)
          .map(({ text }) => /https?:\S+/.exec(text)?.[0] ?? "");
        return links.findLast((link) => link.startsWith(this.url + path)) ?? "";
      },
      (found) => found !== "",
    );
  }

  /** A page of nobody. What the browser itself complains of fails the test that reads `complaints`. */
  async visit(viewport = WIDE, more: Parameters<Browser["newContext"]>[0] = {}): Promise<Page> {
    const context: BrowserContext = await this.browser.newContext({ viewport, ...more });
    context.setDefaultTimeout(20_000);
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      // A refused request is the page's to show.
      const told =
        message.type() === "error" && !message.text().includes("Failed to load resource");
      if (told) complaints.push(message.text());
    });
    return page;
  }

  /** Ends every page that was opened: each goes on asking otherwise. */
  async clear(): Promise<void> {
    for (const context of this.browser.contexts()) await context.close();
  }

  async close(): Promise<void> {
    const { worker, simulator, browser, folder } = this.#parts;
    await browser.close();
    await worker.stop();
    await simulator.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A deployment with a workspace, an agent and people of every role. */
export class Stage extends Deployment {
  readonly api: Client;
  readonly agent: string;
  readonly #sessions = new Map<Role, Awaited<ReturnType<BrowserContext["storageState"]>>>();

  private constructor(parts: Parts, api: Client, agent: string) {
    super(parts);
    this.api = api;
    this.agent = agent;
  }

  /** `more` are further settings of the Worker. */
  static async open(slots = 4, more: Record<string, string> = {}): Promise<Stage> {
    const parts = await Deployment.launch(more);
    const { worker, simulator, folder } = parts;
    const admin = new Client(worker.url, SECRETS.ADMIN_SECRET);
    const mails = join(folder, "mails");
    const body = {
      name: "Lotus Kitchenware",
      slots,
      timezone: "Asia/Kolkata",
      start: 0,
      end: 2400,
    };
    const made = await admin.post<{ id: string; apiKey: string }>("/v1/workspaces", body);
    const keys = { setupToken: SETUP_TOKEN, localSignIn: LOCAL_SIGN_IN, workspace: made.id, mails };
    await makePeople(worker.url, keys, peopleOf(PASSWORDS));
    const api = new Client(worker.url, made.apiKey);
    const make = async (noun: string, one: unknown) =>
      (await api.post<{ id: string }>(`/v1/${noun}`, one)).id;
    const connection = await make("connections", {
      name: "Simulated carrier",
      carrier: "simulator",
      settings: { baseUrl: simulator.url, ...ACCOUNT },
      lengthMaxMs: 60_000,
    });
    const agent = await make("agents", {
      name: "Asha",
      connection,
      carrierAgentId: "asha",
      // biome-ignore lint/suspicious/noTemplateCurlyInString: placeholders look like this
      prompt: "Hello ${name}, I am calling about order ${orderId}.",
      outcomes: [{ name: "interested" }],
      settings: { ringMs: [200, 500], talkMs: [500, 1_500], analysisMs: 100 },
    });
    await make("numbers", { phone: FROM, connection });
    await api.patch("/v1/workspace", { agent, from: FROM });
    return new Stage(parts, api, agent);
  }

  async campaign(more: Record<string, unknown>): Promise<string> {
    const body = { agent: this.agent, from: FROM, ...more };
    return (await this.api.post<{ id: string }>("/v1/campaigns", body)).id;
  }

  /** Imports so many good rows, of numbers that the simulator has no script for, and these further lines. */
  async import(campaign: string, count: number, lines: string[] = []): Promise<void> {
    const rows = Array.from({ length: count }, (_, n) => {
      return `+9198765${String(10_100 + n)},Person ${n},LK-${1_000 + n}`;
    });
    const path = `/v1/campaigns/${campaign}/imports`;
    const csv = ["phone,name,orderId", ...rows, ...lines].join("\n");
    const { id } = await this.api.postCsv<{ id: string }>(path, csv);
    await until(
      () => this.api.get<{ status: string }>(`${path}/${id}`),
      ({ status }) => status === "completed",
    );
  }

  /** A page of somebody who has signed in: by the form, as people do, and from then on with that session. */
  async enter(role: Role, viewport = WIDE): Promise<Page> {
    const session = this.#sessions.get(role);
    if (session !== undefined) {
      const page = await this.visit(viewport, { storageState: session });
      await page.goto(this.url);
      await page.getByRole("heading", { name: "Campaigns", exact: true }).waitFor();
      return page;
    }
    const page = await this.visit(viewport);
    await page.goto(`${this.url}/sign-in`);
    await page.getByLabel("Email").fill(`${role}@lotus.example`);
    await page.getByLabel("Password", { exact: true }).fill(PASSWORDS[role]);
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("heading", { name: "Campaigns", exact: true }).waitFor();
    this.#sessions.set(role, await page.context().storageState());
    return page;
  }
}

/** Errors of scripts and of the policy, over all pages. */
export const complaints: string[] = [];
