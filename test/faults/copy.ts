import { type ChildProcess, spawn } from "node:child_process";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Fault, withFault } from "./fault.ts";

export const ROOT = join(import.meta.dirname, "..", "..");
/** What a copy has of the source, and what that needs to run. */
const COPIED = [
  "src",
  "test",
  "migrations",
  "simulator",
  "scripts",
  "package.json",
  "tsconfig.json",
  "tsconfig.node.json",
  "vitest.config.ts",
  "worker-configuration.d.ts",
  "wrangler.toml",
];

/** How a command ended in a copy; `code` is null when it took too long. */
export type Ended = { code: number | null; output: string };

/** Every copy there is: none outlives the process. */
const copies = new Set<Copy>();

/** A copy of the source to plant faults in, one at a time. */
export class Copy {
  readonly #folder = mkdtempSync(join(tmpdir(), "outdial-faults-"));
  #child: ChildProcess | null = null;

  constructor() {
    copies.add(this);
    for (const name of COPIED) {
      cpSync(join(ROOT, name), join(this.#folder, name), { recursive: true });
    }
    symlinkSync(join(ROOT, "node_modules"), join(this.#folder, "node_modules"));
  }

  /** Does the work while the fault is there. */
  async with<T>(fault: Fault, work: () => Promise<T>): Promise<T> {
    const faulty = withFault(this.#folder, fault);
    const before = new Map<string, string>();
    for (const [file, text] of faulty) {
      before.set(file, readFileSync(join(this.#folder, file), "utf8"));
      writeFileSync(join(this.#folder, file), text);
    }
    try {
      return await work();
    } finally {
      for (const [file, text] of before) writeFileSync(join(this.#folder, file), text);
    }
  }

  /** Runs a script in the copy; it and its children are killed when it takes longer. */
  run(args: readonly string[], limitMs: number): Promise<Ended> {
    const child = spawn(process.execPath, args, {
      cwd: this.#folder,
      env: { ...process.env, NO_COLOR: "1", FORCE_COLOR: "0" },
      stdio: ["ignore", "pipe", "pipe"],
      detached: true,
    });
    this.#child = child;
    let output = "";
    const hear = (text: Buffer) => {
      output += text.toString();
    };
    child.stdout?.on("data", hear);
    child.stderr?.on("data", hear);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.stop(), limitMs);
      child.on("error", reject);
      child.on("close", (code) => {
        clearTimeout(timer);
        this.#child = null;
        resolve({ code, output });
      });
    });
  }

  /** Ends what runs in it. */
  stop(): void {
    if (this.#child?.pid === undefined) return;
    try {
      process.kill(-this.#child.pid, "SIGKILL");
    } catch {
      // It has just ended by itself.
    }
  }

  remove(): void {
    this.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    copies.delete(this);
  }
}

/** However the process ends, nothing of it stays. */
process.on("exit", () => {
  for (const copy of copies) copy.remove();
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
  process.on(signal, () => process.exit(130));
}
