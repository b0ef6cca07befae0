/** One page of a list; `nextCursor` is opaque to clients. */
export type Page<T> = { items: T[]; nextCursor: string | null };
/** Where a page starts: after the entry with this key, or at the beginning. */
export type PageRequest = { limit: number; after: string | null };

/** A page out of `limit + 1` rows: the extra one only tells that there is more. */
export function pageOfRows<T>(
  rows: T[],
  limit: number,
  keyOf: (row: T) => string | number,
): Page<T> {
  const items = rows.slice(0, limit);
  const last = items.at(-1);
  const more = rows.length > limit && last !== undefined;
  return { items, nextCursor: more ? writeCursor(String(keyOf(last))) : null };
}

/** The key that a cursor holds, or null when it is none of ours. */
export function readCursor(cursor: string): string | null {
  try {
    const text = atob(cursor.replaceAll("-", "+").replaceAll("_", "/"));
    return text.startsWith("1:") ? text.slice(2) : null;
  } catch {
    return null;
  }
}

function writeCursor(key: string): string {
  return btoa(`1:${key}`).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

/** A cursor's key as the integer it must be; null stands for the beginning. */
export function integerAfter(page: PageRequest): number | null {
  return page.after === null ? null : Number(page.after);
}
