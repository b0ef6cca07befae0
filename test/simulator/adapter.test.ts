import { createHmac } from "node:crypto";
import { once } from "node:events";
import * as http from "node:http";
import type { AddressInfo } from "node:net";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { Dial, ReportRequest } from "../../src/carriers/carrier.ts";
import { CARRIER_IDS, carrierOf } from "../../src/carriers/carriers.ts";
import { AddressRefused, outboundOf } from "../../src/carriers/outbound.ts";
import { simulator } from "../../src/carriers/simulator/simulator.ts";
import type { CallId } from "../../src/core/ids.ts";
import { makeDial, OUT, pathOf, soon } from "./dial.ts";
import {
  poll,
  type Receiver,
  SECRET,
  type Simulator,
  startReceiver,
  startSimulator,
} from "./process.ts";

const adapter = simulator(OUT);
const QUICK = { ringMs: 0, talkMs: 0, analysisMs: 0 };
const FIVE_MINUTES_MS = 300_000;

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

async function place(dial: Dial): Promise<string> {
  const answer = await adapter.place(carrier.settings, dial, soon());
  if (answer.kind !== "accepted" || answer.carrierCallId === null) throw new Error("not accepted");
  return answer.carrierCallId;
}

/** A call that is over and analyzed, and its reports. */
async function makeCall(changes: Partial<Dial> = {}) {
  const dial = makeDial(receiver, "1234", { agentSettings: QUICK, ...changes });
  const id = await place(dial);
  const reports = await receiver.until(pathOf(dial), (all) => all.length === 3);
  return { dial, id, reports };
}

describe("the registry", () => {
  it("knows each carrier by its id, and no other word", () => {
    for (const id of CARRIER_IDS) expect(carrierOf(id, OUT)?.id).toBe(id);
    for (const word of ["", "Simulator", "constructor", "toString"]) {
      expect(carrierOf(word, OUT)).toBeNull();
    }
  });
});

describe("settings", () => {
  it("are checked field by field, and a secret is not repeated", () => {
    expect(adapter.check(carrier.settings)).toEqual([]);
    const issues = adapter.check({ baseUrl: "ftp://x", apiKey: "", reportSecret: 7 });
    expect(issues.map(({ path, got }) => [path, got])).toEqual([
      ["baseUrl", "ftp://x"],
      ["apiKey", "an empty text"],
      ["reportSecret", "number"],
    ]);
    expect(adapter.check({}).map(({ got }) => got)).toEqual(["nothing", "nothing", "nothing"]);
  });
});

