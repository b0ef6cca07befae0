import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type {
  Carrier,
  CarrierReport,
  CarrierSettings,
  Dial,
  ReportRequest,
} from "../../src/carriers/carrier.ts";
import { carrierOf } from "../../src/carriers/carriers.ts";
import { outboundOf } from "../../src/carriers/outbound.ts";
import { soundReport } from "../../src/carriers/sound.ts";
import type { CallId } from "../../src/core/ids.ts";
import type { Report } from "../fakes/fake.ts";
import { startFake } from "../fakes/process.ts";
import type { Vendor } from "../fakes/vendor.ts";
import { HOUR, World } from "../support/node/world.ts";
import type { Bench } from "./benches.ts";

const OUT = outboundOf({
  PUBLIC_URL: "http://outdial.test",
  OUTBOUND_ALLOW: "127.0.0.1:*,localhost:*",
});
const DEPLOYED = outboundOf({
  PUBLIC_URL: "https://outdial.test.dev",
  OUTBOUND_ALLOW: "127.0.0.1:*",
});
const CONNECTION_URL = "https://outdial.test/reports/con_k3v9q2m8xa_c1";
/** For whatever plays many calls, on a busy machine. */
const SLOW = { timeout: 60_000 };
const soon = () => AbortSignal.timeout(10_000);

let count = 0;
function makeDial(changes: Partial<Dial> = {}): Dial {
  count += 1;
  const call = `cal_k3v9q2m8xa_${count.toString(36)}` as CallId;
  return {
    call,
    reportUrl: `${CONNECTION_URL}/${call}.0123456789abcdef0123456789abcdef`,
    phone: `+1415555${String(count).padStart(4, "0")}`,
    from: "+14155550000",
    carrierNumberId: "number_1",
    carrierAgentId: "agent_1",
    prompt: null,
    agentSettings: {},
    variables: { name: 'Ann "A" <b> & Söhne', note: "" },
    dynamicVariables: changes.variables ?? { name: 'Ann "A" <b> & Söhne', note: "" },
    attempt: 1,
    lengthMaxMs: 600_000,
    ...changes,
  };
}

function requestOf({ url, headers, body }: Report): ReportRequest {
  return { url, headers: new Headers(headers), body: new TextEncoder().encode(body) };
}

/** Every order of a list; of long ones those that move a single report to another place. */
function orders<T>(list: readonly T[]): T[][] {
  if (list.length < 2) return [[...list]];
  if (list.length < 4) {
    return list.flatMap((one, at) =>
      orders(list.filter((_, other) => other !== at)).map((rest) => [one, ...rest]),
    );
  }
  const moved = list.flatMap((one, from) =>
    list.map((_, to) => {
      const rest = list.filter((_, at) => at !== from);
      return [...rest.slice(0, to), one, ...rest.slice(to)];
    }),
  );
  const different = new Map(
    moved.map((order) => [order.map((one) => list.indexOf(one)).join(), order]),
  );
  return [...different.values()];
}

