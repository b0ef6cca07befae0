import { describe, expect, it } from "vitest";
import type { CampaignSettings } from "../../src/core/campaign.ts";
import type { CampaignId } from "../../src/core/ids.ts";
import { effective, INHERITED, origins, type TaskSettings } from "../../src/core/task.ts";
import { newTask, sampleTask, type TaskBody } from "../../src/core/task-body.ts";
import { ALL_DAYS, ALWAYS } from "../../src/core/window.ts";
import {
  ANNA,
  BELA,
  BOTH,
  BOTH_ONE,
  BOTH_TWO,
  HOUR,
  lines,
  NOW,
  ON_ONE,
  ON_TWO,
  ONE,
  settingsOf,
  setupWith,
  TWO,
} from "./bodies.ts";

const PHONE = "+919876543210";
const LEADS: CampaignSettings = {
  name: "March",
  type: "realtime",
  agent: ANNA,
  from: ON_ONE,
  band: "normal",
  timezone: "Asia/Kolkata",
  startAfter: null,
  endAfter: null,
  hours: ALWAYS,
  days: ALL_DAYS,
  attemptsMax: 2,
  intervalsMs: [60_000],
  retryOutcomes: [],
  slotsMax: null,
};

function push(body: TaskBody, campaign = LEADS, setup = setupWith()) {
  return newTask({ phone: PHONE, ...body }, campaign, setup, NOW);
}
function taken(body: TaskBody, campaign = LEADS, setup = setupWith()) {
  const made = push(body, campaign, setup);
  if (!made.ok) throw new Error(JSON.stringify(made.issues));
  return made.value;
}
const nested = (levels: number): unknown => (levels === 0 ? 1 : { a: nested(levels - 1) });
const keys = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`k${n}`, n]));

const TOTAL = "attempts in total: a whole number, ";
const LIST = "a list with one number for each attempt";
const DIAL = "a phone number with + and its country code";

