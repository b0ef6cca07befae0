import { zValidator } from "@hono/zod-validator";
import type { Hono, MiddlewareHandler } from "hono";
import type * as z from "zod";
import type { Operation } from "../contract/operation.ts";
import { OPERATIONS, type Route } from "../contract/operations.ts";
import { access } from "./auth.ts";
import { mediaType, textBody } from "./body.ts";
import type { AppEnv, Ctx } from "./context.ts";
import { invalid, issuesOf, notFound } from "./errors.ts";

/** What a handler gets of its request, as the operation's schemas read it. */
export type Input<O> = {
  params: O extends { params: infer P extends z.ZodType } ? z.output<P> : undefined;
  query: O extends { query: infer Q extends z.ZodType } ? z.output<Q> : undefined;
  body: O extends { body: { schema: infer B extends z.ZodType } } ? z.output<B> : undefined;
};
export type Handler<R extends Route> = (
  c: Ctx,
  input: Input<(typeof OPERATIONS)[R]>,
) => Promise<Response> | Response;
/** One handler for each operation, and none without. */
export type Site = {
  [R in Route]: (c: Ctx, input: Input<(typeof OPERATIONS)[R]>) => Promise<Response> | Response;
};

type AnyHandler = (c: Ctx, input: { params: unknown; query: unknown; body: unknown }) => Response;

/** Registers every operation with what it asks for: access, body size, schemas, then its handler. */
export function serve(app: Hono<AppEnv>, site: Site): void {
  for (const [route, operation] of Object.entries<Operation>(OPERATIONS)) {
    const [method = "", path = ""] = route.split(" ");
    const pattern = path.replaceAll(/\{(\w+)\}/g, ":$1");
    // H39: the guide's paths end with a slash, or do not.
    const patterns = path.startsWith("/routes/") ? [pattern, `${pattern}/`] : [pattern];
    // `Site` pairs each handler with its own operation's input.
    const handle = site[route as Route] as unknown as AnyHandler;
    app.on(method, patterns, ...chain(operation), (c) => {
      const valid = (target: string) => c.req.valid(target as never) as unknown;
      const json = operation.body === undefined ? undefined : valid("json");
      return handle(c, { params: valid("param"), query: valid("query"), body: json });
    });
  }
}

function chain(operation: Operation): MiddlewareHandler<AppEnv>[] {
  const { params, query, body } = operation;
  const others = body?.others?.map((other) => other.contentType) ?? [];
  const steps: MiddlewareHandler<AppEnv>[] = [access(operation.access)];
  if (params !== undefined) steps.push(reads("param", params));
  if (query !== undefined) steps.push(reads("query", query));
  if (body !== undefined) {
    const json = reads("json", body.schema);
    steps.push(textBody(body.bytesMax, others));
    steps.push((c, next) => (others.includes(mediaType(c)) ? next() : json(c, next)));
  }
  return steps;
}

function reads(target: "param" | "query" | "json", schema: z.ZodType): MiddlewareHandler<AppEnv> {
  return zValidator(target, schema, (result) => {
    if (result.success) return;
    // An id that no id looks like is an unknown one (H37).
    if (target === "param") throw notFound("thing");
    throw invalid(...issuesOf(result.error, result.data));
  });
}
