import { eq, sql } from "drizzle-orm";
import type { Db } from "./database.ts";
import { accounts, deployment, people, sessions, verifications } from "./schema.ts";

export type PersonRow = typeof people.$inferSelect;
/** Somebody who signs in with a password; the address is in lower case. */
export type NewPerson = { id: string; name: string; email: string; passwordHash: string };

/**
 * The statements that make a person who signs in with a password. Whoever gets here has proved
 * the address, or holds the deployment.
 */
export function newPerson(db: Db, person: NewPerson, now: number) {
  const { id, name, email, passwordHash } = person;
  const at = { createdAt: new Date(now), updatedAt: new Date(now) };
  return [
    db.insert(people).values({ id, name, email, emailVerified: true, ...at }),
    db.insert(accounts).values({
      id: crypto.randomUUID(),
      accountId: id,
      providerId: "credential",
      userId: id,
      password: passwordHash,
      ...at,
    }),
  ] as const;
}

export async function readPersonRow(db: Db, id: string): Promise<PersonRow | null> {
  const rows = await db.select().from(people).where(eq(people.id, id));
  return rows[0] ?? null;
}

export async function findPersonByEmail(db: Db, email: string): Promise<PersonRow | null> {
  const rows = await db.select().from(people).where(eq(people.email, email.toLowerCase()));
  return rows[0] ?? null;
}

/** Whose session this is, or null. */
export async function findPersonOfSession(db: Db, token: string): Promise<string | null> {
  const rows = await db
    .select({ person: sessions.userId })
    .from(sessions)
    .where(eq(sessions.token, token));
  return rows[0]?.person ?? null;
}

/** Who is between the password and the second factor, by the step's identifier. */
export async function findPersonOfStep(db: Db, identifier: string): Promise<string | null> {
  const rows = await db
    .select({ person: verifications.value })
    .from(verifications)
    .where(eq(verifications.identifier, identifier));
  return rows[0]?.person ?? null;
}

export async function isSetUp(db: Db): Promise<boolean> {
  const rows = await db.select({ id: deployment.id }).from(deployment);
  return rows.length > 0;
}

/** Closes `/setup` for good; its batch fails where it is closed, or where anybody is there. */
export function closeSetup(db: Db, now: number) {
  const setUpAt = sql<number>`CASE WHEN EXISTS (SELECT 1 FROM ${people}) THEN NULL ELSE ${now} END`;
  return db.insert(deployment).values({ id: 1, setUpAt });
}