/** A field that is wrong alone, in a campaign of two attempts: body, then the whole issue. */
const WRONG: [TaskBody, string][] = [
  [{ phone: undefined }, `phone | ${DIAL} | nothing`],
  [{ phone: 919876543210 }, `phone | ${DIAL} | 919876543210`],
  [{ phone: "919876543210" }, `phone | ${DIAL} | "919876543210" (no_country_code)`],
  [{ phone: "+91 call me" }, `phone | ${DIAL} | "+91 call me" (letters)`],
  [{ phone: "9.19877E+11" }, `phone | ${DIAL} | "9.19877E+11" (scientific)`],
  [{ agent: "agt_zzzzzz_x" }, 'agent | the id of an agent of this workspace | "agt_zzzzzz_x"'],
  [{ from: "+1" }, 'from | a calling number of this workspace, as +… or by its id | "+1"'],
  [
    { agent: ANNA, from: ON_TWO },
    `from | a number on connection ${ONE}, that of agent ${ANNA} | "${ON_TWO}" on ${TWO}`,
  ],
  [
    { agent: BELA },
    `from | a calling number: neither its campaign nor the workspace has one on connection ${TWO}, the agent's | nothing`,
  ],
  [
    { from: ON_TWO },
    "agent | an agent: neither its campaign nor the workspace has one on the number's connection | nothing",
  ],
  [{ start: 1000 }, "end | an HHMM number: start and end are given together | nothing"],
  [{ days: "mon" }, 'days | a list with at least one of mon, tue, wed, thu, fri, sat, sun | "mon"'],
  [{ timezone: "+05:30" }, 'timezone | an IANA timezone such as Asia/Kolkata | "+05:30"'],
  [
    { startAfter: 1.5 },
    "startAfter | epoch milliseconds or ISO 8601 with an offset (2026-03-01T09:00:00+05:30) | 1.5",
  ],
  [{ endAfter: NOW }, `endAfter | an instant in the future | ${NOW}`],
  [
    { startAfter: NOW + 5, endAfter: NOW + 5 },
    `endAfter | an instant after startAfter | ${NOW + 5}`,
  ],
  [
    { priority: "high" },
    `priority | ${LIST}; high, normal and low belong to the campaign | "high"`,
  ],
  [{ priority: 5 }, `priority | ${LIST} | 5`],
  [
    { priorities: "low" },
    `priorities | ${LIST}; high, normal and low belong to the campaign | "low"`,
  ],
  [{ priorities: [5, "high"] }, 'priorities.1 | a number from 0 to 10000 | "high"'],
  [{ priorities: [5, null] }, "priorities.1 | a number from 0 to 10000 | nothing"],
  [{ priorities: [5, Number.POSITIVE_INFINITY] }, "priorities.1 | a number from 0 to 10000 | null"],
  [{ priorities: [5] }, "priorities | 2 entries for 2 attempts | 1 entry"],
  [{ priorities: [] }, "priorities | 2 entries for 2 attempts | 0 entries"],
  [{ priority: [5] }, "priority | 2 entries for 2 attempts | 1 entry"],
  [
    { priorities: [5, 4], priority: [4, 5] },
    "priority | the same list as priorities, or only one of the two | [4,5]",
  ],
  [{ priorities: [], retries: 1 }, "priorities | 1 entry for 1 attempt | 0 entries"],
  [{ intervals: [] }, "intervals | 1 entry for 2 attempts | 0 entries"],
  [{ intervals: [5], retries: 3 }, "intervals | 2 entries for 3 attempts | 1 entry"],
  [
    { intervals: "5" },
    'intervals | milliseconds or a list of them: a whole number, 0 to 2592000000 | "5"',
  ],
  [{ intervals: [-5] }, "intervals.0 | milliseconds: a whole number, 0 to 2592000000 | -5"],
  [{ retries: -1 }, `retries | ${TOTAL}0 to 20 | -1`],
  [{ retries: 21 }, `retries | ${TOTAL}0 to 20 | 21`],
  [{ maxAttempts: 0 }, `maxAttempts | ${TOTAL}1 to 20 | 0`],
  [
    { retries: 2, maxAttempts: 3 },
    "maxAttempts | 2, as retries (attempts in total) says, or only one of the two | 3",
  ],
  [{ retries: "x", intervals: [], priorities: [] }, `retries | ${TOTAL}0 to 20 | "x"`],
  [{ retryOutcomes: ["hm"] }, 'retryOutcomes.0 | one of voicemail, no_response, interested | "hm"'],
  [{ context: "Asha" }, 'context | an object | "Asha"'],
  [{ context: ["Asha"] }, "context | an object | a list of 1"],
  [{ context: nested(6) }, "context.a.a.a.a.a | at most 5 levels | one more"],
  [{ context: keys(201) }, "context | at most 200 keys | 201 keys"],
  [{ context: { all: [keys(100), keys(100)] } }, "context | at most 200 keys | 201 keys"],
  [
    { context: { ["k".repeat(101)]: 1 } },
    `context | keys of at most 100 characters | 101 characters: "${"k".repeat(78)}…`,
  ],
  [
    { context: { note: "x".repeat(16_374) } },
    "context | at most 16384 bytes as JSON | 16385 bytes",
  ],
  [{ context: { note: "ü".repeat(8_187) } }, "context | at most 16384 bytes as JSON | 16385 bytes"],
  [
    { context: { note: `€€${"x".repeat(16_368)}` } },
    "context | at most 16384 bytes as JSON | 16385 bytes",
  ],
  // The first signs that take two, three and four bytes.
  [
    { context: { note: "\u0080".repeat(8_187) } },
    "context | at most 16384 bytes as JSON | 16385 bytes",
  ],
  [
    { context: { note: "\u0800".repeat(5_458) } },
    "context | at most 16384 bytes as JSON | 16385 bytes",
  ],
  [
    { context: { note: "\u{10000}".repeat(4_094) } },
    "context | at most 16384 bytes as JSON | 16387 bytes",
  ],
  [{ context: { n: Number.NaN } }, "context.n | a JSON value | null"],
  [{ externalId: 5 }, "externalId | a text of 1 to 200 characters | 5"],
  [{ externalId: "" }, 'externalId | a text of 1 to 200 characters | ""'],
  [{ externalId: "x".repeat(201) }, "externalId | a text of 1 to 200 characters | 201 characters"],
];

