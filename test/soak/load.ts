import { Client } from "../../bench/load.ts";

const FROM = "+918047112233";
const BATCH_ROWS = 2_000;
const BULK_TASKS = 100;
/** Waiting tasks below which more come in. */
const WAITING_MIN = 2_000;
/** A batch is archived once this share of it is over, so that it cannot come back (H28). */
const ARCHIVED_AT = 0.8;

const RETRIES = { retries: 1, intervals: 5_000 };
const CALLS = {
  mix: { connected: 6, no_answer: 2, busy: 1, voicemail: 1 },
  ringMs: [100, 300],
  talkMs: [1_500, 4_500],
  analysisMs: 50,
  reports: "all",
};

type Campaign = { id: string; counters: { completed: number; archived: number } };

/** People and websites that never let a slot stand empty: pushes alone and in bulk, and imports. */
export class Load {
  readonly #client: Client;
  readonly #workspace: string;
  #leads = "";
  #voices: { agent: string; from: string }[] = [];
  #imports = 0;
  #batches: string[] = [];
  #next = 0;
  pushed = 0;
  imported = 0;
  /** Rows of batches that completed by themselves. */
  revivable = 0;
  /** Finished tasks of batches that are archived, and pushes that are over. */
  #over = 0;

  private constructor(client: Client, workspace: string) {
    this.#client = client;
    this.#workspace = workspace;
  }

  get workspace(): string {
    return this.#workspace;
  }

  static async open(
    url: string,
    adminSecret: string,
    carrier: { baseUrl: string; apiKey: string; reportSecret: string },
    slots: number,
  ): Promise<Load> {
    const admin = new Client(url, 1, { authorization: `Bearer ${adminSecret}` });
    const made = await admin.json<{ id: string; apiKey: string }>({
      path: "/v1/workspaces",
      body: JSON.stringify({ name: "Soak", slots }),
    });
    admin.close();
    const client = new Client(url, 8, { authorization: `Bearer ${made.apiKey}` });
    const load = new Load(client, made.id);
    // An object places three dials of a connection at a time: two of them keep it busier.
    for (const name of ["One", "Two"]) {
      const settings = carrier;
      const body = { name, carrier: "simulator", settings };
      const connection = await load.#make("connections", body);
      const agent = await load.#make("agents", {
        name,
        connection,
        carrierAgentId: "agent-1",
        prompt: `Ask ${"$"}{name} about order ${"$"}{orderId}.`,
        settings: CALLS,
      });
      const from = await load.#make("numbers", { phone: FROM, connection });
      load.#voices.push({ agent, from });
    }
    const pair = load.#voices[0];
    const leads = { name: "Leads", type: "realtime", ...pair, ...RETRIES };
    load.#leads = await load.#make("campaigns", leads);
    return load;
  }

  async #make(noun: string, body: unknown): Promise<string> {
    const reply = await this.#client.json<{ id: string }>({
      path: `/v1/${noun}`,
      body: JSON.stringify(body),
    });
    return reply.id;
  }

  /** Looks once, and brings more where too little waits. */
  async turn(): Promise<{ slotsInUse: number; waiting: number }> {
    const { slotsInUse, waiting } = await this.#client.json<{
      slotsInUse: number;
      waiting: number;
    }>({
      path: "/v1/workspace",
    });
    await this.#pushOne();
    if (waiting < WAITING_MIN) {
      await this.#pushMany();
      await this.#import();
    }
    await this.#archiveOld();
    return { slotsInUse, waiting };
  }

  #phone(): string {
    const n = this.#next++;
    return `+9190${String(Math.floor(n / 9_000)).padStart(4, "0")}${1_000 + (n % 9_000)}`;
  }

  async #pushOne() {
    const body = {
      campaign: this.#leads,
      phone: this.#phone(),
      context: { name: "Bela", orderId: "7" },
    };
    await this.#client.json({ path: "/v1/tasks", body: JSON.stringify(body) });
    this.pushed += 1;
  }

  async #pushMany() {
    const tasks = Array.from({ length: BULK_TASKS }, (_, n) => {
      return {
        campaign: this.#leads,
        phone: this.#phone(),
        context: { name: `Chitra ${n}`, orderId: String(n) },
      };
    });
    await this.#client.json({ path: "/v1/tasks/bulk", body: JSON.stringify({ tasks }) });
    this.pushed += BULK_TASKS;
  }

  async #import() {
    const pair = this.#voices[this.#imports++ % this.#voices.length];
    const body = { name: "List", type: "batch", ...pair, ...RETRIES };
    const id = await this.#make("campaigns", body);
    const lines = ["phone,name,orderId"];
    for (let n = 0; n < BATCH_ROWS; n++) {
      lines.push(n % 50 === 0 ? `98765,bad,${n}` : `${this.#phone()},Asha ${n},order-${n}`);
    }
    await this.#client.json({
      path: `/v1/campaigns/${id}/imports`,
      body: lines.join("\n"),
      headers: { "content-type": "text/csv" },
    });
    this.imported += BATCH_ROWS * 0.98;
    this.#batches.push(id);
  }

  async #archiveOld() {
    for (const id of this.#batches.slice(0, 2)) {
      const { counters } = await this.#read(id);
      const over = counters.completed + counters.archived;
      if (over < BATCH_ROWS * ARCHIVED_AT) continue;
      await this.#archive(id);
      this.#batches = this.#batches.filter((one) => one !== id);
      this.#over += BATCH_ROWS * 0.98;
    }
  }

  /** A batch that completed a moment before keeps its numbers: an import can take it up again. */
  async #archive(id: string) {
    const path = `/v1/campaigns/${id}/archive`;
    const { status } = await this.#client.ask({ path, method: "POST" });
    if (status === 409) this.revivable += BATCH_ROWS * 0.98;
  }

  #read(id: string): Promise<Campaign> {
    return this.#client.json<Campaign>({ path: `/v1/campaigns/${id}` });
  }

  /** Tasks that are over, all campaigns together. */
  async finished(): Promise<number> {
    const live = await Promise.all([this.#leads, ...this.#batches].map((id) => this.#read(id)));
    return live.reduce(
      (sum, { counters }) => sum + counters.completed + counters.archived,
      this.#over,
    );
  }

  /** Nobody brings anything more, and what waits is called off. */
  async end(): Promise<void> {
    for (const id of [this.#leads, ...this.#batches]) await this.#archive(id);
    const deadline = Date.now() + 120_000;
    for (;;) {
      const { slotsInUse, waiting } = await this.#client.json<{
        slotsInUse: number;
        waiting: number;
      }>({
        path: "/v1/workspace",
      });
      if (slotsInUse === 0 && waiting === 0) return;
      if (Date.now() > deadline)
        throw new Error(`${slotsInUse} calls and ${waiting} tasks are left`);
      await new Promise((resolve) => setTimeout(resolve, 500));
    }
  }

  close() {
    this.#client.close();
  }
}
