import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { simulator } from "../../src/carriers/simulator/simulator.ts";
import { makeDial, OUT, pathOf, redial, soon } from "./dial.ts";
import { poll, type Receiver, type Simulator, startReceiver, startSimulator } from "./process.ts";

const adapter = simulator(OUT);
const QUICK = { ringMs: 0, talkMs: 0, analysisMs: 0 };
const LONG = { ringMs: 0, talkMs: 600_000, analysisMs: 0 };

let carrier: Simulator;
let receiver: Receiver;
beforeAll(async () => {
  [carrier, receiver] = await Promise.all([startSimulator(), startReceiver()]);
});
afterEach(() => carrier.post("/_/reset"));
afterAll(async () => {
  receiver.stop();
  await carrier.stop();
});

const place = (dial: Parameters<typeof adapter.place>[1], at = carrier) =>
  adapter.place(at.settings, dial, soon());
const quick = (suffix: string) => makeDial(receiver, suffix, { agentSettings: QUICK });

describe("the list of dials", () => {
  it("holds every dial that was asked for, when, how often, and what came of it", async () => {
    const [taken, full, lost] = [quick("1234"), quick("0011"), quick("0018")];
    for (const dial of [taken, full, lost, redial(receiver, full)]) await place(dial);
    await receiver.until(pathOf(taken), (all) => all.length === 3);
    const { dials, next } = await carrier.get("/_/dials");
    expect(next).toBe(4);
    expect(dials).toMatchObject([
      {
        n: 1,
        to: taken.phone,
        from: taken.from,
        callId: taken.call,
        nth: 1,
        accepted: true,
        answer: "202",
        endedAt: expect.any(Number) as number,
      },
      { n: 2, to: full.phone, nth: 1, accepted: false, answer: "429 capacity" },
      { n: 3, to: lost.phone, nth: 1, accepted: false, answer: "lost", carrierCallId: null },
      { n: 4, to: full.phone, nth: 2, accepted: false, answer: "429 capacity" },
    ]);
    expect(await carrier.get("/_/dials?since=3")).toMatchObject({ dials: [{ n: 4 }], next: 4 });
    expect(await carrier.get("/_/dials?since=4")).toEqual({ dials: [], next: 4 });
  });

  it("counts a dial that was answered with an outage, a bad key or a bad body", async () => {
    await fetch(`${carrier.url}/v1/calls`, { method: "POST", body: "{" }).then((r) => r.text());
    await carrier.post("/v1/calls", { to: "123" });
    await carrier.post("/_/behaviour", { down: true });
    await place(quick("1234"));
    const { dials } = (await carrier.get("/_/dials")) as { dials: { answer: string }[] };
    expect(dials.map(({ answer }) => answer)).toEqual([
      "401 unauthorized",
      "400 invalid_request",
      "503 unavailable",
    ]);
  });
});

describe("the counts", () => {
  it("tell dials, calls in flight, outcomes and reports, and how long slots were busy", async () => {
    const long = [1, 2, 3].map(() => makeDial(receiver, "1234", { agentSettings: LONG }));
    const answers = await Promise.all(long.map((dial) => place(dial)));
    await place(quick("0014"));
    expect(await carrier.get("/_/stats")).toMatchObject({
      asked: 4,
      accepted: 3,
      refused: 1,
      inFlight: 3,
      inFlightMax: 3,
      ended: 0,
    });
    for (const answer of answers) {
      if (answer.kind !== "accepted") throw new Error("not accepted");
      await adapter.end(carrier.settings, String(answer.carrierCallId), soon());
    }
    const stats = await poll(
      () => carrier.get("/_/stats"),
      ({ reports }) => (reports as { delivered: number }).delivered === 9,
    );
    expect(stats).toMatchObject({
      inFlight: 0,
      inFlightMax: 3,
      ended: 3,
      repeated: 0,
      outcomes: { connected: 3 },
      reports: { sent: 9, delivered: 9, failed: 0, abandoned: 0, pending: 0 },
    });
    const { dials } = (await carrier.get("/_/dials")) as {
      dials: { tick: number; endedTick: number | null }[];
    };
    const busyMs = dials.reduce(
      (sum, { tick, endedTick }) => sum + ((endedTick ?? tick) - tick),
      0,
    );
    // The list's ticks begin when a dial is asked for, a moment before its call.
    expect(Math.abs(Number(stats.busyMs) - busyMs)).toBeLessThan(50);
    expect(Number(stats.busyMs)).toBeLessThanOrEqual(3 * Number(stats.spanMs));
  });

  it("tell when the same call was dialled twice (H22)", async () => {
    const dial = quick("1234");
    await place(dial);
    await place(dial);
    expect(await carrier.get("/_/stats")).toMatchObject({ accepted: 2, repeated: 1 });
    const { calls } = await carrier.get(`/v1/calls?callId=${dial.call}`);
    expect(calls).toHaveLength(2);
  });

  it("start from nothing after a reset, and a call of before reports no more", async () => {
    const dial = makeDial(receiver, "1234", { agentSettings: { ringMs: 20 } });
    await place(dial);
    await carrier.post("/_/reset");
    expect(await carrier.get("/_/stats")).toMatchObject({ asked: 0, inFlight: 0, busyMs: 0 });
    const later = makeDial(receiver, "1234", { agentSettings: { ...QUICK, ringMs: 40 } });
    await place(later);
    await receiver.until(pathOf(later), (all) => all.length === 3);
    expect(receiver.received.some(({ url }) => url === pathOf(dial))).toBe(false);
  });
});

