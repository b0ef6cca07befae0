import { env } from "cloudflare:test";
import { expect } from "vitest";
import type { ImportId } from "../../../src/core/ids.ts";
import type { DialerVerbs } from "../../../src/dialer/verbs.ts";
import type { IngestMessage } from "../../../src/queues/messages.ts";
import {
  type Ask,
  itemsOf,
  type Json,
  made,
  type mintCallingWorkspace,
  poll,
  type Reply,
  type Workspace,
} from "./workspace.ts";

export type Calling = Awaited<ReturnType<typeof mintCallingWorkspace>>;
export type File = string | Uint8Array | ReadableStream;

/** The awkward files with the report that belongs to each. */
export type Fixture = {
  name: string;
  bytes: Uint8Array;
  expected: {
    columns: string[];
    taken: { phone: string; context: Record<string, string> }[];
    rejected: { line: number; reason: string }[];
  };
};
const FILES = import.meta.glob("../../fixtures/csv/*.csv", {
  query: "?url&inline",
  import: "default",
  eager: true,
});
const REPORTS = import.meta.glob("../../fixtures/csv/*.json", { import: "default", eager: true });
export const FIXTURES: Fixture[] = Object.entries(FILES).map(([path, url]) => {
  const letters = atob(String(url).split(",")[1] ?? "");
  return {
    name: path.split("/").at(-1)?.replace(".csv", "") ?? "",
    bytes: Uint8Array.from(letters, (letter) => letter.charCodeAt(0)),
    expected: REPORTS[path.replace(".csv", ".expected.json")] as Fixture["expected"],
  };
});

/** A batch campaign that dials nobody: paused, so that its tasks stay where they are. */
export function pausedBatch(workspace: Calling, body: Json = {}): Promise<string> {
  const { agent, from } = workspace;
  const whole = { name: "List", type: "batch", agent, from, paused: true, ...body };
  return made(workspace, "campaigns", whole);
}

/** One file sent to a campaign. */
export function send(
  workspace: Workspace,
  campaign: string,
  file: File,
  { query = "", headers = {} }: { query?: string; headers?: Record<string, string> } = {},
): Promise<Reply> {
  const request: Ask = { raw: file, headers: { "content-type": "text/csv", ...headers } };
  return workspace.ask(`POST /v1/campaigns/${campaign}/imports${query}`, request);
}

/** One file imported to its end. */
export async function imported(
  workspace: Workspace,
  campaign: string,
  file: File,
  query = "",
): Promise<Json> {
  const reply = await send(workspace, campaign, file, { query });
  expect(reply.status, reply.text).toBe(202);
  return completed(workspace, campaign, String(reply.json.id));
}

/** An import once it is complete. */
export async function completed(workspace: Workspace, campaign: string, id: string): Promise<Json> {
  const reply = await poll(
    () => workspace.ask(`GET /v1/campaigns/${campaign}/imports/${id}`),
    (one) => one.json.status !== "running",
  );
  expect(reply.json.status, reply.text).toBe("completed");
  return reply.json;
}

/** Phone and context of every task of a campaign, oldest first, once there are as many. */
export async function tasksOf(
  workspace: Workspace,
  campaign: string,
  count: number,
): Promise<{ phone: unknown; context: unknown }[]> {
  const tasks = await poll(
    async () => {
      const reply = await workspace.ask(`GET /v1/campaigns/${campaign}/tasks?limit=200`);
      return itemsOf(reply);
    },
    (items) => items.length === count,
  );
  return tasks.map(({ phone, context }) => ({ phone, context }));
}

/** Good rows with numbers from `first` on. */
export function rowsText(count: number, first = 0): string {
  const lines = Array.from({ length: count }, (_, n) => {
    return `+9198${String(first + n).padStart(8, "0")},"Name ${n}, Esq.",${n}`;
  });
  return `${lines.join("\n")}\n`;
}

/** The same bindings with a queue that keeps what it is sent, and delivers nothing. */
export function withHeldQueue(bindings: Env = env as Env): { env: Env; sent: IngestMessage[] } {
  const sent: IngestMessage[] = [];
  const INGEST = {
    send: async (body: IngestMessage) => {
      sent.push(body);
    },
    sendBatch: async (messages: { body: IngestMessage }[]) => {
      sent.push(...messages.map((message) => message.body));
    },
  };
  return { env: { ...bindings, INGEST } as unknown as Env, sent };
}

/** The same bindings with a Dialer that answers some verbs otherwise. */
export function withDialer(verbs: Partial<DialerVerbs>, bindings: Env = env as Env): Env {
  const { DIALER } = bindings;
  const get = (id: DurableObjectId) => {
    const stub = DIALER.get(id);
    return new Proxy(stub, {
      get: (_, name) => {
        const own = verbs[name as keyof DialerVerbs];
        if (own !== undefined) return own;
        // A stub's verb is called on the stub: taken off it, it is another thing.
        const verbsOf = stub as unknown as Record<string, (...args: unknown[]) => unknown>;
        return (...args: unknown[]) => verbsOf[String(name)]?.(...args);
      },
    });
  };
  const idFromName = (name: string) => DIALER.idFromName(name);
  return { ...bindings, DIALER: { get, idFromName } } as unknown as Env;
}

/** How many parts of an import D1 keeps. */
export async function partsKept(id: ImportId): Promise<number> {
  const query = env.DB.prepare("SELECT COUNT(*) AS count FROM import_chunks WHERE import = ?");
  return (await query.bind(id).first<number>("count")) ?? 0;
}
