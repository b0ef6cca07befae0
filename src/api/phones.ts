import type { NumberId, WorkspaceId } from "../core/ids.ts";
import { database } from "../db/database.ts";
import { phonesOf } from "../db/numbers.ts";
import { logFault } from "../shell/faults.ts";

const KEPT_MAX = 10_000;
/** E.164 by id: a number's phone never changes. */
const kept = new Map<NumberId, string>();

/**
 * E.164 of calling numbers by their id. While D1 is away, those this isolate has not seen are
 * missing: no reply waits for them.
 */
export async function phonesFor(
  env: Env,
  workspace: WorkspaceId,
  ids: (NumberId | null)[],
): Promise<Map<NumberId, string>> {
  const wanted = [...new Set(ids)].filter((id) => id !== null);
  const missing = wanted.filter((id) => !kept.has(id));
  if (missing.length > 0) {
    try {
      const found = await phonesOf(database(env), workspace, missing);
      if (kept.size + found.size > KEPT_MAX) kept.clear();
      for (const [id, phone] of found) kept.set(id, phone);
    } catch (error) {
      logFault("phones", error, { workspace });
    }
  }
  return new Map(wanted.flatMap((id) => (kept.has(id) ? [[id, kept.get(id) ?? ""]] : [])));
}