describe("a pushed task", () => {
  it.each(WRONG)("H38 case %# is refused with path, expected and got", (body, line) => {
    expect(lines(push(body))).toEqual([line]);
  });

  it("H38 all issues come together", () => {
    const every = {
      phone: "x",
      agent: "x",
      from: "x",
      start: "x",
      end: "x",
      days: "x",
      timezone: "x",
      startAfter: "x",
      endAfter: "x",
      priorities: "x",
      priority: "x",
      retries: "x",
      maxAttempts: "x",
      intervals: "x",
      retryOutcomes: "x",
      context: "x",
      externalId: 1,
    };
    const made = push(every);
    if (made.ok) throw new Error("taken");
    expect(made.issues.map((issue) => issue.path).toSorted()).toEqual(
      Object.keys(every).toSorted(),
    );
  });

  it("H17 H33 what is left out, or null, is inherited", () => {
    const plain = {
      phone: PHONE,
      context: {},
      settings: INHERITED,
      externalId: null,
      warnings: [],
    };
    expect(taken({})).toEqual(plain);
    const fields = Object.keys(INHERITED).filter((key) => !key.endsWith("Ms") && key !== "hours");
    const empty = Object.fromEntries(
      [
        ...fields,
        "start",
        "end",
        "priority",
        "retries",
        "maxAttempts",
        "intervals",
        "context",
        "externalId",
      ].map((key) => [key, null]),
    );
    expect(taken(empty)).toEqual(plain);
  });

  it("H39 the guide's body is taken as it stands, unknown fields ignored", () => {
    const body = {
      phone: "+91 98765 43210",
      from: BOTH,
      agent: ANNA,
      start: 1000,
      end: 1800,
      timezone: "Asia/Kolkata",
      startAfter: NOW + HOUR,
      endAfter: new Date(NOW + 9 * HOUR).toISOString(),
      priorities: [100, 50],
      retries: 2,
      intervals: [180_000],
      retryOutcomes: ["voicemail"],
      context: { name: "Tarun" },
      statusCallbackUrl: "https://crm.example.com/hooks/7",
      campaign: "cmp_abcdef_1",
      unheardOf: true,
      externalId: " crm-7 ",
    };
    expect(taken(body)).toEqual({
      phone: PHONE,
      context: { name: "Tarun" },
      externalId: "crm-7",
      warnings: [],
      settings: {
        agent: ANNA,
        from: BOTH_ONE,
        hours: { opensMin: 600, closesMin: 1080 },
        days: null,
        timezone: "Asia/Kolkata",
        startAfter: NOW + HOUR,
        endAfter: NOW + 9 * HOUR,
        priorities: [100, 50],
        attemptsMax: 2,
        intervalsMs: [180_000],
        retryOutcomes: ["voicemail"],
        statusCallbackUrl: "https://crm.example.com/hooks/7",
      },
    });
  });

  it("H14 a start in the past means now", () => {
    for (const startAfter of [NOW - HOUR, NOW])
      expect(taken({ startAfter }).settings.startAfter).toBeNull();
  });

  it("H14 a span that its campaign never reaches is warned of", () => {
    const late = { ...LEADS, startAfter: NOW + 5 * HOUR, endAfter: NOW + 9 * HOUR };
    expect(taken({ endAfter: NOW + 5 * HOUR }, late).warnings).toEqual([
      { path: "endAfter", message: "It ends before its campaign starts: it will not be dialled." },
    ]);
    expect(taken({ startAfter: NOW + 9 * HOUR }, late).warnings).toEqual([
      { path: "startAfter", message: "It starts after its campaign ends: it will not be dialled." },
    ]);
    expect(taken({ startAfter: NOW + 6 * HOUR, endAfter: NOW + 7 * HOUR }, late).warnings).toEqual(
      [],
    );
  });

  it("H16 both spellings of attempts, all of 0 to 4 and left out", () => {
    for (const retries of [undefined, 0, 1, 2, 3, 4]) {
      for (const maxAttempts of [undefined, 0, 1, 2, 3, 4]) {
        const made = push({ retries, maxAttempts });
        const total = retries === undefined ? maxAttempts : Math.max(1, retries);
        const clash = maxAttempts !== undefined && maxAttempts !== total;
        expect(made.ok, `${retries} ${maxAttempts}`).toBe(!clash && maxAttempts !== 0);
        if (made.ok) {
          expect(made.value.settings.attemptsMax).toBe(total ?? null);
          const read = {
            path: "retries",
            message: "On a task, retries counts all attempts: 0 is read as 1.",
          };
          expect(made.value.warnings).toEqual(retries === 0 ? [read] : []);
        }
      }
    }
  });

  it("H17 every number of attempts × entries: too few are refused, surplus ignored with a warning", () => {
    for (const inherited of [1, 2, 3, 4]) {
      for (const retries of [undefined, 1, 2, 3, 4]) {
        for (let entries = 0; entries <= 5; entries++) {
          const campaign = { ...LEADS, attemptsMax: inherited };
          const list = Array.from({ length: entries }, (_, index) => index + 1);
          const total = retries ?? inherited;
          for (const [path, needed, key] of [
            ["intervals", total - 1, "intervalsMs"],
            ["priorities", total, "priorities"],
          ] as const) {
            const made = push({ retries, [path]: list }, campaign);
            expect(made.ok, `${path} ${total} ${entries}`).toBe(entries >= needed);
            if (!made.ok) {
              expect(made.issues.map((issue) => issue.path)).toEqual([path]);
              expect(made.issues[0]?.expected).toMatch(new RegExp(`^${needed} entr`));
              continue;
            }
            const kept = list.slice(0, needed);
            expect(made.value.settings[key]).toEqual(kept.length === 0 ? null : kept);
            expect(made.value.warnings.map((one) => one.path)).toEqual(
              entries > needed ? [path] : [],
            );
          }
        }
      }
    }
  });

  it("H17 the warning of surplus entries says what is used", () => {
    expect(taken({ retries: 2, intervals: [5, 6, 7], priorities: [1, 2, 3] }).warnings).toEqual([
      {
        path: "intervals",
        message: "Used: 1 entry for 2 attempts; 3 entries came, the last are ignored.",
      },
      {
        path: "priorities",
        message: "Used: 2 entries for 2 attempts; 3 entries came, the last are ignored.",
      },
    ]);
  });

  it("H15 a single number of intervals stands for every gap", () => {
    expect(taken({ retries: 4, intervals: 5 })).toMatchObject({
      settings: { intervalsMs: [5] },
      warnings: [],
    });
  });

  it("H24 priorities are rounded into the whole ones from 0 to 10,000, with a warning each", () => {
    const { settings, warnings } = taken({ retries: 4, priorities: [1.4, -3, 20_000, 7, 8.5] });
    expect(settings.priorities).toEqual([1, 0, 10_000, 7]);
    expect(warnings).toEqual([
      {
        path: "priorities",
        message: "Used: 4 entries for 4 attempts; 5 entries came, the last are ignored.",
      },
      { path: "priorities.0", message: "1.4 is taken as 1." },
      { path: "priorities.1", message: "-3 is taken as 0." },
      { path: "priorities.2", message: "20000 is taken as 10000." },
    ]);
  });

  it("H17 priority as a list stands for priorities, and may repeat it", () => {
    expect(taken({ priority: [9, 8] }).settings.priorities).toEqual([9, 8]);
    expect(taken({ priority: [9, 8], priorities: [9, 8] }).settings.priorities).toEqual([9, 8]);
  });

  it("H18 the outcomes that can be chosen are those of the agent that will speak", () => {
    const retryOutcomes = ["interested"];
    expect(taken({ retryOutcomes }).settings.retryOutcomes).toEqual(retryOutcomes);
    expect(lines(push({ agent: BELA, from: ON_TWO, retryOutcomes }))).toEqual([
      'retryOutcomes.0 | one of voicemail, no_response | "interested"',
    ]);
  });

  it("H38 an agent that is none is one issue, not another for each outcome it might report", () => {
    expect(lines(push({ agent: "agt_zzzzzz_x", retryOutcomes: ["interested"] }))).toEqual([
      'agent | the id of an agent of this workspace | "agt_zzzzzz_x"',
    ]);
  });

  it("H38 a context at its limits is taken", () => {
    for (const context of [
      nested(5),
      keys(200),
      { ["k".repeat(100)]: [true, null, 1.5, "x"] },
      { note: "x".repeat(16_373) },
      { note: `${"ü".repeat(8_186)}x` },
      { note: "€".repeat(5_457) },
      { note: "😀".repeat(4_093) },
    ]) {
      expect(taken({ context } as TaskBody).context).toEqual(context);
    }
  });
});

