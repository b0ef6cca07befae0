import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { TestProject } from "vitest/node";
import { BENCHES } from "../../carriers/benches.ts";
import { startFakes, startReceiver } from "../../fakes/process.ts";

const KEY = "carrier-key-of-the-test-suite";
const SECRET = "carrier-secret-of-the-test-suite";

declare module "vitest" {
  interface ProvidedContext {
    /** Settings of a connection to the simulated carrier, a process of its own. */
    carrier: { baseUrl: string; apiKey: string; reportSecret: string };
    /** Addresses of vendors' fakes, in a process of their own. */
    vendors: Record<string, string>;
    /** Address of a receiver of webhooks, a process of its own. */
    receiver: string;
  }
}

/** Starts the simulated carrier and the vendors' fakes for all tests of a run. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const main = new URL("../../../simulator/main.ts", import.meta.url).pathname;
  const options = ["--port", "0", "--key", KEY, "--secret", SECRET];
  const child = spawn(process.execPath, [main, ...options], {
    stdio: ["ignore", "pipe", "inherit"],
  });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  const baseUrl = (JSON.parse(line) as { listening: string }).listening;
  project.provide("carrier", { baseUrl, apiKey: KEY, reportSecret: SECRET });
  const fakes = await startFakes([...new Set(Object.values(BENCHES).map(({ vendor }) => vendor))]);
  project.provide("vendors", fakes.urls);
  const receiver = await startReceiver();
  project.provide("receiver", receiver.base);
  return async () => {
    await fakes.stop();
    await receiver.stop();
    if (child.exitCode !== null || child.signalCode !== null) return;
    child.kill("SIGTERM");
    await once(child, "exit");
  };
}
