import * as fc from "fast-check";
import { describe, expect, test } from "vitest";
import { REFUSAL_KINDS } from "../../src/carriers/carrier.ts";
import { CARRIER_IDS, carrierOf } from "../../src/carriers/carriers.ts";
import { outboundOf } from "../../src/carriers/outbound.ts";
import { soundReport } from "../../src/carriers/sound.ts";
import { OUTCOMES, OWN_OUTCOME } from "../../src/core/outcome.ts";
import { HOUR, World } from "../support/node/world.ts";
import { REPORTERS, written } from "./adapters.ts";
import { oddBody, oddReport } from "./odd-reports.ts";
import { TIMEOUT, tried } from "./runs.ts";

const OUT = outboundOf({ PUBLIC_URL: "https://outdial.test" });
const URL_OF_REPORTS = "https://outdial.test/reports/con_k3v9q2m8xa_c1";
const CALL = "cal_k3v9q2m8xa_1";
/** What a queue's message may hold beside the texts. */
const MESSAGE_BYTES_MAX = 64 * 1024;

test("every carrier's reports are tried", () => {
  expect(REPORTERS.map((one) => one.carrier)).toEqual([...CARRIER_IDS]);
});

describe.each(REPORTERS)("H38 reports of $carrier", (reporter) => {
  const carrier = carrierOf(reporter.carrier, OUT);
  if (carrier === null) throw new Error("no such carrier");
  const { settings } = reporter;
  const request = (body: Uint8Array) => ({
    url: URL_OF_REPORTS,
    headers: new Headers(),
    body,
  });
  const readAll = (body: Uint8Array) => {
    try {
      return carrier.read(request(body), Date.now(), settings);
    } catch (error) {
      // The one fault of a body that cannot be read.
      if (error instanceof SyntaxError) return [];
      throw error;
    }
  };

  test("are read or are none, whatever is in them, and say only what can be kept", () => {
    const bytes = fc.oneof(
      oddBody(reporter, CALL).map((text) => new TextEncoder().encode(text)),
      fc.uint8Array({ maxLength: 100 }),
    );
    let read = 0;
    const property = fc.property(bytes, (body) => {
      for (const report of readAll(body)) {
        read += 1;
        const { news, carrierCallId } = soundReport(report);
        for (const at of [news.ringingAt, news.answeredAt, news.endedAt, news.callbackAt]) {
          if (at === null) continue;
          expect(Number.isInteger(at)).toBe(true);
          expect(new Date(at).getUTCFullYear()).toBeGreaterThanOrEqual(2000);
          expect(new Date(at).getUTCFullYear()).toBeLessThan(2100);
        }
        expect(
          news.talkMs === null || (Number.isSafeInteger(news.talkMs) && news.talkMs >= 0),
        ).toBe(true);
        expect(news.costMicros === null || Number.isSafeInteger(news.costMicros)).toBe(true);
        if (news.outcome !== null) {
          expect(
            OUTCOMES.some((one) => one === news.outcome) || OWN_OUTCOME.test(news.outcome),
          ).toBe(true);
        }
        if (news.refusal !== null) expect(REFUSAL_KINDS).toContain(news.refusal);
        const short = { carrierCallId, news: { ...news, transcript: null, analysis: null } };
        expect(JSON.stringify(short).length * 3).toBeLessThan(MESSAGE_BYTES_MAX);
      }
    });
    fc.assert(property, tried(1000));
    expect(read).toBeGreaterThan(0);
  });

  test.each(["__proto__", "constructor", "toString", "\ud800", "a\udc00b"])(
    "with the word %j in any field say only what can be kept",
    (word) => {
      const names = Object.keys(reporter.fields(reporter.report(CALL)));
      for (const name of names) {
        const report = reporter.report(CALL);
        reporter.fields(report)[name] = word;
        for (const one of readAll(new TextEncoder().encode(written(reporter, report)))) {
          const { carrierCallId, news } = soundReport(one);
          for (const said of [carrierCallId, news.outcome, news.word, news.recordingUrl]) {
            if (said === null) continue;
            expect([name, typeof said]).toEqual([name, "string"]);
            if (said !== news.word) expect([name, said.isWellFormed()]).toEqual([name, true]);
          }
        }
      }
    },
  );

  test.skipIf(reporter.byAddress)(
    "are refused without the carrier's signature, whatever stands there instead",
    async () => {
      const now = Date.now();
      const good = await reporter.sign(settings, "{}", now, URL_OF_REPORTS);
      const names = Object.keys(good);
      const property = fc.asyncProperty(
        fc.oneof(fc.string(), fc.constantFrom(...Object.values(good))),
        fc.nat(100),
        fc.constantFrom("0", "f", "", ",", "=", "A"),
        fc.string(),
        async (value, at, sign, body) => {
          const damaged = value.slice(0, at) + sign + value.slice(at + 1);
          const headers = new Headers();
          for (const name of names) {
            try {
              headers.set(name, damaged);
            } catch {
              return;
            }
          }
          const same = body === "{}" && names.every((name) => headers.get(name) === good[name]);
          const raw = new TextEncoder().encode(body);
          expect(await carrier.verify(settings, { ...request(raw), headers }, now)).toBe(same);
        },
      );
      await fc.assert(property, tried(300));
      expect(
        await carrier.verify(
          settings,
          { ...request(new TextEncoder().encode("{}")), headers: new Headers(good) },
          now,
        ),
      ).toBe(true);
    },
  );

  test(
    "H36 whatever they say, the Dialer goes on, and the next call is dialled and ends",
    TIMEOUT,
    async () => {
      const property = fc.asyncProperty(
        fc.array(oddReport(reporter, "CALL"), { minLength: 1, maxLength: 4 }),
        async (reports) => {
          const world = new World();
          await world.setUp({
            agent: { outcomes: [{ name: "not_interested", suppress: true }], usesCallback: true },
          });
          const campaign = await world.campaign({ retries: 2, intervals: 1000, slots: 1 });
          const task = await world.push(campaign);
          for (const report of reports) {
            const dial = world.last();
            const text = written(reporter, report).replaceAll("CALL", dial.call);
            const items = readAll(new TextEncoder().encode(text)).map((one) => ({
              connection: dial.connection,
              report: { ...soundReport(one), call: dial.call },
            }));
            const reply = await world.dialer.report(items);
            expect(reply.ok).toBe(true);
            await world.run(5000);
          }
          await world.run(HOUR);
          const after = await world.task(task.id);
          expect(Number.isFinite(after.dueAt ?? 0)).toBe(true);
          expect(
            world.logged.filter(({ event }) => event === "bug" || event === "set_aside"),
          ).toEqual([]);
          const { counters } = await world.read(campaign);
          expect(Number.isSafeInteger(counters.talkMs) && counters.talkMs >= 0).toBe(true);
          const [stored] = world.stored("SELECT counters FROM campaigns");
          expect(JSON.parse(String(stored?.counters)).talkMs).toBe(counters.talkMs);
          const before = world.dials.length;
          const other = await world.campaign({ name: "Other", priority: "high" });
          await world.push(other);
          expect(world.dials.length).toBe(before + 1);
          await world.finish(world.last(), "connected");
          expect((await world.read(other)).counters.completed).toBe(1);
        },
      );
      await fc.assert(property, tried(60));
    },
  );
});
