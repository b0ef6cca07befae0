import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { type Receiver, receiverAt } from "./receiver-at.ts";
import { type Vendor, vendorAt } from "./vendor.ts";

/** Fakes of vendors in one process, each on a free port of 127.0.0.1; it ends with its parent. */
export async function startFakes(vendors: readonly string[]) {
  const path = new URL("./main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [path, ...vendors], { stdio: ["pipe", "pipe", "inherit"] });
  const [line] = (await once(createInterface(child.stdout), "line")) as [string];
  return {
    urls: JSON.parse(line) as Record<string, string>,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill();
      await once(child, "exit");
    },
  };
}

/** One vendor's fake. */
export async function startFake(name: string): Promise<Vendor & { stop(): Promise<void> }> {
  const { urls, stop } = await startFakes([name]);
  return { ...vendorAt(name, urls[name] ?? ""), stop };
}

/** A receiver of webhooks in a process of its own, on a port of 127.0.0.1; it ends with its parent. */
export async function startReceiver(
  port = 0,
): Promise<Receiver & { stop(signal?: NodeJS.Signals): Promise<void> }> {
  const path = new URL("./receiver.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [path, String(port)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];
  return {
    ...receiverAt(url),
    stop: async (signal = "SIGTERM") => {
      if (child.exitCode !== null || child.signalCode !== null) return;
      child.kill(signal);
      await once(child, "exit");
    },
  };
}
