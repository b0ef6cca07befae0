import { inject } from "vitest";
import { type Json, poll } from "./workspace.ts";

/** The address of a recording at the carrier, of a call that it was asked for here. */
export async function recordedCall(): Promise<string> {
  const { baseUrl, apiKey } = inject("carrier");
  const headers = { authorization: `Bearer ${apiKey}`, "content-type": "application/json" };
  const dial = {
    to: "+919876540123",
    from: "+918047112233",
    agentId: "a",
    reportUrl: "http://127.0.0.1:9/",
    settings: { ringMs: 0, talkMs: 1, analysisMs: 0 },
  };
  const made = await fetch(`${baseUrl}/v1/calls`, {
    method: "POST",
    headers,
    body: JSON.stringify(dial),
  });
  const { id } = (await made.json()) as { id: string };
  const call = await poll(
    async () => (await (await fetch(`${baseUrl}/v1/calls/${id}`, { headers })).json()) as Json,
    (one) => typeof one.recordingUrl === "string",
  );
  return String(call.recordingUrl);
}
