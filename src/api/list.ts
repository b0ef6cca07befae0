import { type Page, type PageRequest, readCursor } from "../db/page.ts";
import { invalid } from "./errors.ts";

/** A list's `limit` and `cursor` (H38: a cursor that is none of ours is refused). */
export function pageRequest(
  query: { limit: number; cursor?: string | undefined },
  keys: "integer" | "text",
): PageRequest {
  if (query.cursor === undefined) return { limit: query.limit, after: null };
  const after = readCursor(query.cursor);
  const good = after !== null && (keys === "text" || /^\d{1,16}$/.test(after));
  if (!good) {
    throw invalid({ path: "cursor", expected: "`nextCursor` of a page", got: "something else" });
  }
  return { limit: query.limit, after };
}

export function mapPage<T, U>(page: Page<T>, wire: (item: T) => U): Page<U> {
  return { items: page.items.map(wire), nextCursor: page.nextCursor };
}
