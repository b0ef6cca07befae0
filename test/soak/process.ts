import { readdirSync, readFileSync, readlinkSync, statSync } from "node:fs";
import { join } from "node:path";

/** What a process holds now. */
export type Held = { rssMb: number; files: number; sockets: number };

/** The workerd that a process has started, however deep below it. */
export function workerdOf(pid: number): number {
  const parents = new Map<number, number>();
  const names = new Map<number, string>();
  for (const entry of readdirSync("/proc")) {
    if (!/^\d+$/.test(entry)) continue;
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, "utf8");
      const name = stat.slice(stat.indexOf("(") + 1, stat.lastIndexOf(")"));
      names.set(Number(entry), name);
      parents.set(Number(entry), Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]));
    } catch {
      // It ended while we looked.
    }
  }
  for (const [child, name] of names) {
    if (name !== "workerd") continue;
    for (let at = parents.get(child); at !== undefined && at > 0; at = parents.get(at)) {
      if (at === pid) return child;
    }
  }
  throw new Error("no workerd below this process");
}

export function heldBy(pid: number): Held {
  const status = readFileSync(`/proc/${pid}/status`, "utf8");
  const rssKb = Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1]);
  const open = readdirSync(`/proc/${pid}/fd`).map((fd) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/${fd}`);
    } catch {
      return "";
    }
  });
  const sockets = open.filter((name) => name.startsWith("socket:")).length;
  return { rssMb: rssKb / 1024, files: open.length, sockets };
}

/** Every database below a folder, with its log. */
export function databasesIn(folder: string): { path: string; bytes: number }[] {
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".sqlite"))
    .map((name) => join(folder, name))
    .map((path) => ({ path, bytes: sizeOf(path) + sizeOf(`${path}-wal`) }));
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
