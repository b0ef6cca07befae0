import { type ChildProcess, type ChildProcessByStdio, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";
import type { Readable, Writable } from "node:stream";

const HERE = import.meta.dirname;
/** What an end in order may take; then it is killed, ms. */
const STOP_MS = 5_000;
const children = new Set<ChildProcess>();

export type Secrets = { ADMIN_SECRET: string; SIGNING_SECRET: string; SEALING_KEY_1: string };
export type LocalOptions = {
  /** Where D1, objects and the simulator keep what they know. */
  folder: string;
  port: number;
  secrets: Secrets;
  /** Further settings of the Worker. */
  vars?: Record<string, string>;
  /** Reaches nobody: nothing is dialled, and nothing is lost by that (H21). */
  unplugged?: boolean;
  /** Without static assets, and without what they cost each request locally. */
  bare?: boolean;
  /** Lines that the Worker logs. */
  onLine?: (line: string) => void;
  /** Hears what kills the process, before it is ready. */
  onSpawn?: (crash: Running["crash"]) => void;
};
export type SimulatorOptions = {
  port: number;
  key: string;
  secret: string;
  /** A file that keeps its calls over a restart. */
  state?: string;
};

/** A process of ours with the address it answers at. */
export type Running = {
  url: string;
  child: ChildProcess;
  /** Ends it in order; resolves when it and its children are gone. */
  stop(): Promise<void>;
  /** Kills it and its children at once, as a crash would. */
  crash(): Promise<void>;
};

/** Thrown when a port is taken, by what would listen on it. */
export class PortTaken extends Error {}

/** The Worker's production bundle in workerd, in a process group of its own; `npm run build` made it. */
export function startWorker(options: LocalOptions): Promise<Running> {
  const { folder, port, secrets, vars, unplugged, bare, onLine, onSpawn } = options;
  const all = {
    PUBLIC_URL: `http://127.0.0.1:${port}`,
    // The simulated carrier, wherever it is not put elsewhere.
    // The simulated carrier, and whatever else is to be reached on this machine.
    OUTBOUND_ALLOW: [`127.0.0.1:${port + 1}`, process.env.OUTBOUND_ALLOW ?? ""].join(","),
    ...secrets,
    ...vars,
  };
  const args = ["--folder", folder, "--port", String(port)];
  if (unplugged) args.push("--unplugged");
  if (bare) args.push("--bare");
  const env = { OUTDIAL_VARS: JSON.stringify(all) };
  return start(join(HERE, "serve.ts"), args, { port, env, onLine, onSpawn });
}

/** The simulated carrier. */
export function startSimulator(options: SimulatorOptions): Promise<Running> {
  const { port, key, secret, state } = options;
  // In one word: what is random may begin with a dash.
  const args = ["--port", String(port), `--key=${key}`, `--secret=${secret}`];
  if (state !== undefined) args.push("--state", state);
  return start(join(HERE, "..", "simulator", "main.ts"), args, { port });
}

/** Makes `dist`, what the Worker is and serves. */
export async function build(): Promise<void> {
  const child = launch(join(HERE, "build.ts"), [], "inherit", {});
  const [code] = (await once(child, "exit")) as [number | null];
  if (code !== 0) throw new Error("The build failed.");
}

/** Ends whatever this process has started, in that order, what is only starting too. */
export async function stopEverything(): Promise<void> {
  for (const child of [...children]) await end(child, "SIGTERM");
}

type Start = {
  port: number;
  env?: Record<string, string>;
  onLine?: ((line: string) => void) | undefined;
  onSpawn?: ((crash: Running["crash"]) => void) | undefined;
};

async function start(script: string, args: string[], how: Start): Promise<Running> {
  const { port, env, onLine, onSpawn } = how;
  const child = launch(script, args, "pipe", env ?? {});
  let errors = "";
  const ready = new Promise<string>((resolve, reject) => {
    createInterface({ input: child.stdout }).on("line", (line) => {
      const url = listeningOf(line);
      if (url === null) onLine?.(line);
      else resolve(url);
    });
    createInterface({ input: child.stderr }).on("line", (line) => {
      if (errors.length < 10_000) errors += `${line}\n`;
      onLine?.(line);
    });
    child.once("close", () => reject(failure(port, errors)));
  });
  const running = { child, stop: () => end(child, "SIGTERM"), crash: () => end(child, "SIGKILL") };
  onSpawn?.(running.crash);
  try {
    return { url: await ready, ...running };
  } catch (error) {
    await running.crash();
    throw error;
  }
}

/** A script of ours in a process group of its own, which ends when this process does. */
function launch(
  script: string,
  args: string[],
  output: "pipe",
  env: Record<string, string>,
): ChildProcessByStdio<Writable, Readable, Readable>;
function launch(
  script: string,
  args: string[],
  output: "inherit",
  env: Record<string, string>,
): ChildProcess;
function launch(
  script: string,
  args: string[],
  output: "pipe" | "inherit",
  env: Record<string, string>,
): ChildProcess {
  const leash = ["--import", join(HERE, "leash.ts")];
  const child = spawn(process.execPath, [...leash, script, ...args], {
    stdio: ["pipe", output, output],
    detached: true,
    env: { ...process.env, WRANGLER_SEND_METRICS: "false", WRANGLER_HIDE_BANNER: "true", ...env },
  });
  children.add(child);
  child.once("exit", () => children.delete(child));
  return child;
}

function failure(port: number, errors: string): Error {
  const taken = /EADDRINUSE|address already in use|port \d+ is taken/i.test(errors);
  return taken ? new PortTaken(`Port ${port} is taken.`) : new Error(errors || "it ended at once");
}

function listeningOf(line: string): string | null {
  if (!line.startsWith('{"listening":')) return null;
  return (JSON.parse(line) as { listening: string }).listening;
}

/** A crash hits the whole group at once; an order goes to the process, which ends workerd itself. */
async function end(child: ChildProcess, signal: "SIGTERM" | "SIGKILL"): Promise<void> {
  const { pid } = child;
  if (pid === undefined) return;
  const gone = child.exitCode !== null || child.signalCode !== null;
  const exit = gone ? null : once(child, "exit");
  if (signal === "SIGKILL") killGroup(pid);
  else child.kill(signal);
  const patience = setTimeout(() => killGroup(pid), STOP_MS);
  await exit;
  clearTimeout(patience);
  // Whatever of the group is left: a parent that died first leaves orphans.
  killGroup(pid);
}

function killGroup(pid: number): void {
  try {
    process.kill(-pid, "SIGKILL");
  } catch {
    // Nobody is left.
  }
}
