import { type FormId, parseId, type WorkspaceId } from "../core/ids.ts";
import { database } from "../db/database.ts";
import { type FormRow, readForm } from "../db/forms.ts";

const KEPT_MS = 10_000;
const KEPT_MAX = 1_000;

/** A form as pages meet it; its id names the workspace. */
export type OpenForm = FormRow & { id: FormId; workspace: WorkspaceId };
type Kept = { at: number; form: OpenForm | null };
const kept = new Map<string, Kept>();

/**
 * The form of this id, or null, kept in the isolate for ten seconds: a post then asks nobody but the
 * Dialer.
 */
export async function openForm(env: Env, text: string, now: number): Promise<OpenForm | null> {
  const parsed = parseId("frm", text);
  if (parsed === null) return null;
  const { id, workspace } = parsed;
  const known = kept.get(id);
  if (known !== undefined && now - known.at < KEPT_MS && now >= known.at) return known.form;
  const row = await readForm(database(env), workspace, id);
  const form = row === null ? null : { ...row, id, workspace };
  if (kept.size >= KEPT_MAX) kept.clear();
  kept.set(id, { at: now, form });
  return form;
}

/** After an edit: this isolate reads it anew. Others follow within ten seconds. */
export function forgetForm(id: string): void {
  kept.delete(id);
}
