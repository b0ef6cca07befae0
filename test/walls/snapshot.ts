import { env, runInDurableObject } from "cloudflare:test";
import type { Lived } from "./world.ts";

/** What a request may touch though it is refused: when a session or a key was last seen. */
const TABLES_LEFT_OUT = /^(sessions|d1_|_cf|sqlite_)/;
const COLUMNS_LEFT_OUT = new Set(["last_used_at"]);

type Row = Record<string, unknown>;

/** Every row of D1 that has to do with a workspace, and every row of its Dialer. */
export async function snapshot({ workspace }: Lived): Promise<string[]> {
  const local = workspace.slice(3);
  const lines: string[] = [];
  const tables = await env.DB.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all<{
    name: string;
  }>();
  for (const { name } of tables.results) {
    if (TABLES_LEFT_OUT.test(name)) continue;
    const { results } = await env.DB.prepare(`SELECT * FROM ${name}`).all<Row>();
    const own = results.map(text).filter((line) => line.includes(local));
    lines.push(...own.map((line) => `D1 ${name} ${line}`));
  }
  const object = env.DIALER.get(env.DIALER.idFromName(workspace));
  const kept = await runInDurableObject(object, (_, state) => rowsOf(state.storage.sql));
  return [...lines, ...kept].sort();
}

function rowsOf(sql: SqlStorage): string[] {
  const names = sql
    .exec<{ name: string }>("SELECT name FROM sqlite_master WHERE type = 'table'")
    .toArray();
  return names
    .filter(({ name }) => !TABLES_LEFT_OUT.test(name))
    .flatMap(({ name }) =>
      sql
        .exec(`SELECT * FROM ${name}`)
        .toArray()
        .map((row) => `Dialer ${name} ${text(row)}`),
    );
}

function text(row: Row): string {
  return JSON.stringify(row, (key, value: unknown) =>
    COLUMNS_LEFT_OUT.has(key) ? undefined : value,
  );
}
