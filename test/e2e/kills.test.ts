import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, test } from "vitest";
import { check } from "../kills/check.ts";
import { SPOILS } from "../kills/spoil.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const LEASH = ["--import", join(ROOT, "scripts", "leash.ts")];
/** Enough for whatever needs no look-up after 2 min and no lease's end; those must be held by one. */
const PATIENCE_S = 20;
const TIMEOUT_MS = 240_000;

let folder: string | null = null;
afterAll(() => {
  if (folder !== null) rmSync(folder, { recursive: true, force: true });
});

describe("rounds of kills", () => {
  test("H22 H35 H36 lose nothing and double nothing", { timeout: TIMEOUT_MS }, async () => {
    const script = [...LEASH, join(ROOT, "test", "kills", "main.ts")];
    const args = ["--rounds", "3", "--patience", String(PATIENCE_S), "--keep"];
    const child = spawn(process.execPath, [...script, ...args], {
      stdio: ["pipe", "pipe", "pipe"],
    });
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
    }
    const [code] = (await once(child, "close")) as [number | null];
    folder = /^kept (.+)$/m.exec(said)?.[1] ?? null;
    console.log(said);
    expect(code, said).toBe(0);
    expect(said).toMatch(/3 rounds, \d+ kills, \d+ acknowledged, \d+ dials, 0 broken promises\n$/);
  });

  test.each(SPOILS)("what checks them notices when $what", ({ promise, spoil }) => {
    if (folder === null) throw new Error("the rounds left nothing");
    const spoilt = mkdtempSync(join(tmpdir(), "outdial-spoilt-"));
    try {
      cpSync(folder, spoilt, { recursive: true });
      spoil(spoilt);
      expect(check(spoilt).broken.map((one) => one.promise)).toContain(promise);
    } finally {
      rmSync(spoilt, { recursive: true, force: true });
    }
  });
});
