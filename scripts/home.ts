import { randomBytes } from "node:crypto";
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Role } from "../src/core/access.ts";
import type { Secrets } from "./local.ts";
import type { DemoPerson } from "./people.ts";

/** What `.local/demo.json` says: everything that one needs to push a lead. */
export type Demo = {
  url: string;
  apiKey: string;
  agent: string;
  from: string;
  realtimeCampaign: string;
  batchCampaign: string;
  /** One of each role, the owner first. */
  people: DemoPerson[];
  /** What another workspace has, to try the walls from outside. */
  other: { apiKey: string; campaign: string; task: string; call: string };
};

/** What stays secret: nobody else on this machine can read the file. */
export type Keys = Secrets & {
  carrierKey: string;
  carrierSecret: string;
  /** Of the demo's workspace, once there is one. */
  apiKey: string | null;
  /** Of the other workspace. */
  otherApiKey: string | null;
  SETUP_TOKEN: string;
  LOCAL_SIGN_IN: string;
  passwords: Record<Role, string>;
};

/** The folder that keeps the demo between starts: D1, objects, the carrier's calls, keys. */
export class Home {
  readonly folder: string;
  readonly carrierState: string;
  readonly log: string;
  readonly mails: string;
  readonly #keys: string;
  readonly #demo: string;
  readonly #lock: string;

  constructor(folder: string) {
    this.folder = folder;
    this.carrierState = join(folder, "simulator.jsonl");
    this.log = join(folder, "worker.log");
    this.mails = join(folder, "mails");
    this.#keys = join(folder, "keys.json");
    this.#demo = join(folder, "demo.json");
    this.#lock = join(folder, "running.json");
    mkdirSync(folder, { recursive: true, mode: 0o700 });
  }

  /** The keys, drawn at the first start. */
  keys(): Keys {
    const known = readJson<Keys>(this.#keys);
    if (known?.SEALING_KEY_1 !== undefined && known.passwords !== undefined) return known;
    const keys: Keys = {
      ADMIN_SECRET: draw(),
      SIGNING_SECRET: draw(),
      SEALING_KEY_1: draw(),
      carrierKey: draw(),
      carrierSecret: draw(),
      apiKey: null,
      otherApiKey: null,
      SETUP_TOKEN: draw(),
      LOCAL_SIGN_IN: draw(),
      passwords: { viewer: draw(), operator: draw(), admin: draw(), owner: draw() },
      // A folder from before there was a key of its own for sealing.
      ...known,
    };
    writePrivately(this.#keys, keys);
    return keys;
  }

  keep(some: Partial<Pick<Keys, "apiKey" | "otherApiKey">>): void {
    writePrivately(this.#keys, { ...this.keys(), ...some });
  }

  /** Without people and another workspace where it is from before there were any. */
  demo(): (Omit<Demo, "people" | "other"> & Partial<Demo>) | null {
    return readJson<Demo>(this.#demo);
  }

  keepDemo(demo: Demo): void {
    writePrivately(this.#demo, demo);
  }

  /** The process that runs on this folder, or null: two would write over each other. */
  runner(): { pid: number; url: string } | null {
    const known = readJson<{ pid: number; url: string }>(this.#lock);
    return known !== null && known.pid !== process.pid && isAlive(known.pid) ? known : null;
  }

  enter(url: string): void {
    writePrivately(this.#lock, { pid: process.pid, url });
  }

  leave(): void {
    rmSync(this.#lock, { force: true });
  }
}

/** 32 random bytes as text. */
export function draw(): string {
  return randomBytes(32).toString("base64url");
}

export function readJson<T>(path: string): T | null {
  try {
    return JSON.parse(readFileSync(path, "utf8")) as T;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw new Error(`${path} cannot be read: ${String(error)}`, { cause: error });
  }
}

/** Whole or not at all, and for this user only. */
export function writePrivately(path: string, value: unknown): void {
  const draft = `${path}.new`;
  rmSync(draft, { force: true });
  writeFileSync(draft, `${JSON.stringify(value, null, 2)}\n`, { mode: 0o600 });
  renameSync(draft, path);
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
