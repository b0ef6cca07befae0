import { describe, expect, it } from "vitest";
import { CAMPAIGN_STATUSES, type CampaignSettings } from "../../src/core/campaign.ts";
import { type CampaignBody, editCampaign, newCampaign } from "../../src/core/campaign-body.ts";
import { ALL_DAYS, ALWAYS } from "../../src/core/window.ts";
import {
  ANNA,
  BATCH,
  BELA,
  BOTH,
  BOTH_ONE,
  HOUR,
  lines,
  NOW,
  ON_ONE,
  ON_TWO,
  settingsOf,
  setupWith,
} from "./bodies.ts";

const NAME = "a text of 1 to 200 characters";
const WHOLE = (what: string, bounds: string) => `${what}: a whole number, ${bounds}`;
const AFTER_FIRST = WHOLE("attempts after the first", "0 to 19");
const IN_TOTAL = WHOLE("attempts in total", "1 to 20");
const MS = WHOLE("milliseconds", "0 to 2592000000");
const MS_OR_LIST = WHOLE("milliseconds or a list of them", "0 to 2592000000");
const SLOTS = WHOLE("slots at most", "from 1");
const CHOICE = "one of voicemail, no_response, interested";
const HHMM = "an HHMM number from 0 to 4759 with minutes up to 59 (1000 is 10:00)";
const INSTANT = "epoch milliseconds or ISO 8601 with an offset (2026-03-01T09:00:00+05:30)";
const WHY_NO_PRIORITIES =
  "nothing: every first attempt of a batch comes before any second, every second before any third";

/** A field that is wrong alone: body, then the whole issue. */
const WRONG: [CampaignBody, string][] = [
  [{ name: undefined }, `name | ${NAME} | nothing`],
  [{ name: null }, `name | ${NAME} | nothing`],
  [{ name: "  " }, `name | ${NAME} | "  "`],
  [{ name: 5 }, `name | ${NAME} | 5`],
  [{ name: "x".repeat(201) }, `name | ${NAME} | 201 characters`],
  [{ type: undefined }, "type | batch or realtime | nothing"],
  [{ type: "daily" }, 'type | batch or realtime | "daily"'],
  [{ agent: "agt_zzzzzz_x" }, 'agent | the id of an agent of this workspace | "agt_zzzzzz_x"'],
  [{ agent: 7 }, "agent | the id of an agent of this workspace | 7"],
  [{ from: "+15" }, 'from | a calling number of this workspace, as +… or by its id | "+15"'],
  [{ from: 15 }, "from | a calling number of this workspace, as +… or by its id | 15"],
  [
    { from: ON_TWO },
    `from | a number on connection con_abcdef_one, that of agent ${ANNA} | "${ON_TWO}" on con_abcdef_two`,
  ],
  [
    { agent: undefined },
    "agent | an agent: the workspace has no default on the number's connection | nothing",
  ],
  [
    { from: undefined },
    "from | a calling number: there is no default on connection con_abcdef_one, the agent's | nothing",
  ],
  [
    { agent: undefined, from: BOTH },
    `from | an agent with it, or the number's id: it exists on several connections | "${BOTH}"`,
  ],
  [{ priority: "urgent" }, 'priority | high, normal or low | "urgent"'],
  [{ priority: 3 }, "priority | high, normal or low | 3"],
  [{ priorities: [3, 2] }, `priorities | ${WHY_NO_PRIORITIES} | [3,2]`],
  [{ timezone: "Mars/Base" }, 'timezone | an IANA timezone such as Asia/Kolkata | "Mars/Base"'],
  [{ timezone: 5.5 }, "timezone | an IANA timezone such as Asia/Kolkata | 5.5"],
  [{ startAfter: "soon" }, `startAfter | ${INSTANT} | "soon"`],
  [{ endAfter: "2026-03-01" }, `endAfter | ${INSTANT} | "2026-03-01"`],
  [{ endAfter: NOW }, `endAfter | an instant in the future | ${NOW}`],
  [{ endAfter: NOW - 1 }, `endAfter | an instant in the future | ${NOW - 1}`],
  [
    { startAfter: NOW + HOUR, endAfter: NOW + HOUR },
    `endAfter | an instant after startAfter | ${NOW + HOUR}`,
  ],
  [{ start: 1000 }, "end | an HHMM number: start and end are given together | nothing"],
  [{ end: 1000 }, "start | an HHMM number: start and end are given together | nothing"],
  [{ start: 960, end: 1000 }, `start | ${HHMM} | 960`],
  [{ start: 1000, end: 4800 }, `end | ${HHMM} | 4800`],
  [{ start: 1000, end: 1000 }, "end | another time than start | 1000"],
  [{ days: [] }, "days | a list with at least one of mon, tue, wed, thu, fri, sat, sun | []"],
  [{ days: ["mon", "moon"] }, 'days.1 | one of mon, tue, wed, thu, fri, sat, sun | "moon"'],
  [{ retries: -1 }, `retries | ${AFTER_FIRST} | -1`],
  [{ retries: 1.5 }, `retries | ${AFTER_FIRST} | 1.5`],
  [{ retries: "2" }, `retries | ${AFTER_FIRST} | "2"`],
  [{ retries: 20 }, `retries | ${AFTER_FIRST} | 20`],
  [{ maxAttempts: 0 }, `maxAttempts | ${IN_TOTAL} | 0`],
  [{ maxAttempts: 21 }, `maxAttempts | ${IN_TOTAL} | 21`],
  [
    { retries: 2, maxAttempts: 2 },
    "maxAttempts | 3, as retries (attempts after the first) says, or only one of the two | 2",
  ],
  [{ intervals: -1 }, `intervals | ${MS_OR_LIST} | -1`],
  [{ intervals: "60000" }, `intervals | ${MS_OR_LIST} | "60000"`],
  [{ intervals: 30 * 24 * HOUR + 1 }, `intervals | ${MS_OR_LIST} | 2592000001`],
  [{ intervals: [1, 2.5], retries: 2 }, `intervals.1 | ${MS} | 2.5`],
  [{ intervals: [null], retries: 1 }, "intervals.0 | a value | null"],
  [{ intervals: [], retries: 1 }, "intervals | at least one interval | an empty list"],
  [{ retryOutcomes: "voicemail" }, `retryOutcomes | a list, each ${CHOICE} | "voicemail"`],
  [{ retryOutcomes: ["voicemail", "hm"] }, `retryOutcomes.1 | ${CHOICE} | "hm"`],
  [{ retryOutcomes: ["connected"] }, `retryOutcomes.0 | ${CHOICE} | "connected"`],
  [{ retryOutcomes: [1] }, `retryOutcomes.0 | ${CHOICE} | 1`],
  [{ slots: 0 }, `slots | ${SLOTS} | 0`],
  [{ slots: 1.5 }, `slots | ${SLOTS} | 1.5`],
  [{ paused: "yes" }, 'paused | true or false | "yes"'],
];