describe("a dial", () => {
  it("brings the carrier everything it needs, under our id", async () => {
    const { dial, id } = await makeCall({ attempt: 3 });
    expect(await carrier.get(`/v1/calls/${id}`)).toMatchObject({
      to: dial.phone,
      from: dial.from,
      agentId: dial.carrierAgentId,
      metadata: { callId: dial.call, attempt: 3 },
    });
  });

  it("ends no later than its longest call, and says why", async () => {
    const agentSettings = { ...QUICK, talkMs: 3_600_000 };
    const { reports } = await makeCall({ agentSettings, lengthMaxMs: 20 });
    const news = adapter.read(reports[1] as ReportRequest, Date.now(), carrier.settings)[0]?.news;
    expect(news).toMatchObject({ outcome: "connected", word: "longest-call" });
  });

  it("is unknown when nobody listens, as it is when it takes too long (H21, H22)", async () => {
    const nobody = { ...carrier.settings, baseUrl: "http://127.0.0.1:1" };
    const dial = makeDial(receiver, "1234");
    expect((await adapter.place(nobody, dial, soon())).kind).toBe("unknown");
    const over = AbortSignal.abort();
    expect((await adapter.place(carrier.settings, dial, over)).kind).toBe("unknown");
  });

  it("is refused with the key's own word when the key is wrong (H21)", async () => {
    const wrong = { ...carrier.settings, apiKey: "wrong" };
    const answer = await adapter.place(wrong, makeDial(receiver, "1234"), soon());
    expect(answer).toEqual({ kind: "refused", reason: "connection", word: "unauthorized" });
  });

  it("goes nowhere that a deployment does not reach, and uses no attempt by that (H21)", async () => {
    const deployed = simulator(
      outboundOf({ PUBLIC_URL: "https://outdial.test.dev", OUTBOUND_ALLOW: "127.0.0.1:*" }),
    );
    // Checked when it was stored, and again now: what is taken may change.
    expect(deployed.check(carrier.settings).map(({ path }) => path)).toEqual(["baseUrl"]);
    const { asked: before } = await carrier.get("/_/stats");
    const answer = await deployed.place(carrier.settings, makeDial(receiver, "1234"), soon());
    expect(answer).toMatchObject({ kind: "refused", reason: "connection" });
    const call = { call: "cal_a_1" as CallId, carrierCallId: null };
    const asked = [
      deployed.lookup(carrier.settings, call, soon()),
      deployed.test(carrier.settings, soon()),
      deployed.end(carrier.settings, "sim_1", soon()),
      deployed.recording(carrier.settings, `${carrier.settings.baseUrl}/v1/recordings/a.wav`, null),
    ];
    for (const one of asked) await expect(one).rejects.toThrow(AddressRefused);
    expect((await carrier.get("/_/stats")).asked).toBe(before);
  });

  it("follows no redirect, with whatever it asks", async () => {
    const paths: string[] = [];
    const stub = http.createServer((request, response) => {
      paths.push(request.url ?? "");
      request.resume().on("end", () => response.writeHead(307, { location: "/moved" }).end());
    });
    stub.listen(0, "127.0.0.1");
    await once(stub, "listening");
    const baseUrl = `http://127.0.0.1:${(stub.address() as AddressInfo).port}`;
    const settings = { ...carrier.settings, baseUrl };
    const call = { call: "cal_a_1" as CallId, carrierCallId: "sim_1" };
    expect(await adapter.place(settings, makeDial(receiver, "1234"), soon())).toEqual({
      kind: "unknown",
      word: "http 307",
    });
    for (const asked of [
      adapter.lookup(settings, call, soon()),
      adapter.test(settings, soon()),
      adapter.end(settings, "sim_1", soon()),
    ]) {
      await expect(asked).rejects.toThrow("http 307");
    }
    const url = `${baseUrl}/v1/recordings/a.wav`;
    expect((await adapter.recording(settings, url, null)).status).toBe(307);
    expect(paths).toHaveLength(5);
    expect(paths).not.toContain("/moved");
    stub.close().closeAllConnections();
  });

  const statuses: [number, string, string][] = [
    ...[200, 201, 202].map((status): [number, string, string] => [status, "{}", "unknown"]),
    [202, '{"id":"x"}', "accepted"],
    [202, "<html>", "unknown"],
    [200, "null", "unknown"],
    [301, "", "unknown"],
    [302, "", "unknown"],
    [304, "", "unknown"],
    [400, "", "rejected"],
    [401, "", "connection"],
    [402, "", "connection"],
    [403, "<html>", "connection"],
    [404, "", "rejected"],
    [409, "", "rejected"],
    [422, '{"error":{"code":"invalid_number"}}', "permanent"],
    [422, '{"error":{"code":"other"}}', "rejected"],
    [422, '{"error":null}', "rejected"],
    [400, '{"error":{"code":"invalid_number"}}', "rejected"],
    [429, "", "capacity"],
    [500, '{"id":"x"}', "unknown"],
    [502, "", "unknown"],
    [503, "", "unknown"],
    [504, "", "unknown"],
    [520, "", "unknown"],
    [521, "", "unreachable"],
    [522, "", "unknown"],
    [523, "", "unreachable"],
    [524, "", "unknown"],
    [530, "", "unreachable"],
  ];
  it("means by its answer's status what H21 says", async () => {
    let next: [number, string] = [200, ""];
    const stub = http.createServer((request, response) => {
      request.resume().on("end", () => response.writeHead(next[0]).end(next[1]));
    });
    stub.listen(0, "127.0.0.1");
    await once(stub, "listening");
    const baseUrl = `http://127.0.0.1:${(stub.address() as AddressInfo).port}/`;
    for (const [status, body, expected] of statuses) {
      next = [status, body];
      const answer = await adapter.place(
        { ...carrier.settings, baseUrl },
        makeDial(receiver, "1234"),
        soon(),
      );
      const got = answer.kind === "refused" ? answer.reason : answer.kind;
      expect([status, body, got]).toEqual([status, body, expected]);
    }
    stub.close().closeAllConnections();
  });
});

