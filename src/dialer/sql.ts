export type SqlValue = string | number | null;

/**
 * The seam to SQLite: the object's storage in production, `node:sqlite` in the simulation
 * and the benchmark. Synchronous; a transaction that throws leaves nothing behind.
 */
export type Sql = {
  all<Row>(query: string, ...bind: SqlValue[]): Row[];
  run(query: string, ...bind: SqlValue[]): void;
  transaction<T>(work: () => T): T;
  /** Bytes that the database takes. */
  size(): number;
};

/** The first row, or null. */
export function first<Row>(sql: Sql, query: string, ...bind: SqlValue[]): Row | null {
  return sql.all<Row>(query, ...bind)[0] ?? null;
}
