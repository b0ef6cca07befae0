import { expect } from "vitest";
import type { Operation } from "../../src/contract/operation.ts";
import { type Answer, ask, Untouched } from "./ask.ts";
import { type Asked, operations, requestOf } from "./requests.ts";
import { NEEDS, type Needs } from "./table.ts";
import type { Who } from "./who.ts";
import { type Ids, type Lived, PERSONAL } from "./world.ts";

/*
 * One combination at a time: somebody asks for something, and what was wrong with the answer is
 * returned as sentences. None is the good case.
 */

export const count = { tried: 0, refused: 0 };

export const needsOf = (route: string): Needs => NEEDS[route] ?? "own";
export const methodOf = (route: string) => route.split(" ")[0] ?? "";

/** Operations that are about a workspace. */
export const walled = operations.filter(([route]) => {
  return !["open", "carrier", "ticket", "admin", "person"].includes(needsOf(route));
});

export async function send(who: Who, { route, headers, body }: Asked): Promise<Answer> {
  count.tried += 1;
  return ask(route, { headers: { ...headers, ...who.headers }, body });
}

/** Refused as it must be, before the body was looked at, and without a word of what is there. */
export async function wrongRefusal(
  who: Who,
  ours: Lived,
  [route, operation]: [string, Operation],
  status: number,
): Promise<string[]> {
  const asked = requestOf(route, operation, ours.ids);
  const untouched = new Untouched();
  const needs = needsOf(route);
  // A carrier signs the body; of a push the Dialer checks the key.
  const read = needs === "carrier" || (needs === "push" && who.hot === true);
  const body = methodOf(route) === "GET" ? undefined : read ? asked.body : untouched.stream;
  const headers = { ...asked.headers, ...who.headers };
  const answer = await ask(asked.route, { headers, body });
  count.tried += 1;
  count.refused += 1;
  const what = `${route} as ${who.name}`;
  const wrong: string[] = [];
  if (answer.status !== status) wrong.push(`${what}: ${answer.status} and not ${status}`);
  const { statements, objects } = answer.trail;
  const asks = statements.length + objects.length;
  if (who.cheap === true && needs !== "carrier" && asks > 0) {
    wrong.push(`${what}: asks D1 or a Dialer first`);
  }
  if (untouched.touched) wrong.push(`${what}: the body was read`);
  if (leaks(answer.text).length > 0) wrong.push(`${what}: shows ${leaks(answer.text)}`);
  return wrong;
}

/** What is personal in a text. */
export function leaks(text: string): string[] {
  return Object.values(PERSONAL).filter((one) => text.includes(one));
}

/** Makes of whatever names things of a workspace the same about things that nobody has. */
export class Ghost {
  readonly #ours: string;
  readonly #nobody: string;

  readonly #person: string;

  constructor({ workspace, ids }: Lived) {
    this.#ours = workspace.slice(3);
    this.#nobody = `${this.#ours.slice(0, -3)}zzz`;
    this.#person = ids.people ?? "";
  }

  of<T>(value: T): T {
    const gone = "+919876510000";
    const text = JSON.stringify(value)
      .replaceAll(this.#ours, this.#nobody)
      .replaceAll(this.#person, this.#person.replace("newcomer", "nocomers"))
      .replaceAll(PERSONAL.suppressed, gone)
      .replaceAll(encodeURIComponent(PERSONAL.suppressed), encodeURIComponent(gone));
    return JSON.parse(text) as T;
  }

  /** Requests that name things of ours, each with its twin. */
  pairs(route: string, operation: Operation, ids: Ids): [Asked, Asked][] {
    const own = requestOf(route, operation, ids);
    const further = (REFERENCES[route] ?? []).map((one) => ({ ...own, ...one(ids) }));
    return [own, ...further]
      .map((asked): [Asked, Asked] => [asked, this.of(asked)])
      .filter(([asked, twin]) => JSON.stringify(asked) !== JSON.stringify(twin));
  }

  /** Both requests are answered alike: all that can be seen is the same, at the same price. */
  async wrongTwin(
    who: Who,
    real: Asked,
    twin: Who,
    unreal: Asked,
    status: number | null,
  ): Promise<string[]> {
    const first = await send(who, real);
    const second = await send(twin, unreal);
    if (first.status >= 400) count.refused += 2;
    const what = `${real.route} as ${who.name}`;
    const wrong: string[] = [];
    const seen = [first, second].map((answer) => JSON.stringify(this.of(seenOf(answer))));
    if (seen[0] !== seen[1]) wrong.push(`${what}: ${seen[0]} and not ${seen[1]}`);
    if (status !== null && first.status !== status) {
      wrong.push(`${what}: ${first.status} and not ${status}`);
    }
    if (status === null && !UNKNOWN.test(`${first.status} ${first.text}`)) {
      wrong.push(`${what}: taken, ${first.status} ${first.text.slice(0, 200)}`);
    }
    if (leaks(first.text).length > 0) wrong.push(`${what}: shows ${leaks(first.text)}`);
    return wrong;
  }
}

/** What an id that is not there is answered; a bulk push answers each of its tasks by itself. */
const UNKNOWN = /^(404|422) |^201 .*"code":"not_found"/;

/** What a client can tell two answers apart by: all of them but the request's own id, and the price. */
function seenOf({ status, text, headers, trail }: Answer) {
  const shown = [...headers].filter(([name]) => name !== "x-request-id").sort();
  const body = text.replaceAll(/"requestId":"[^"]*"/g, "");
  const { statements, objects } = trail;
  return { status, body, shown, queries: statements.length, objects: objects.length };
}

const json = (body: unknown) => ({ body: JSON.stringify(body) });

/** What requests can name beside their path and the example's body. */
const REFERENCES: Record<string, ((ids: Ids) => Partial<Asked>)[]> = {
  "POST /v1/campaigns": [
    ({ agents, numbers }) => json({ name: "X", type: "batch", agent: agents, from: numbers }),
    ({ agents }) => json({ name: "X", type: "realtime", agent: agents }),
  ],
  "PATCH /v1/workspace": [
    ({ agents }) => json({ agent: agents }),
    ({ numbers }) => json({ from: numbers }),
  ],
  "GET /v1/tasks": [({ campaigns }) => ({ route: `GET /v1/tasks?campaign=${campaigns}` })],
  "GET /routes/v1/tasks": [
    ({ campaigns }) => ({ route: `GET /routes/v1/tasks?campaign=${campaigns}` }),
  ],
  "GET /v1/calls": [
    ({ campaigns }) => ({ route: `GET /v1/calls?campaign=${campaigns}` }),
    ({ tasks }) => ({ route: `GET /v1/calls?task=${tasks}` }),
  ],
};

/** Fails with all that was wrong at once. */
export function nothingWrong(wrong: string[]): void {
  expect(wrong.slice(0, 20)).toEqual([]);
}
