/** A part of a body, in bytes. */
export type BytesRange = { offset: number; length: number };

/**
 * The part of a body that a Range header asks for; null where the whole is to be sent (no header, several
 * ranges, or one that nobody can read), "outside" where it lies beyond the end.
 */
export function rangeOf(header: string | null, size: number): BytesRange | "outside" | null {
  const [, first = "", last = ""] = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "") ?? [];
  if (first === "" && last === "") return null;
  if (first === "") {
    const length = Math.min(Number(last), size);
    return length === 0 ? "outside" : { offset: size - length, length };
  }
  const offset = Number(first);
  if (last !== "" && Number(last) < offset) return null;
  if (offset >= size) return "outside";
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  return { offset, length: end - offset };
}
