import { DatabaseSync } from "node:sqlite";
import type { Sql, SqlValue } from "../../../src/dialer/sql.ts";

/** SQLite in Node behind the Dialer's seam. */
export function openSql(
  file = ":memory:",
): Sql & { db: DatabaseSync; written: number; statements: number; bytes: number } {
  const db = new DatabaseSync(file);
  const prepared = new Map<string, ReturnType<DatabaseSync["prepare"]>>();
  const fits = (bind: SqlValue[]) => {
    // As the platform does; SQLite in Node takes more.
    const large = bind.some((value) => typeof value === "string" && Buffer.byteLength(value) > 2e6);
    if (large) throw new Error("SQLITE_TOOBIG: string or blob too big");
  };
  const statement = (query: string) => {
    const known = prepared.get(query);
    if (known !== undefined) return known;
    const made = db.prepare(query);
    prepared.set(query, made);
    return made;
  };
  const sql = {
    db,
    /** Rows written, and statements run, so far. */
    written: 0,
    statements: 0,
    /** What it claims to take. */
    bytes: 0,
    all: <Row>(query: string, ...bind: SqlValue[]) => {
      fits(bind);
      sql.statements += 1;
      return statement(query).all(...bind) as Row[];
    },
    run: (query: string, ...bind: SqlValue[]) => {
      fits(bind);
      sql.statements += 1;
      sql.written += Number(statement(query).run(...bind).changes);
    },
    transaction: <T>(work: () => T): T => {
      db.exec("BEGIN");
      try {
        const result = work();
        db.exec("COMMIT");
        return result;
      } catch (error) {
        db.exec("ROLLBACK");
        throw error;
      }
    },
    size: () => sql.bytes,
  };
  return sql;
}
