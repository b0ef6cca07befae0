import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { makeApp } from "../../src/api/app.ts";
import { MAY, SCOPE_MAY } from "../../src/core/access.ts";
import { itemsOf, pausedCampaign } from "../support/workerd/workspace.ts";
import { ask } from "./ask.ts";
import { freshFor } from "./fresh.ts";
import { strays } from "./guard.ts";
import {
  count,
  Ghost,
  leaks,
  methodOf,
  needsOf,
  nothingWrong,
  send,
  walled,
  wrongRefusal,
} from "./probe.ts";
import { type Asked, operations, requestOf } from "./requests.ts";
import { snapshot } from "./snapshot.ts";
import { NEEDS, PROMISED, PROMISED_SCOPES, PUBLIC } from "./table.ts";
import { insiders, neighbours, outsiders, type Who } from "./who.ts";
import { type Lived, lived, OTHERS, PERSONAL, storedKey } from "./world.ts";

/*
 * Everybody asks for everything: each operation of the description, as each role and scope, as
 * those whose right to it has ended, as those who never had one, and as another workspace's.
 * What they must hear comes from the table; what must not happen is looked up afterwards.
 */

/** For each of the long walks, on a busy machine. */
const LONG_MS = 180_000;

let ours: Lived;
let theirs: Lived;
let inside: Who[];
let outside: Who[];
let beside: Who[];
let ghost: Ghost;

beforeAll(async () => {
  ours = await lived(PERSONAL);
  theirs = await lived(OTHERS);
  ghost = new Ghost(ours);
  inside = await insiders(ours);
  const owner = inside.find((who) => who.name === "owner");
  if (owner === undefined) throw new Error("bug: nobody is the owner");
  outside = await outsiders(ours, owner);
  beside = await neighbours(theirs);
}, LONG_MS);

afterAll(() => {
  console.log(`walls: ${count.tried} combinations tried, ${count.refused} of them refused`);
});

/** What was wrong in a walk of which nothing of ours may have changed. */
async function untouched(walk: (wrong: string[]) => Promise<void>): Promise<void> {
  const before = await settled();
  const wrong: string[] = [];
  await walk(wrong);
  nothingWrong(wrong);
  expect(await snapshot(ours)).toEqual(before);
}

/** All that is there, once D1 knows what the Dialer does: from then on only requests change anything. */
async function settled(): Promise<string[]> {
  for (let before = ""; ; ) {
    const now = await snapshot(ours);
    if (JSON.stringify(now) === before) return now;
    before = JSON.stringify(now);
    await scheduler.wait(700);
  }
}

describe("the table", () => {
  it("is core's table", () => {
    expect(MAY).toEqual(PROMISED);
    expect(SCOPE_MAY).toEqual(PROMISED_SCOPES);
  });

  it("has a line for every operation, and says what that operation asks for", () => {
    const asked = Object.fromEntries(operations.map(([route, one]) => [route, one.access]));
    expect(asked, "a new operation needs its line in test/walls/table.ts").toEqual(NEEDS);
  });

  it("leaves nothing open but what is public", () => {
    for (const { path, method } of makeApp().routes) {
      if (method === "ALL") continue;
      const plain = path.replaceAll(/:(\w+)/g, "{$1}").replace(/(.)\/$/, "$1");
      const needs = NEEDS[`${method} ${plain}`];
      const open = needs === undefined || needs === "open" || needs === "carrier";
      expect([plain, PUBLIC.some((one) => one.test(plain))]).toEqual([plain, open]);
    }
  });
});