describe("a report that does not get through", () => {
  it("is repeated, signed anew, until it does", async () => {
    await carrier.post("/_/behaviour", { retriesMs: [1, 1, 1, 1] });
    let left = 3;
    receiver.answers.status = () => (left-- > 0 ? 503 : 200);
    const dial = quick("0001");
    await place(dial);
    const reports = await receiver.until(pathOf(dial), (all) => all.length === 4);
    const good = reports.map((report) => adapter.verify(carrier.settings, report, Date.now()));
    expect(await Promise.all(good)).toEqual([true, true, true, true]);
    const { reports: counts } = await poll(
      () => carrier.get("/_/stats"),
      ({ reports: each }) => (each as { pending: number }).pending === 0,
    );
    expect(counts).toMatchObject({ sent: 4, delivered: 1, failed: 3, abandoned: 0 });
  });

  it("is given up after the last repetition", async () => {
    await carrier.post("/_/behaviour", { retriesMs: [1] });
    await place(
      makeDial(receiver, "0001", { agentSettings: QUICK, reportUrl: "http://127.0.0.1:1/" }),
    );
    const { reports } = await poll(
      () => carrier.get("/_/stats"),
      ({ reports: each }) => (each as { abandoned: number }).abandoned === 1,
    );
    expect(reports).toMatchObject({ sent: 2, delivered: 0, failed: 2, pending: 0 });
  });
});

describe("a behaviour", () => {
  it("goes before the agent's settings, and is taken back with null", async () => {
    await carrier.post("/_/behaviour", { mix: { busy: 1 }, ringMs: 0 });
    const first = makeDial(receiver, "1234", {
      agentSettings: { mix: { failed: 1 }, ringMs: 60_000 },
    });
    await place(first);
    const [report] = await receiver.until(pathOf(first), (all) => all.length === 1);
    expect(report?.call.outcome).toBe("busy");
    expect(await carrier.post("/_/behaviour", { mix: null })).toEqual({ ringMs: 0 });
    const second = redial(receiver, first);
    await place(second);
    const [next] = await receiver.until(pathOf(second), (all) => all.length === 1);
    expect(next?.call.outcome).toBe("failed");
  });

  it("limits the calls in flight", async () => {
    await carrier.post("/_/behaviour", { capacity: 1 });
    const long = makeDial(receiver, "1234", { agentSettings: LONG });
    expect((await place(long)).kind).toBe("accepted");
    const refused = { kind: "refused", reason: "capacity", word: "capacity" };
    expect(await place(quick("1234"))).toEqual(refused);
    await carrier.post("/_/behaviour", { capacity: null });
    expect((await place(quick("1234"))).kind).toBe("accepted");
  });

  const outages: [string, Record<string, unknown>][] = [
    ["503", { kind: "unknown" }],
    ["521", { kind: "refused", reason: "unreachable" }],
    ["cut", { kind: "unknown" }],
  ];
  it.each(outages)(
    "takes the API away (%s) while calls go on and report",
    async (outage, answer) => {
      const before = makeDial(receiver, "1234", { agentSettings: { ...QUICK, ringMs: 20 } });
      await place(before);
      await carrier.post("/_/behaviour", { down: true, outage });
      expect(await place(quick("1234"))).toMatchObject(answer);
      await receiver.until(pathOf(before), (all) => all.length === 3);
      await carrier.post("/_/behaviour", { down: false });
      expect((await place(quick("1234"))).kind).toBe("accepted");
    },
  );

  it("takes the API away for a while", async () => {
    await carrier.post("/_/behaviour", { outageMs: 60_000 });
    expect((await place(quick("1234"))).kind).toBe("unknown");
    await carrier.post("/_/behaviour", { outageMs: 0 });
    expect((await place(quick("1234"))).kind).toBe("accepted");
  });

  it("that means nothing is refused, and changes nothing", async () => {
    const bad = [{ mixx: 1 }, { speed: 0 }, { talkMs: [2, 1] }, { mix: {} }, { down: "yes" }, []];
    for (const body of bad) {
      expect(await carrier.post("/_/behaviour", body)).toMatchObject({
        error: { code: "invalid_request" },
      });
    }
    expect(await carrier.get("/_/behaviour")).toEqual({});
  });
});

