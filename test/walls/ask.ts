import { createExecutionContext, env, waitOnExecutionContext } from "cloudflare:test";
import app from "../../src/api/app.ts";
import { readAlong } from "../support/workerd/leaks.ts";
import type { Json } from "../support/workerd/workspace.ts";
import { type Trail, Watched } from "./guard.ts";

export const ORIGIN = "http://outdial.test";
export const watched = new Watched(env as Env);

export type Request_ = {
  headers?: Record<string, string>;
  body?: BodyInit | undefined;
};
/** A reply, and what it took. */
export type Answer = {
  status: number;
  headers: Headers;
  text: string;
  json: Json;
  trail: Trail;
};

/** One request to the app on watched bindings. */
export async function ask(route: string, { headers = {}, body }: Request_ = {}): Promise<Answer> {
  const [method = "GET", path = "/"] = route.split(" ");
  const request = new Request(`${ORIGIN}${path}`, {
    method,
    headers,
    ...(body === undefined ? {} : { body }),
    redirect: "manual",
  });
  watched.take();
  const context = createExecutionContext();
  const response = await app.fetch(request, watched.env, context);
  const text = await response.text();
  const trail = watched.take();
  await waitOnExecutionContext(context);
  const { status } = response;
  readAlong(route, status, text);
  return { status, headers: response.headers, text, json: jsonOf(text), trail };
}

function jsonOf(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return {};
  }
}

/** A body that says whether somebody has read of it. */
export class Untouched {
  touched = false;
  readonly stream = new ReadableStream<Uint8Array>(
    {
      pull: (controller) => {
        this.touched = true;
        controller.enqueue(new TextEncoder().encode("{"));
        controller.close();
      },
    },
    { highWaterMark: 0 },
  );
}
