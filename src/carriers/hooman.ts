import type { CallId } from "../core/ids.ts";
import { accepted, ask, byStatus, fetchSound, json, mustBeOk, placing, type Reply } from "./ask.ts";
import {
  type Carrier,
  type CarrierReport,
  type CarrierSettings,
  type Dial,
  type Lookup,
  NO_NEWS,
  type ReportRequest,
} from "./carrier.ts";
import { type Ending, endingAs, endNews, type Words } from "./ending.ts";
import type { Outbound } from "./outbound.ts";
import {
  at,
  callbackIn,
  duration,
  type Fields,
  fieldsOf,
  instant,
  outcomeIn,
  parseFields,
  text,
  turns,
} from "./reading.ts";
import { isCallAddress } from "./report-url.ts";
import {
  baseOf,
  checkBase,
  checkFields,
  openFields,
  plain,
  secret,
  settingOf,
} from "./settings.ts";

const BASES = ["https://api.hoomanlabs.com"];
const FIELDS = [
  secret("apiKey"),
  plain("campaign", "the id of a realtime campaign at Hooman Labs", /^[\w-]{1,100}$/),
];
/** Its task waits no longer for a slot there: our calling hours are checked now, not then. */
const START_WITHIN_MS = 5 * 60_000;

/** `callInfo.status`, `callInfo.endReason` and `outcome` of a call that nobody took. */
const WORDS: Words = {
  no_answer: "no_answer",
  busy: "busy",
  voicemail: "voicemail",
  failed: "failed",
  canceled: "failed",
  cancelled: "failed",
  init_failed: "init_failed",
};

/**
 * Hooman Labs: each dial is a task there with one attempt, open hours and a few minutes to begin, in
 * the campaign that the setting `campaign` names; its own campaign's slots should not be fewer than
 * the connection's calls at once. Reports go to the call's own address, whose secret proves them,
 * for they are not signed; they bring no cost. A call cannot be ended from outside.
 * Settings: `apiKey`, `campaign`.
 * From the product's guide and event names alone, and what public users of its API send
 * (`statusCallbackUrl`, `Authorization`): to be confirmed with an account.
 */
export function hooman(out: Outbound): Carrier {
  return {
    id: "hooman",
    open: openFields(FIELDS),
    check: (settings) => [...checkFields(FIELDS, settings), ...checkBase(out, BASES, settings)],
    place: (settings, dial, signal) =>
      placing(async () => {
        const body = bodyOf(settings, dial);
        const reply = await send(out, settings, "POST", "/routes/v1/tasks/", signal, body);
        const { status } = reply;
        if (status < 200 || status > 299) return byStatus(status, messageOf(reply));
        return accepted(text(at(reply.body, "taskId")) ?? text(at(reply.body, "id")), status);
      }),
    lookup: (settings, call, signal) => lookup(out, settings, call, signal),
    test: async (settings, signal) =>
      mustBeOk(await send(out, settings, "GET", "/routes/v1/campaigns/", signal), "the test"),
    end: async () => undefined,
    verify: async (_settings, report) => isCallAddress(report.url),
    read,
    recording: (_settings, url, range) => fetchSound(out, url, {}, range),
  };
}

function bodyOf(settings: CarrierSettings, dial: Dial): Fields {
  return {
    campaign: settingOf(settings, "campaign"),
    phone: dial.phone,
    from: dial.from,
    agent: dial.carrierAgentId,
    context: dial.dynamicVariables,
    start: 0,
    end: 4759,
    timezone: "UTC",
    endAfter: new Date(Date.now() + START_WITHIN_MS).toISOString(),
    // On a task it counts all attempts: we retry, not they.
    retries: 1,
    intervals: [],
    statusCallbackUrl: dial.reportUrl,
  };
}

/** By the task's id alone. That a task is over does not say how: the report, or the lease, does. */
async function lookup(
  out: Outbound,
  settings: CarrierSettings,
  { carrierCallId }: { call: CallId; carrierCallId: string | null },
  signal: AbortSignal,
): Promise<Lookup> {
  if (carrierCallId === null) return { kind: "unknown" };
  const path = `/routes/v1/tasks/${encodeURIComponent(carrierCallId)}`;
  const reply = await send(out, settings, "GET", path, signal);
  if (reply.status === 404) return { kind: "unknown" };
  mustBeOk(reply, "the look-up");
  const status = text(at(reply.body, "status"));
  if (status === null) throw new Error("the look-up's answer cannot be read");
  if (status !== "completed" && status !== "archived") {
    return { kind: "alive", carrierCallId, news: NO_NEWS };
  }
  return { kind: "over", carrierCallId, news: { ...NO_NEWS, ended: true } };
}

function read(report: ReportRequest): CarrierReport[] {
  const fields = parseFields(report.body);
  const info = fieldsOf(fields.callInfo);
  const carrierCallId = text(info?.task);
  if (info === null || carrierCallId === null) return [];
  const startedAt = instant(fields.beginTimestamp);
  switch (fields.event) {
    case "callStart":
      return [{ call: null, carrierCallId, news: { ...NO_NEWS, ringingAt: startedAt } }];
    case "callEnd":
    case "callEndConnected":
    case "callEndNotConnected":
      return [{ call: null, carrierCallId, ...readEnd(fields, info, startedAt) }];
    default:
      return [];
  }
}

function readEnd(
  fields: Fields,
  info: Fields,
  startedAt: number | null,
): Pick<CarrierReport, "news" | "unknownWord"> {
  const connected = fields.event === "callEndConnected" || fields.connected === true;
  const said = outcomeIn(fields);
  const word = text(info.endReason) ?? text(info.status) ?? text(fields.outcome);
  const ending = connected ? endingAs("connected") : endingBy(fields, info);
  const talkMs = duration(fields.duration, 1000);
  const analysis = fieldsOf(fields.analysis);
  const news = {
    ...NO_NEWS,
    ...endNews(ending, said, said !== null),
    word,
    answeredAt: connected ? startedAt : null,
    endedAt: startedAt === null || talkMs === null ? null : startedAt + talkMs,
    talkMs: connected ? talkMs : null,
    callbackAt: callbackIn(fields),
    recordingUrl: text(fields.recordingUrl),
    transcript: turns(fields.transcript, { speaker: "role", text: "content" }),
    analysis,
  };
  return { news, ...(ending.known ? {} : { unknownWord: word ?? "" }) };
}

/** The first of its words that is known, however it is spelt: `No Answer`, `no-answer`. */
function endingBy(fields: Fields, info: Fields): Ending {
  const said = [fields.outcome, info.status, info.endReason].flatMap(
    (one) => outcomeIn({ outcome: one }) ?? [],
  );
  const known = said.find((one) => Object.hasOwn(WORDS, one));
  return endingAs(known === undefined ? null : (WORDS[known] ?? null));
}

function messageOf({ body }: Reply): string | null {
  return text(at(body, "message")) ?? text(at(body, "error"));
}

function send(
  out: Outbound,
  settings: CarrierSettings,
  method: string,
  path: string,
  signal: AbortSignal,
  sent?: Fields,
): Promise<Reply> {
  const headers = { authorization: `Bearer ${settingOf(settings, "apiKey")}` };
  return ask(out, baseOf(BASES, settings) + path, json(method, headers, signal, sent));
}
