import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Client } from "../../scripts/client.ts";
import { type Running, startSimulator, startWorker } from "../../scripts/local.ts";
import type { Campaign } from "../../src/contract/campaign.ts";
import { type Leak, leaksIn } from "../support/leaks.ts";
import { freePort, until } from "../support/node/local.ts";

export { freePort, until };

const SECRETS = {
  ADMIN_SECRET: "e2e-admin-secret-of-32-characters",
  SIGNING_SECRET: "e2e-signing-secret-of-32-characters",
  SEALING_KEY_1: "e2e-sealing-key-of-32-characters-1",
};
const ACCOUNT = { apiKey: "carrier-key-of-e2e", reportSecret: "carrier-secret-of-e2e" };
export const FROM = "+918047112233";

export type Dial = {
  n: number;
  at: number;
  to: string;
  callId: string | null;
  accepted: boolean;
  answer: string;
};
export type Stats = {
  asked: number;
  accepted: number;
  repeated: number;
  inFlight: number;
  inFlightMax: number;
};

/**
 * The production bundle in workerd and the simulated carrier, each a process of its own, on a
 * folder that outlives crashes; and a workspace with an agent in it.
 */
export class Rig {
  readonly api: Client;
  readonly carrier: Client;
  readonly agent: string;
  readonly #folder: string;
  readonly #port: number;
  readonly #simulator: Running;
  #worker: Running;
  readonly #listeners: Set<(line: string) => void>;
  /** Secrets and numbers in what the Worker has logged: `close` fails for them. */
  readonly #leaks: Leak[];

  private constructor(parts: {
    worker: Running;
    simulator: Running;
    api: Client;
    agent: string;
    folder: string;
    port: number;
    listeners: Set<(line: string) => void>;
    leaks: Leak[];
  }) {
    this.#worker = parts.worker;
    this.#simulator = parts.simulator;
    this.api = parts.api;
    this.carrier = new Client(parts.simulator.url, ACCOUNT.apiKey);
    this.agent = parts.agent;
    this.#folder = parts.folder;
    this.#port = parts.port;
    this.#listeners = parts.listeners;
    this.#leaks = parts.leaks;
  }

  static async open(slots: number, settings: Record<string, unknown>): Promise<Rig> {
    const folder = mkdtempSync(join(tmpdir(), "outdial-e2e-"));
    const port = await freePort();
    const simulator = await startSimulator({
      port: port + 1,
      key: ACCOUNT.apiKey,
      secret: ACCOUNT.reportSecret,
    });
    const listeners = new Set<(line: string) => void>();
    const leaks: Leak[] = [];
    const known = Object.entries({ ...SECRETS, ...ACCOUNT });
    listeners.add((line) => leaks.push(...leaksIn("log", line, known)));
    const worker = await startWorker({ folder, port, secrets: SECRETS, onLine: tell(listeners) });
    const admin = new Client(worker.url, SECRETS.ADMIN_SECRET);
    const made = await admin.post<{ apiKey: string }>("/v1/workspaces", { name: "E2E", slots });
    const api = new Client(worker.url, made.apiKey);
    const make = async (noun: string, body: unknown) =>
      (await api.post<{ id: string }>(`/v1/${noun}`, body)).id;
    const connection = await make("connections", {
      name: "Simulator",
      carrier: "simulator",
      settings: { baseUrl: simulator.url, ...ACCOUNT },
      lengthMaxMs: 60_000,
    });
    const agent = await make("agents", { name: "Asha", connection, carrierAgentId: "a", settings });
    await make("numbers", { phone: FROM, connection });
    return new Rig({ worker, simulator, api, agent, folder, port, listeners, leaks });
  }

  async campaign(more: Record<string, unknown>): Promise<string> {
    const body = { name: "E2E", type: "batch", agent: this.agent, from: FROM, ...more };
    return (await this.api.post<{ id: string }>("/v1/campaigns", body)).id;
  }

  read(campaign: string): Promise<Campaign> {
    return this.api.get<Campaign>(`/v1/campaigns/${campaign}`);
  }

  /** Imports these numbers into a batch; resolves once every row is a task. */
  async import(campaign: string, phones: readonly string[]): Promise<void> {
    const path = `/v1/campaigns/${campaign}/imports`;
    const { id } = await this.api.postCsv<{ id: string }>(path, csvOf(phones));
    await until(
      () => this.api.get<{ status: string }>(`${path}/${id}`),
      ({ status }) => status === "completed",
    );
  }

  /** workerd and its host are killed in the middle of whatever they do. */
  crash(): Promise<void> {
    return this.#worker.crash();
  }

  /** They start again on what is left in the folder. */
  async restart(): Promise<void> {
    const onLine = tell(this.#listeners);
    const where = { folder: this.#folder, port: this.#port };
    this.#worker = await startWorker({ ...where, secrets: SECRETS, onLine });
  }

  /** The same, at the instant at which the Worker logs a line with this text. */
  crashAt(text: string): Promise<void> {
    return new Promise((resolve) => {
      const listener = (line: string): void => {
        if (!line.includes(text)) return;
        this.#listeners.delete(listener);
        resolve(this.crash());
      };
      this.#listeners.add(listener);
    });
  }

  /** Fires the cron as if it were so much later. */
  async tick(aheadMs: number): Promise<void> {
    const query = new URLSearchParams({
      cron: "* * * * *",
      time: String(Date.now() + aheadMs),
    });
    await this.api.text(`/cdn-cgi/local/scheduled?${query}`);
  }

  stats(): Promise<Stats> {
    return this.carrier.get<Stats>("/_/stats");
  }

  async dials(): Promise<Dial[]> {
    return (await this.carrier.get<{ dials: Dial[] }>("/_/dials?since=0")).dials;
  }

  async behave(behaviour: Record<string, unknown>): Promise<void> {
    await this.carrier.post("/_/behaviour", behaviour);
  }

  async close(): Promise<void> {
    await this.#worker.stop();
    await this.#simulator.stop();
    rmSync(this.#folder, { recursive: true, force: true });
    if (this.#leaks.length > 0) throw new Error(`leaked: ${JSON.stringify(this.#leaks)}`);
  }
}

function tell(listeners: Set<(line: string) => void>): (line: string) => void {
  return (line) => {
    for (const listener of [...listeners]) listener(line);
  };
}

/** So many numbers that no behaviour of the simulator is tied to. */
export function phones(count: number): string[] {
  return Array.from({ length: count }, (_, n) => {
    const block = String(Math.floor(n / 9_000)).padStart(3, "0");
    return `+91555${block}${1_000 + (n % 9_000)}`;
  });
}

export function csvOf(numbers: readonly string[]): string {
  const rows = numbers.map((phone, n) => `${phone},Asha ${n},order-${n}`);
  return `phone,name,orderId\n${rows.join("\n")}\n`;
}
