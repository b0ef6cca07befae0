import { refuse } from "../core/result.ts";
import { logFault } from "../shell/faults.ts";
import { openConnection } from "./carrier-of.ts";
import { noteView } from "./entry.ts";
import { notFound, Refused } from "./errors.ts";
import { findCall } from "./find.ts";
import type { Handler } from "./serve.ts";

const PASSED = ["content-length", "content-range", "accept-ranges"];
const SOUND = /^(audio|video)\/[\w.+-]+/i;

/** Plays a call's recording through the connection's credentials; the carrier's address stays hidden. */
export const play: Handler<"GET /v1/calls/{id}/recording"> = async (c, { params }) => {
  const call = await findCall(c, params.id);
  if (call.recordingUrl === null) throw notFound("recording");
  await noteView(c, { action: "call.play", targetKind: "call", target: call.id });
  const open = await openConnection(c.env, c.get("workspace"), call.connection, c.get("now"));
  if (open === null) throw notFound("recording");
  const range = c.req.header("range") ?? null;
  const answer = await fetchRecording(() =>
    open.carrier.recording(open.settings, call.recordingUrl ?? "", range),
  );
  if (answer.status === 404 || answer.status === 410) {
    await answer.body?.cancel();
    throw notFound("recording");
  }
  if (answer.status !== 200 && answer.status !== 206 && answer.status !== 416) {
    await answer.body?.cancel();
    throw away(`The carrier answered ${answer.status}.`);
  }
  const type = answer.headers.get("content-type") ?? "";
  const headers = new Headers({
    // Nothing that a browser would run comes from here.
    "content-type": SOUND.test(type) ? type : "application/octet-stream",
  });
  for (const name of PASSED) {
    const value = answer.headers.get(name);
    if (value !== null) headers.set(name, value);
  }
  return new Response(answer.body, { status: answer.status, headers });
};

async function fetchRecording(ask: () => Promise<Response>): Promise<Response> {
  try {
    return await ask();
  } catch (error) {
    logFault("recording", error, {});
    throw away("The carrier does not answer.");
  }
}

function away(message: string): Refused {
  return new Refused(refuse("unavailable", message), { "retry-after": "5" });
}