describe("who may not is refused before the body is read, and nothing changes", () => {
  const refuseAll = (all: () => Who[]) =>
    untouched(async (wrong) => {
      for (const who of all()) {
        for (const one of operations) {
          const status = who.refusal(needsOf(one[0]), methodOf(one[0]));
          if (status !== null) wrong.push(...(await wrongRefusal(who, ours, one, status)));
        }
      }
    });

  it(
    "as nobody, by what is forged, and by what counts no more",
    () => refuseAll(() => outside),
    LONG_MS,
  );

  it("as each role and each scope", () => refuseAll(() => inside), LONG_MS);

  it(
    "however the same is asked for",
    () =>
      untouched(async (wrong) => {
        for (const [route, operation] of walled) {
          const asked = requestOf(route, operation, ours.ids);
          for (const [path, headers] of disguises(asked)) {
            const answer = await ask(path, { headers });
            count.tried += 1;
            count.refused += 1;
            if (![401, 404].includes(answer.status)) wrong.push(`${path}: ${answer.status}`);
          }
        }
      }),
    LONG_MS,
  );

  it(
    "by a key which may not push, though its body is no task",
    () =>
      untouched(async (wrong) => {
        const hot = [...outside, ...inside].filter((who) => who.hot === true);
        for (const who of hot) {
          for (const [route] of walled.filter(([one]) => needsOf(one) === "push")) {
            for (const body of ["{", "{}", '{"tasks":[]}', " ".repeat(22_000_000)]) {
              const status = who.refusal("push", "POST");
              if (status === null) continue;
              const answer = await send(who, { route, headers: {}, body });
              count.refused += 1;
              if (answer.status !== status) wrong.push(`${route} as ${who.name}: ${answer.status}`);
            }
          }
        }
      }),
    LONG_MS,
  );
});

/** Other spellings of a request: none is a way around. */
function disguises({ route }: Asked): [string, Record<string, string>][] {
  const [method = "", path = ""] = route.split(" ");
  const socket = { upgrade: "websocket", connection: "Upgrade" };
  const all: [string, Record<string, string>][] = [
    [`${method} ${path}/`, {}],
    [`${method} /${path}`, {}],
    [`${method} ${path.toUpperCase()}`, {}],
    [`${method} ${path.replace("/v1/", "/%76%31/")}`, {}],
    [`${method} /docs/..%2f${path.slice(1)}`, {}],
  ];
  if (method !== "GET") return [...all, [`GET ${path}`, { "x-http-method-override": method }]];
  return [...all, [`HEAD ${path}`, {}], [route, socket]];
}

describe("another workspace", () => {
  it(
    "is not there for its neighbours, whatever they name",
    () =>
      untouched(async (wrong) => {
        for (const who of beside) {
          for (const [route, operation] of operations) {
            const needs = needsOf(route);
            if (["open", "carrier", "ticket", "admin"].includes(needs)) continue;
            const status = who.refusal(needs, methodOf(route));
            for (const [real, unreal] of ghost.pairs(route, operation, ours.ids)) {
              wrong.push(...(await ghost.wrongTwin(who, real, who, unreal, status)));
            }
          }
        }
      }),
    LONG_MS,
  );

  it(
    "is not entered by its name in a header or a link",
    () =>
      untouched(async (wrong) => {
        const people = beside.filter((who) => who.headers.cookie !== undefined);
        for (const who of people) {
          for (const [route, operation] of walled) {
            const real = requestOf(route, operation, ours.ids);
            const named = as(who, ours.workspace);
            const twin = ghost.of(named);
            wrong.push(
              ...(await ghost.wrongTwin(named, real, { ...who, ...twin }, ghost.of(real), 404)),
            );
            if (who !== people.at(-1)) continue;
            const link = { ...real, route: `${real.route}?workspace=${ours.workspace}` };
            const plain = as(who, null);
            wrong.push(...(await ghost.wrongTwin(plain, link, plain, ghost.of(link), 404)));
          }
        }
      }),
    LONG_MS,
  );

  it("is not watched by a ticket of one's own", async () => {
    const ticket = String((await theirs.ask("POST /v1/live")).json.url).split("/v1/live")[1] ?? "";
    const socket = { headers: { upgrade: "websocket" } };
    const forged = ticket.replace(theirs.workspace, ours.workspace);
    expect(forged).not.toBe(ticket);
    const { status, trail } = await ask(`GET /v1/live${forged}`, socket);
    expect([status, trail.objects]).toEqual([401, []]);
    count.tried += 1;
    count.refused += 1;
  });

  it("is not entered by a key that names it in a header", async () => {
    for (const who of beside.filter((one) => one.headers.authorization !== undefined)) {
      const { status, json } = await ask("GET /v1/workspace", as(who, ours.workspace));
      count.tried += 1;
      const allowed = who.refusal("see", "GET") === null;
      const expected = [allowed ? 200 : 403, allowed ? theirs.workspace : undefined];
      expect([who.name, status, json.id]).toEqual([who.name, ...expected]);
    }
  });
});