describe("agent and number are one pair", () => {
  const AGENTS = [undefined, ANNA, BELA];
  const FROMS = [undefined, ON_ONE, ON_TWO, BOTH];
  const HELD = [
    { agent: null, from: null },
    { agent: ANNA, from: null },
    { agent: null, from: ON_ONE },
    { agent: ANNA, from: ON_ONE },
    { agent: null, from: BOTH_TWO },
    { agent: BELA, from: ON_TWO },
  ];
  const setup = setupWith();
  const connectionsOf = (from: string) => setup.numberOf(from).map((one) => one.connection);

  it("H33 every pair named × held by the campaign × held by the workspace", () => {
    let good = 0;
    for (const agent of AGENTS) {
      for (const from of FROMS) {
        for (const held of HELD) {
          for (const defaults of HELD) {
            const made = push({ agent, from }, { ...LEADS, ...held }, setupWith(defaults));
            const label = JSON.stringify({ agent, from, held, defaults });
            const named = agent !== undefined || from !== undefined;
            if (!named && held.agent !== null && held.from !== null) {
              expect(made, label).toMatchObject({
                ok: true,
                value: { settings: { agent: null, from: null } },
              });
              continue;
            }
            const wantAgent = agent ?? (named ? null : held.agent);
            const wantFrom = from ?? (named ? null : held.from);
            const agents = wantAgent ? [wantAgent] : [held.agent, defaults.agent];
            const froms = wantFrom ? [wantFrom] : [held.from, defaults.from];
            const possible = agents.some((one) => {
              const connection = one === null ? null : setup.agentOf(one)?.connection;
              return froms.some(
                (number) =>
                  number !== null && connectionsOf(number).some((on) => on === connection),
              );
            });
            if (!made.ok) {
              const first = wantAgent ?? held.agent ?? defaults.agent;
              const on = first === null ? null : setup.agentOf(first)?.connection;
              const fits = froms.some(
                (number) => number !== null && connectionsOf(number).some((one) => one === on),
              );
              expect(possible && (wantFrom !== null || fits), label).toBe(false);
              continue;
            }
            good += 1;
            expect(possible, label).toBe(true);
            const pair = made.value.settings;
            const speaker = setup.agentOf(pair.agent ?? "");
            const number = setup.numberOf(pair.from ?? "");
            expect(
              number.map((one) => one.connection),
              label,
            ).toEqual([speaker?.connection]);
            if (wantAgent !== null) expect(pair.agent, label).toBe(wantAgent);
            if (wantFrom !== null) {
              expect(
                setup.numberOf(wantFrom).map((one) => one.id),
                label,
              ).toContain(pair.from);
            }
          }
        }
      }
    }
    expect(good).toBeGreaterThan(100);
  });

  it("H33 naming one keeps both, the other from the campaign, then from the workspace", () => {
    expect(taken({ agent: ANNA }).settings).toMatchObject({ agent: ANNA, from: ON_ONE });
    expect(taken({ from: BOTH }).settings).toMatchObject({ agent: ANNA, from: BOTH_ONE });
    expect(taken({ agent: BELA }, LEADS, setupWith({ from: ON_TWO })).settings).toMatchObject({
      agent: BELA,
      from: ON_TWO,
    });
    expect(taken({ from: ON_TWO }, LEADS, setupWith({ agent: BELA })).settings).toMatchObject({
      agent: BELA,
      from: ON_TWO,
    });
  });

  it("H33 the campaign's number comes before the agent's own", () => {
    const owning = {
      ...setup,
      agentOf: (id: string) => {
        const agent = setup.agentOf(id);
        return agent === null ? null : { ...agent, from: BOTH_ONE };
      },
    };
    expect(taken({ agent: ANNA }, LEADS, owning).settings.from).toBe(ON_ONE);
    expect(taken({ agent: ANNA }, { ...LEADS, from: null }, owning).settings.from).toBe(BOTH_ONE);
  });

  it("H17 no agent and no number anywhere is refused for both", () => {
    expect(lines(push({}, { ...LEADS, agent: null, from: null }))).toEqual([
      "agent | an agent: neither its campaign nor the workspace has one | nothing",
      "from | a calling number: neither its campaign nor the workspace has one | nothing",
    ]);
  });
});

