import { spawn } from "node:child_process";
import { expect, test } from "vitest";
import { REGRESSIONS } from "./regressions.ts";

/** Runs seeds as `npm run sim` does; what it prints names each seed. */
function simulate(...args: string[]): Promise<{ code: number | null; text: string }> {
  const command = new URL("main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [command, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  let text = "";
  child.stdout.on("data", (some) => (text += some));
  child.stderr.on("data", (some) => (text += some));
  return new Promise((resolve) => child.on("close", (code) => resolve({ code, text })));
}

test("H11–H36 promises hold in worlds of fixed and of random seeds, whatever goes wrong", {
  timeout: 170_000,
}, async () => {
  const random = Math.floor(Math.random() * 2 ** 31);
  for (const [first, seeds] of [
    [1, 8],
    [random, 4],
  ]) {
    const { code, text } = await simulate("--seeds", `${seeds}`, "--first", `${first}`, "--stop");
    console.log(text.split("\n")[0]);
    expect(text).toContain(`${seeds} seeds, `);
    expect(text).toContain(", 0 invariants broken");
    expect(code, text).toBe(0);
  }
});

test.each(REGRESSIONS)("seed $seed: $showed", { timeout: 60_000 }, async ({ seed }) => {
  const { code, text } = await simulate("--seed", `${seed}`);
  expect(code, text).toBe(0);
});