/** The same person in another workspace, or naming none. */
function as(who: Who, workspace: string | null): Who {
  const { "x-workspace": _, ...rest } = who.headers;
  return { ...who, headers: workspace === null ? rest : { ...rest, "x-workspace": workspace } };
}

describe("who may is let through", () => {
  it(
    "as each role and each scope, asking D1 and Dialers for this workspace alone",
    async () => {
      const fresh = freshFor(ours, theirs.workspace);
      const wrong: string[] = [];
      for (const who of inside) {
        for (const [route, operation] of operations) {
          const needs = needsOf(route);
          if (who.refusal(needs, methodOf(route)) !== null) continue;
          const ids = { ...ours.ids, ...(await fresh[route]?.(who)) };
          const { status, text, trail } = await send(who, requestOf(route, operation, ids));
          const what = `${route} as ${who.name}`;
          const answer = `${status} ${text.slice(0, 200)}`;
          if (needs !== "open" && !LET_THROUGH.test(answer)) wrong.push(`${what}: ${answer}`);
          if (needs === "open" || needs === "person") continue;
          wrong.push(...strays(trail, ours.workspace).map((one) => `${what}: ${one}`));
          if (methodOf(route) !== "GET" || who.sees) continue;
          if (leaks(text).length > 0) wrong.push(`${what}: shows ${leaks(text)}`);
        }
      }
      nothingWrong(wrong);
    },
    LONG_MS,
  );

  it("sees what is personal where he may", async () => {
    for (const who of inside.filter((one) => one.refusal("see", "GET") === null)) {
      const paths = [`tasks/${ours.ids.tasks}`, `calls/${ours.ids.calls}`];
      const shown = await Promise.all(paths.map((path) => ask(`GET /v1/${path}`, who)));
      const found = leaks(shown.map(({ text }) => text).join("")).length > 0;
      expect([who.name, found]).toEqual([who.name, who.sees]);
    }
  });

  it("by a key that is bound to one campaign, there and nowhere else", async () => {
    const local = Number.parseInt(ours.ids.campaigns?.split("_")[2] ?? "", 36);
    const key = await storedKey(ours.workspace, ["tasks:write"], { campaign: local });
    const headers = { authorization: `Bearer ${key.text}`, "content-type": "application/json" };
    const other = await pausedCampaign(ours);
    const push = (campaign: unknown) =>
      ask("POST /v1/tasks", {
        headers,
        body: JSON.stringify({ campaign, phone: "+919876500003" }),
      });
    expect((await push(ours.ids.campaigns)).status).toBe(201);
    const refused = await push(other);
    const unknown = await push(`${other}0`);
    expect([refused.status, refused.json.error]).toEqual([404, unknown.json.error]);
    const tasks = await ours.ask(`GET /v1/campaigns/${other}/tasks`);
    expect(itemsOf(tasks)).toEqual([]);
    count.tried += 3;
    count.refused += 2;
  });
});

/** Anything but a refusal of the walls or a mistake; carrier and mail do not answer in tests. */
const LET_THROUGH = /^(2\d\d|409|422|503 .*"The (carrier does not answer|mail was not taken))/;
