import { type Outbound, outboundOf } from "../carriers/outbound.ts";
import { unseal } from "../carriers/seal.ts";
import type { Turn } from "../core/call.ts";
import { makeId, type WorkspaceId } from "../core/ids.ts";
import { GIVE_UP_MS, nextTry, reactionTo, type WebhookEvent } from "../core/webhook.ts";
import { bodyOf, type CallFacts, needsFacts, textOf } from "../core/webhook-body.ts";
import { type Db, database } from "../db/database.ts";
import {
  claimDue,
  type DeliveryRow,
  giveUpWaiting,
  nextDue,
  putReceiver,
  type ReceiverRow,
  readCallFacts,
  readReceivers,
  recordDeliveries,
  settleDeliveries,
} from "../db/deliveries.ts";
import type { WebhookRow } from "../db/webhooks.ts";
import { dialerOf } from "../shell/dialer.ts";
import { logFault } from "../shell/faults.ts";
import { callbackSecret, type Told, tell } from "../shell/webhook.ts";
import type { EventsMessage, TurnMessage } from "./messages.ts";
import { switchOff } from "./switch-off.ts";

/** Requests that one delivery of messages has out at once; the platform gives it six. */
const AT_ONCE = 5;
/** Lines in which events of one receiver go out side by side; those of one task are in one line. */
const LINES = 3;
/** After so long the rest of a receiver's events waits for its turn, ms. */
const SPENT_MS = 60_000;
/** Deliveries tried in one turn, and how long nobody else tries them, ms. */
const TURN_ROWS = 100;
const LEASE_MS = 5 * 60_000;
const CLOCKS_MS = 1_000;
/** D1 hears of a call half a second after its event: so long is waited for it, ms, so often. */
const FACTS_WAIT_MS = 2_000;
const FACTS_TRIES = 30;
const FACTS_LOOKS = 5;
const FACTS_LOOK_MS = 250;
const RETRY_SECONDS_MAX = 300;
const DELAY_SECONDS_MAX = 12 * 3_600;

/** The seam to a receiver: what the simulation has a stand-in for. */
export type Tell = (
  to: { url: string; secrets: readonly string[] },
  event: { id: string; body: string },
  now: number,
) => Promise<Told>;

export type Shell = {
  tell: Tell;
  /** Secrets that sign what goes to a webhook, or (null) to tasks' own addresses. */
  secretsOf: (workspace: WorkspaceId, webhook: WebhookRow | null, now: number) => Promise<string[]>;
  now: () => number;
  random: () => number;
  sleep: (ms: number) => Promise<void>;
};

export function shellOf(env: Env): Shell {
  const out: Outbound = outboundOf(env);
  return {
    tell: (to, event, now) => tell(out, to, event, now),
    secretsOf: (workspace, webhook, now) => secretsOf(env, workspace, webhook, now),
    now: () => Date.now(),
    random: () => Math.random(),
    sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
  };
}

async function secretsOf(
  env: Env,
  workspace: WorkspaceId,
  webhook: WebhookRow | null,
  now: number,
): Promise<string[]> {
  if (webhook === null) return [await callbackSecret(env.SIGNING_SECRET, workspace)];
  const sealed = [webhook.sealed];
  const { sealedOld, oldUntil } = webhook;
  if (sealedOld !== null && (oldUntil ?? 0) > now) sealed.push(sealedOld);
  return Promise.all(sealed.map((one) => unseal(env, one)));
}

/**
 * Tells receivers of events: first tries as they come, later ones in turns of a receiver. What does
 * not get through is in D1 before its row leaves the Dialer's outbox, so that nothing is lost; a
 * receiver that is slow or dead is left aside at its first failure, and holds nobody else up.
 */
export async function handleEvents(
  batch: MessageBatch<EventsMessage | TurnMessage>,
  env: Env,
  shell: Shell = shellOf(env),
): Promise<void> {
  const groups = new Map<WorkspaceId, Message<EventsMessage | TurnMessage>[]>();
  for (const message of batch.messages) {
    const group = groups.get(message.body.workspace);
    if (group === undefined) groups.set(message.body.workspace, [message]);
    else group.push(message);
  }
  await Promise.all(
    [...groups].map(async ([workspace, messages]) => {
      try {
        await new Teller(env, workspace, shell).handle(messages.map((one) => one.body));
        for (const message of messages) message.ack();
      } catch (error) {
        logFault("events", error, { workspace, messages: messages.length });
        for (const message of messages) {
          message.retry({ delaySeconds: Math.min(RETRY_SECONDS_MAX, 2 ** message.attempts) });
        }
      }
    }),
  );
}

