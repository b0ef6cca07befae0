import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { DatabaseSync } from "node:sqlite";
import * as promises from "./check.ts";
import { bookOf, notesOf, openD1, openObjects } from "./check.ts";
import type { Kept } from "./notes.ts";
import { RECEIVED } from "./world.ts";

/** What would be on disk had a promise been broken: each must be noticed, or its check proves nothing. */
export type Spoil = { promise: string; what: string; spoil: (folder: string) => void };

type Line = { id: string; call?: Record<string, unknown> };

const d1 =
  (statement: string) =>
  (folder: string): void =>
    change(openD1(folder, false), statement);

/** In the object of each workspace: every one of them is looked at. */
const object =
  (statement: string) =>
  (folder: string): void => {
    for (const one of openObjects(folder, false).values()) change(one, statement);
  };

const notes =
  (edit: (kept: Kept) => void) =>
  (folder: string): void => {
    const kept = JSON.parse(readFileSync(notesOf(folder), "utf8")) as Kept;
    edit(kept);
    writeFileSync(notesOf(folder), JSON.stringify(kept));
  };

const book =
  (edit: (lines: Line[]) => Line[]) =>
  (folder: string): void => {
    const text = readFileSync(bookOf(folder), "utf8");
    const lines = text.split("\n").flatMap((line) => {
      return line.startsWith("{") && line.endsWith("}") ? [JSON.parse(line) as Line] : [];
    });
    const edited = edit(lines).map((line) => `${JSON.stringify(line)}\n`);
    writeFileSync(bookOf(folder), edited.join(""));
  };

const ONE_ROW = "SELECT id FROM tasks WHERE import IS NOT NULL LIMIT 1";
/** A call of a plain number that ended as calls do. */
const PLAIN = "outcome IS NOT NULL AND carrier_call_id IS NOT NULL AND to_phone NOT LIKE '%00__'";
// The oldest: what is new may still be in the object, which goes before D1.
const DIALLED = `SELECT MIN(id) FROM calls WHERE concluded = 1 AND ${PLAIN}`;

type Heard = { id: string; status: number };

/** What the receiver has heard. */
const heard =
  (edit: (events: Heard[]) => Heard[]) =>
  (folder: string): void => {
    const path = join(folder, RECEIVED);
    const { ...paths } = JSON.parse(readFileSync(path, "utf8")) as Record<string, Heard[]>;
    for (const [name, events] of Object.entries(paths)) paths[name] = edit(events);
    writeFileSync(path, JSON.stringify(paths));
  };

