import { type CarrierReport, type Dial, NO_NEWS } from "../carriers/carrier.ts";
import { previewRequest, tryReport } from "../carriers/http.ts";
import { parseTemplate, type Template } from "../carriers/http-template.ts";
import { soundReport } from "../carriers/sound.ts";
import { TEMPLATES } from "../carriers/templates.ts";
import { makeId } from "../core/ids.ts";
import { invalid } from "./errors.ts";
import type { Handler } from "./serve.ts";

const LENGTH_MS = 30 * 60_000;

export const list: Handler<"GET /v1/templates"> = (c) => {
  const shipped = Object.entries(TEMPLATES);
  const items = shipped.map(([name, one]) => ({ name, template: JSON.stringify(one, null, 2) }));
  return c.json({ items });
};

/** The workspace's own id is in it, so that ids look as they will; the address has no MAC. */
export const preview: Handler<"POST /v1/templates/preview"> = (c, { body }) => {
  const template = templateIn(body.template);
  const workspace = c.get("workspace");
  const call = makeId("cal", workspace, "1");
  const connection = makeId("con", workspace, "preview");
  const dial: Dial = {
    call,
    reportUrl: `${c.env.PUBLIC_URL}/reports/${connection}/${call}.***`,
    phone: body.phone,
    from: body.from,
    carrierNumberId: body.number,
    carrierAgentId: body.agent,
    prompt: body.prompt,
    agentSettings: body.settings,
    variables: body.context,
    dynamicVariables: body.context,
    attempt: 1,
    lengthMaxMs: LENGTH_MS,
  };
  return c.json(previewRequest(template, dial));
};

const UNREAD: CarrierReport = { call: null, carrierCallId: null, news: NO_NEWS };

export const trial: Handler<"POST /v1/templates/trial"> = (c, { body }) => {
  const tried = tryReport(templateIn(body.template), body.report);
  const { call, carrierCallId, news } = soundReport(tried.readable ? tried.report : UNREAD);
  const { recordingUrl, transcript, ...facts } = news;
  return c.json({
    readable: tried.readable,
    known: tried.readable && tried.known,
    call,
    carrierCallId,
    ...facts,
    recording: recordingUrl !== null,
    turns: transcript?.length ?? 0,
  });
};

function templateIn(source: string): Template {
  const template = parseTemplate(source);
  if (!("wrong" in template)) return template;
  const expected = `a template (docs/carriers.md): ${template.wrong}`;
  throw invalid({ path: "template", expected, got: "another text" });
}
