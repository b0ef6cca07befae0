import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { text } from "node:stream/consumers";

const ROOT = join(import.meta.dirname, "..");

/** wrangler ended badly: what it was asked, and all that it said. */
export class WranglerError extends Error {
  readonly output: string;

  constructor(args: readonly string[], output: string) {
    super(`wrangler ${args.join(" ")} failed:\n${output.trim()}`);
    this.output = output;
  }
}

type Ask = { input?: string; output?: string; show?: boolean };

/** The wrangler of this project, signed in or with CLOUDFLARE_API_TOKEN; WRANGLER names another. */
export class Wrangler {
  readonly #program: string;
  readonly #config: string;

  /** `config` is the configuration that its commands read. */
  constructor(config: string) {
    this.#program = process.env.WRANGLER ?? join(ROOT, "node_modules/wrangler/bin/wrangler.js");
    this.#config = config;
  }

  /** What it says on its standard output. `show` lets people see it, too. */
  async run(args: readonly string[], ask: Ask = {}): Promise<string> {
    const all = [...args, "--config", this.#config];
    // Without a terminal it asks nobody: what it would ask has an answer that stands for no terminal.
    const child = spawn(process.execPath, [this.#program, ...all], {
      cwd: ROOT,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...process.env,
        NO_COLOR: "1",
        FORCE_COLOR: "0",
        WRANGLER_SEND_METRICS: "false",
        WRANGLER_HIDE_BANNER: "true",
        ...(ask.output === undefined ? {} : { WRANGLER_OUTPUT_FILE_PATH: ask.output }),
      },
    });
    child.stdin.end(ask.input ?? "");
    if (ask.show) {
      child.stdout.pipe(process.stdout, { end: false });
      child.stderr.pipe(process.stderr, { end: false });
    }
    const [out, errors, [code]] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      once(child, "close") as Promise<[number | null]>,
    ]);
    if (code !== 0) throw new WranglerError(args, `${out}\n${errors}`);
    return out;
  }

  async json<T>(args: readonly string[]): Promise<T> {
    const out = await this.run(args);
    try {
      return JSON.parse(out) as T;
    } catch (cause) {
      throw new Error(`wrangler ${args.join(" ")} answers no JSON:\n${out}`, { cause });
    }
  }

  /** Deploys; where the Worker answers now: addresses, crons and queues, in wrangler's words. */
  async deploy(args: readonly string[], report: string): Promise<string[]> {
    rmSync(report, { force: true });
    await this.run(["deploy", ...args], { output: report, show: true });
    const lines = readFileSync(report, "utf8").trim().split("\n");
    const entries = lines.map((line) => JSON.parse(line) as { type: string; targets?: string[] });
    rmSync(report, { force: true });
    return entries.find((entry) => entry.type === "deploy")?.targets ?? [];
  }
}
