import type { CallId, ConnectionId } from "../core/ids.ts";
import { parseId } from "../core/ids.ts";
import { checkMac, mac } from "./secret.ts";

const PURPOSE = "report";

/**
 * Where reports of one call go: `<publicUrl>/reports/<connection>/<call>.<mac>`. The MAC covers
 * connection and call, so the address is a secret of this call alone.
 */
export async function reportUrl(
  publicUrl: string,
  signingSecret: string,
  connection: ConnectionId,
  call: CallId,
): Promise<string> {
  const tag = await mac(signingSecret, PURPOSE, `${connection}/${call}`);
  return `${publicUrl}/reports/${connection}/${call}.${tag}`;
}

/** The call that the last part of a report address names, or null when its MAC is not ours. */
export async function checkReportPath(
  signingSecret: string,
  connection: ConnectionId,
  part: string,
): Promise<CallId | null> {
  const dot = part.indexOf(".");
  if (dot < 0) return null;
  const call = parseId("cal", part.slice(0, dot));
  if (call === null) return null;
  const good = await checkMac(
    signingSecret,
    PURPOSE,
    `${connection}/${call.id}`,
    part.slice(dot + 1),
  );
  return good ? call.id : null;
}

/** `/reports/<connection>/<call>.<mac>`: the API lets no other reach an adapter. */
export function isCallAddress(url: string): boolean {
  return /^\/reports\/[^/]+\/[^/]+$/.test(new URL(url, "https://x.invalid").pathname);
}
