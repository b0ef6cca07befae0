import type { MiddlewareHandler } from "hono";
import { isTooDeep, LEVELS_MAX } from "../core/deep.ts";
import { refuse } from "../core/result.ts";
import type { AppEnv, Ctx } from "./context.ts";
import { invalid, Refused } from "./errors.ts";

const PIECE_BYTES = 64 * 1024;
const JSON_TYPE = /^application\/([\w.-]+\+)?json$/;

/** The media type of a request, in lower case; "" when it names none. */
export function mediaType(c: Ctx): string {
  return (c.req.header("content-type") ?? "").split(";")[0]?.trim().toLowerCase() ?? "";
}

/**
 * Reads a JSON body of at most `bytesMax` once, so that its text can be hashed and parsed. A body
 * that names another type, or none, is read as JSON too; `others` are left to the handler.
 */
export function textBody(bytesMax: number, others: string[]): MiddlewareHandler<AppEnv> {
  return async (c, next) => {
    const type = mediaType(c);
    if (others.includes(type)) return next();
    const text = new TextDecoder().decode(await readBytes(c, bytesMax));
    if (isTooDeep(text)) {
      const expected = `lists and objects within each other, at most ${LEVELS_MAX}`;
      throw invalid({ path: "body", expected, got: "more" });
    }
    if (!JSON_TYPE.test(type)) {
      const { method, url, headers } = c.req.raw;
      const named = new Headers(headers);
      named.set("content-type", "application/json");
      c.req.raw = new Request(url, { method, headers: named });
    }
    // Hono keeps promises in its cache, whatever its types say.
    c.req.bodyCache.text = Promise.resolve(text) as unknown as string;
    return next();
  };
}

/** A body as it came; one that is longer is refused before it is read to its end. */
export async function readBytes(c: Ctx, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const length = c.req.header("content-length");
  if (length !== undefined) {
    if (Number(length) > bytesMax) throw tooLarge(bytesMax);
    return new Uint8Array(await c.req.raw.arrayBuffer());
  }
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.byteLength;
    if (size > bytesMax) throw tooLarge(bytesMax);
    chunks.push(chunk);
  }
  const whole = new Uint8Array(size);
  let at = 0;
  for (const chunk of chunks) {
    whole.set(chunk, at);
    at += chunk.byteLength;
  }
  return whole;
}

/** A body piece by piece, as it comes; it ends in a refusal once it is longer than `bytesMax`. */
export async function* bodyPieces(c: Ctx, bytesMax: number): AsyncGenerator<Uint8Array, void> {
  if (Number(c.req.header("content-length") ?? 0) > bytesMax) throw tooLarge(bytesMax);
  let size = 0;
  for await (const chunk of c.req.raw.body ?? []) {
    size += chunk.byteLength;
    if (size > bytesMax) throw tooLarge(bytesMax);
    for (let at = 0; at < chunk.byteLength; at += PIECE_BYTES) {
      yield chunk.subarray(at, at + PIECE_BYTES);
    }
  }
}

/** What is longer than `bytesMax` is refused by its name. */
export function tooLarge(bytesMax: number, path = "body"): Refused {
  const mb = Math.floor(bytesMax / 1024 / 1024);
  const size = mb > 0 ? `${mb} MB` : `${bytesMax / 1024} KB`;
  const issue = { path, expected: `at most ${size}`, got: "more" };
  return new Refused(refuse("too_large", `The ${path} is larger than ${size}.`, [issue]));
}
