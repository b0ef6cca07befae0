import { and, desc, eq, sql } from "drizzle-orm";
import type { ConnectionId, WorkspaceId } from "../core/ids.ts";
import type { Db } from "./database.ts";
import { unknownWords } from "./schema.ts";

/** Different words that are kept of one connection: a carrier that makes up a new one each time is cut off. */
const WORDS_MAX = 100;

export type UnknownWord = { word: string; count: number; lastAt: number };

/** Counts words that a connection's adapter has no meaning for, as often as they are reported. */
export async function countWords(
  db: Db,
  workspace: WorkspaceId,
  connection: ConnectionId,
  words: string[],
  now: number,
): Promise<void> {
  const kept = new Set((await readWords(db, workspace, connection)).map(({ word }) => word));
  for (const word of words) {
    if (!kept.has(word) && kept.size >= WORDS_MAX) continue;
    kept.add(word);
    const id = `${connection}/${word}`;
    await db
      .insert(unknownWords)
      .values({ workspace, id, connection, word, count: 1, lastAt: now })
      .onConflictDoUpdate({
        target: unknownWords.id,
        set: { count: sql`${unknownWords.count} + 1`, lastAt: now },
        setWhere: eq(unknownWords.workspace, workspace),
      });
  }
}

/** The words of a connection, the most frequent first. */
export async function readWords(
  db: Db,
  workspace: WorkspaceId,
  connection: string,
): Promise<UnknownWord[]> {
  return db
    .select({ word: unknownWords.word, count: unknownWords.count, lastAt: unknownWords.lastAt })
    .from(unknownWords)
    .where(of(workspace, connection))
    .orderBy(desc(unknownWords.count), unknownWords.word);
}

/** Nobody asks for the words of a connection that is gone. */
export function deleteWords(db: Db, workspace: WorkspaceId, connection: string) {
  return db.delete(unknownWords).where(of(workspace, connection));
}

function of(workspace: WorkspaceId, connection: string) {
  return and(eq(unknownWords.workspace, workspace), eq(unknownWords.connection, connection));
}