describe("the process", () => {
  it("draws the same calls with the same seed, in any order, and others with another", async () => {
    const dials = Array.from({ length: 12 }, () =>
      makeDial(receiver, "1234", {
        agentSettings: { ...QUICK, mix: { busy: 1, no_answer: 1, failed: 1 }, reports: "end" },
      }),
    );
    const outcomesOf = async (seed: string, order: typeof dials) => {
      const other = await startSimulator("--seed", seed);
      for (const dial of order) await place(dial, other);
      const calls = dials.map((dial) =>
        poll(
          async () =>
            (await other.get(`/v1/calls?callId=${dial.call}`)).calls as {
              outcome: string | null;
            }[],
          ([call]) => call?.outcome !== null,
        ),
      );
      const outcomes = (await Promise.all(calls)).map(([call]) => call?.outcome);
      await other.stop();
      return outcomes;
    };
    const [one, again, other] = await Promise.all([
      outcomesOf("7", dials),
      outcomesOf("7", dials.toReversed()),
      outcomesOf("8", dials),
    ]);
    expect(again).toEqual(one);
    expect(other).not.toEqual(one);
  });

  it.each(["SIGTERM", "SIGINT"] as const)(
    "ends at once with %s, calls in flight or not",
    async (signal) => {
      const other = await startSimulator();
      await place(makeDial(receiver, "1234", { agentSettings: LONG }), other);
      expect(await other.stop(signal)).toBe(0);
      await expect(fetch(other.url)).rejects.toThrow();
    },
  );

  it("knows nothing after a kill, so a look-up decides nothing (H22)", async () => {
    const first = await startSimulator();
    const dial = makeDial(receiver, "1234", { agentSettings: LONG });
    await place(dial, first);
    expect(await first.stop("SIGKILL")).toBe("SIGKILL");
    const second = await startSimulator();
    const call = { call: dial.call, carrierCallId: null };
    expect(await adapter.lookup(second.settings, call, soon())).toEqual({ kind: "unknown" });
    await second.stop();
  });

  it("with a state file goes on after a kill and reports what it had not", async () => {
    const folder = mkdtempSync(join(tmpdir(), "simulator-"));
    const state = join(folder, "calls.jsonl");
    const first = await startSimulator("--state", state);
    const over = quick("1234");
    const talking = makeDial(receiver, "1234", { agentSettings: { ...LONG, ringMs: 0 } });
    const unheard = makeDial(receiver, "0001", { agentSettings: QUICK });
    receiver.answers.status = () => 200;
    await place(over, first);
    await receiver.until(pathOf(over), (all) => all.length === 3);
    await poll(
      () => first.get("/_/stats"),
      ({ reports }) => (reports as { pending: number }).pending === 0,
    );
    await place(talking, first);
    await receiver.until(pathOf(talking), (all) => all.length === 1);
    receiver.answers.status = () => 503;
    await place(unheard, first);
    await receiver.until(pathOf(unheard), (all) => all.length === 1);
    await first.stop("SIGKILL");
    receiver.answers.status = () => 200;

    const second = await startSimulator("--state", state);
    await receiver.until(pathOf(unheard), (all) => all.length === 2);
    const found = await adapter.lookup(
      second.settings,
      { call: talking.call, carrierCallId: null },
      soon(),
    );
    expect(found).toMatchObject({ kind: "alive" });
    expect(await second.get("/_/stats")).toMatchObject({ inFlight: 1, asked: 0 });
    if (found.kind === "unknown") throw new Error("unknown");
    await adapter.end(second.settings, String(found.carrierCallId), soon());
    await receiver.until(pathOf(talking), (all) => all.length === 3);
    expect(receiver.received.filter(({ url }) => url === pathOf(over))).toHaveLength(3);
    await second.stop();
    rmSync(folder, { recursive: true });
  });

  it("says so when its port is taken or an option is wrong", async () => {
    const path = new URL("../../simulator/main.ts", import.meta.url).pathname;
    const run = async (...options: string[]) => {
      const child = spawn(process.execPath, [path, ...options], {
        stdio: ["ignore", "ignore", "pipe"],
      });
      let said = "";
      child.stderr.on("data", (chunk: Buffer) => {
        said += chunk.toString();
      });
      const [code] = (await once(child, "close")) as [number];
      return [code, said.split("\n")[0]];
    };
    const { port } = new URL(carrier.url);
    const [taken, wrong, unknown] = await Promise.all([
      run("--port", port),
      run("--seed", "x"),
      run("--sped", "2"),
    ]);
    expect(taken).toEqual([1, `port ${port} is taken`]);
    expect(wrong).toEqual([1, "--seed: expected a whole number, got x"]);
    expect(unknown?.[0]).toBe(1);
  });
});