describe("inheritance", () => {
  const own: Omit<TaskSettings, "statusCallbackUrl"> = {
    agent: BELA,
    from: ON_TWO,
    hours: { opensMin: 60, closesMin: 120 },
    days: 3,
    timezone: "UTC",
    startAfter: NOW + 2 * HOUR,
    endAfter: NOW + 3 * HOUR,
    priorities: [9, 8, 7],
    attemptsMax: 3,
    intervalsMs: [5, 6],
    retryOutcomes: ["voicemail"],
  };
  const campaign = { ...LEADS, startAfter: NOW + HOUR, endAfter: NOW + 9 * HOUR };

  it("H33 each value is the task's own or its campaign's, field by field", () => {
    expect(effective({ ...INHERITED, ...own }, campaign)).toEqual(own);
    const inherited = effective(INHERITED, campaign);
    for (const key of Object.keys(own) as (keyof typeof own)[]) {
      const one = { ...INHERITED, [key]: own[key] };
      expect(effective(one, campaign)[key]).toEqual(
        key === "priorities" ? own.priorities?.slice(0, campaign.attemptsMax) : own[key],
      );
      for (const other of Object.keys(own) as (keyof typeof own)[]) {
        if (other === key || (key === "attemptsMax" && other === "priorities")) continue;
        expect(effective(one, campaign)[other]).toEqual(inherited[other]);
      }
      const from = Object.entries(origins(one, campaign)).filter(([, origin]) => origin === "task");
      expect(from.map(([field]) => field)).toEqual([key]);
    }
  });

  it("H33 a task without own values has all of its campaign's", () => {
    expect(effective(INHERITED, campaign)).toEqual({
      agent: campaign.agent,
      from: campaign.from,
      hours: campaign.hours,
      days: campaign.days,
      timezone: campaign.timezone,
      startAfter: campaign.startAfter,
      endAfter: campaign.endAfter,
      priorities: [200, 199],
      attemptsMax: 2,
      intervalsMs: [60_000],
      retryOutcomes: [],
    });
    expect(new Set(Object.values(origins(INHERITED, campaign)))).toEqual(new Set(["campaign"]));
  });

  it("H14 of two starts the later counts, of two ends the earlier", () => {
    for (const mine of [null, 1, 2, 3]) {
      for (const its of [null, 1, 2, 3]) {
        const task = { ...INHERITED, startAfter: mine, endAfter: mine };
        const within = { ...LEADS, startAfter: its, endAfter: its };
        const counts = effective(task, within);
        const both = [mine, its].filter((at) => at !== null);
        expect(counts.startAfter).toBe(both.length === 0 ? null : Math.max(...both));
        expect(counts.endAfter).toBe(both.length === 0 ? null : Math.min(...both));
        const later = mine !== null && (its === null || mine > its);
        const earlier = mine !== null && (its === null || mine < its);
        expect(origins(task, within)).toMatchObject({
          startAfter: later ? "task" : "campaign",
          endAfter: earlier ? "task" : "campaign",
        });
      }
    }
  });

  it("H25 a batch row's attempts have the batch's numbers", () => {
    const batch = settingsOf({ retries: 2 });
    const whole = { ...INHERITED, ...own };
    expect(effective(whole, batch).priorities).toEqual([100, 99, 98]);
    expect(origins(whole, batch).priorities).toBe("campaign");
  });

  it("H4 a later edit that asks for more attempts repeats the last of an own list", () => {
    const edited = { ...LEADS, attemptsMax: 4 };
    expect(effective({ ...INHERITED, priorities: [9, 8] }, edited).priorities).toEqual([
      9, 8, 8, 8,
    ]);
  });
});

