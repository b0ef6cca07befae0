import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { createRequire } from "node:module";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../../scripts/client.ts";
import { type Running, startSimulator, startWorker } from "../../scripts/local.ts";
import { startReceiver } from "../fakes/process.ts";
import type { Hold } from "./notes.ts";
import type { KillPlan } from "./plan.ts";

export const SECRETS = {
  ADMIN_SECRET: "kills-admin-secret-of-32-characters",
  SIGNING_SECRET: "kills-signing-secret-of-32-characters",
  SEALING_KEY_1: "kills-sealing-key-of-32-characters",
};
export const ACCOUNT = { apiKey: "kills_key", reportSecret: "kills_secret" };
/** What the receiver has heard, by path, once the world has stopped. */
export const RECEIVED = "received.json";
const LINES_KEPT = 4_000;
const PORTS_FROM = 9_700;
const PAIRS = 500;

export const sleep = (ms: number): Promise<void> =>
  new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));

/**
 * The production bundle in workerd and the simulated carrier, each a process of its own, on a
 * folder that outlives their deaths. `book.jsonl` in it is what the carrier ever wrote down.
 */
export class World {
  /** Those whose folder is there. */
  static readonly all = new Set<World>();
  readonly folder: string;
  readonly admin: Client;
  readonly carrierUrl: string;
  /** Who is told of everything, in a process of its own that outlives the others. */
  readonly receiver: Awaited<ReturnType<typeof startReceiver>>;
  kills = 0;
  /** The last lines that the Worker logged. */
  readonly lines: string[] = [];
  /** Lines that say of a bug. */
  readonly bugs: string[] = [];
  readonly #port: number;
  #worker: Running | null = null;
  #carrier: Running | null = null;
  #crashStarting: Running["crash"] | null = null;
  #behaviour: Record<string, unknown> = {};
  /** Stands in for workerd where files may grow too large. */
  #workerd: string | null = null;

  private constructor(
    folder: string,
    port: number,
    receiver: Awaited<ReturnType<typeof startReceiver>>,
  ) {
    this.receiver = receiver;
    this.folder = folder;
    this.#port = port;
    World.all.add(this);
    this.admin = new Client(`http://127.0.0.1:${port}`, SECRETS.ADMIN_SECRET);
    this.carrierUrl = `http://127.0.0.1:${port + 1}`;
  }

  static async open({ carrier = true, disk = false } = {}): Promise<World> {
    const folder = mkdtempSync(join(tmpdir(), "outdial-kills-"));
    const world = new World(folder, await freePair(), await startReceiver());
    if (disk) world.#workerd = writeWrapper(folder);
    if (carrier) await world.startCarrier();
    await world.startWorker();
    return world;
  }

  get url(): string {
    return this.admin.url;
  }

  /** Resolves when it is up; false when it was killed before that. */
  async startWorker(): Promise<boolean> {
    let killed = false;
    try {
      if (this.#workerd !== null) process.env.MINIFLARE_WORKERD_PATH = this.#workerd;
      // The carrier and the receiver.
      process.env.OUTBOUND_ALLOW = "127.0.0.1:*";
      const started = startWorker({
        folder: this.folder,
        port: this.#port,
        secrets: SECRETS,
        bare: true,
        onLine: (line) => this.#hear(line),
        onSpawn: (crash) => {
          this.#crashStarting = () => {
            killed = true;
            return crash();
          };
        },
      });
      delete process.env.MINIFLARE_WORKERD_PATH;
      this.#worker = await started;
      return true;
    } catch (error) {
      if (killed) return false;
      throw error;
    } finally {
      this.#crashStarting = null;
    }
  }

  async killWorker(): Promise<void> {
    const crash = this.#worker?.crash ?? this.#crashStarting;
    this.#worker = null;
    if (crash === null) return;
    this.kills += 1;
    await crash();
  }

