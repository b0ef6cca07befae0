import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { WorkspaceId } from "../../src/core/ids.ts";
import {
  GIVE_UP_MS,
  nextTry,
  RETRY_GAPS_MS,
  reactionTo,
  retryAfterMs,
  type WebhookEvent,
} from "../../src/core/webhook.ts";
import { bodyOf, type CallFacts, needsFacts, textOf } from "../../src/core/webhook-body.ts";

const NOW = Date.UTC(2027, 0, 4, 9);
const tries = (attempts: number, since = NOW, now = NOW) => ({ attempts, since, now });

describe("when an event is tried again", () => {
  it("gaps grow, a fifth longer or shorter by chance, and stay at the longest", () => {
    const gaps = Array.from(
      { length: 11 },
      (_, n) => (nextTry(tries(n + 1), null, 0.5) ?? 0) - NOW,
    );
    expect(gaps.slice(0, 9)).toEqual([...RETRY_GAPS_MS]);
    expect(gaps.slice(9)).toEqual([RETRY_GAPS_MS[8], RETRY_GAPS_MS[8]]);
    expect(nextTry(tries(1), null, 0)).toBe(NOW + 4_000);
    expect(nextTry(tries(1), null, 0.999_999)).toBe(NOW + 6_000);
  });

  it("never sooner than the receiver asks for, which may be half a day at most", () => {
    expect(nextTry(tries(1), 60_000, 0.5)).toBe(NOW + 60_000);
    expect(nextTry(tries(1), 1, 0.5)).toBe(NOW + 5_000);
    expect(nextTry(tries(1), 999 * 3_600_000, 0.5)).toBe(NOW + 12 * 3_600_000);
  });

  it("a last time when its three days are over, and then no more", () => {
    const end = NOW + GIVE_UP_MS;
    expect(nextTry(tries(12, NOW, end - 3_600_000), null, 0.5)).toBe(end);
    expect(nextTry(tries(12, NOW, end), null, 0.5)).toBeNull();
    expect(nextTry(tries(12, NOW, end + 1), null, 0.5)).toBeNull();
  });

  it("always ends, within its three days, after a bounded number of tries", () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 0.999, noNaN: true })), (draws) => {
        let now = NOW;
        let attempts = 0;
        for (;;) {
          attempts += 1;
          const next = nextTry({ attempts, since: NOW, now }, null, draws[attempts] ?? 0);
          if (next === null) break;
          expect(next).toBeGreaterThan(now);
          expect(next).toBeLessThanOrEqual(NOW + GIVE_UP_MS);
          now = next;
        }
        expect(attempts).toBeLessThan(30);
      }),
      { numRuns: 200 },
    );
  });
});

describe("what an answer means", () => {
  it("each status has its meaning", () => {
    const meanings = [200, 202, 204, 299, 301, 400, 401, 404, 410, 422, 429, 500, 503, 599, null];
    expect(meanings.map((status) => [status, reactionTo(status)])).toEqual([
      [200, "delivered"],
      [202, "delivered"],
      [204, "delivered"],
      [299, "delivered"],
      [301, "refused"],
      [400, "refused"],
      [401, "refused"],
      [404, "refused"],
      [410, "gone"],
      [422, "refused"],
      [429, "busy"],
      [500, "busy"],
      [503, "busy"],
      [599, "busy"],
      [null, "busy"],
    ]);
  });

  it("Retry-After is seconds or a date", () => {
    const at = (text: string | null) => retryAfterMs(text, NOW, Date.parse(text ?? ""));
    expect(at("120")).toBe(120_000);
    expect(at(" 0 ")).toBe(0);
    expect(at(new Date(NOW + 90_000).toUTCString())).toBe(90_000);
    expect(at(new Date(NOW - 90_000).toUTCString())).toBe(0);
    expect([at(null), at("soon"), at("99999999999"), at("")]).toEqual([null, null, null, null]);
  });
});

