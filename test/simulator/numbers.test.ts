import { readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { SCRIPTS } from "../../simulator/numbers.ts";
import type { Answer, CallNews, Dial } from "../../src/carriers/carrier.ts";
import { simulator } from "../../src/carriers/simulator/simulator.ts";
import { makeDial, OUT, pathOf, redial, soon } from "./dial.ts";
import { poll, type Receiver, type Simulator, startReceiver, startSimulator } from "./process.ts";

const adapter = simulator(OUT);
const SPEED = 1_000;
const START = "call.started";
const END = "call.ended";
const ANALYSIS = "call.analyzed";

type Expected = {
  /** Answers to the first dials of the number; the last one is the one whose call is looked at. */
  answers: string[];
  /** Events that the last call reports, in order. */
  events: string[];
  /** What its last report (or, where `byLookup`, the carrier) says. */
  news?: Partial<CallNews>;
  byLookup?: true;
  dialled?: false;
};

const QUICK = { ringMs: 0, talkMs: 0, analysisMs: 0 };
const TALK = [START, END, ANALYSIS];
const CONNECTS = { outcome: "connected", concluding: true, word: "hung-up" };
const UNANSWERED = { answeredAt: null, talkMs: null, transcript: null, concluding: true };

/** Every number of the list, through the adapter. */
const EXPECTED: Record<string, Expected> = {
  "0001": {
    answers: ["accepted"],
    events: [END],
    news: { outcome: "no_answer", word: "no-answer", ...UNANSWERED },
  },
  "0002": { answers: ["accepted"], events: [END], news: { outcome: "busy", ...UNANSWERED } },
  "0003": { answers: ["accepted"], events: [END], news: { outcome: "failed", ...UNANSWERED } },
  "0004": { answers: ["accepted"], events: TALK, news: { outcome: "voicemail" } },
  "0005": { answers: ["accepted"], events: TALK, news: { outcome: "no_response" } },
  "0006": {
    answers: ["accepted"],
    events: TALK,
    news: { outcome: "busy_callback", callbackAt: expect.any(Number) as number },
  },
  "0007": {
    answers: ["accepted"],
    events: TALK,
    news: { outcome: "busy_callback", callbackAt: null },
  },
  "0008": { answers: ["accepted"], events: TALK, news: { outcome: "interested" } },
  "0009": { answers: ["accepted"], events: TALK, news: { outcome: "not_interested" } },
  "0010": { answers: ["permanent"], events: [], dialled: false },
  "0011": { answers: ["capacity", "capacity", "capacity", "capacity"], events: [], dialled: false },
  "0012": { answers: ["capacity", "capacity", "accepted"], events: TALK, news: CONNECTS },
  "0013": { answers: ["connection", "connection"], events: [], dialled: false },
  "0014": { answers: ["rejected"], events: [], dialled: false },
  "0015": { answers: ["accepted"], events: TALK, news: CONNECTS },
  "0016": { answers: ["unknown"], events: TALK, news: CONNECTS },
  "0017": { answers: ["unknown"], events: [], byLookup: true, news: CONNECTS },
  "0018": { answers: ["unknown", "unknown"], events: [], dialled: false },
  "0019": { answers: ["accepted"], events: [START], byLookup: true, news: CONNECTS },
  "0020": {
    answers: ["accepted"],
    events: [START, START, END, END, ANALYSIS, ANALYSIS],
    news: CONNECTS,
  },
  "0021": { answers: ["accepted"], events: TALK, news: CONNECTS },
  "0022": { answers: ["accepted"], events: [ANALYSIS, END, START], news: { ended: false } },
  "0023": {
    answers: ["accepted"],
    events: [START, END],
    news: { outcome: "connected", ended: true, concluding: false, analysis: null },
  },
  "0024": { answers: ["accepted", "accepted"], events: TALK, news: CONNECTS },
  "0025": { answers: ["accepted"], events: TALK, news: CONNECTS },
  "0026": { answers: ["accepted", "accepted"], events: TALK, news: CONNECTS },
  "0027": { answers: ["accepted"], events: TALK, news: CONNECTS },
  "0028": { answers: ["unknown"], events: TALK, news: CONNECTS },
  "0029": { answers: ["unreachable", "unreachable", "accepted"], events: TALK, news: CONNECTS },
  "0030": { answers: ["unknown", "accepted"], events: TALK, news: CONNECTS },
  "0031": { answers: ["connection", "accepted"], events: TALK, news: CONNECTS },
  "0032": { answers: ["unknown"], events: TALK, news: CONNECTS },
  "0033": { answers: ["unknown", "accepted"], events: TALK, news: CONNECTS },
  "0034": {
    answers: ["accepted"],
    events: TALK,
    news: { outcome: "failed", word: "Line Gremlins" },
  },
  "0035": { answers: ["accepted", "accepted"], events: TALK, news: CONNECTS },
  "0036": { answers: ["accepted"], events: TALK, news: { outcome: "interested" } },
  "0037": { answers: ["accepted", "accepted"], events: TALK, news: CONNECTS },
  "0038": { answers: ["accepted", "accepted", "accepted"], events: TALK, news: CONNECTS },
  "0039": {
    answers: ["accepted"],
    events: TALK,
    news: { ...CONNECTS, costMicros: null, recordingUrl: null, transcript: null },
  },
  "0040": {
    answers: ["accepted"],
    events: [END, START, END, END, END, ANALYSIS],
    news: CONNECTS,
  },
  "0041": {
    answers: ["accepted"],
    events: [END],
    news: { refusal: "permanent", ...UNANSWERED },
  },
  "0042": { answers: ["accepted"], events: [END], news: { refusal: "rejected", ...UNANSWERED } },
  "0043": { answers: ["accepted"], events: TALK, news: CONNECTS },
  "0044": { answers: ["accepted"], events: TALK, news: CONNECTS },
};

/** Reports that were to come, by path. */
const awaited = new Map<string, string[]>();
let carrier: Simulator;
let receiver: Receiver;

beforeAll(async () => {
  [carrier, receiver] = await Promise.all([startSimulator(), startReceiver()]);
  await carrier.post("/_/behaviour", { speed: SPEED });
});
afterAll(async () => {
  receiver.stop();
  await carrier.stop();
});

const place = (dial: Dial, signal = soon()) => adapter.place(carrier.settings, dial, signal);
const lookUp = (dial: Dial) =>
  adapter.lookup(carrier.settings, { call: dial.call, carrierCallId: null }, soon());
const wordOf = (answer: Answer) => (answer.kind === "refused" ? answer.reason : answer.kind);

/** What the last of these reports says, once there are so many. */
async function lastNews(dial: Dial, count: number): Promise<CallNews | undefined> {
  const reports = await receiver.until(pathOf(dial), (all) => all.length >= count);
  const last = reports.at(-1);
  return last && adapter.read(last, Date.now(), carrier.settings)[0]?.news;
}

describe("a number's last four digits", () => {
  it("are all in this table and in docs/simulator.md", () => {
    const docs = readFileSync(new URL("../../docs/simulator.md", import.meta.url), "utf8");
    expect(Object.keys(EXPECTED).sort()).toEqual(Object.keys(SCRIPTS).sort());
    for (const [suffix, { does }] of Object.entries(SCRIPTS)) {
      expect(docs).toContain(`| ${suffix} | ${does} |`);
    }
  });

  it.each(Object.entries(EXPECTED))(
    "%s does what the list says (H21, H22)",
    async (suffix, expected) => {
      let dial = makeDial(receiver, suffix);
      const answers: string[] = [];
      for (const _ of expected.answers) {
        if (answers.length > 0) dial = redial(receiver, dial);
        answers.push(wordOf(await place(dial)));
      }
      expect(answers).toEqual(expected.answers);

      if (expected.dialled === false) {
        expect(await lookUp(dial)).toEqual({ kind: "unknown" });
      } else if (expected.byLookup) {
        const found = await poll(
          () => lookUp(dial),
          (each) => each.kind === "over" && each.news.concluding,
        );
        expect(found).toMatchObject({ news: { ended: true, ...expected.news } });
      } else {
        expect(await lastNews(dial, expected.events.length)).toMatchObject({
          ended: true,
          ...expected.news,
        });
      }
      const reports = await receiver.until(pathOf(dial), () => true);
      expect(reports.map(({ event }) => event)).toEqual(expected.events);
      awaited.set(pathOf(dial), expected.events);
    },
  );

  it("bring no other report once everything has ended", async () => {
    await poll(
      () => carrier.get("/_/stats"),
      ({ inFlight, reports }) => inFlight === 0 && (reports as { pending: number }).pending === 0,
    );
    expect(awaited.size).toBe(Object.keys(SCRIPTS).length);
    for (const [path, events] of awaited) {
      const came = receiver.received.filter((report) => report.url === path);
      expect(came.map(({ event }) => event)).toEqual(events);
    }
  });
});

describe("the first dials of a number", () => {
  const firsts: [string, number, Partial<CallNews>][] = [
    ["0024", 1, { refusal: "capacity", outcome: "init_failed", answeredAt: null }],
    ["0026", 1, { outcome: "no_answer" }],
    ["0035", 3, { outcome: "busy_callback" }],
    ["0037", 3, { outcome: "busy_callback", callbackAt: expect.any(Number) as number }],
    ["0038", 1, { outcome: "no_answer" }],
  ];
  it.each(firsts)("of %s differ from later ones", async (suffix, count, news) => {
    const dial = makeDial(receiver, suffix);
    await place(dial);
    expect(await lastNews(dial, count)).toMatchObject(news);
  });

  it("of 0035 ask for a time that has passed, of 0006 for one to come", async () => {
    const [past, coming] = [makeDial(receiver, "0035"), makeDial(receiver, "0006")];
    await Promise.all([place(past), place(coming)]);
    const [was, will] = await Promise.all([lastNews(past, 3), lastNews(coming, 3)]);
    expect(was?.callbackAt).toBe((was?.endedAt ?? 0) - 60_000 / SPEED);
    expect(will?.callbackAt).toBe((will?.endedAt ?? 0) + 5_000 / SPEED);
  });
});

describe("answers and reports that cross", () => {
  it("0025 is answered only after its end was reported", async () => {
    const dial = makeDial(receiver, "0025");
    await place(dial);
    expect(receiver.received.some((each) => each.url === pathOf(dial) && each.event === END)).toBe(
      true,
    );
  });

  it("0043 is dialled although the asker gave up before the answer (H22)", async () => {
    await carrier.post("/_/behaviour", { speed: 20 });
    const dial = makeDial(receiver, "0043", { agentSettings: QUICK });
    const giveUp = new AbortController();
    const answer = place(dial, giveUp.signal);
    await poll(
      () => lookUp(dial),
      (found) => found.kind !== "unknown",
    );
    giveUp.abort();
    expect((await answer).kind).toBe("unknown");
    expect(await lastNews(dial, 3)).toMatchObject(CONNECTS);
    await carrier.post("/_/behaviour", { speed: SPEED });
  });

  it("0022 ends by its analysis alone, and its late start ends nothing", async () => {
    const dial = makeDial(receiver, "0022");
    await place(dial);
    const reports = await receiver.until(pathOf(dial), (all) => all.length === 3);
    const news = reports.map(
      (report) => adapter.read(report, Date.now(), carrier.settings)[0]?.news,
    );
    expect(news[0]).toMatchObject({ ended: true, concluding: true });
    expect(news[1]).toMatchObject({ ended: true, concluding: false });
    expect(news[2]).toMatchObject({ ended: false, concluding: false, outcome: null });
  });

  it("0040 sends forgeries that do not verify beside reports that do", async () => {
    const dial = makeDial(receiver, "0040");
    await place(dial);
    const reports = await receiver.until(pathOf(dial), (all) => all.length === 6);
    const good = await Promise.all(
      reports.map((report) => adapter.verify(carrier.settings, report, Date.now())),
    );
    expect(good).toEqual([false, true, false, true, false, true]);
  });
});

describe("every other number", () => {
  it.each(["0000", "0045", "0099", "0100", "1001", "9999"])("like %s connects", async (suffix) => {
    const dial = makeDial(receiver, suffix);
    expect(wordOf(await place(dial))).toBe("accepted");
    expect(await lastNews(dial, 3)).toMatchObject(CONNECTS);
  });

  it("gets the mix that the settings name", async () => {
    const agentSettings = { mix: { no_answer: 1, busy: 0 }, ringMs: 0 };
    const dial = makeDial(receiver, "1234", { agentSettings });
    await place(dial);
    expect(await lastNews(dial, 1)).toMatchObject({ outcome: "no_answer" });
  });

  it("gets an outcome of the agent's own with the analysis, never with the end (H18)", async () => {
    for (const agentSettings of [{ mix: { sold: 1 } }, { outcomes: ["sold"] }]) {
      const dial = makeDial(receiver, "1234", { agentSettings });
      await place(dial);
      const reports = await receiver.until(pathOf(dial), (all) => all.length === 3);
      const news = reports.map(
        (report) => adapter.read(report, Date.now(), carrier.settings)[0]?.news,
      );
      expect(news[1]).toMatchObject({ ended: true, concluding: false, outcome: "connected" });
      expect(news[2]).toMatchObject({ ended: true, concluding: true, outcome: "sold" });
    }
  });

  it("reports its end alone, analysis inside, where the settings say so", async () => {
    const agentSettings = { ringMs: 0, talkMs: 0, reports: "end", mix: { sold: 1 } };
    const dial = makeDial(receiver, "1234", { agentSettings });
    await place(dial);
    expect(await lastNews(dial, 1)).toMatchObject({
      ended: true,
      concluding: true,
      outcome: "sold",
    });
  });
});
