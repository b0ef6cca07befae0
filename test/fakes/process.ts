import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import type { FakeCall, Report } from "./fake.ts";

export type Vendor = Awaited<ReturnType<typeof startFake>>;

/** A vendor's fake on a free port of 127.0.0.1; it ends with its parent. */
export async function startFake(vendor: string) {
  const path = new URL("./main.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [path, vendor], { stdio: ["pipe", "pipe", "inherit"] });
  const [url] = (await once(createInterface(child.stdout), "line")) as [string];

  async function tell<T>(route: string, body: unknown = {}): Promise<T> {
    const response = await fetch(`${url}/_/${route}`, {
      method: "POST",
      body: JSON.stringify(body),
    });
    const answer = (await response.json()) as T & { error?: string };
    if (!response.ok) throw new Error(`${vendor}: ${answer.error}`);
    return answer;
  }

  return {
    url,
    refuse: (name: string) => tell<{ set: boolean }>("refuse", { name }),
    answer: (status: number, body: unknown = {}) => tell("answer", { status, body }),
    lose: () => tell("lose"),
    seen: () => tell<{ calls: FakeCall[]; asked: number }>("seen"),
    knows: () => tell<{ stories: string[]; refusals: string[] }>("knows"),
    play: async (id: string, story: string, how: { at: number; secret: string; url: string }) =>
      (await tell<{ reports: Report[] }>("play", { id, story, ...how })).reports,
    stop: async () => {
      if (child.exitCode !== null) return;
      child.kill();
      await once(child, "exit");
    },
  };
}
