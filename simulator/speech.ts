import type { Plan } from "./plan.ts";
import type { DialRequest } from "./settings.ts";

/** A call as the simulator knows it; plain data, so that it can be kept in a file. Instants are epoch ms. */
export type Call = {
  id: string;
  dial: DialRequest;
  plan: Plan;
  dialledAt: number;
  answeredAt: number | null;
  endedAt: number | null;
  analyzedAt: number | null;
  /** How it really ended: the plan's, or what an asked-for end made of it. */
  outcome: string | null;
  endedReason: string | null;
  callbackAt: number | null;
};

export type Turn = { role: "agent" | "person"; text: string; atMs: number };

const MICROS_PER_SECOND = 1_500;

/** A call as it is shown in answers and reports. */
export function describe(call: Call, baseUrl: string, now: number): Record<string, unknown> {
  const { dial, plan } = call;
  const told = call.endedAt !== null && call.answeredAt !== null && !plan.bare;
  const talkMs = talkOf(call);
  const atAnalysis = plan.analysisOutcome === "busy_callback";
  return {
    id: call.id,
    status: statusOf(call, now),
    to: dial.to,
    from: dial.from,
    agentId: dial.agentId,
    metadata: dial.metadata,
    dialledAt: call.dialledAt,
    ringingAt: now >= ringingAtOf(call) ? ringingAtOf(call) : null,
    answeredAt: call.answeredAt,
    endedAt: call.endedAt,
    talkMs,
    outcome: call.outcome,
    endedReason: call.endedReason,
    refusal: call.endedAt === null ? null : plan.refusal,
    callbackAt: atAnalysis ? null : call.callbackAt,
    costMicros: told && talkMs !== null ? Math.ceil(talkMs / 1_000) * MICROS_PER_SECOND : null,
    currency: told ? "USD" : null,
    recordingUrl: told ? `${baseUrl}/v1/recordings/${call.id}.wav` : null,
    transcript: told ? speak(call) : null,
    analysis: call.analyzedAt === null ? null : analyze(call),
  };
}

/** A dial takes the first fifth of the time until the answer; then it rings. */
function ringingAtOf(call: Call): number {
  return Math.floor(call.dialledAt + call.plan.ringMs / 5);
}

function statusOf(call: Call, now: number): "dialling" | "ringing" | "talking" | "ended" {
  if (call.endedAt !== null) return "ended";
  if (call.answeredAt !== null) return "talking";
  return now >= ringingAtOf(call) ? "ringing" : "dialling";
}

function talkOf(call: Call): number | null {
  return call.answeredAt === null || call.endedAt === null ? null : call.endedAt - call.answeredAt;
}

function analyze(call: Call): Record<string, unknown> {
  const { analysisOutcome } = call.plan;
  const asked = analysisOutcome === "busy_callback";
  return {
    summary: `The agent spoke with ${call.dial.to}: ${analysisOutcome ?? call.outcome}.`,
    outcome: analysisOutcome,
    callbackAt: asked ? call.callbackAt : null,
    values: call.dial.variables,
  };
}

/** The agent says the prompt with its values, then each value that the prompt did not name. */
function speak(call: Call): Turn[] {
  const { prompt, variables, agentId } = call.dial;
  const said: [Turn["role"], string][] = [];
  const silent = call.outcome === "no_response";
  if (call.outcome === "voicemail") {
    said.push(["person", "Nobody can take your call. Please leave a message after the tone."]);
  }
  said.push(["agent", prompt === null ? `This is ${agentId}.` : render(prompt, variables)]);
  for (const [name, value] of Object.entries(variables)) {
    if (value === "" || prompt?.includes(`\${${name}}`)) continue;
    said.push(["agent", `About ${name}: ${value}.`]);
    if (!silent && call.outcome !== "voicemail") said.push(["person", "Yes."]);
  }
  if (!silent && call.outcome !== "voicemail") said.push(["person", closingOf(call)]);
  const stepMs = (talkOf(call) ?? 0) / said.length;
  return said.map(([role, text], i) => ({ role, text, atMs: Math.floor(i * stepMs) }));
}

function closingOf(call: Call): string {
  const outcome = call.plan.analysisOutcome ?? call.outcome ?? "";
  if (outcome === "busy_callback") return "I cannot talk now, please call me another time.";
  if (outcome === "connected") return "Thank you, goodbye.";
  return `Put me down as ${outcome.replaceAll("_", " ")}.`;
}

function render(prompt: string, variables: Record<string, string>): string {
  return prompt.replaceAll(/\$\{([^}]*)\}/g, (_, name: string) => variables[name.trim()] ?? "");
}
