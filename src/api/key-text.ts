import { checkMac, mac } from "../carriers/secret.ts";
import { type KeyId, makeId, parseId, type WorkspaceId } from "../core/ids.ts";

const PURPOSE = "key";
/** Keys made before began with `od_`, and go on; `docs/security.md` has the expression for scanners. */
const SHAPE = /^(?:outdial|od)_([a-z0-9]{6,16})_([a-z0-9]{1,16})_([a-z0-9]{32})_([0-9a-f]{32})$/;
const CHECKED_MAX = 1000;

/** A key whose MAC is ours. Whether it still counts, the Dialer's copy or D1 knows. */
export type ShownKey = { workspace: WorkspaceId; key: KeyId; hash: string };

/** Keys that this isolate has checked already; a MAC never changes. */
const checked = new Map<string, ShownKey>();

/**
 * A new key: `outdial_<workspace>_<key>_<secret>_<mac>`. Scanners for leaked secrets spot it by its
 * beginning, it names its workspace, and its MAC by the deployment's secret lets forged keys die
 * without a look-up.
 */
export async function newKeyText(
  signingSecret: string,
  workspace: WorkspaceId,
): Promise<{ id: KeyId; text: string; prefix: string; hash: string }> {
  const local = randomText(10);
  const prefix = `outdial_${workspace.slice(3)}_${local}`;
  const head = `${prefix}_${randomText(32)}`;
  const text = `${head}_${await mac(signingSecret, PURPOSE, head)}`;
  return { id: makeId("key", workspace, local), text, prefix, hash: await sha256(text) };
}

/** The key in a request's text, or null when it is none of ours. */
export async function readKeyText(signingSecret: string, text: string): Promise<ShownKey | null> {
  const known = checked.get(text);
  if (known !== undefined) return known;
  const match = SHAPE.exec(text);
  if (match === null) return null;
  const id = parseId("key", `key_${match[1]}_${match[2]}`);
  const end = text.lastIndexOf("_");
  const good = await checkMac(signingSecret, PURPOSE, text.slice(0, end), text.slice(end + 1));
  if (id === null || !good) return null;
  const shown = { workspace: id.workspace, key: id.id, hash: await sha256(text) };
  if (checked.size >= CHECKED_MAX) checked.clear();
  checked.set(text, shown);
  return shown;
}

/** SHA-256 as hex. */
export async function sha256(data: string | Uint8Array<ArrayBuffer>): Promise<string> {
  const bytes = typeof data === "string" ? new TextEncoder().encode(data) : data;
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

const LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789";

/** Random letters and digits, each as likely. */
export function randomText(length: number): string {
  let text = "";
  while (text.length < length) {
    for (const byte of crypto.getRandomValues(new Uint8Array(length))) {
      // 252 is the largest multiple of 36 in a byte.
      if (byte < 252 && text.length < length) text += LETTERS[byte % LETTERS.length];
    }
  }
  return text;
}
