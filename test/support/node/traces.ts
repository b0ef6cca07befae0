import type { World } from "./world.ts";

/** Rows of the object, and of D1, in which one of these texts stands, whatever is between digits. */
export function tracesOf(world: World, texts: readonly string[]): string[] {
  const here = world.tables().map((name) => ({ where: `object ${name}`, name, rows: rowsHere }));
  const tables = world.stored("SELECT name FROM sqlite_master WHERE type = 'table'");
  const there = tables.map(({ name }) => {
    return { where: `D1 ${name}`, name: String(name), rows: rowsThere };
  });
  return [...here, ...there].flatMap(({ where, name, rows }) =>
    rows(world, name)
      .map((row) => JSON.stringify(row))
      .filter((row) => texts.some((text) => row.includes(text) || plain(row).includes(text)))
      .map((row) => `${where} ${row}`),
  );
}

const rowsHere = (world: World, name: string) => world.sql.all<object>(`SELECT * FROM "${name}"`);
const rowsThere = (world: World, name: string) => world.stored(`SELECT * FROM "${name}"`);

/** Without the signs that people put between digits. */
function plain(text: string): string {
  return text.replace(/(?<=\d)[ .()-]+(?=\d)/g, "");
}