describe("a report", () => {
  it("is the carrier's own only with its signature over this very body", async () => {
    const { reports } = await makeCall();
    const [report] = reports;
    if (report === undefined) throw new Error("no report");
    const now = Date.now();
    const verify = (change: Partial<ReportRequest>, settings = carrier.settings) =>
      adapter.verify(settings, { ...report, ...change }, now);
    expect(await verify({})).toBe(true);
    const body = report.body.slice();
    body[20] = (body[20] ?? 0) ^ 1;
    expect(await verify({ body })).toBe(false);
    expect(await verify({ body: new Uint8Array() })).toBe(false);
    expect(await verify({}, { ...carrier.settings, reportSecret: "other" })).toBe(false);
    const signature = report.headers.get("x-simulator-signature") ?? "";
    const later = signature.replace(/^t=(\d+)/, (_, at: string) => `t=${Number(at) + 1}`);
    for (const header of [
      "",
      "t=,v1=",
      "nonsense",
      later,
      signature.toUpperCase(),
      `${signature}0`,
    ]) {
      const headers = new Headers({ "x-simulator-signature": header });
      expect([header, await verify({ headers })]).toEqual([header, false]);
    }
    expect(await verify({ headers: new Headers() })).toBe(false);
  });

  it("is good for five minutes, before and after", async () => {
    const at = 1_700_000_000_000;
    const body = new TextEncoder().encode('{"event":"call.ended","text":"é"}');
    const v1 = createHmac("sha256", SECRET).update(`${at}.`).update(body).digest("hex");
    const report = {
      url: "/",
      headers: new Headers({ "x-simulator-signature": `t=${at},v1=${v1}` }),
      body,
    };
    const good = (now: number) => adapter.verify(carrier.settings, report, now);
    expect(await good(at + FIVE_MINUTES_MS)).toBe(true);
    expect(await good(at - FIVE_MINUTES_MS)).toBe(true);
    expect(await good(at + FIVE_MINUTES_MS + 1)).toBe(false);
    expect(await good(at - FIVE_MINUTES_MS - 1)).toBe(false);
  });

  it("tells start, end and analysis in outdial's words, and names the call twice over", async () => {
    const { dial, id, reports } = await makeCall();
    const read = reports.map((report) => adapter.read(report, Date.now(), carrier.settings)[0]);
    for (const each of read) expect(each).toMatchObject({ call: dial.call, carrierCallId: id });
    const [started, ended, analyzed] = read.map((each) => each?.news);
    expect(started).toMatchObject({
      ended: false,
      concluding: false,
      answeredAt: expect.any(Number) as number,
      outcome: null,
      endedAt: null,
    });
    expect(ended).toMatchObject({
      ended: true,
      concluding: false,
      outcome: "connected",
      talkMs: expect.any(Number) as number,
      currency: "USD",
      analysis: null,
    });
    expect(analyzed).toMatchObject({ ended: true, concluding: true, outcome: "connected" });
    expect(analyzed?.analysis).toMatchObject({ values: dial.variables });
  });

  it("has a transcript that quotes each value of the context", async () => {
    const { reports } = await makeCall();
    const news = adapter.read(reports[2] as ReportRequest, Date.now(), carrier.settings)[0]?.news;
    const said = news?.transcript?.map(({ text }) => text).join("\n");
    expect(said).toContain("Hello Ann, this is about your car.");
    expect(said).toContain("Volvo");
    expect(news?.transcript?.map(({ speaker }) => speaker)).toContain("person");
    expect(news?.transcript?.[0]?.atMs).toBe(0);
  });

  const read = (text: string) =>
    adapter.read({ url: "/", headers: new Headers(), body: new TextEncoder().encode(text) }, 0, {});
  it("that cannot be read is a SyntaxError; an event that does not matter is none", () => {
    for (const text of ["", "{", "[]", "null", '{"event":"call.ended"}']) {
      expect(() => read(text), text).toThrow(SyntaxError);
    }
    expect(read('{"event":"call.moved","call":{}}')).toEqual([]);
  });

  it("with fields missing or misspelt says only what it says", () => {
    const [report] = read(
      '{"event":"call.ended","call":{"id":"x","endedAt":5,"talkMs":"9","transcript":[1,{"text":"a"}]}}',
    );
    expect(report).toMatchObject({ call: null, carrierCallId: "x" });
    expect(report?.news).toMatchObject({
      ended: true,
      outcome: "failed",
      talkMs: null,
      transcript: [{ speaker: "person", text: "a", atMs: null }],
    });
  });

  it("counts a refusal only for a call that nobody answered (H21)", () => {
    const news = (call: object) =>
      read(JSON.stringify({ event: "call.ended", call: { id: "x", endedAt: 5, ...call } }))[0]
        ?.news;
    const refusals = ["capacity", "unauthorized", "payment_required", "invalid_number", "odd"];
    expect(refusals.map((refusal) => news({ refusal })?.refusal)).toEqual([
      "capacity",
      "connection",
      "connection",
      "permanent",
      "rejected",
    ]);
    expect(news({ refusal: "capacity", answeredAt: 3 })?.refusal).toBeNull();
  });
});