describe("a new campaign", () => {
  it.each(WRONG)("H38 %j is refused with path, expected and got", (body, line) => {
    expect(lines(newCampaign({ ...BATCH, ...body }, setupWith(), NOW))).toEqual([line]);
  });

  it("H38 an agent that is none is one issue, not another for each outcome it might report", () => {
    const body = { ...BATCH, agent: "agt_zzzzzz_x", retryOutcomes: ["interested"] };
    expect(lines(newCampaign(body, setupWith(), NOW))).toEqual([
      'agent | the id of an agent of this workspace | "agt_zzzzzz_x"',
    ]);
  });

  it("H2 a name of 200 characters and a list of 100 entries are taken", () => {
    expect(settingsOf({ name: "x".repeat(200) }).name).toHaveLength(200);
    const intervals = Array.from({ length: 100 }, () => 5);
    expect(settingsOf({ retries: 19, intervals }).intervalsMs).toHaveLength(19);
  });

  it("H38 all issues come together", () => {
    const every = {
      type: "x",
      name: "",
      agent: "x",
      from: "x",
      priority: "x",
      timezone: "x",
      startAfter: "x",
      endAfter: "x",
      start: "x",
      end: "x",
      days: "x",
      retries: "x",
      maxAttempts: "x",
      intervals: "x",
      retryOutcomes: "x",
      slots: "x",
      paused: "x",
    };
    const made = newCampaign(every, setupWith(), NOW);
    if (made.ok) throw new Error("taken");
    expect(made.issues.map((issue) => issue.path).toSorted()).toEqual(
      Object.keys(every).toSorted(),
    );
  });

  it("H2 a batch with neither agent nor number anywhere misses both", () => {
    const body = { ...BATCH, agent: undefined, from: undefined };
    expect(lines(newCampaign(body, setupWith(), NOW))).toEqual([
      "agent | an agent: the workspace has no default | nothing",
      "from | a calling number: there is no default | nothing",
    ]);
  });

  it("H38 a list of more than 100 entries is refused as one", () => {
    const intervals = Array.from({ length: 101 }, () => "x");
    const made = newCampaign({ ...BATCH, intervals, retries: 1 }, setupWith(), NOW);
    if (made.ok) throw new Error("taken");
    expect(made.issues.map((one) => [one.path, one.expected])).toEqual([
      ["intervals", "at most 100 entries"],
    ]);
  });

  it("H2 H17 a batch of name, agent and number takes the defaults for all else", () => {
    expect(newCampaign(BATCH, setupWith(), NOW)).toEqual({
      ok: true,
      value: {
        paused: false,
        warnings: [],
        settings: {
          name: "March",
          type: "batch",
          agent: ANNA,
          from: ON_ONE,
          band: "normal",
          timezone: "Asia/Kolkata",
          startAfter: null,
          endAfter: null,
          hours: { opensMin: 0, closesMin: 1440 },
          days: 127,
          attemptsMax: 1,
          intervalsMs: [1_800_000],
          retryOutcomes: [],
          slotsMax: null,
        },
      },
    });
  });

  it("H2 a batch keeps everything that is set on it", () => {
    const body = {
      ...BATCH,
      name: " March ",
      priority: "high",
      timezone: "Europe/Paris",
      startAfter: NOW + HOUR,
      endAfter: new Date(NOW + 2 * HOUR).toISOString(),
      start: 2200,
      end: 200,
      days: ["sun", "mon"],
      retries: 2,
      intervals: [5, 6],
      retryOutcomes: ["interested", "voicemail"],
      slots: 3,
      paused: true,
      unheardOf: 1,
    };
    expect(newCampaign(body, setupWith(), NOW)).toEqual({
      ok: true,
      value: {
        paused: true,
        warnings: [],
        settings: {
          name: "March",
          type: "batch",
          agent: ANNA,
          from: ON_ONE,
          band: "high",
          timezone: "Europe/Paris",
          startAfter: NOW + HOUR,
          endAfter: NOW + 2 * HOUR,
          hours: { opensMin: 1320, closesMin: 1560 },
          days: 65,
          attemptsMax: 3,
          intervalsMs: [5, 6],
          retryOutcomes: ["interested", "voicemail"],
          slotsMax: 3,
        },
      },
    });
  });

  it("H3 a realtime campaign needs only a name", () => {
    const made = newCampaign({ type: "realtime", name: "Leads" }, setupWith(), NOW);
    expect(made).toMatchObject({
      ok: true,
      value: { settings: { agent: null, from: null, band: "normal", timezone: "Asia/Kolkata" } },
    });
    expect(lines(newCampaign({ type: "realtime" }, setupWith(), NOW))).toEqual([
      `name | ${NAME} | nothing`,
    ]);
  });

  it("H2 null is left out, in every field but name and type", () => {
    const empty = Object.fromEntries(
      [
        "priority",
        "priorities",
        "timezone",
        "startAfter",
        "endAfter",
        "start",
        "end",
        "days",
        "retries",
        "maxAttempts",
        "intervals",
        "retryOutcomes",
        "slots",
        "paused",
      ].map((path) => [path, null]),
    );
    expect(newCampaign({ ...BATCH, ...empty }, setupWith(), NOW)).toEqual(
      newCampaign(BATCH, setupWith(), NOW),
    );
  });

  it("H33 the workspace's defaults fill what is left out", () => {
    const setup = setupWith({
      agent: ANNA,
      from: BOTH_ONE,
      timezone: "UTC",
      hours: { opensMin: 600, closesMin: 1200 },
      days: 31,
    });
    expect(settingsOf({ agent: undefined, from: undefined }, setup)).toMatchObject({
      agent: ANNA,
      from: BOTH_ONE,
      timezone: "UTC",
      hours: { opensMin: 600, closesMin: 1200 },
      days: 31,
    });
  });

  it("H33 an agent's own number comes before the workspace's, and only on its connection", () => {
    const base = setupWith({ agent: ANNA, from: BOTH_ONE });
    const owning = (from: typeof ON_ONE) => ({
      ...base,
      agentOf: (id: string) => {
        const agent = base.agentOf(id);
        return agent === null ? null : { ...agent, from };
      },
    });
    expect(settingsOf({ from: undefined }, owning(ON_ONE)).from).toBe(ON_ONE);
    expect(settingsOf({ from: undefined }, owning(ON_TWO)).from).toBe(BOTH_ONE);
  });

  it("H33 a number that exists twice is the one on the agent's connection", () => {
    expect(settingsOf({ from: BOTH })).toMatchObject({ agent: ANNA, from: BOTH_ONE });
    expect(settingsOf({ agent: undefined, from: BOTH }, setupWith({ agent: ANNA }))).toMatchObject({
      agent: ANNA,
      from: BOTH_ONE,
    });
  });

  it("H33 a default on another connection fills nothing", () => {
    const body = { type: "realtime", name: "Leads" };
    const setup = setupWith({ agent: ANNA, from: ON_TWO });
    expect(newCampaign(body, setup, NOW)).toMatchObject({
      ok: true,
      value: { settings: { agent: ANNA, from: null } },
    });
    expect(newCampaign({ ...body, from: ON_TWO }, setup, NOW)).toMatchObject({
      ok: true,
      value: { settings: { agent: null, from: ON_TWO } },
    });
  });

  it("H16 both spellings of attempts, all of 0 to 4 and left out", () => {
    for (const retries of [undefined, 0, 1, 2, 3, 4]) {
      for (const maxAttempts of [undefined, 0, 1, 2, 3, 4]) {
        for (const type of ["batch", "realtime"]) {
          const made = newCampaign({ ...BATCH, type, retries, maxAttempts }, setupWith(), NOW);
          const clash =
            retries !== undefined && maxAttempts !== undefined && retries + 1 !== maxAttempts;
          const taken = maxAttempts !== 0 && !clash;
          expect(made.ok, `${retries} ${maxAttempts}`).toBe(taken);
          const total = maxAttempts ?? (retries ?? 0) + 1;
          if (made.ok) expect(made.value.settings.attemptsMax).toBe(total);
          else expect(lines(made).every((line) => line.startsWith("maxAttempts |"))).toBe(true);
        }
      }
    }
  });

  it("H2 a number of intervals stands for all gaps, a short list is kept", () => {
    expect(settingsOf({ retries: 3, intervals: 0 }).intervalsMs).toEqual([0]);
    expect(settingsOf({ retries: 3, intervals: [1, 2] }).intervalsMs).toEqual([1, 2]);
    expect(settingsOf({ intervals: [] }).intervalsMs).toEqual([1_800_000]);
  });

  it("H2 intervals beyond the last gap are kept for an edit, and it says so", () => {
    const made = newCampaign({ ...BATCH, retries: 1, intervals: [1, 2, 3] }, setupWith(), NOW);
    expect(made).toMatchObject({
      ok: true,
      value: {
        settings: { intervalsMs: [1, 2, 3] },
        warnings: [
          {
            path: "intervals",
            message: "Used with 2 attempts: 1 of 3 intervals.",
          },
        ],
      },
    });
    expect(newCampaign({ ...BATCH, intervals: [1, 2] }, setupWith(), NOW)).toMatchObject({
      value: {
        warnings: [{ path: "intervals", message: "Used with 1 attempt: 0 of 2 intervals." }],
      },
    });
  });

  it("H18 what is retried anyway may be chosen, and changes nothing", () => {
    const retryOutcomes = [
      "no_answer",
      "busy",
      "failed",
      "init_failed",
      "busy_callback",
      "voicemail",
      "voicemail",
    ];
    const made = newCampaign({ ...BATCH, retryOutcomes }, setupWith(), NOW);
    expect(made).toMatchObject({
      ok: true,
      value: { settings: { retryOutcomes: ["voicemail"] }, warnings: [] },
    });
  });

  it("H18 busy_callback is no choice for an agent without it, and it says so", () => {
    const body = { ...BATCH, agent: BELA, from: ON_TWO, retryOutcomes: ["busy_callback"] };
    expect(newCampaign(body, setupWith(), NOW)).toMatchObject({
      ok: true,
      value: {
        settings: { retryOutcomes: [] },
        warnings: [
          {
            path: "retryOutcomes",
            message: "busy_callback is retried only where the agent uses it.",
          },
        ],
      },
    });
  });

  it("H18 without an agent, an outcome of some agent's own is taken with a warning", () => {
    const body = { type: "realtime", name: "Leads", retryOutcomes: ["no_response", "interested"] };
    expect(newCampaign(body, setupWith(), NOW)).toMatchObject({
      ok: true,
      value: {
        settings: { retryOutcomes: ["no_response", "interested"] },
        warnings: [
          {
            path: "retryOutcomes.1",
            message: "interested counts only for an agent that reports it.",
          },
        ],
      },
    });
    const expected = "one of voicemail, no_response, or an agent's own";
    for (const word of ["Not One", "interested!", "!interested", "1st", "", "x".repeat(65)]) {
      const odd = newCampaign({ ...body, retryOutcomes: [word] }, setupWith(), NOW);
      expect(lines(odd)).toEqual([`retryOutcomes.0 | ${expected} | ${JSON.stringify(word)}`]);
    }
    const flag = newCampaign({ ...body, retryOutcomes: [true] }, setupWith(), NOW);
    expect(lines(flag)).toEqual([`retryOutcomes.0 | ${expected} | true`]);
    expect(newCampaign({ ...body, retryOutcomes: ["x".repeat(64)] }, setupWith(), NOW).ok).toBe(
      true,
    );
  });

  it("H18 busy_callback without an agent is taken silently: the task's agent decides", () => {
    const body = { type: "realtime", name: "Leads", retryOutcomes: ["busy_callback"] };
    expect(newCampaign(body, setupWith(), NOW)).toMatchObject({
      ok: true,
      value: { settings: { retryOutcomes: [] }, warnings: [] },
    });
  });

  it("H2 no more intervals are kept than the most attempts have gaps", () => {
    const intervals = Array.from({ length: 25 }, (_, index) => index);
    expect(settingsOf({ retries: 19, intervals }).intervalsMs).toEqual(intervals.slice(0, 19));
  });

  it("H33 a default number that is gone fills nothing", () => {
    const setup = { ...setupWith({ from: ON_ONE }), numberOf: () => [] };
    const made = newCampaign({ type: "realtime", name: "Leads" }, setup, NOW);
    expect(made).toMatchObject({ ok: true, value: { settings: { from: null } } });
  });

  it("H25 priorities on a realtime campaign are ignored, and it says so", () => {
    const body = { type: "realtime", name: "Leads", priorities: [3] };
    expect(newCampaign(body, setupWith(), NOW)).toMatchObject({
      ok: true,
      value: {
        warnings: [
          {
            path: "priorities",
            message: "Ignored on a campaign: a task has its own, one for each attempt.",
          },
        ],
      },
    });
  });

  it("H2 a start in the past is now", () => {
    for (const startAfter of [NOW - HOUR, NOW])
      expect(settingsOf({ startAfter }).startAfter).toBeNull();
    expect(settingsOf({ startAfter: NOW + 1 }).startAfter).toBe(NOW + 1);
  });
});

