import { type Outbound, outboundOf } from "../carriers/outbound.ts";
import { unseal } from "../carriers/seal.ts";
import type { Turn } from "../core/call.ts";
import { makeId, type WorkspaceId } from "../core/ids.ts";
import { GIVE_UP_MS, nextTry, reactionTo, type WebhookEvent } from "../core/webhook.ts";
import { bodyOf, type CallFacts, needsFacts, textOf } from "../core/webhook-body.ts";
import { type Db, database } from "../db/database.ts";
import {
  callbacksOfCalls,
  claimDue,
  type DeliveryKey,
  type DeliveryRow,
  giveUpWaiting,
  putDue,
  putReceiver,
  type ReceiverRow,
  readCallFacts,
  readOpenWebhooks,
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
/** Deliveries that are held in memory at once, but for those of one message. */
const ROWS_AT_ONCE = 1_000;
/** Look-ups of calls in one delivery of messages; the platform gives it a thousand questions to D1. */
const LOOKS_MAX = 300;
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
  const gate = new Gate();
  await Promise.all(
    [...groups].map(async ([workspace, messages]) => {
      try {
        await new Teller(env, workspace, shell, gate).handle(messages.map((one) => one.body));
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

/**
 * What one delivery of messages may do at once, whatever workspaces they are of. Whoever has the
 * fewest requests out is next, so that slow receivers of one workspace hold up no other's.
 */
class Gate {
  /** Look-ups of calls that are left. */
  looks = LOOKS_MAX;
  #free = AT_ONCE;
  readonly #out = new Map<WorkspaceId, number>();
  readonly #queue: { workspace: WorkspaceId; enter: () => void }[] = [];

  /** Never more requests at once than the platform gives. */
  async pass<T>(workspace: WorkspaceId, work: () => Promise<T>): Promise<T> {
    if (this.#free === 0) {
      await new Promise<void>((enter) => this.#queue.push({ workspace, enter }));
    } else {
      this.#free -= 1;
    }
    this.#out.set(workspace, this.#outOf(workspace) + 1);
    try {
      return await work();
    } finally {
      this.#out.set(workspace, this.#outOf(workspace) - 1);
      this.#free += 1;
      this.#next();
    }
  }

  #next(): void {
    const [first, ...others] = this.#queue;
    if (first === undefined) return;
    const next = others.reduce(
      (best, one) => (this.#outOf(one.workspace) < this.#outOf(best.workspace) ? one : best),
      first,
    );
    this.#queue.splice(this.#queue.indexOf(next), 1);
    this.#free -= 1;
    next.enter();
  }

  #outOf(workspace: WorkspaceId): number {
    return this.#out.get(workspace) ?? 0;
  }
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
  /** The same of an address that the webhook had before: what still goes there says nothing of it. */
  elsewhereUntil: number | null;
  gone: boolean;
};

class Teller {
  readonly #env: Env;
  readonly #db: Db;
  readonly #workspace: WorkspaceId;
  readonly #shell: Shell;
  readonly #gate: Gate;
  readonly #receivers = new Map<string, Receiver>();

  constructor(env: Env, workspace: WorkspaceId, shell: Shell, gate: Gate) {
    this.#env = env;
    this.#db = database(env);
    this.#workspace = workspace;
    this.#shell = shell;
    this.#gate = gate;
  }

  async handle(messages: (EventsMessage | TurnMessage)[]): Promise<void> {
    const turns = messages.filter((one): one is TurnMessage => "target" in one);
    const targets = [...new Set(turns.map((one) => one.target))];
    const webhooks = await readOpenWebhooks(this.#db, this.#workspace);
    const named = [...webhooks.map((one) => one.id), ...targets];
    const { receivers } = await readReceivers(this.#db, this.#workspace, named, []);
    const health = new Map(receivers.map((one) => [one.target, one]));
    for (const webhook of webhooks) {
      this.#know(webhook.id, webhook, await this.#secretsOf(webhook), health);
    }
    const start = this.#shell.now();
    for (const news of this.#portions(messages)) await this.#takeNews(news, health, start);
    const startOfTurns = this.#shell.now();
    for (const target of targets) await this.#takeTurn(target, health, startOfTurns);
  }

  /** Messages of events, so many at once as memory has room for what they become. */
  #portions(messages: (EventsMessage | TurnMessage)[]): EventsMessage[][] {
    const news = messages.filter((one): one is EventsMessage => "events" in one);
    const portions: EventsMessage[][] = [];
    let rows = 0;
    for (const message of news) {
      const own = message.events.length * (this.#receivers.size + 1);
      const last = portions.at(-1);
      if (last === undefined || rows + own > ROWS_AT_ONCE) {
        portions.push([message]);
        rows = own;
      } else {
        last.push(message);
        rows += own;
      }
    }
    return portions;
  }

  async #takeNews(
    news: EventsMessage[],
    health: Map<string, ReceiverRow>,
    start: number,
  ): Promise<void> {
    const events = new Map<number, WebhookEvent>();
    for (const { events: some } of news) for (const one of some) events.set(one.sequence, one);
    const ordered = [...events.values()].sort((a, b) => a.sequence - b.sequence);
    await this.#addressLate(ordered);
    const keys = this.#keysOf(ordered);
    const targets = [...new Set(keys.map((one) => one.target))];
    const read = await readReceivers(this.#db, this.#workspace, targets, keys);
    for (const one of read.receivers) if (!health.has(one.target)) health.set(one.target, one);
    const known = new Set(read.known.map((one) => `${one.target} ${one.sequence}`));
    await this.#tellNews(ordered, known, health, start);
    await dialerOf(this.#env, this.#workspace).eventsTold(news.map((one) => one.row));
  }

  /** What came after its call has left names no address: D1 has the task. */
  async #addressLate(events: WebhookEvent[]): Promise<void> {
    const late = events.filter((one) => one.call !== null && one.data.task === undefined);
    const ids = late.flatMap((one) => one.call ?? []);
    if (ids.length === 0) return;
    const found = await callbacksOfCalls(this.#db, this.#workspace, ids);
    for (const event of late) event.callback = found.get(event.call ?? 0) ?? null;
  }

  /** Deliveries that these events may become. */
  #keysOf(events: WebhookEvent[]): DeliveryKey[] {
    const webhooks = [...this.#receivers.values()].filter((one) => one.webhook !== null);
    return events.flatMap(({ callback, only, sequence }) => {
      const targets = only ? [] : webhooks.map((one) => one.target);
      if (callback !== null && URL.canParse(callback)) targets.push(new URL(callback).origin);
      return targets.map((target) => ({ target, sequence }));
    });
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
    const receiver = { target, webhook, secrets, health: row, elsewhereUntil: null, gone: false };
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
    start: number,
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
    await this.#tryAll(rows, start);
    const touched = this.#touched(rows);
    const waits = new Set(rows.flatMap((row) => (row.nextAt === null ? [] : row.target)));
    // A receiver's row is written when it changed, and once for an origin, to find it by.
    const changed = touched.filter((one) => {
      const old = health.get(one.target);
      if (waits.has(one.target)) return true;
      if (old === undefined) return one.webhook === null || one.health.failures > 0;
      return !sameHealth(old, one.health);
    });
    const due = await recordDeliveries(
      this.#db,
      this.#workspace,
      rows,
      changed.map((one) => ({ ...one.health, pause: one.waitUntil ?? 0 })),
    );
    for (const receiver of touched) {
      const before = health.get(receiver.target)?.dueAt ?? null;
      if (due.has(receiver.target)) {
        receiver.health.dueAt = due.get(receiver.target) ?? null;
        health.set(receiver.target, { ...receiver.health });
      }
      await this.#followUp(receiver, before);
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
  async #takeTurn(target: string, health: Map<string, ReceiverRow>, start: number): Promise<void> {
    const now = this.#shell.now();
    const before = health.get(target);
    if (before === undefined || before.dueAt === null) return;
    const receiver = target.startsWith("http")
      ? await this.#originOf(target, health)
      : (this.#receivers.get(target) ?? null);
    if (receiver === null) {
      await giveUpWaiting(this.#db, this.#workspace, target, "the webhook is switched off");
      await putDue(this.#db, this.#workspace, target);
      return;
    }
    // Whoever set a later turn has sent a message for it; clocks differ a little.
    if (before.dueAt > now + CLOCKS_MS) return;
    receiver.waitUntil = null;
    const due = { now: now + CLOCKS_MS, leaseUntil: now + LEASE_MS, limit: TURN_ROWS };
    const rows = await claimDue(this.#db, this.#workspace, target, due);
    for (const row of rows) row.nextAt = now;
    await this.#tryAll(rows, start);
    await settleDeliveries(this.#db, this.#workspace, target, rows);
    // Another turn that is under way has what is due, and knows better how it was answered.
    receiver.health.dueAt =
      rows.length === 0
        ? await putDue(this.#db, this.#workspace, target)
        : await putReceiver(this.#db, this.#workspace, receiver.health, receiver.waitUntil ?? 0);
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
      await putDue(this.#db, this.#workspace, target);
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
  async #tryAll(rows: DeliveryRow[], start: number): Promise<void> {
    const lines = new Map<string, DeliveryRow[]>();
    for (const row of rows) {
      const line = `${row.target} ${(row.task ?? row.call ?? 0) % LINES}`;
      const there = lines.get(line);
      if (there === undefined) lines.set(line, [row]);
      else there.push(row);
    }
    await Promise.all(
      [...lines.values()].map(async (line) => {
        let held: number | null = null;
        for (const row of line) {
          // What waits for D1 is not overtaken by what comes after it.
          if (held !== null) row.nextAt = held;
          else held = await this.#gate.pass(this.#workspace, () => this.#try(row, start));
        }
      }),
    );
  }

  /** Tries it once; until when its line waits for D1, or null. */
  async #try(row: DeliveryRow, start: number): Promise<number | null> {
    const receiver = this.#receivers.get(row.target);
    if (receiver === undefined) return null;
    const before = this.#shell.now();
    const until = isElsewhere(row, receiver) ? receiver.elsewhereUntil : receiver.waitUntil;
    const spent = before - start > SPENT_MS || this.#gate.looks <= 0;
    if (until !== null || spent || receiver.gone) {
      row.nextAt = Math.max(until ?? before, before);
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
    const elsewhere = isElsewhere(row, receiver);
    if (reaction === "delivered") {
      row.status = "delivered";
      row.nextAt = null;
      if (elsewhere) return;
      health.failingSince = null;
      health.failures = 0;
      return;
    }
    const tries = { attempts: row.attempts, since: row.since, now };
    const next =
      reaction === "gone" ? null : nextTry(tries, told.retryAfterMs, this.#shell.random());
    row.nextAt = next;
    if (next === null) row.status = "failed";
    if (elsewhere) {
      if (reaction === "busy") receiver.elsewhereUntil = next;
      return;
    }
    health.failingSince ??= now;
    if (reaction === "gone" && receiver.webhook !== null) receiver.gone = true;
    if (reaction !== "busy") return;
    // Requests that were under way together are one failure: the pause grows from turn to turn.
    if (receiver.waitUntil === null) health.failures += 1;
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
    this.#gate.looks -= 1;
    let found = await readCallFacts(this.#db, this.#workspace, named);
    // A moment here keeps the order; D1 that is further behind is waited for elsewhere.
    for (let n = 0; n < FACTS_LOOKS && !isThere(found); n++) {
      await this.#shell.sleep(FACTS_LOOK_MS);
      this.#gate.looks -= 1;
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

/** It is for an address that the webhook had before it was edited. */
function isElsewhere(row: DeliveryRow, { webhook }: Receiver): boolean {
  return webhook !== null && row.url !== webhook.url;
}

function sameHealth(a: ReceiverRow, b: ReceiverRow): boolean {
  return a.failingSince === b.failingSince && a.failures === b.failures;
}
