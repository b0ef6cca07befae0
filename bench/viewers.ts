/** People who look at a workspace, in a thread of their own: each holds a live socket open. */
import { once } from "node:events";
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads";
import type { Workspace } from "./scene.ts";

type Plan = { tickets: string[]; campaign: string };

export type Viewers = {
  /** Messages that came since the last look, all viewers'. */
  heard(): Promise<number>;
  close(): Promise<void>;
};

/** So many sockets, each of which watches the campaign's calls. */
export async function openViewers(
  { client }: Pick<Workspace, "client">,
  campaign: string,
  count: number,
): Promise<Viewers> {
  const ask = () => client.json<{ url: string }>({ path: "/v1/live", body: "" });
  const made = await Promise.all(Array.from({ length: count }, ask));
  const plan: Plan = { tickets: made.map(({ url }) => url), campaign };
  const thread = new Worker(new URL(import.meta.url), { workerData: plan });
  const answer = async () => ((await once(thread, "message")) as [number])[0];
  const open = await answer();
  if (open !== count) throw new Error(`${open} of ${count} sockets opened`);
  const heard = () => {
    thread.postMessage("heard");
    return answer();
  };
  return { heard, close: async () => void (await thread.terminate()) };
}

if (!isMainThread) await watch(workerData as Plan);

async function watch({ tickets, campaign }: Plan): Promise<void> {
  let heard = 0;
  const open = tickets.map(async (url) => {
    const socket = new WebSocket(url);
    socket.addEventListener("message", () => {
      heard += 1;
    });
    await once(socket, "open");
    socket.send(JSON.stringify({ campaign, tasks: [] }));
  });
  const all = await Promise.allSettled(open);
  parentPort?.postMessage(all.filter(({ status }) => status === "fulfilled").length);
  parentPort?.on("message", () => {
    parentPort?.postMessage(heard);
    heard = 0;
  });
}
