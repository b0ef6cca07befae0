import type { CallNews } from "../carriers/carrier.ts";
import { localKey } from "../core/ids.ts";
import { tellOfLateTexts } from "./call-events.ts";
import { findCall } from "./calls.ts";
import { hear } from "./news.ts";
import type { State } from "./state.ts";
import type { ReportItem } from "./verbs.ts";

/**
 * Takes reports (H36): news of a call that is here moves it on; what comes for one that has left
 * is kept until D1 has it. False for a report that no call of this workspace can be meant by.
 */
export function hearReport(state: State, item: ReportItem, now: number): boolean {
  const { connection, report } = item;
  const named = report.call === null ? null : localKey("cal", state.workspace, report.call);
  if (report.call !== null && named === null) return false;
  const id =
    named ??
    (report.carrierCallId === null
      ? null
      : state.ledger.byCarrierId(connection, report.carrierCallId));
  const here = id === null ? null : state.ledger.get(id);
  if (here !== null) {
    const call = findCall(state.sql, here.id);
    // One connection's carrier has no say in another's calls.
    if (call === null || call.connection !== connection) return false;
    hear(state, call, report.news, report.carrierCallId, now);
    return true;
  }
  if (named !== null && !state.wasGiven(named)) return false;
  // What a refusal means was decided while the call was here; it names no outcome (H21).
  const news = report.news.refusal === null ? report.news : { ...report.news, outcome: null };
  if (saysNothing(news)) return true;
  state.sql.run(
    "INSERT INTO late (call, connection, carrier_call_id, at, news) VALUES (?, ?, ?, ?, ?)",
    named,
    connection,
    report.carrierCallId,
    now,
    JSON.stringify(news),
  );
  const { carrierCallId } = report;
  tellOfLateTexts(state, { call: named, connection, carrierCallId }, news);
  if (named === null) state.unnamed.add(`${connection} ${report.carrierCallId}`);
  state.changes.other();
  return true;
}

/**
 * The carrier's id of a call is known now: what it reported under that id alone, before its answer
 * or while that was lost, is heard.
 */
export function hearUnnamed(state: State, id: number, now: number): void {
  if (state.unnamed.size === 0) return;
  const call = findCall(state.sql, id);
  if (call === null || call.carrierCallId === null) return;
  if (!state.unnamed.delete(`${call.connection} ${call.carrierCallId}`)) return;
  const which = "connection = ? AND carrier_call_id = ? AND call IS NULL";
  const rows = state.sql.all<{ news: string }>(
    `SELECT news FROM late WHERE ${which} ORDER BY id`,
    call.connection,
    call.carrierCallId,
  );
  state.sql.run(`DELETE FROM late WHERE ${which}`, call.connection, call.carrierCallId);
  for (const { news } of rows) {
    const before = findCall(state.sql, id);
    if (before !== null) hear(state, before, JSON.parse(news) as CallNews, null, now);
  }
}

/** Every fact counts: a recording or a cost may come alone, long after the end. */
function saysNothing(news: CallNews): boolean {
  return Object.values(news).every((value) => value === null || value === false);
}
