import type { CallNews } from "../carriers/carrier.ts";
import { localKey } from "../core/ids.ts";
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
  state.changes.other();
  return true;
}

/** Every fact counts: a recording or a cost may come alone, long after the end. */
function saysNothing(news: CallNews): boolean {
  return Object.values(news).every((value) => value === null || value === false);
}
