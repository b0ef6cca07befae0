import type * as z from "zod";
import type { OPERATIONS, Route } from "./operations.ts";

type Of<R extends Route> = (typeof OPERATIONS)[R];

/** What a client sends: a field that only `core` reads is of the type that it is described with. */
type Sent<S extends z.ZodType> = {
  [K in keyof z.input<S>]: unknown extends z.input<S>[K]
    ? K extends keyof z.output<S>
      ? z.output<S>[K]
      : never
    : z.input<S>[K];
};

export type ParamsOf<R extends Route> =
  Of<R> extends { params: infer S extends z.ZodType } ? z.output<S> : null;
export type QueryOf<R extends Route> =
  Of<R> extends { query: infer S extends z.ZodType } ? Partial<z.output<S>> : null;
export type BodyOf<R extends Route> =
  Of<R> extends { body: { schema: infer S extends z.ZodType } } ? Sent<S> : null;
/** What comes back as JSON; null where nothing does. */
export type ReplyOf<R extends Route> =
  Of<R> extends { reply: { schema: infer S extends z.ZodType } } ? z.output<S> : null;
