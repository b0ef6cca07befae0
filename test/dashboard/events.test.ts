import { describe, expect, it } from "vitest";
import { EVENT_TYPES } from "../../src/core/webhook.ts";
import { deedWords } from "../../src/dashboard/deeds.ts";
import {
  answerWords,
  EVENT_GROUPS,
  eventsWords,
  healthLook,
  sentWords,
  testWords,
  webhookLook,
} from "../../src/dashboard/events.ts";

const NOW = Date.UTC(2026, 10, 29, 12);
const MINUTE = 60_000;
const WELL = { off: null, failingSince: null, waiting: null };

describe("webhooks in words", () => {
  it("lets every event be chosen, once", () => {
    expect(EVENT_GROUPS.flatMap(({ types }) => types)).toEqual([...EVENT_TYPES]);
  });

  it("names few events and counts many", () => {
    expect(eventsWords(["call.ended", "task.completed"])).toBe("call.ended, task.completed");
    expect(eventsWords(EVENT_TYPES.slice(0, 5))).toBe("5 of 13 events");
    expect(eventsWords(EVENT_TYPES)).toBe("every event");
  });

  it("says that a webhook is on, off by hand, or off since it failed, with the reason", () => {
    const off = (reason: string | null) => ({ ...WELL, off: { at: NOW, reason } });
    expect(webhookLook(WELL, NOW).label).toBe("On");
    expect(webhookLook(off(null), NOW).label).toBe("Off");
    const gone = webhookLook(off("it answered 410: it wants no more"), NOW);
    expect(gone).toMatchObject({
      label: "Switched off: it answered 410: it wants no more",
      color: "red",
    });
  });

  it("says since when a receiver fails, and when it is tried next", () => {
    const fails = { failingSince: NOW - 12 * MINUTE, waiting: NOW + 2 * MINUTE };
    expect(healthLook(fails, NOW).label).toBe("Failing for 12 min, tries again in 2 min");
    expect(webhookLook({ ...WELL, ...fails }, NOW).label).toBe(healthLook(fails, NOW).label);
    expect(healthLook({ ...fails, waiting: null }, NOW).label).toBe("Failing for 12 min");
    // A turn that is overdue comes now, not a minute ago.
    expect(healthLook({ failingSince: null, waiting: NOW - MINUTE }, NOW).label).toBe(
      "Events wait, next try now",
    );
    expect(healthLook({ failingSince: null, waiting: null }, NOW).color).toBe("teal");
  });

  it("says what a receiver answered, and that one did not", () => {
    const tried = { attempts: 1, code: 200, tookMs: 87 } as Parameters<typeof answerWords>[0];
    expect(answerWords(tried)).toBe("200 in 87 ms");
    expect(answerWords({ ...tried, code: null })).toBe("no answer in 87 ms");
    expect(answerWords({ ...tried, attempts: 0, tookMs: null })).toBeNull();
    const test = { works: false, code: 500, said: "boom", tookMs: 3 };
    expect(testWords(test)).toBe("Answered 500 in 3 ms: boom");
    expect(testWords({ ...test, said: "" })).toBe("Answered 500 in 3 ms");
    expect(testWords({ ...test, code: null, said: "it cannot be reached" })).toBe(
      "No answer: it cannot be reached",
    );
  });

  it("says what of a request is not kept, and so not shown", () => {
    const to = { shape: "standard", texts: true } as const;
    expect(sentWords("call.analyzed", to)).toMatch(/what was said/);
    expect(sentWords("call.analyzed", { ...to, texts: false })).toBeNull();
    expect(sentWords("call.ended", to)).toBeNull();
    expect(sentWords("call.ended", { ...to, shape: "guide" })).toMatch(/with the number/);
    expect(sentWords("task.completed", { ...to, shape: "guide" })).toBeNull();
  });

  it.each([
    ["create", "made a webhook"],
    ["edit", "changed a webhook"],
    ["delete", "deleted a webhook"],
    ["roll", "gave a webhook a new secret"],
    ["replay", "sent events again"],
    ["switch_off", "switched a webhook off"],
  ])("tells the deed webhook.%s", (verb, words) => {
    expect(deedWords(`webhook.${verb}`)).toBe(words);
  });
});
