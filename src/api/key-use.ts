import type { KeyId, WorkspaceId } from "../core/ids.ts";
import { database } from "../db/database.ts";
import { noteKeyUse } from "../db/keys.ts";
import { logFault } from "../shell/faults.ts";
import type { Ctx } from "./context.ts";

const HOUR_MS = 3_600_000;
const NOTED_MAX = 10_000;

/** The hour in which this isolate last noted a key's use. */
const noted = new Map<KeyId, number>();

/** Notes that a key was used: one write an hour, after the reply; nobody waits for it. */
export function noteUse(c: Ctx, workspace: WorkspaceId, key: KeyId): void {
  const now = c.get("now");
  const hour = Math.floor(now / HOUR_MS);
  if (noted.get(key) === hour) return;
  if (noted.size >= NOTED_MAX) noted.clear();
  noted.set(key, hour);
  const written = noteKeyUse(database(c.env), workspace, key, now).catch((error: unknown) => {
    noted.delete(key);
    logFault("key use", error, { workspace });
  });
  c.executionCtx.waitUntil(written);
}