describe("the sample", () => {
  const id = "cmp_abcdef_1" as CampaignId;

  it("H3 H16 is a create-task body with the task's meaning of retries", () => {
    const settings = settingsOf({
      type: "realtime",
      retries: 2,
      intervals: [5],
      start: 2200,
      end: 200,
      days: ["mon"],
    });
    expect(sampleTask({ id, settings }, ANNA, BOTH)).toEqual({
      phone: PHONE,
      agent: ANNA,
      from: BOTH,
      start: 2200,
      end: 200,
      days: ["mon"],
      timezone: "Asia/Kolkata",
      priorities: [200, 199, 198],
      retries: 3,
      intervals: [5, 5],
      retryOutcomes: [],
      context: { name: "Asha" },
      campaign: id,
    });
  });

  it("H3 is taken without a warning and means what the campaign means, for 1 to 20 attempts", () => {
    for (let maxAttempts = 1; maxAttempts <= 20; maxAttempts++) {
      for (const intervals of [7, [7, 8, 9].slice(0, maxAttempts - 1)]) {
        const settings = settingsOf({
          type: "realtime",
          maxAttempts,
          intervals,
          retryOutcomes: ["interested"],
        });
        const task = taken(sampleTask({ id, settings }, ANNA, "+912222222221"), settings);
        expect(task.warnings).toEqual([]);
        const counts = effective(task.settings, settings);
        const inherited = effective(INHERITED, settings);
        expect({ ...counts, intervalsMs: null }).toEqual({ ...inherited, intervalsMs: null });
        for (let n = 0; n < maxAttempts - 1; n++) {
          expect(counts.intervalsMs[n]).toBe(
            inherited.intervalsMs[n] ?? inherited.intervalsMs.at(-1),
          );
        }
      }
    }
  });

  it("H3 leaves out what the campaign and the workspace have not got", () => {
    const settings = settingsOf({ type: "realtime", agent: undefined, from: undefined });
    const sample = sampleTask({ id, settings }, null, null);
    expect(Object.keys(sample)).not.toContain("agent");
    expect(Object.keys(sample)).not.toContain("from");
  });
});