  async startCarrier(): Promise<void> {
    const state = this.#journal;
    const { apiKey: key, reportSecret: secret } = ACCOUNT;
    this.#carrier = await startSimulator({ port: this.#port + 1, key, secret, state });
    await this.behave(this.#behaviour);
  }

  async killCarrier(): Promise<void> {
    if (this.#carrier === null) return;
    const { crash } = this.#carrier;
    this.#carrier = null;
    this.kills += 1;
    await crash();
    this.#keepJournal();
  }

  /** How every call goes, over restarts of the carrier. */
  async behave(behaviour: Record<string, unknown>): Promise<void> {
    this.#behaviour = behaviour;
    if (this.#carrier === null) return;
    await new Client(this.carrierUrl, ACCOUNT.apiKey).post("/_/behaviour", behaviour);
  }

  /** Kills at their instants and starts again on the same files. */
  async suffer(kills: readonly KillPlan[], since: number): Promise<void> {
    for (const { at, of, downMs, again } of kills) {
      await sleep(since + at - Date.now());
      const worker = of !== "carrier";
      const carrier = of !== "worker";
      await Promise.all([worker && this.killWorker(), carrier && this.killCarrier()]);
      await sleep(downMs);
      await Promise.all([worker && this.#startInBurst(again), carrier && this.startCarrier()]);
    }
  }

  async #startInBurst(again: readonly number[]): Promise<void> {
    for (const ms of again) {
      const start = this.startWorker();
      await sleep(ms);
      await this.killWorker();
      await start;
    }
    await this.startWorker();
  }

  readonly holds: Hold[] = [];

  /** Nothing of the Worker runs for so long; requests to it wait, and its timers run out. */
  async hold(ms: number): Promise<void> {
    const { pid } = this.#running.child;
    if (pid === undefined) throw new Error("the Worker is down");
    const from = Date.now();
    process.kill(-pid, "SIGSTOP");
    await sleep(ms);
    process.kill(-pid, "SIGCONT");
    this.holds.push({ from, until: Date.now() });
  }

  /** No file of the Worker may grow beyond the largest of now and so many bytes more. */
  fillDisk(roomBytes: number): void {
    const sizes = readdirSync(this.folder, { recursive: true, encoding: "utf8" })
      .filter((name) => /sqlite(-wal)?$/.test(name))
      .map((name) => statSync(join(this.folder, name)).size);
    this.#limitFiles(String(Math.max(...sizes) + roomBytes));
  }

  emptyDisk(): void {
    this.#limitFiles("unlimited");
  }

  /** The soft limit of `ulimit -f`, of a workerd that runs. */
  #limitFiles(bytes: string): void {
    const parent = String(this.#running.child.pid);
    const pids = execFileSync("ps", ["-o", "pid=", "--ppid", parent], { encoding: "utf8" });
    for (const pid of pids.trim().split(/\s+/)) {
      execFileSync("prlimit", [`--fsize=${bytes}:`, "--pid", pid]);
    }
  }

  get #running(): Running {
    if (this.#worker === null) throw new Error("the Worker is down");
    return this.#worker;
  }

  /** Fires the cron as if it were so much later, as local workerd fires none by itself. */
  async tick(aheadMs: number): Promise<void> {
    const time = String(Date.now() + aheadMs);
    const query = new URLSearchParams({ cron: "* * * * *", time });
    await this.admin.text(`/cdn-cgi/local/scheduled?${query}`);
  }

  /** Ends both in order: what is left in the folder is all there is to know. */
  async stop(): Promise<void> {
    await this.#worker?.stop();
    this.#worker = null;
    await this.#carrier?.stop();
    this.#carrier = null;
    this.#keepJournal();
    writeFileSync(join(this.folder, RECEIVED), JSON.stringify(await this.receiver.all()));
    await this.receiver.stop();
  }

  remove(): void {
    World.all.delete(this);
    void this.receiver.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  get #journal(): string {
    return join(this.folder, "carrier.jsonl");
  }

  /** The carrier shortens its journal when it starts; the book forgets nothing. */
  #keepJournal(): void {
    if (!existsSync(this.#journal)) return;
    const text = readFileSync(this.#journal, "utf8");
    appendFileSync(join(this.folder, "book.jsonl"), text.endsWith("\n") ? text : `${text}\n`);
  }

  #hear(line: string): void {
    this.lines.push(line);
    if (this.lines.length > LINES_KEPT) this.lines.splice(0, LINES_KEPT / 2);
    if (line.includes('"event":"bug"')) this.bugs.push(line.slice(0, 500));
  }
}

/** workerd, to which a file that may not grow is an error and not its end. */
function writeWrapper(folder: string): string {
  const path = join(folder, "workerd.sh");
  const { default: workerd } = createRequire(import.meta.url)("workerd") as { default: string };
  writeFileSync(path, `#!/bin/sh\ntrap '' XFSZ\nexec "${workerd}" "$@"\n`, { mode: 0o700 });
  return path;
}

/** A free port whose next one is free too; from somewhere, since others may be looking as well. */
async function freePair(): Promise<number> {
  const first = Math.floor(Math.random() * PAIRS);
  for (let n = 0; n < PAIRS; n++) {
    const port = PORTS_FROM + 2 * ((first + n) % PAIRS);
    if ((await isFree(port)) && (await isFree(port + 1))) return port;
  }
  throw new Error(`no free ports from ${PORTS_FROM} on`);
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