/** A receiver within one delivery of messages. */
type Receiver = {
  target: string;
  /** Null for tasks' own addresses. */
  webhook: WebhookRow | null;
  secrets: string[];
  health: ReceiverRow;
  /** It has failed here: the rest waits until then. */
  waitUntil: number | null;
  gone: boolean;
};

class Teller {
  readonly #env: Env;
  readonly #db: Db;
  readonly #workspace: WorkspaceId;
  readonly #shell: Shell;
  readonly #receivers = new Map<string, Receiver>();
  #free = AT_ONCE;
  readonly #queue: (() => void)[] = [];

  constructor(env: Env, workspace: WorkspaceId, shell: Shell) {
    this.#env = env;
    this.#db = database(env);
    this.#workspace = workspace;
    this.#shell = shell;
  }

  async handle(messages: (EventsMessage | TurnMessage)[]): Promise<void> {
    const news = messages.filter((one): one is EventsMessage => "events" in one);
    const turns = messages.filter((one): one is TurnMessage => "target" in one);
    const events = new Map<number, WebhookEvent>();
    for (const { events: some } of news) for (const one of some) events.set(one.sequence, one);
    const read = await readReceivers(this.#db, this.#workspace, [...events.keys()]);
    const health = new Map(read.receivers.map((one) => [one.target, one]));
    for (const webhook of read.webhooks) {
      this.#know(webhook.id, webhook, await this.#secretsOf(webhook), health);
    }
    if (events.size > 0) {
      const known = new Set(read.known.map((one) => `${one.target} ${one.sequence}`));
      const ordered = [...events.values()].sort((a, b) => a.sequence - b.sequence);
      await this.#tellNews(ordered, known, health);
      await dialerOf(this.#env, this.#workspace).eventsTold(news.map((one) => one.row));
    }
    for (const target of new Set(turns.map((one) => one.target))) {
      await this.#takeTurn(target, health);
    }
  }

  #know(
    target: string,
    webhook: WebhookRow | null,
    secrets: string[],
    health: Map<string, ReceiverRow>,
  ): Receiver {
    const known = this.#receivers.get(target);
    if (known !== undefined) return known;
    const none = { workspace: this.#workspace, target, failingSince: null, failures: 0 };
    const row = { ...(health.get(target) ?? { ...none, dueAt: null }) };
    const fails = row.failures > 0 && row.dueAt !== null && row.dueAt > this.#shell.now();
    const receiver = { target, webhook, secrets, health: row, gone: false };
    const made: Receiver = { ...receiver, waitUntil: fails ? row.dueAt : null };
    this.#receivers.set(target, made);
    return made;
  }

  #secretsOf(webhook: WebhookRow | null): Promise<string[]> {
    return this.#shell.secretsOf(this.#workspace, webhook, this.#shell.now());
  }

  /** The receiver of a task's own address, by its origin. */
  async #originOf(address: string, health: Map<string, ReceiverRow>): Promise<Receiver | null> {
    if (!URL.canParse(address)) return null;
    const { origin } = new URL(address);
    const known = this.#receivers.get(origin);
    if (known !== undefined) return known;
    return this.#know(origin, null, await this.#secretsOf(null), health);
  }

