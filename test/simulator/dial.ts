import type { Dial } from "../../src/carriers/carrier.ts";
import { outboundOf } from "../../src/carriers/outbound.ts";
import type { CallId } from "../../src/core/ids.ts";
import type { Receiver } from "./process.ts";

/** The way out to carriers on this machine. */
export const OUT = outboundOf({
  PUBLIC_URL: "http://outdial.test",
  OUTBOUND_ALLOW: "127.0.0.1:*, localhost:*",
});

let count = 0;

/** A dial of a number with this suffix that no test has used yet; reports go to a path of its own. */
export function makeDial(receiver: Receiver, suffix: string, changes: Partial<Dial> = {}): Dial {
  count += 1;
  const call = `cal_testws_${count.toString(36)}` as CallId;
  return {
    call,
    reportUrl: `${receiver.url}/${call}`,
    phone: `+1555${String(count).padStart(6, "0")}${suffix}`,
    from: "+15550009999",
    carrierNumberId: null,
    carrierAgentId: "agent_1",
    prompt: "Hello $" + "{name}, this is about your car.",
    agentSettings: { ringMs: 5_000, talkMs: 10_000, analysisMs: 5_000 },
    variables: { name: "Ann", car: "Volvo", note: "" },
    dynamicVariables: changes.variables ?? { name: "Ann", car: "Volvo", note: "" },
    attempt: 1,
    lengthMaxMs: 1_800_000,
    ...changes,
  };
}

/** The same number once more, as another call. */
export function redial(receiver: Receiver, dial: Dial): Dial {
  const next = makeDial(receiver, "0000");
  return { ...dial, call: next.call, reportUrl: next.reportUrl, attempt: dial.attempt + 1 };
}

export function pathOf(dial: Dial): string {
  return new URL(dial.reportUrl).pathname;
}

export const soon = (): AbortSignal => AbortSignal.timeout(10_000);
