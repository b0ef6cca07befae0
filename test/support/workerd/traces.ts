import { env, runInDurableObject } from "cloudflare:test";

type Row = Record<string, unknown>;

/** All rows of D1 that name the workspace, and all of its object, each with its table. */
export async function rowsOfAll(workspace: string): Promise<string[]> {
  const local = workspace.slice(3);
  const lines: string[] = [];
  const tables = await env.DB.prepare(
    "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf*'",
  ).all<{ name: string }>();
  for (const { name } of tables.results) {
    const { results } = await env.DB.prepare(`SELECT * FROM ${name}`).all<Row>();
    const own = results.map((row) => JSON.stringify(row)).filter((row) => row.includes(local));
    lines.push(...own.map((row) => `D1 ${name} ${row}`));
  }
  const object = env.DIALER.get(env.DIALER.idFromName(workspace));
  const kept = await runInDurableObject(object, (_, { storage: { sql } }) =>
    sql
      .exec<{ name: string }>(
        "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT GLOB '_cf*'",
      )
      .toArray()
      .flatMap(({ name }) =>
        sql
          .exec(`SELECT * FROM ${name}`)
          .toArray()
          .map((row) => `object ${name} ${JSON.stringify(row)}`),
      ),
  );
  return [...lines, ...kept].sort();
}

/** Those in which one of these texts stands, whatever is between digits. */
export async function tracesOf(workspace: string, texts: readonly string[]): Promise<string[]> {
  const rows = await rowsOfAll(workspace);
  return rows.filter((row) => {
    const plain = row.replace(/(?<=\d)[ .()-]+(?=\d)/g, "");
    return texts.some((text) => row.includes(text) || plain.includes(text));
  });
}