describe("a look-up", () => {
  it("finds a call by the carrier's id and by ours, alive and over", async () => {
    const agentSettings = { ...QUICK, talkMs: 60_000 };
    const dial = makeDial(receiver, "1234", { agentSettings });
    const id = await place(dial);
    const find = (carrierCallId: string | null) =>
      adapter.lookup(carrier.settings, { call: dial.call, carrierCallId }, soon());
    for (const known of [id, null]) {
      const found = await find(known);
      expect(found).toMatchObject({ kind: "alive", carrierCallId: id, news: { ended: false } });
    }
    await adapter.end(carrier.settings, id, soon());
    for (const known of [id, null]) {
      const found = await find(known);
      expect(found).toMatchObject({
        kind: "over",
        carrierCallId: id,
        news: { ended: true, word: "ended-by-request" },
      });
    }
  });

  it("that finds nothing is unknown; one that fails throws (H22)", async () => {
    const call = "cal_testws_none" as CallId;
    const find = (carrierCallId: string | null, settings = carrier.settings) =>
      adapter.lookup(settings, { call, carrierCallId }, soon());
    expect(await find(null)).toEqual({ kind: "unknown" });
    expect(await find("sim_none")).toEqual({ kind: "unknown" });
    await expect(find(null, { ...carrier.settings, apiKey: "wrong" })).rejects.toThrow("http 401");
    await carrier.post("/_/behaviour", { down: true });
    await expect(find(null)).rejects.toThrow("http 503");
    await carrier.post("/_/behaviour", { outage: "cut" });
    await expect(find(null)).rejects.toThrow();
  });
});

