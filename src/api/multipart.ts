import { mediaType } from "./body.ts";
import type { Ctx } from "./context.ts";
import { invalid } from "./errors.ts";

const HEADERS_BYTES_MAX = 16 * 1024;
const FILE_NAME_CHARS_MAX = 200;
const CR = 13;
const LF = 10;
const DASH = 45;
const BLANK_LINE = new Uint8Array([CR, LF, CR, LF]);
const LINE_END = new Uint8Array([CR, LF]);

/** An uploaded file: its name, and its bytes as they come. */
export type UploadedFile = { fileName: string | null; pieces: AsyncIterable<Uint8Array> };

/** The file of a request: the one in a form, or the body itself. */
export async function uploadedFile(
  c: Ctx,
  pieces: AsyncGenerator<Uint8Array, void>,
): Promise<UploadedFile> {
  if (mediaType(c) !== "multipart/form-data") {
    return { fileName: fileNameOf(c.req.header("content-disposition") ?? ""), pieces };
  }
  const boundary = /boundary=(?:"([^"]{1,70})"|([^\s;,"]{1,70}))/i.exec(
    c.req.header("content-type") ?? "",
  );
  const mark = boundary?.[1] ?? boundary?.[2];
  if (mark === undefined) throw broken("a boundary in content-type");
  const form = fileOfForm(mark, pieces);
  const first = await form.next();
  const name = typeof first.value === "string" ? first.value : "";
  return { fileName: name || null, pieces: rest(form) };
}

async function* rest(form: AsyncGenerator<string | Uint8Array, void>): AsyncGenerator<Uint8Array> {
  for await (const piece of form) if (typeof piece !== "string") yield piece;
}

/**
 * The one file of a form: first its name, then its bytes. A form is parts between delimiters: two
 * dashes and the boundary on a line of their own. Other fields are passed over; a second file, a
 * form without one, or one that breaks off is refused.
 */
async function* fileOfForm(
  boundary: string,
  pieces: AsyncIterable<Uint8Array>,
): AsyncGenerator<string | Uint8Array, void> {
  const delimiter = new TextEncoder().encode(`\r\n--${boundary}`);
  // The first delimiter may stand at the very start, without a line before it.
  let buffer: Uint8Array = LINE_END;
  let state: "content" | "delimiter" | "headers" | "ended" = "content";
  let inFile = false;
  let files = 0;
  for await (const piece of pieces) {
    buffer = joined(buffer, piece);
    for (let waiting = false; !waiting; ) {
      switch (state) {
        case "content": {
          const at = indexOf(buffer, delimiter);
          const end = at === -1 ? Math.max(0, buffer.length - delimiter.length + 1) : at;
          if (inFile && end > 0) yield buffer.subarray(0, end);
          buffer = buffer.subarray(at === -1 ? end : at + delimiter.length);
          waiting = at === -1;
          if (!waiting) state = "delimiter";
          break;
        }
        case "delimiter": {
          if (buffer[0] === DASH && buffer[1] === DASH) state = "ended";
          const at = indexOf(buffer, LINE_END);
          waiting = state === "ended" || at === -1;
          if (waiting) break;
          // Keeps the line's end: a part without headers has its blank line right here.
          buffer = buffer.subarray(at);
          state = "headers";
          break;
        }
        case "headers": {
          const at = indexOf(buffer, BLANK_LINE);
          if (at === -1 && buffer.length > HEADERS_BYTES_MAX) throw broken("parts with headers");
          waiting = at === -1;
          if (waiting) break;
          const name = fileNameOf(dispositionOf(buffer.subarray(0, at)));
          inFile = name !== null;
          if (name !== null) {
            files += 1;
            if (files > 1) throw oneFile("more than one");
            yield name;
          }
          // A content without a byte is followed by its delimiter's own line end.
          buffer = buffer.subarray(at + BLANK_LINE.length);
          state = "content";
          break;
        }
        case "ended":
          buffer = LINE_END;
          waiting = true;
      }
    }
  }
  if (state !== "ended") throw broken("a form that is whole");
  if (files === 0) throw oneFile("none");
}

function dispositionOf(headers: Uint8Array): string {
  const lines = new TextDecoder().decode(headers).split("\r\n");
  return lines.find((line) => /^content-disposition:/i.test(line)) ?? "";
}

/** The file name in a content-disposition; null where there is none. */
function fileNameOf(disposition: string): string | null {
  const match = /;\s*filename=(?:"((?:[^"\\]|\\.)*)"|([^;\s]*))/i.exec(disposition);
  if (match === null) return null;
  const name = match[1]?.replaceAll(/\\(["\\])/g, "$1") ?? match[2] ?? "";
  return name.replaceAll("%22", '"').slice(0, FILE_NAME_CHARS_MAX);
}

function indexOf(buffer: Uint8Array, wanted: Uint8Array): number {
  const [first = 0] = wanted;
  for (let at = buffer.indexOf(first); at !== -1; at = buffer.indexOf(first, at + 1)) {
    if (wanted.every((byte, index) => buffer[at + index] === byte)) return at;
  }
  return -1;
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array {
  if (a.length === 0) return b;
  const whole = new Uint8Array(a.length + b.length);
  whole.set(a);
  whole.set(b, a.length);
  return whole;
}

function broken(expected: string) {
  return invalid({
    path: "body",
    expected: `multipart/form-data: ${expected}`,
    got: "another body",
  });
}

function oneFile(got: string) {
  return invalid({ path: "file", expected: "one file in the form", got });
}