  /** First tries, and what became of them in D1. */
  async #tellNews(
    events: WebhookEvent[],
    known: ReadonlySet<string>,
    health: Map<string, ReceiverRow>,
  ): Promise<void> {
    const rows: DeliveryRow[] = [];
    const add = (receiver: Receiver, url: string, event: WebhookEvent) => {
      if (known.has(`${receiver.target} ${event.sequence}`)) return;
      rows.push(this.#rowOf(receiver.target, url, event));
    };
    for (const event of events) {
      const origin = event.callback === null ? null : await this.#originOf(event.callback, health);
      if (origin !== null && event.callback !== null) add(origin, event.callback, event);
      for (const receiver of this.#receivers.values()) {
        const { webhook } = receiver;
        if (webhook === null || event.only || event.at < webhook.createdAt) continue;
        // In the guide's words the end says it all.
        if (webhook.shape === "guide" && event.type === "call.analyzed") continue;
        if (webhook.events.includes(event.type)) add(receiver, webhook.url, event);
      }
    }
    if (rows.length === 0) return;
    await this.#tryAll(rows);
    const touched = this.#touched(rows);
    for (const receiver of touched) {
      const waits = rows.filter((row) => row.target === receiver.target && row.nextAt !== null);
      const first = waits.reduce((min, row) => Math.min(min, row.nextAt ?? min), Infinity);
      const before = receiver.health.dueAt;
      if (waits.length > 0) receiver.health.dueAt = Math.min(before ?? first, first);
    }
    // A receiver's row is written when it changed, and once for an origin, to find it by.
    const changed = touched.filter((one) => {
      const old = health.get(one.target);
      return old === undefined
        ? one.webhook === null || one.health.failures > 0 || one.health.dueAt !== null
        : !sameHealth(old, one.health);
    });
    await recordDeliveries(
      this.#db,
      this.#workspace,
      rows,
      changed.map((one) => one.health),
    );
    for (const receiver of touched) {
      await this.#followUp(receiver, health.get(receiver.target)?.dueAt ?? null);
    }
  }

  #rowOf(target: string, url: string, event: WebhookEvent): DeliveryRow {
    return {
      workspace: this.#workspace,
      target,
      sequence: event.sequence,
      event: event.id,
      type: event.type,
      task: event.task,
      call: event.call,
      url,
      body: JSON.stringify(bodyOf(event, this.#workspace)),
      status: "waiting",
      attempts: 0,
      createdAt: event.at,
      since: event.at,
      lastAt: null,
      nextAt: this.#shell.now(),
      code: null,
      answer: null,
      tookMs: null,
    };
  }

  #touched(rows: DeliveryRow[]): Receiver[] {
    const targets = new Set(rows.map((row) => row.target));
    return [...this.#receivers.values()].filter((one) => targets.has(one.target));
  }

  /** Later tries of what waits for one receiver. */
  async #takeTurn(target: string, health: Map<string, ReceiverRow>): Promise<void> {
    const now = this.#shell.now();
    const before = health.get(target);
    if (before === undefined || before.dueAt === null) return;
    const receiver = target.startsWith("http")
      ? await this.#originOf(target, health)
      : (this.#receivers.get(target) ?? null);
    if (receiver === null) {
      await giveUpWaiting(this.#db, this.#workspace, target, "the webhook is switched off");
      await putReceiver(this.#db, this.#workspace, { ...before, dueAt: null });
      return;
    }
    // Whoever set a later turn has sent a message for it; clocks differ a little.
    if (before.dueAt > now + CLOCKS_MS) return;
    receiver.waitUntil = null;
    const due = { now: now + CLOCKS_MS, leaseUntil: now + LEASE_MS, limit: TURN_ROWS };
    const rows = await claimDue(this.#db, this.#workspace, target, due);
    for (const row of rows) row.nextAt = now;
    await this.#tryAll(rows);
    await settleDeliveries(this.#db, this.#workspace, rows);
    receiver.health.dueAt = await nextDue(this.#db, this.#workspace, target);
    await putReceiver(this.#db, this.#workspace, receiver.health);
    await this.#followUp(receiver, null);
  }

  /** Sees to what waits, and to a receiver that has had its time. */
  async #followUp(receiver: Receiver, dueBefore: number | null): Promise<void> {
    const { target, webhook, health, gone } = receiver;
    const { failingSince, dueAt } = health;
    const now = this.#shell.now();
    const tired = failingSince !== null && now - failingSince >= GIVE_UP_MS;
    if (webhook !== null && (gone || tired)) {
      const reason = gone ? "gone" : "failing";
      await switchOff(this.#env, this.#workspace, webhook, reason, now);
      await giveUpWaiting(this.#db, this.#workspace, target, "the webhook was switched off");
      await putReceiver(this.#db, this.#workspace, { ...health, dueAt: null });
      return;
    }
    if (dueAt !== null && dueAt !== dueBefore) await this.#wake(target, dueAt);
  }

  async #wake(target: string, at: number): Promise<void> {
    const seconds = Math.ceil(Math.max(0, at - this.#shell.now()) / 1_000);
    const delaySeconds = Math.min(seconds, DELAY_SECONDS_MAX);
    await this.#env.EVENTS.send({ workspace: this.#workspace, target }, { delaySeconds });
  }

  /** Tries each of these rows once, those of a task in order; a receiver that fails is left aside. */
  async #tryAll(rows: DeliveryRow[]): Promise<void> {
    const lines = new Map<string, DeliveryRow[]>();
    for (const row of rows) {
      const line = `${row.target} ${(row.task ?? row.call ?? 0) % LINES}`;
      const there = lines.get(line);
      if (there === undefined) lines.set(line, [row]);
      else there.push(row);
    }
    const start = this.#shell.now();
    await Promise.all(
      [...lines.values()].map(async (line) => {
        let held: number | null = null;
        for (const row of line) {
          // What waits for D1 is not overtaken by what comes after it.
          if (held !== null) row.nextAt = held;
          else held = await this.#inTurn(() => this.#try(row, start));
        }
      }),
    );
  }

  /** Never more requests at once than the platform gives. */
  async #inTurn<T>(work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) await new Promise<void>((resolve) => this.#queue.push(resolve));
    else this.#free -= 1;
    try {
      return await work();
    } finally {
      const next = this.#queue.shift();
      if (next === undefined) this.#free += 1;
      else next();
    }
  }

  /** Tries it once; until when its line waits for D1, or null. */
  async #try(row: DeliveryRow, start: number): Promise<number | null> {
    const receiver = this.#receivers.get(row.target);
    if (receiver === undefined) return null;
    const before = this.#shell.now();
    if (receiver.waitUntil !== null || before - start > SPENT_MS) {
      row.nextAt = Math.max(receiver.waitUntil ?? before, before);
      return null;
    }
    const to = {
      shape: receiver.webhook?.shape ?? "standard",
      texts: receiver.webhook?.texts ?? false,
    } as const;
    const kept = JSON.parse(row.body) as Parameters<typeof textOf>[0];
    const facts = needsFacts(to, kept) ? await this.#factsOf(row, kept) : null;
    if (facts === "wait") {
      row.nextAt = before + FACTS_WAIT_MS;
      return row.nextAt;
    }
    const event = { id: row.event, body: textOf(kept, to, facts) };
    const told = await this.#shell.tell({ url: row.url, secrets: receiver.secrets }, event, before);
    this.#settle(row, receiver, told);
    return null;
  }

  #settle(row: DeliveryRow, receiver: Receiver, told: Told): void {
    const now = this.#shell.now();
    const { health } = receiver;
    row.attempts += 1;
    row.lastAt = now;
    row.code = told.status;
    row.answer = told.answer;
    row.tookMs = told.tookMs;
    const reaction = reactionTo(told.status);
    if (reaction === "delivered") {
      row.status = "delivered";
      row.nextAt = null;
      health.failingSince = null;
      health.failures = 0;
      return;
    }
    health.failingSince ??= now;
    const tries = { attempts: row.attempts, since: row.since, now };
    const next =
      reaction === "gone" ? null : nextTry(tries, told.retryAfterMs, this.#shell.random());
    row.nextAt = next;
    if (next === null) row.status = "failed";
    if (reaction === "gone") receiver.gone = true;
    if (reaction !== "busy") return;
    health.failures += 1;
    const pause = { attempts: health.failures, since: now, now };
    const until = nextTry(pause, told.retryAfterMs, this.#shell.random()) ?? now;
    receiver.waitUntil = Math.max(receiver.waitUntil ?? 0, until);
    if (row.nextAt !== null) row.nextAt = Math.max(row.nextAt, receiver.waitUntil);
  }

  /** What D1 knows of its call; `wait` while D1 has not heard of it yet. */
  async #factsOf(
    row: DeliveryRow,
    kept: { data: Record<string, unknown> },
  ): Promise<CallFacts | "wait" | null> {
    const { connection, carrierCallId } = kept.data;
    const named =
      row.call !== null
        ? { call: row.call }
        : { connection: String(connection), carrierCallId: String(carrierCallId) };
    const isThere = (one: Awaited<ReturnType<typeof readCallFacts>>) => {
      if (one === null) return false;
      const hasTexts = one.transcript !== null || one.analysis !== null;
      return row.type !== "call.analyzed" || hasTexts || one.call.to === "";
    };
    let found = await readCallFacts(this.#db, this.#workspace, named);
    // A moment here keeps the order; D1 that is further behind is waited for elsewhere.
    for (let n = 0; n < FACTS_LOOKS && !isThere(found); n++) {
      await this.#shell.sleep(FACTS_LOOK_MS);
      found = await readCallFacts(this.#db, this.#workspace, named);
    }
    const early = this.#shell.now() - row.createdAt < FACTS_WAIT_MS * FACTS_TRIES;
    if (!isThere(found) && early) return "wait";
    if (found === null) return null;
    const { call, transcript, analysis } = found;
    const workspace = this.#workspace;
    return {
      call: makeId("cal", workspace, call.id),
      task: makeId("tsk", workspace, call.task),
      campaign: makeId("cmp", workspace, call.campaign),
      attempt: call.attempt,
      outcome: call.outcome,
      word: call.word,
      to: call.to,
      from: call.from,
      carrierCallId: call.carrierCallId,
      placedAt: call.placedAt,
      answeredAt: call.answeredAt,
      endedAt: call.endedAt,
      talkMs: call.talkMs,
      transcript: transcript === null ? null : (JSON.parse(transcript) as Turn[]),
      analysis: analysis === null ? null : (JSON.parse(analysis) as Record<string, unknown>),
    };
  }
}

function sameHealth(a: ReceiverRow, b: ReceiverRow): boolean {
  return a.failingSince === b.failingSince && a.failures === b.failures && a.dueAt === b.dueAt;
}