describe("an end", () => {
  it("hangs up a call that nobody has answered yet, and the slot's end is reported", async () => {
    const dial = makeDial(receiver, "1234", { agentSettings: { ringMs: 60_000 } });
    const id = await place(dial);
    await adapter.end(carrier.settings, id, soon());
    await adapter.end(carrier.settings, id, soon());
    const [report] = await receiver.until(pathOf(dial), (all) => all.length === 1);
    const news = adapter.read(report as ReportRequest, Date.now(), carrier.settings)[0]?.news;
    expect(news).toMatchObject({ ended: true, outcome: "no_answer", word: "ended-by-request" });
  });

  it("of a call that the carrier does not know does nothing", async () => {
    await expect(adapter.end(carrier.settings, "sim_none", soon())).resolves.toBeUndefined();
  });
});

describe("the connection's test", () => {
  it("places no call, and throws when the account or the carrier is away", async () => {
    const test = (settings = carrier.settings) => adapter.test(settings, soon());
    await expect(test()).resolves.toBeUndefined();
    await expect(test({ ...carrier.settings, apiKey: "wrong" })).rejects.toThrow("http 401");
    await carrier.post("/_/behaviour", { down: true, outage: "521" });
    await expect(test()).rejects.toThrow("http 521");
    expect(await carrier.get("/_/stats")).toMatchObject({ asked: 0 });
  });
});

describe("a recording", () => {
  it("plays whole and in ranges, with the connection's key", async () => {
    const { id } = await makeCall();
    const url = String((await carrier.get(`/v1/calls/${id}`)).recordingUrl);
    expect((await fetch(url)).status).toBe(401);
    const play = async (range: string | null) => {
      const response = await adapter.recording(carrier.settings, url, range);
      const bytes = Buffer.from(await response.arrayBuffer());
      return { status: response.status, bytes, part: response.headers.get("content-range") };
    };
    const { status, bytes } = await play(null);
    expect([status, bytes.toString("latin1", 0, 4), bytes.length]).toEqual([200, "RIFF", 6_444]);
    expect(bytes.readUInt32LE(4)).toBe(bytes.length - 8);
    const ranges: [string, number, string | null, Buffer][] = [
      ["bytes=0-3", 206, "bytes 0-3/6444", bytes.subarray(0, 4)],
      ["bytes=6000-", 206, "bytes 6000-6443/6444", bytes.subarray(6_000)],
      ["bytes=-10", 206, "bytes 6434-6443/6444", bytes.subarray(-10)],
      ["bytes=6400-9999", 206, "bytes 6400-6443/6444", bytes.subarray(6_400)],
      ["bytes=6444-", 416, "bytes */6444", Buffer.alloc(0)],
      ["lines=1-2", 200, null, bytes],
    ];
    for (const [range, wanted, part, body] of ranges) {
      expect([range, await play(range)]).toEqual([range, { status: wanted, part, bytes: body }]);
    }
  });

  it("is fetched from the carrier's own address only, whatever a report names", async () => {
    const { id } = await makeCall();
    const response = await adapter.recording(
      carrier.settings,
      `${receiver.url}/v1/recordings/${id}.wav`,
      null,
    );
    await response.arrayBuffer();
    expect(response.status).toBe(200);
    expect(receiver.received.some(({ headers }) => headers.has("authorization"))).toBe(false);
    const other = adapter.recording(carrier.settings, `${receiver.url}/secrets`, null);
    await expect(other).rejects.toThrow("no address of a recording");
  });

  it("does not exist for a call that nobody answered", async () => {
    const dial = makeDial(receiver, "0001", { agentSettings: QUICK });
    const id = await place(dial);
    await poll(
      () => carrier.get(`/v1/calls/${id}`),
      (call) => call.status === "ended",
    );
    const url = `${carrier.url}/v1/recordings/${id}.wav`;
    const response = await adapter.recording(carrier.settings, url, null);
    await response.text();
    expect(response.status).toBe(404);
  });
});
