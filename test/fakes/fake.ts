/** A request as it came. */
export type Asked = {
  method: string;
  path: string;
  query: URLSearchParams;
  headers: Record<string, string | undefined>;
  text: string;
  /** Where the vendor is reached. */
  url: string;
};
export type Reply = {
  status: number;
  body?: unknown;
  text?: string;
  headers?: Record<string, string>;
};
/** A report as the vendor would send it. */
export type Report = { url: string; headers: Record<string, string>; body: string };

/** A call that the vendor took: what was asked, and what has become of it. */
export type FakeCall = {
  id: string;
  phone: string;
  reportUrl: string | null;
  asked: Record<string, unknown>;
  /** Null while it goes on. */
  story: string | null;
};

/** What the vendor remembers. */
export type Memory = {
  calls: Map<string, FakeCall>;
  take(call: Omit<FakeCall, "id" | "story">, id: string): FakeCall;
};

/**
 * A vendor as its documents describe it, never as our adapter reads it: strict about what it takes,
 * with the errors that it documents.
 */
export type Fake = {
  answer(asked: Asked, memory: Memory): Reply;
  /** Documented refusals of a dial, by what they are about. */
  refusals: Record<string, Reply>;
  /** Reports of a call that goes this way, in the vendor's usual order. */
  reports(call: FakeCall, story: string, at: number, secret: string, url: string): Report[];
  stories: readonly string[];
};

export const NOT_FOUND: Reply = { status: 404, body: { message: "not found" } };

/** A JSON body whose fields are these and no others; a text says what is wrong. */
export function strict(
  text: string,
  shape: Record<string, string>,
): { fields: Record<string, unknown> } | { wrong: string } {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return { wrong: "no JSON" };
  }
  if (typeof fields !== "object" || fields === null || Array.isArray(fields)) {
    return { wrong: "no object" };
  }
  return checked(fields as Record<string, unknown>, shape);
}

/** `type` or `type?`; `phone` is E.164, `url` an absolute address. */
export function checked(
  fields: Record<string, unknown>,
  shape: Record<string, string>,
): { fields: Record<string, unknown> } | { wrong: string } {
  for (const name of Object.keys(fields)) {
    if (!Object.hasOwn(shape, name)) return { wrong: `unknown field ${name}` };
  }
  for (const [name, wanted] of Object.entries(shape)) {
    const value = fields[name];
    if (value === undefined && wanted.endsWith("?")) continue;
    if (!fits(value, wanted.replace("?", ""))) return { wrong: `${name} must be ${wanted}` };
  }
  return { fields };
}

function fits(value: unknown, wanted: string): boolean {
  switch (wanted) {
    case "phone":
      return typeof value === "string" && /^\+[1-9]\d{6,14}$/.test(value);
    case "url":
      return typeof value === "string" && /^https?:\/\//.test(value);
    case "texts":
      return (
        typeof value === "object" &&
        value !== null &&
        Object.values(value).every((one) => typeof one === "string")
      );
    case "object":
      return typeof value === "object" && value !== null && !Array.isArray(value);
    case "any":
      return value !== undefined;
    default:
      return typeof value === wanted && value !== "";
  }
}

/** Sound, or the part of it that a Range header names (`bytes=1-2`). */
export function sound(range: string | undefined): Reply {
  const whole = "SOUND";
  const [, from, to] = /^bytes=(\d+)-(\d+)$/.exec(range ?? "") ?? [];
  const type = { "content-type": "audio/mpeg" };
  if (from === undefined) return { status: 200, text: whole, headers: type };
  const part = whole.slice(Number(from), Number(to) + 1);
  const headers = { ...type, "content-range": `bytes ${from}-${to}/${whole.length}` };
  return { status: 206, text: part, headers };
}

export function json(url: string, body: unknown, headers: Record<string, string> = {}): Report {
  return {
    url,
    headers: { "content-type": "application/json", ...headers },
    body: JSON.stringify(body),
  };
}