/** The contract of every adapter, against the vendor's fake and, for what reports do, the real Dialer. */
export function describeCarrier(bench: Bench): void {
  const carrier = known(carrierOf(bench.carrier, OUT));
  const deployed = known(carrierOf(bench.carrier, DEPLOYED));
  let vendor: Vendor & { stop(): Promise<void> };
  let settings: CarrierSettings;

  beforeAll(async () => {
    vendor = await startFake(bench.vendor);
    settings = bench.settings(vendor.url);
  });
  afterAll(() => vendor.stop());

  async function place(dial = makeDial(bench.dial)): Promise<{ dial: Dial; id: string }> {
    const answer = await carrier.place(settings, dial, soon());
    expect(answer).toMatchObject({ kind: "accepted" });
    return { dial, id: answer.kind === "accepted" ? String(answer.carrierCallId) : "" };
  }

  async function play(id: string, story: string, at = Date.now()): Promise<ReportRequest[]> {
    const how = { at, secret: bench.reportSecret ?? "", url: CONNECTION_URL };
    return (await vendor.play(id, story, how)).map(requestOf);
  }

  const readAll = (reports: ReportRequest[]): CarrierReport[] =>
    reports.flatMap((report) => carrier.read(report, Date.now(), settings)).map(soundReport);

  describe(`${bench.vendor}: settings`, () => {
    it("are taken as they should be, and missed one by one, without a value in any word", () => {
      expect(carrier.check(settings)).toEqual([]);
      const optional = ["baseUrl", ...(bench.optional ?? [])];
      for (const name of Object.keys(settings).filter((one) => !optional.includes(one))) {
        const { [name]: value, ...rest } = settings;
        for (const odd of [undefined, 7, ""]) {
          const issues = carrier.check(odd === undefined ? rest : { ...rest, [name]: odd });
          expect([name, odd, issues.map(({ path }) => path)]).toEqual([
            name,
            odd,
            expect.arrayContaining([name]) as string[],
          ]);
          expect(JSON.stringify(issues)).not.toContain(String(value));
        }
      }
    });

    it("name an address of this machine only where OUTBOUND_ALLOW does", () => {
      expect(deployed.check(settings).length).toBeGreaterThan(0);
    });

    it("are tested without a call, and a wrong key is found", async () => {
      const before = (await vendor.seen()).calls.length;
      await carrier.test(settings, soon());
      await expect(carrier.test({ ...settings, [bench.key]: "wrong" }, soon())).rejects.toThrow(
        /http 40[134]/,
      );
      expect((await vendor.seen()).calls.length).toBe(before);
    });
  });

  describe(`${bench.vendor}: a dial`, () => {
    it("is taken, for this number", async () => {
      const { dial, id } = await place();
      const call = (await vendor.seen()).calls.find((one) => one.id === id);
      expect(call?.phone).toBe(dial.phone);
      if (call?.reportUrl !== null) expect(call?.reportUrl).toBe(dial.reportUrl);
    });

    it("knows every documented refusal (H21)", async () => {
      expect(Object.keys(bench.refusals).sort()).toEqual((await vendor.knows()).refusals.sort());
      for (const [name, expected] of Object.entries(bench.refusals)) {
        const { calls } = await vendor.seen();
        await vendor.refuse(name);
        const dial = makeDial(bench.dial);
        const answer = await carrier.place(settings, dial, soon());
        const got = answer.kind === "refused" ? answer.reason : answer.kind;
        expect([name, got]).toEqual([name, expected]);
        expect((await vendor.seen()).calls.length).toBe(calls.length);
        const said = JSON.stringify(answer);
        for (const hidden of [dial.phone, dial.phone.slice(1), String(settings[bench.key])]) {
          expect(said).not.toContain(hidden);
        }
      }
    });

    it("is refused for its connection by a wrong key", async () => {
      const wrong = { ...settings, [bench.key]: "wrong" };
      const answer = await carrier.place(wrong, makeDial(bench.dial), soon());
      expect(answer).toMatchObject({ kind: "refused", reason: "connection" });
    });

    it("is unknown after any answer that proves nothing", async () => {
      for (const status of [200, 201, 301, 302, 307, 408, 500, 502, 503, 504, 520, 522, 524]) {
        await vendor.answer(status);
        const answer = await carrier.place(settings, makeDial(bench.dial), soon());
        expect([status, answer.kind]).toEqual([status, "unknown"]);
      }
      for (const status of [521, 523, 530]) {
        await vendor.answer(status);
        const answer = await carrier.place(settings, makeDial(bench.dial), soon());
        expect([status, answer]).toMatchObject([status, { reason: "unreachable" }]);
      }
    });

    it("is unknown when nobody listens or it takes too long, and says no secret", async () => {
      const nobody = bench.settings("http://127.0.0.1:1");
      const answers = [
        await carrier.place(nobody, makeDial(bench.dial), soon()),
        await carrier.place(settings, makeDial(bench.dial), AbortSignal.abort()),
      ];
      for (const answer of answers) {
        expect(answer.kind).toBe("unknown");
        expect(JSON.stringify(answer)).not.toContain(String(settings[bench.key]));
      }
    });

    it("goes nowhere that a deployment does not reach, and uses no attempt by that", async () => {
      const { asked } = await vendor.seen();
      const answer = await deployed.place(settings, makeDial(bench.dial), soon());
      expect(answer).toMatchObject({ kind: "refused", reason: "connection" });
      expect((await vendor.seen()).asked).toBe(asked);
    });
  });

  describe(`${bench.vendor}: reports`, () => {
    it("have an expected ending for every story of the vendor's", async () => {
      const known = [...Object.keys(bench.endings), ...Object.keys(bench.refusedBy)].sort();
      expect(known).toEqual((await vendor.knows()).stories.sort());
    });

    it(
      "in every order and twice end a call the same way, in the real Dialer (H36)",
      SLOW,
      async () => {
        for (const [story, expected] of Object.entries(bench.endings)) {
          const { id } = await place();
          const reports = await play(id, story);
          for (const order of orders(reports)) {
            const world = await newWorld(id);
            const campaign = await world.campaign({ retries: 0, slots: 1 });
            const task = await world.push(campaign);
            for (const report of readAll([...order, ...order])) await hear(world, report);
            if (expected !== null) await world.run(HOUR);
            const [call] = await world.calls(task.id);
            expect([story, call?.outcome ?? null]).toEqual([story, expected]);
            if (expected !== null) expect((await world.task(task.id)).status).toBe("completed");
          }
        }
      },
    );

    it("that refuse after all use no attempt, or end the task (H21)", async () => {
      for (const [story, refusal] of Object.entries(bench.refusedBy)) {
        const { id } = await place();
        const world = await newWorld(id);
        const campaign = await world.campaign({ retries: 3, slots: 1 });
        const task = await world.push(campaign);
        // What comes next is never answered: the task would be dialled again at once.
        world.answer = () => new Promise(() => undefined);
        for (const report of readAll(await play(id, story))) await hear(world, report);
        const after = await world.task(task.id);
        if (refusal === "permanent") expect([story, after.status]).toEqual([story, "completed"]);
        else if (refusal === "rejected") expect([story, after.attempts]).toEqual([story, 1]);
        else expect([story, after.status]).not.toEqual([story, "completed"]);
      }
    });

    it("name the call by our id or by the vendor's", async () => {
      const { dial, id } = await place();
      for (const report of readAll(await play(id, bench.rich.story))) {
        expect([report.call ?? dial.call, report.carrierCallId ?? id]).toEqual([dial.call, id]);
        expect(report.call !== null || report.carrierCallId !== null).toBe(true);
      }
    });

    it("are taken as the vendor proves them, and not as anybody else does", async () => {
      const { id } = await place();
      const now = Date.now();
      const [report] = await play(id, bench.rich.story, now);
      if (report === undefined) throw new Error("no report");
      expect(await carrier.verify(settings, report, now)).toBe(true);
      // Without whatever proves it: its headers, and what is secret in its address.
      const bare = { ...report, headers: new Headers(), url: CONNECTION_URL };
      expect(await carrier.verify(settings, bare, now)).toBe(false);
      if (bench.reportSecret === null) return;
      const how = { at: now, secret: "another secret", url: CONNECTION_URL };
      const [forged] = (await vendor.play(id, bench.rich.story, how)).map(requestOf);
      if (forged === undefined) throw new Error("no report");
      expect(await carrier.verify(settings, forged, now)).toBe(false);
    });

    it("are too old, or too far ahead, beyond the vendor's tolerance", async () => {
      const { toleranceMs } = bench;
      if (toleranceMs === undefined) return;
      const { id } = await place();
      const now = Date.now();
      const [report] = await play(id, bench.rich.story, now);
      if (report === undefined) throw new Error("no report");
      for (const [at, good] of [
        [toleranceMs - 2000, true],
        [toleranceMs + 2000, false],
        [-toleranceMs - 2000, false],
      ] as const) {
        expect([at, await carrier.verify(settings, report, now + at)]).toEqual([at, good]);
      }
      // A time that was not signed.
      const headers = new Headers(report.headers);
      for (const [name, value] of report.headers) {
        const moved = value.replace(/\d{10,13}/, (time) => String(Number(time) + 1));
        headers.set(name, moved);
      }
      expect(await carrier.verify(settings, { ...report, headers }, now)).toBe(false);
    });

    it("with a word that nobody knows tell it, and end the call as failed", async () => {
      for (const story of Object.keys(bench.endings)) {
        const { id } = await place();
        const reports = (await play(id, story)).flatMap((report) =>
          carrier.read(report, Date.now(), settings),
        );
        const unknown = new Set(reports.flatMap(({ unknownWord }) => unknownWord ?? []));
        const expected = bench.unknownWord?.story === story ? [bench.unknownWord.word] : [];
        expect([story, [...unknown]]).toEqual([story, expected]);
      }
    });

    it("bring cost, transcript and analysis, and a late one says the same again", async () => {
      const { id } = await place();
      const news = readAll(await play(id, bench.rich.story)).map((report) => report.news);
      const last = news.at(-1);
      expect(last).toMatchObject({ ended: true, concluding: true, currency: bench.rich.currency });
      expect(last?.transcript?.length ?? 0).toBe(bench.rich.turns);
      if (bench.rich.analysis !== null) expect(last?.outcome).toBe(bench.rich.analysis);
      expect(news.filter((one) => one.concluding).length).toBe(1);
    });

    it("that cannot be read are SyntaxErrors or say nothing", () => {
      for (const body of ["", "{", "[]", "null", "{}", '{"a":1}', "a=b"]) {
        try {
          const read = readAll([
            { url: CONNECTION_URL, headers: new Headers(), body: new TextEncoder().encode(body) },
          ]);
          for (const { news } of read) expect([body, news.ended]).toEqual([body, false]);
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }
    });
  });

  describe(`${bench.vendor}: a recording`, () => {
    const secrets = () => Object.entries(settings).filter(([name]) => !carrier.open.includes(name));

    it("elsewhere is fetched without any secret, or not at all", async () => {
      const elsewhere = `${vendor.url.replace("127.0.0.1", "localhost")}/_/echo`;
      const asking = carrier.recording(settings, elsewhere, "bytes=1-2");
      if (bench.keepsRecordings) {
        await expect(asking).rejects.toThrow("no address of a recording");
        return;
      }
      const came = await (await asking).text();
      expect(JSON.parse(came)).toMatchObject({ range: "bytes=1-2" });
      expect(JSON.parse(came)).not.toHaveProperty("authorization");
      for (const [, value] of secrets()) expect(came).not.toContain(String(value));
    });

    it.skipIf(!bench.keepsRecordings)("of the vendor's is fetched with its key", async () => {
      const { id } = await place();
      const news = readAll(await play(id, bench.rich.story)).map((report) => report.news);
      const url = news.flatMap(({ recordingUrl }) => recordingUrl ?? [])[0] ?? "";
      const part = await carrier.recording(settings, url, "bytes=1-2");
      expect([part.status, await part.text()]).toEqual([206, "OU"]);
      const whole = await carrier.recording(settings, url, null);
      expect([whole.status, await whole.text()]).toEqual([200, "SOUND"]);
      const wrong = { ...settings, [bench.key]: "wrong" };
      expect((await carrier.recording(wrong, url, null)).status).toBe(401);
    });
  });

  describe(`${bench.vendor}: a look-up`, () => {
    const find = (call: CallId, carrierCallId: string | null, used = settings) =>
      carrier.lookup(used, { call, carrierCallId }, soon());

    it("finds a call alive, then over; a lost answer is found by ours where that can be (H22)", async () => {
      const dial = makeDial(bench.dial);
      await vendor.lose();
      expect((await carrier.place(settings, dial, soon())).kind).toBe("unknown");
      const taken = (await vendor.seen()).calls.find((one) => one.phone === dial.phone);
      expect(taken).toBeDefined();
      const id = taken?.id ?? "";
      const byOurs = await find(dial.call, null);
      if (bench.findsByOurs) expect(byOurs).toMatchObject({ kind: "alive", carrierCallId: id });
      else expect(byOurs).toEqual({ kind: "unknown" });
      if (!bench.looksUp) return;
      expect(await find(dial.call, id)).toMatchObject({ kind: "alive", news: { ended: false } });
      await play(id, bench.rich.story);
      expect(await find(dial.call, id)).toMatchObject({ kind: "over", news: { ended: true } });
    });

    it.skipIf(bench.unknownWord?.lookedUp !== true)(
      "with a word that nobody knows tells it, as a report does",
      async () => {
        for (const story of Object.keys(bench.endings)) {
          const { dial, id } = await place();
          await play(id, story);
          const found = await find(dial.call, id);
          const told = found.kind === "unknown" ? undefined : found.unknownWord;
          const { unknownWord } = bench;
          expect([story, told]).toEqual([
            story,
            unknownWord?.story === story ? unknownWord.word : undefined,
          ]);
        }
      },
    );

    it("that finds nothing is unknown; one that fails throws", async () => {
      if (!bench.looksUp) return;
      const call = makeDial().call;
      expect(await find(call, "nobody-knows-this")).toEqual({ kind: "unknown" });
      await vendor.answer(503);
      await expect(find(call, "x")).rejects.toThrow("http 503");
      await expect(find(call, "x", { ...settings, [bench.key]: "wrong" })).rejects.toThrow(
        "http 40",
      );
    });

    it.skipIf(bench.ends === false)(
      "sees the end of a call that was ended by request",
      async () => {
        const { dial, id } = await place();
        await carrier.end(settings, id, soon());
        expect((await vendor.seen()).calls.find((one) => one.id === id)?.story).not.toBeNull();
        if (bench.looksUp) expect(await find(dial.call, id)).toMatchObject({ kind: "over" });
        await carrier.end(settings, "nobody-knows-this", soon());
      },
    );
  });
}

function known(carrier: Carrier | null): Carrier {
  if (carrier === null) throw new Error("no such carrier");
  return carrier;
}

async function newWorld(id: string): Promise<World> {
  const world = new World();
  world.answer = () => ({ kind: "accepted", carrierCallId: id });
  await world.setUp({ agent: { outcomes: [{ name: "not_interested", suppress: false }] } });
  return world;
}

/** As the API does for a call's own report address: the call is known by it. */
async function hear(world: World, report: CarrierReport): Promise<void> {
  const dial = world.last();
  const one = { connection: dial.connection, report: { ...report, call: dial.call } };
  expect((await world.dialer.report([one])).ok).toBe(true);
  await world.idle();
}
