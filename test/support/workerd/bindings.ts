import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test";
import { makeApp } from "../../../src/api/app.ts";
import type { DialerVerbs } from "../../../src/dialer/verbs.ts";
import { withDialer } from "./imports.ts";
import { readAlong } from "./leaks.ts";
import type { Json, Reply } from "./workspace.ts";

/** One request to the Worker with other bindings. */
export async function askWith(
  bindings: Env,
  route: string,
  apiKey: string,
  body?: Json,
): Promise<Reply> {
  const [method = "GET", path = "/"] = route.split(" ");
  const request = new Request(`http://outdial.test${path}`, {
    method,
    headers: { authorization: apiKey, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const context = createExecutionContext();
  const response = await makeApp().fetch(request, bindings, context);
  const text = await response.text();
  await waitOnExecutionContext(context);
  readAlong(route, response.status, text);
  const json = text.startsWith("{") ? (JSON.parse(text) as Json) : {};
  return { status: response.status, headers: response.headers, text, json };
}

/** Bindings whose Dialer loses so many hand-overs of copies, as a broken connection would. */
export function losing(count: number): Env {
  let left = count;
  return withDialer({
    putCopies: async (docs) => {
      if (left-- > 0) throw new Error("Network connection lost.");
      const { DIALER } = env;
      const id = String(docs[0]?.id).split("_")[1];
      return (DIALER.get(DIALER.idFromName(`ws_${id}`)) as unknown as DialerVerbs).putCopies(docs);
    },
  });
}
