import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type Running, startSimulator, startWorker } from "../scripts/local.ts";
import { Client, until } from "./load.ts";

const PORT = 18_787;
const ADMIN_SECRET = "bench-admin-secret-of-32-characters";
const SIGNING_SECRET = "bench-signing-secret-of-32-letters";
const SEALING_KEY_1 = "bench-sealing-key-of-32-letters-xx";
const FROM = "+918047112233";

export type Counts = {
  requests: number;
  rowsRead: number;
  rowsWritten: number;
  d1RowsRead: number;
  d1RowsWritten: number;
  events: number;
  eventMessages: number;
};

/** The production bundle and the carrier, each in its own process, on a fresh folder. */
export class Scene {
  readonly worker: Running;
  readonly simulator: Running;
  readonly carrier: Client;
  /** What each object says it has cost so far, by its name. */
  readonly counts: Map<string, Counts>;
  readonly #folder: string;

  private constructor(parts: Pick<Scene, "worker" | "simulator" | "counts"> & { folder: string }) {
    this.worker = parts.worker;
    this.simulator = parts.simulator;
    this.counts = parts.counts;
    this.#folder = parts.folder;
    this.carrier = new Client(parts.simulator.url, 4);
  }

  static async open(vars: Record<string, string> = {}): Promise<Scene> {
    const folder = mkdtempSync(join(tmpdir(), "outdial-bench-"));
    const counts = new Map<string, Counts>();
    const onLine = (line: string) => {
      if (!line.startsWith('{"event":"counts"')) {
        if (/bug|uncaught/i.test(line)) console.error(line);
        return;
      }
      const { object, ...rest } = JSON.parse(line) as Counts & { object: string };
      counts.set(object, rest);
    };
    const simulator = await startSimulator({
      port: PORT + 1,
      key: "sim_key",
      secret: "sim_secret",
    });
    // The carrier, and receivers of webhooks.
    process.env.OUTBOUND_ALLOW = "127.0.0.1:*";
    const worker = await startWorker({
      folder,
      port: PORT,
      bare: true,
      secrets: { ADMIN_SECRET, SIGNING_SECRET, SEALING_KEY_1 },
      vars: { REQUESTS_PER_SECOND: "1000000", ...vars },
      onLine,
    });
    return new Scene({ worker, simulator, counts, folder });
  }

  async close(): Promise<void> {
    this.carrier.close();
    await this.worker.stop();
    await this.simulator.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** A workspace with a connection, an agent with these settings and a number. */
  async workspace(slots: number, settings: Record<string, unknown> = {}): Promise<Workspace> {
    const admin = new Client(this.worker.url, 1, { authorization: `Bearer ${ADMIN_SECRET}` });
    const made = await admin.json<{ id: string; apiKey: string }>({
      path: "/v1/workspaces",
      body: JSON.stringify({ name: "Bench", slots }),
    });
    admin.close();
    const client = new Client(this.worker.url, 64, { authorization: `Bearer ${made.apiKey}` });
    const make = async (noun: string, body: unknown) => {
      const reply = await client.json<{ id: string }>({
        path: `/v1/${noun}`,
        body: JSON.stringify(body),
      });
      return reply.id;
    };
    const connection = await make("connections", {
      name: "Simulator",
      carrier: "simulator",
      settings: { baseUrl: this.simulator.url, apiKey: "sim_key", reportSecret: "sim_secret" },
    });
    const agent = await make("agents", {
      name: "Asha",
      connection,
      carrierAgentId: "agent-1",
      settings,
    });
    await make("numbers", { phone: FROM, connection });
    return { id: made.id, client, agent, make };
  }
}

export type Workspace = {
  id: string;
  client: Client;
  agent: string;
  make(noun: string, body: unknown): Promise<string>;
};

export function campaign(
  workspace: Workspace,
  type: "batch" | "realtime",
  more: Record<string, unknown> = {},
): Promise<string> {
  const body = { name: "Bench", type, agent: workspace.agent, from: FROM, ...more };
  return workspace.make("campaigns", body);
}

/** A CSV of so many rows. */
export function csvOf(rows: number, first = 0): string {
  const lines = ["phone,name,orderId"];
  for (let n = first; n < first + rows; n++) lines.push(`${phoneOf(n)},Asha ${n},order-${n}`);
  return `${lines.join("\n")}\n`;
}

/** A number that no behaviour of the simulator is tied to. */
export function phoneOf(n: number): string {
  const tail = 1_000 + (n % 9_000);
  return `+9190${String(Math.floor(n / 9_000)).padStart(4, "0")}${tail}`;
}

/** Uploads a CSV and waits until every row is durable in the object; ms. */
export async function importCsv(
  { client }: Workspace,
  campaignId: string,
  csv: string,
): Promise<number> {
  const path = `/v1/campaigns/${campaignId}/imports`;
  const from = performance.now();
  const { id } = await client.json<{ id: string }>({
    path,
    body: csv,
    headers: { "content-type": "text/csv" },
  });
  await until(
    () => client.json<{ status: string }>({ path: `${path}/${id}` }),
    (one) => one.status === "completed",
  );
  return performance.now() - from;
}

export async function tasksOf({ client }: Workspace, id: string): Promise<Record<string, number>> {
  const read = await client.json<{ counters: Record<string, number> }>({
    path: `/v1/campaigns/${id}`,
  });
  return read.counters;
}
