import type { CallNews } from "../carriers/carrier.ts";
import { OUTCOMES } from "../core/outcome.ts";
import type { Statement } from "./outside.ts";

/** News of a call that has left the object, as they wait for D1. */
export type LateRow = {
  id: number;
  call: number | null;
  connection: string;
  carrierCallId: string | null;
  at: number;
  news: CallNews;
};

/**
 * Fills what D1 does not know of the call (H22), and enters what its outcome demands (H40). Of a
 * person who was erased nothing is taken any more.
 */
export function lateStatements(workspace: string, row: LateRow): Statement[] {
  const named = row.call === null ? "carrier_call_id" : "id";
  const which = `k.workspace = ?1 AND k.${named} = ?2 AND k.connection = ?3 AND k.to_phone <> ''`;
  const bind = [workspace, row.call ?? row.carrierCallId, row.connection];
  return [...fill(which, bind, row), ...texts(which, bind, row), ...suppress(which, bind, row)];
}

type Bind = Statement["bind"];

const FILLED = [
  "ringing_at",
  "answered_at",
  "talk_ms",
  "word",
  "callback_at",
  "cost_micros",
  "currency",
  "recording_url",
] as const;

/** Writes nothing when D1 knows it all: most of what comes late has come before. */
function fill(which: string, bind: Bind, { news }: LateRow): Statement[] {
  const known = [
    news.ringingAt,
    news.answeredAt,
    news.talkMs,
    news.word,
    news.callbackAt,
    news.costMicros,
    news.currency,
    news.recordingUrl,
  ];
  const at = (index: number) => `?${index + 4}`;
  const outcome = at(FILLED.length);
  const set = FILLED.map((name, index) => `${name} = COALESCE(${name}, ${at(index)})`);
  const news_ = FILLED.map((name, index) => `(k.${name} IS NULL AND ${at(index)} IS NOT NULL)`);
  const reports = `(k.reported IS NULL AND k.outcome <> ${outcome})`;
  const query = `UPDATE calls AS k SET ${set.join(", ")},
      reported = CASE WHEN k.outcome <> ${outcome} THEN COALESCE(k.reported, ${outcome}) ELSE k.reported END
    WHERE ${which} AND (${[...news_, reports].join(" OR ")})`;
  return [{ query, bind: [...bind, ...known, news.concluding ? news.outcome : null] }];
}

function texts(which: string, bind: Bind, { news }: LateRow): Statement[] {
  if (news.transcript === null && news.analysis === null) return [];
  const query = `INSERT INTO call_texts (workspace, call, transcript, analysis)
    SELECT k.workspace, k.id, ?4, ?5 FROM calls k WHERE ${which}
    ON CONFLICT (workspace, call) DO UPDATE SET
      transcript = COALESCE(call_texts.transcript, excluded.transcript),
      analysis = COALESCE(call_texts.analysis, excluded.analysis)
    WHERE (call_texts.transcript IS NULL AND excluded.transcript IS NOT NULL)
      OR (call_texts.analysis IS NULL AND excluded.analysis IS NOT NULL)`;
  const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
  return [{ query, bind: [...bind, json(news.transcript), json(news.analysis)] }];
}

/**
 * H40: an outcome of the agent's own that comes after its call has left still puts the number on
 * the list. D1 alone has the number: the entry gets a version, and the Dialer fetches its copy.
 */
function suppress(which: string, bind: Bind, { news, at }: LateRow): Statement[] {
  const { outcome } = news;
  if (outcome === null || OUTCOMES.some((known) => known === outcome)) return [];
  const named = `calls k JOIN agents a ON a.id = k.agent AND a.workspace = k.workspace, json_each(a.outcomes) o
    LEFT JOIN suppressions s ON s.workspace = k.workspace AND s.phone = k.to_phone
      AND s.deleted_at IS NULL AND s.expires_at IS NULL
    WHERE ${which} AND s.phone IS NULL
      AND o.value ->> 'name' = ?4 AND o.value ->> 'suppress'`;
  const raise = `UPDATE workspaces SET config_version = config_version + 1
    WHERE id = ?1 AND EXISTS (SELECT 1 FROM ${named})`;
  const enter = `INSERT INTO suppressions (workspace, phone, version, created_at, reason, source)
    SELECT ?1, k.to_phone, (SELECT config_version FROM workspaces WHERE id = ?1), ?5, ?4, 'outcome'
    FROM ${named}
    ON CONFLICT (workspace, phone) DO UPDATE SET version = excluded.version, deleted_at = NULL,
      expires_at = NULL, reason = excluded.reason, source = excluded.source`;
  return [
    { query: raise, bind: [...bind, outcome] },
    { query: enter, bind: [...bind, outcome, at] },
  ];
}