describe("an edit", () => {
  const held: CampaignSettings = {
    name: "March",
    type: "batch",
    agent: ANNA,
    from: ON_ONE,
    band: "normal",
    timezone: "Asia/Kolkata",
    startAfter: NOW + HOUR,
    endAfter: NOW + 9 * HOUR,
    hours: ALWAYS,
    days: ALL_DAYS,
    attemptsMax: 3,
    intervalsMs: [1, 2],
    retryOutcomes: ["interested"],
    slotsMax: 4,
  };
  const waiting = { settings: held, startedAt: null, status: "scheduled" } as const;
  const dialled = { settings: held, startedAt: NOW - 1, status: "running" } as const;
  const edit = (
    body: CampaignBody,
    current: Parameters<typeof editCampaign>[0] = waiting,
    setup = setupWith(),
  ) => editCampaign(current, body, setup, NOW);
  const edited = (body: CampaignBody, current: Parameters<typeof editCampaign>[0] = waiting) => {
    const made = edit(body, current);
    if (!made.ok) throw new Error(JSON.stringify(made));
    return made.value;
  };

  it("H4 an empty edit changes nothing", () => {
    expect(edited({})).toEqual({ settings: held, warnings: [] });
    expect(edited({}, dialled)).toEqual({ settings: held, warnings: [] });
  });

  it.each<[CampaignBody, Partial<typeof held>]>([
    [{ name: "April" }, { name: "April" }],
    [{ priority: "low" }, { band: "low" }],
    [{ timezone: "UTC" }, { timezone: "UTC" }],
    [{ start: 900, end: 1700 }, { hours: { opensMin: 540, closesMin: 1020 } }],
    [{ days: ["sat"] }, { days: 32 }],
    [{ retries: 0 }, { attemptsMax: 1 }],
    [{ maxAttempts: 5 }, { attemptsMax: 5 }],
    [{ intervals: 9 }, { intervalsMs: [9] }],
    [{ intervals: [7, 8] }, { intervalsMs: [7, 8] }],
    [{ retryOutcomes: [] }, { retryOutcomes: [] }],
    [{ retryOutcomes: ["voicemail", "busy"] }, { retryOutcomes: ["voicemail"] }],
    [{ slots: 9 }, { slotsMax: 9 }],
    [{ slots: null }, { slotsMax: null }],
    [{ endAfter: NOW + 5 * HOUR }, { endAfter: NOW + 5 * HOUR }],
    [{ endAfter: null }, { endAfter: null }],
    [{ from: BOTH }, { from: BOTH_ONE }],
    [{ agent: ANNA }, {}],
    [
      { agent: BELA, from: ON_TWO, retryOutcomes: [] },
      { agent: BELA, from: ON_TWO, retryOutcomes: [] },
    ],
    [{ type: "batch" }, {}],
    [{ startAfter: NOW + HOUR }, {}],
  ])("H4 %j changes that alone, before and after the first dial", (body, change) => {
    expect(edited(body)).toEqual({ settings: { ...held, ...change }, warnings: [] });
    expect(edited(body, dialled)).toEqual({ settings: { ...held, ...change }, warnings: [] });
  });

  it.each<[CampaignBody, number | null]>([
    [{ startAfter: NOW + 2 * HOUR }, NOW + 2 * HOUR],
    [{ startAfter: null }, null],
    [{ startAfter: NOW - 1 }, null],
    [{ startAfter: NOW }, null],
  ])(
    "H4 %j moves the start before the first dial and is a conflict after it",
    (body, startAfter) => {
      expect(edited(body).settings.startAfter).toBe(startAfter);
      expect(edit(body, dialled)).toEqual({
        ok: false,
        code: "conflict",
        message: "The campaign has dialled already: its startAfter cannot change.",
      });
    },
  );

  it("H4 a start that has passed can be repeated", () => {
    const settings = { ...held, startAfter: NOW - HOUR };
    expect(edited({ startAfter: NOW - HOUR }, { ...dialled, settings }).settings).toEqual(settings);
  });

  it("H4 an end that has just passed can be repeated", () => {
    const settings = { ...held, startAfter: null, endAfter: NOW - 1 };
    expect(edited({ endAfter: NOW - 1 }, { ...dialled, settings }).settings).toEqual(settings);
  });

  it("H18 repeating the agent says nothing about outcomes chosen before", () => {
    const settings = { ...held, retryOutcomes: ["no_longer_reported"] };
    expect(edited({ agent: ANNA }, { ...dialled, settings })).toEqual({ settings, warnings: [] });
  });

  it("H4 every status: what is over cannot be edited", () => {
    for (const status of CAMPAIGN_STATUSES) {
      const answer = edit({ name: "April" }, { ...waiting, status });
      const over = status === "completed" || status === "archived";
      expect(answer.ok).toBe(!over);
      if (over) {
        const message = `The campaign is ${status}: its settings cannot change any more.`;
        expect(answer).toEqual({ ok: false, code: "conflict", message });
      }
    }
  });

  it("H4 the type never changes", () => {
    expect(edit({ type: "realtime" })).toEqual({
      ok: false,
      code: "conflict",
      message: "A campaign's type never changes: this one is batch.",
    });
    expect(lines(edit({ type: "daily" }))).toEqual(['type | batch or realtime | "daily"']);
  });

  const VALUE = "a value, or the field left out";
  it.each<[CampaignBody, string[]]>([
    [{ agent: null }, ["agent | a value: it can be changed, not emptied | null"]],
    [{ from: null }, ["from | a value: it can be changed, not emptied | null"]],
    [
      { agent: null, from: null },
      [
        "agent | a value: it can be changed, not emptied | null",
        "from | a value: it can be changed, not emptied | null",
      ],
    ],
    [{ agent: "agt_zzzzzz_x" }, ['agent | the id of an agent of this workspace | "agt_zzzzzz_x"']],
    [
      { agent: BELA },
      [
        `agent | an agent on connection con_abcdef_one, that of the number, or a number with it | "${BELA}" on con_abcdef_two`,
      ],
    ],
    [
      { from: ON_TWO },
      [
        `from | a number on connection con_abcdef_one, that of agent ${ANNA} | "${ON_TWO}" on con_abcdef_two`,
      ],
    ],
    ...[
      "name",
      "priority",
      "timezone",
      "start",
      "end",
      "days",
      "retries",
      "maxAttempts",
      "intervals",
      "retryOutcomes",
      "type",
    ].map((path): [CampaignBody, string[]] => [{ [path]: null }, [`${path} | ${VALUE} | null`]]),
    [{ name: "" }, [`name | ${NAME} | ""`]],
    [{ start: 900 }, ["end | an HHMM number: start and end are given together | nothing"]],
    [{ endAfter: NOW }, [`endAfter | an instant in the future | ${NOW}`]],
    [{ endAfter: NOW + HOUR }, [`endAfter | an instant after startAfter | ${NOW + HOUR}`]],
    [
      { startAfter: NOW + 9 * HOUR },
      [`startAfter | an instant before endAfter | ${NOW + 9 * HOUR}`],
    ],
    [{ endAfter: "x" }, [`endAfter | ${INSTANT} | "x"`]],
    [{ startAfter: "x" }, [`startAfter | ${INSTANT} | "x"`]],
    [
      { retries: 1, maxAttempts: 3 },
      ["maxAttempts | 2, as retries (attempts after the first) says, or only one of the two | 3"],
    ],
    [{ intervals: [] }, ["intervals | at least one interval | an empty list"]],
    [{ retryOutcomes: ["hm"] }, [`retryOutcomes.0 | ${CHOICE} | "hm"`]],
    [{ priorities: [1] }, [`priorities | ${WHY_NO_PRIORITIES} | [1]`]],
    [{ slots: 0 }, [`slots | ${SLOTS} | 0`]],
    [{ name: 4, slots: 0 }, [`name | ${NAME} | 4`, `slots | ${SLOTS} | 0`]],
  ])("H38 %j is refused", (body, expected) => {
    expect(lines(edit(body))).toEqual(expected);
  });

  it("H4 paused in an edit is ignored, and it says where to pause", () => {
    expect(edited({ paused: true })).toEqual({
      settings: held,
      warnings: [
        {
          path: "paused",
          message: "Ignored in an edit: pause with POST …/pause, resume with POST …/resume.",
        },
      ],
    });
  });

  it("H18 a new agent that does not report a chosen outcome is told of", () => {
    expect(edited({ agent: BELA, from: ON_TWO })).toMatchObject({
      settings: { agent: BELA, retryOutcomes: ["interested"] },
      warnings: [{ path: "retryOutcomes", message: "The new agent does not report interested." }],
    });
    const settings = { ...held, retryOutcomes: ["voicemail", "interested", "no_response"] };
    const { warnings } = edited({ agent: BELA, from: ON_TWO }, { ...waiting, settings });
    expect(warnings).toEqual([
      { path: "retryOutcomes", message: "The new agent does not report interested." },
    ]);
  });

  it("H33 a realtime campaign without agent and number takes one, then the other on its connection", () => {
    const settings = settingsOf({ type: "realtime", agent: undefined, from: undefined });
    const current = { settings, startedAt: null, status: "scheduled" } as const;
    expect(edited({ agent: null, from: null }, current).settings).toEqual(settings);
    expect(edited({ from: ON_ONE }, current).settings).toMatchObject({ agent: null, from: ON_ONE });
    expect(lines(edit({ from: BOTH }, current))).toEqual([
      `from | an agent with it, or the number's id: it exists on several connections | "${BOTH}"`,
    ]);
    const next = { ...current, settings: edited({ agent: ANNA }, current).settings };
    expect(next.settings).toMatchObject({ agent: ANNA, from: null });
    expect(edited({ from: BOTH }, next).settings).toMatchObject({ agent: ANNA, from: BOTH_ONE });
    expect(edit({ from: ON_TWO }, next).ok).toBe(false);
  });
});