const WORKSPACE = "ws_k3v9q2m8xa" as WorkspaceId;
const EVENT: WebhookEvent = {
  id: "cal_k3v9q2m8xa_7-ended",
  type: "call.ended",
  at: NOW,
  sequence: 12,
  task: 5,
  call: 7,
  callback: null,
  only: false,
  data: { call: "cal_k3v9q2m8xa_7", task: "tsk_k3v9q2m8xa_5", outcome: "connected" },
};
const CALL: CallFacts = {
  call: "cal_k3v9q2m8xa_7",
  task: "tsk_k3v9q2m8xa_5",
  campaign: "cmp_k3v9q2m8xa_1",
  attempt: 2,
  outcome: "connected",
  word: "hangup",
  to: "+919876543210",
  from: "+918047112233",
  carrierCallId: "CA7",
  placedAt: NOW - 9_000,
  answeredAt: NOW - 8_000,
  endedAt: NOW,
  talkMs: 8_400,
  transcript: [{ speaker: "agent", text: "Hello", atMs: 0 }],
  analysis: { mood: "good" },
};
type Kept = Parameters<typeof textOf>[0];

describe("what is sent", () => {
  const standard = { shape: "standard", texts: false } as const;
  const full = { shape: "standard", texts: true } as const;
  const guide = { shape: "guide", texts: false } as const;
  const kept = (fields: Partial<WebhookEvent> = {}) =>
    bodyOf({ ...EVENT, ...fields }, WORKSPACE) as Kept;

  it("an event has its type, time, version, number, workspace and data", () => {
    expect(JSON.parse(textOf(kept(), standard, null))).toEqual({
      type: "call.ended",
      timestamp: "2027-01-04T09:00:00.000Z",
      version: 1,
      sequence: 12,
      workspace: WORKSPACE,
      data: EVENT.data,
    });
  });

  it("the call is looked up only where it is needed", () => {
    expect(needsFacts(standard, EVENT)).toBe(false);
    expect(needsFacts(full, EVENT)).toBe(false);
    expect(needsFacts(full, { ...EVENT, type: "call.analyzed" })).toBe(true);
    expect(needsFacts(standard, { type: "call.analyzed", data: { call: "x" } })).toBe(true);
    expect(needsFacts(guide, EVENT)).toBe(true);
    expect(needsFacts(guide, { type: "task.completed", data: {} })).toBe(false);
  });

  it("what was said goes only with the analysis, and only to who wants it", () => {
    const analyzed = kept({ type: "call.analyzed" });
    expect(JSON.parse(textOf(analyzed, full, CALL)).data).toMatchObject({
      transcript: CALL.transcript,
      analysis: CALL.analysis,
    });
    expect(textOf(analyzed, standard, CALL)).not.toContain("Hello");
    expect(textOf(kept(), full, CALL)).not.toContain("Hello");
  });

  it("an event of a call that has left is filled with its ids", () => {
    const late = kept({ type: "call.analyzed", data: { call: CALL.call } });
    expect(JSON.parse(textOf(late, standard, CALL)).data).toEqual({
      call: CALL.call,
      task: CALL.task,
      campaign: CALL.campaign,
      attempt: 2,
      outcome: "connected",
    });
  });

  it("the guide's shape has its four events, and nothing of another call's", () => {
    const inGuide = (type: WebhookEvent["type"], data = {}, call: Partial<CallFacts> = {}) =>
      JSON.parse(
        textOf(kept({ type, data: { ...EVENT.data, ...data } }), guide, { ...CALL, ...call }),
      );
    expect(inGuide("call.ended")).toEqual({
      event: "callEndConnected",
      callInfo: {
        to: CALL.to,
        from: CALL.from,
        task: CALL.task,
        callSid: "CA7",
        attempt: 2,
        status: "connected",
        endReason: "hangup",
      },
      connected: true,
      duration: 8,
      beginTimestamp: NOW - 8_000,
      outcome: "connected",
    });
    expect(inGuide("call.started").event).toBe("callStart");
    expect(inGuide("call.ended", { outcome: null }).event).toBe("callEnd");
    const missed = { answeredAt: null, outcome: "busy", talkMs: null };
    expect(inGuide("call.ended", { outcome: "busy" }, missed)).toMatchObject({
      event: "callEndNotConnected",
      connected: false,
      duration: null,
      beginTimestamp: NOW - 9_000,
    });
    // Other events have no words in the guide: they go as they are.
    expect(JSON.parse(textOf(kept({ type: "task.completed" }), guide, null)).type).toBe(
      "task.completed",
    );
  });
});