export const SPOILS: readonly Spoil[] = [
  {
    promise: promises.TOLD,
    what: "an end was told to nobody",
    spoil: heard((events) => {
      const lost = events.find((one) => one.status < 300 && one.id.endsWith("-ended"))?.id;
      return events.filter((one) => one.id !== lost);
    }),
  },
  {
    promise: promises.UNTOLD,
    what: "a task is told that is not there",
    spoil: heard((events) => [...events, { id: "tsk_nobody_zzz-completed", status: 200 }]),
  },
  {
    promise: promises.KEPT,
    what: "a pushed task is gone",
    spoil: (folder) => {
      const kept = JSON.parse(readFileSync(notesOf(folder), "utf8")) as Kept;
      const pushes = kept.rounds.flatMap((round) => round.pushes);
      const tag = pushes.find((push) => push.ids.length > 0)?.tag ?? "";
      change(openD1(folder, false), `DELETE FROM tasks WHERE context ->> 'tag' = '${tag}'`);
    },
  },
  {
    promise: promises.ONCE,
    what: "a push became two tasks",
    spoil: d1(`INSERT INTO tasks SELECT * FROM (SELECT workspace, id + 1000000000 AS id, campaign,
      import, phone, context, settings, ended, held, attempts, last_outcome, due_at, external_id,
      created_at, ended_at, version, consent FROM tasks WHERE context ->> 'tag' IS NOT NULL LIMIT 1)`),
  },
  {
    promise: promises.ENDED,
    what: "tasks are left waiting in a campaign that goes on",
    spoil: (folder) => {
      object("DELETE FROM call")(folder);
      d1(`UPDATE tasks SET ended = NULL;
        UPDATE campaigns SET archived_at = NULL, completed_at = NULL`)(folder);
    },
  },
  {
    promise: promises.ROWS,
    what: "a row of an import is gone",
    spoil: d1(`DELETE FROM tasks WHERE id IN (${ONE_ROW})`),
  },
  {
    promise: promises.ROWS,
    what: "a row of an import is there twice",
    spoil: d1(`INSERT INTO tasks SELECT * FROM (SELECT workspace, id + 1000000000 AS id, campaign,
      import, phone, context, settings, ended, held, attempts, last_outcome, due_at, external_id,
      created_at, ended_at, version, consent FROM tasks WHERE import IS NOT NULL LIMIT 1)`),
  },
  {
    promise: promises.REJECTS,
    what: "a row is rejected with no reason to",
    spoil: d1(`INSERT INTO import_rejects SELECT id, 1000000000, 0,
      '[{"line":2,"reason":"too_long","cells":["?"]}]' FROM imports LIMIT 1`),
  },
  {
    promise: promises.REJECTS,
    what: "rejected rows are not named",
    spoil: d1("DELETE FROM import_rejects"),
  },
  {
    promise: promises.IMPORTS,
    what: "an import never ends",
    spoil: d1("UPDATE imports SET status = 'running' WHERE id = (SELECT MIN(id) FROM imports)"),
  },
  {
    promise: promises.IMPORTS,
    what: "parts are left behind",
    spoil: d1("INSERT INTO import_chunks SELECT id, 99, 1, '[]' FROM imports LIMIT 1"),
  },
  {
    promise: promises.DIALS_KNOWN,
    what: "a dial is unknown",
    spoil: d1(`DELETE FROM calls WHERE id = (${DIALLED})`),
  },
  {
    promise: promises.TWICE,
    what: "the carrier took a call twice",
    spoil: book((lines) => {
      const again = lines.find((line) => line.call !== undefined);
      if (again === undefined) return lines;
      return [...lines, { id: "again", call: { ...again.call, id: "again" } }];
    }),
  },
  {
    promise: promises.TWICE,
    what: "two calls were made for one attempt",
    spoil: d1(`UPDATE calls SET task = (SELECT task FROM calls o WHERE o.workspace = calls.workspace
        AND o.id < calls.id AND o.attempt = 1 AND ${PLAIN} ORDER BY o.id DESC LIMIT 1)
      WHERE id = (SELECT MAX(id) FROM calls WHERE attempt = 1 AND ${PLAIN})`),
  },
  {
    promise: promises.SLOTS,
    what: "more calls at once than slots",
    spoil: book((lines) =>
      lines.map((line) =>
        line.call === undefined ? line : { ...line, call: { ...line.call, endedAt: 9e12 } },
      ),
    ),
  },
  {
    promise: promises.LIMIT,
    what: "more calls at once than the campaign's limit",
    spoil: notes(({ rounds }) => {
      for (const { campaigns } of rounds) {
        for (const one of campaigns) one.limits = [{ slots: 0, from: 0, until: null }];
      }
    }),
  },
  {
    promise: promises.SHUT,
    what: "dialled while paused",
    spoil: notes(({ rounds }) => {
      for (const { campaigns } of rounds) {
        for (const { shut } of campaigns) shut.push({ from: 1, until: null, why: "paused" });
      }
    }),
  },
  {
    promise: promises.SHUT,
    what: "dialled after its task's end",
    spoil: notes(({ rounds }) => {
      for (const { pushes } of rounds) for (const push of pushes) push.endsAt = 1;
    }),
  },
  {
    promise: promises.ATTEMPTS,
    what: "an attempt is missing",
    spoil: d1(`UPDATE calls SET attempt = attempt + 1 WHERE id = (${DIALLED})`),
  },
  {
    promise: promises.ATTEMPTS,
    what: "more attempts than were allowed",
    spoil: notes(({ rounds }) => {
      for (const { campaigns, pushes } of rounds) {
        for (const one of [...campaigns, ...pushes]) one.attemptsMax = 0;
      }
    }),
  },
  {
    promise: promises.OUTCOMES,
    what: "another outcome than the carrier's",
    spoil: d1(
      "UPDATE calls SET outcome = CASE outcome WHEN 'no_answer' THEN 'busy' ELSE 'no_answer' END",
    ),
  },
  {
    promise: promises.COUNTERS,
    what: "a campaign counts one too many",
    spoil: d1(`UPDATE campaigns
      SET counters = json_set(counters, '$.attempts', (counters ->> 'attempts') + 1)`),
  },
  {
    promise: promises.EQUAL,
    what: "D1 missed a change of a campaign",
    spoil: object("UPDATE campaign SET epoch = epoch + 1"),
  },
  {
    promise: promises.EQUAL,
    what: "the object has news that D1 has not",
    spoil: object("INSERT INTO dirty (task) VALUES (1)"),
  },
  {
    promise: promises.EQUAL,
    what: "the object counts other tasks",
    spoil: object("UPDATE campaign SET tasks = tasks + 1"),
  },
];

function change(database: DatabaseSync, statement: string): void {
  database.exec(statement);
  database.close();
}
