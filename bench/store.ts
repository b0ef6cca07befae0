/**
 * What the Dialer itself costs: the production code on SQLite in Node, without network. One call
 * after the other is claimed, answered, ended and concluded, with ever more tasks waiting.
 */
import { type Carrier, NO_NEWS } from "../src/carriers/carrier.ts";
import { type ImportId, makeId, type WorkspaceId } from "../src/core/ids.ts";
import { ALL_DAYS, ALWAYS } from "../src/core/window.ts";
import { Dialer } from "../src/dialer/dialer.ts";
import type { Outside } from "../src/dialer/outside.ts";
import { openSql } from "../test/support/node/sql.ts";
import { median, type Spread, spreadOf } from "./spread.ts";

const WORKSPACE = "ws_k3v9q2m8xa" as WorkspaceId;
const id = <K extends "con" | "agt" | "num">(kind: K) => makeId(kind, WORKSPACE, "b1");
const PART_ROWS = 5_000;

/** A Dialer with a batch of `waiting` tasks and one slot, and a carrier that takes every dial. */
async function fill(waiting: number) {
  const dialled: string[] = [];
  const timers: (() => void)[] = [];
  const carrier: Carrier = {
    id: "bench",
    open: [],
    check: () => [],
    place: async (_settings, dial) => {
      dialled.push(dial.call);
      return { kind: "accepted", carrierCallId: null };
    },
    lookup: async () => ({ kind: "unknown" }),
    test: async () => undefined,
    end: async () => undefined,
    verify: async () => true,
    read: () => [],
    recording: async () => new Response(),
  };
  const outside: Outside = {
    now: () => Date.now(),
    random: Math.random,
    setAlarm: () => undefined,
    background: (work) => {
      work.catch((error: unknown) => {
        throw error;
      });
    },
    after: (_ms, work) => {
      timers.push(work);
    },
    timeout: () => new AbortController().signal,
    open: async () => ({ carrier, settings: {} }),
    reportUrl: async () => "",
    send: async () => undefined,
    viewers: () => [],
    wipe: async () => undefined,
    // D1 takes everything: what it costs is measured with the real one.
    d1: async (statements) => statements.map(() => []),
    log: () => undefined,
  };
  const dialer = new Dialer(openSql(), outside);
  const connection = id("con");
  await dialer.putCopies([
    {
      kind: "workspace",
      id: WORKSPACE,
      version: 1,
      doc: {
        id: WORKSPACE,
        name: "Bench",
        slots: 1,
        timezone: "UTC",
        hours: ALWAYS,
        days: ALL_DAYS,
        agent: null,
        from: null,
      },
    },
    {
      kind: "connection",
      id: connection,
      version: 2,
      doc: {
        id: connection,
        name: "Bench",
        carrier: "bench",
        sealed: "",
        lengthMaxMs: 1_800_000,
        perSecond: null,
        callsMax: null,
      },
    },
    {
      kind: "agent",
      id: id("agt"),
      version: 3,
      doc: {
        id: id("agt"),
        name: "Bench",
        connection,
        carrierAgentId: "b",
        prompt: null,
        placeholders: [],
        outcomes: [],
        usesCallback: false,
        settings: {},
      },
    },
    {
      kind: "number",
      id: id("num"),
      version: 4,
      doc: { id: id("num"), phone: "+918047112233", connection, carrierNumberId: null },
    },
  ]);
  const body = { name: "Bench", type: "batch", agent: id("agt"), from: id("num"), paused: true };
  const made = await dialer.createCampaign({ body, idempotency: null });
  if (!made.ok) throw new Error(made.message);
  const campaign = made.value.campaign.id;
  const file = makeId("imp", WORKSPACE, "b1") as ImportId;
  await dialer.openImport(file, campaign);
  const parts = Math.ceil(waiting / PART_ROWS);
  for (let part = 0; part < parts; part++) {
    const count = Math.min(PART_ROWS, waiting - part * PART_ROWS);
    const rows = Array.from({ length: count }, (_, n) => {
      const line = part * PART_ROWS + n + 2;
      return { line, phone: `+9190${String(line).padStart(8, "0")}`, context: { name: "Asha" } };
    });
    const request = { import: file, part, last: part === parts - 1, allowDuplicates: false, rows };
    const taken = await dialer.ingest(request);
    if (!taken.ok) throw new Error(taken.message);
  }
  return { dialer, campaign, connection, dialled, timers };
}

/** Microseconds of one call from its claim to its conclusion, the median of many. */
async function timeCalls(filled: Awaited<ReturnType<typeof fill>>, calls: number): Promise<number> {
  const { dialer, dialled, connection, timers } = filled;
  const times: number[] = [];
  for (let n = 0; n < calls; n++) {
    for (let turn = 0; dialled.length === 0 && turn < 100; turn++) await Promise.resolve();
    const call = dialled.shift();
    if (call === undefined) throw new Error("nothing is dialled");
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
    const now = Date.now();
    const news = { ...NO_NEWS, ended: true, concluding: true, outcome: "connected", endedAt: now };
    const from = performance.now();
    await dialer.report([{ connection, report: { call, carrierCallId: null, news } }]);
    for (let turn = 0; dialled.length === 0 && turn < 100; turn++) await Promise.resolve();
    times.push((performance.now() - from) * 1_000);
    if (n % 500 === 499) for (const timer of timers.splice(0)) timer();
  }
  return median(times);
}

export type StoreFigures = {
  waiting: number;
  callUs: Spread;
  pauseMs: Spread;
  resumeMs: Spread;
  priorityMs: Spread;
  hoursMs: Spread;
};

/** Each figure's spread over `runs`, with so many tasks waiting. */
export async function measureStore(waiting: number, runs: number): Promise<StoreFigures> {
  const filled = await fill(waiting);
  const { dialer, campaign } = filled;
  const times = {
    pause: [] as number[],
    resume: [] as number[],
    priority: [] as number[],
    hours: [] as number[],
  };
  const time = async (into: number[], work: () => Promise<unknown>) => {
    const from = performance.now();
    await work();
    into.push(performance.now() - from);
  };
  for (let run = 0; run < runs + 1; run++) {
    await time(times.priority, () =>
      dialer.editCampaign(campaign, { priority: run % 2 ? "low" : "high" }),
    );
    await time(times.hours, () =>
      dialer.editCampaign(campaign, { start: 0, end: 2300 + (run % 50) }),
    );
    await dialer.editCampaign(campaign, { start: 0, end: 2400 });
    await time(times.resume, () => dialer.moveCampaign(campaign, "resume"));
    await time(times.pause, () => dialer.moveCampaign(campaign, "pause"));
  }
  await dialer.moveCampaign(campaign, "resume");
  await timeCalls(filled, 200);
  const calls: number[] = [];
  const each = Math.max(50, Math.min(300, Math.floor((waiting - 300) / (runs + 1))));
  for (let run = 0; run < runs; run++) calls.push(await timeCalls(filled, each));
  const warm = (values: number[]) => spreadOf(values.slice(1));
  return {
    waiting,
    callUs: spreadOf(calls),
    pauseMs: warm(times.pause),
    resumeMs: warm(times.resume),
    priorityMs: warm(times.priority),
    hoursMs: warm(times.hours),
  };
}
