import { rmSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { openStage, type Stage } from "./account.ts";

const TIMEOUT_MS = 30_000;

let stage: Stage;
beforeEach(async () => {
  stage = await openStage();
});
afterEach(() => stage.close());

const sealingKeys = () =>
  Object.keys(stage.read().worker?.secrets ?? {}).filter((name) => name.startsWith("SEALING_KEY"));
const secret = (name: string) => stage.read().worker?.secrets[name];

describe("npm run keys:rotate", { timeout: TIMEOUT_MS }, () => {
  test("adds a key, has every connection sealed by it, and takes the old one away", async () => {
    await stage.deploy();
    const first = secret("SEALING_KEY_1");
    stage.write({ connections: [1, 1, 1] });
    const { code, out } = await stage.rotate();
    expect(code).toBe(0);
    expect(stage.read().connections).toEqual([2, 2, 2]);
    expect(sealingKeys()).toEqual(["SEALING_KEY_2"]);
    expect(secret("SEALING_KEY_2")).toMatch(/^[\w-]{43}$/);
    expect(secret("SEALING_KEY_2")).not.toBe(first);
    expect(out).toContain("3 of 3 connections sealed anew");
    expect(out).toContain("0 of 3 connections sealed anew");
    expect(out).not.toContain(secret("SEALING_KEY_2"));
    expect((await stage.rotate()).code).toBe(0);
    expect(sealingKeys()).toEqual(["SEALING_KEY_3"]);
    expect((await stage.deploy()).code).toBe(0);
    expect(sealingKeys()).toEqual(["SEALING_KEY_3"]);
  });

  test("waits until the new key is known, and keeps the old one until all is sealed anew", async () => {
    await stage.deploy();
    stage.write({ connections: [1] });
    stage.trouble.reseals = 2;
    expect((await stage.rotate()).code).toBe(0);
    expect(sealingKeys()).toEqual(["SEALING_KEY_2"]);
  });

  test.each(["secret put", "secret delete"])("goes on after %s failed", async (failing) => {
    await stage.deploy();
    stage.write({ connections: [1, 1], failing });
    const first = await stage.rotate();
    expect(first.code).toBe(1);
    expect(first.errors).toContain("Nothing is lost");
    expect(sealingKeys()).toContain("SEALING_KEY_1");
    stage.write({ failing: null });
    expect((await stage.rotate()).code).toBe(0);
    expect(stage.read().connections).toEqual([2, 2]);
    expect(sealingKeys()).toEqual(["SEALING_KEY_2"]);
  });

  test("needs a deployment, and its admin secret", async () => {
    const nothing = await stage.rotate();
    expect([nothing.code, nothing.errors]).toEqual([1, expect.stringContaining("npm run deploy")]);
    await stage.deploy();
    stage.write({ connections: [1] });
    const wrong = await stage.rotate({ ADMIN_SECRET: "wrong" });
    expect(wrong.code).toBe(1);
    expect(sealingKeys()).toContain("SEALING_KEY_1");
    rmSync(stage.memory, { recursive: true });
    expect((await stage.rotate()).code).toBe(1);
  });
});
