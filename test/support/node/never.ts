/** Each query finds what must not be; `live` campaigns are those whose tasks can still be dialled. */
export const NEVER: Record<string, string> = {
  "counters equal the rows": `
    SELECT c.id, c.tasks, c.held, c.completed, c.archived, n.* FROM campaign c JOIN (
      SELECT c.id AS campaign,
        (SELECT COUNT(*) FROM waiting w JOIN lane l ON l.id = w.lane
          WHERE l.campaign = c.id AND l.pause IS NOT c.epoch) AS rows_waiting,
        (SELECT COUNT(*) FROM waiting w JOIN lane l ON l.id = w.lane
          WHERE l.campaign = c.id AND l.pause IS c.epoch) AS rows_held,
        (SELECT COUNT(*) FROM call k WHERE k.campaign = c.id AND k.state <> 'concluded') AS calls
      FROM campaign c) n ON n.campaign = c.id
    WHERE c.archived_at IS NULL AND c.completed_at IS NULL AND (c.held <> n.rows_held
      OR c.tasks - c.held - c.completed - c.archived <> n.rows_waiting + n.calls)`,
  "who waits has a task that says so": `
    SELECT w.* FROM waiting w LEFT JOIN task t ON t.id = w.task
    WHERE t.id IS NULL OR t.ended IS NOT NULL OR t.lane <> w.lane OR t.at <> w.at
      OR t.tiebreak <> w.tiebreak`,
  "a lane is of its tasks' campaign, and held when they are": `
    SELECT w.task, l.campaign, l.pause, t.held FROM waiting w JOIN task t ON t.id = w.task
      LEFT JOIN lane l ON l.id = w.lane LEFT JOIN campaign c ON c.id = t.campaign
    WHERE l.campaign IS NOT t.campaign
      OR (c.archived_at IS NULL AND c.completed_at IS NULL
        AND (l.pause IS c.epoch) <> (t.held IS c.epoch))`,
  "a task waits in at most one lane": `
    SELECT task, COUNT(*) FROM waiting GROUP BY task HAVING COUNT(*) > 1`,
  "a task has at most one open call, and does not wait meanwhile": `
    SELECT task, COUNT(*) FROM call WHERE state <> 'concluded' GROUP BY task
    HAVING COUNT(*) > 1 OR task IN (SELECT task FROM waiting)`,
  "a task waits, is called or is over": `
    SELECT t.id, t.ended, t.waits, t.called, t.decided FROM (SELECT t.id, t.ended,
        EXISTS (SELECT 1 FROM waiting w WHERE w.task = t.id) AS waits,
        EXISTS (SELECT 1 FROM call k WHERE k.task = t.id AND k.state <> 'concluded') AS called,
        EXISTS (SELECT 1 FROM call k WHERE k.task = t.id
          AND k.verdict IN ('completed', 'archived')) AS decided FROM task t) t
    WHERE t.waits + t.called + (t.decided OR t.ended IS NOT NULL) <> 1`,
  "a call has its task and its place among the attempts": `
    SELECT k.id, k.attempt, t.attempts FROM call k LEFT JOIN task t ON t.id = k.task
    WHERE t.id IS NULL OR (k.state <> 'concluded' AND k.attempt <> t.attempts + 1)
      OR (k.verdict = 'retry' AND k.attempt > t.attempts)`,
  "something moves every open call on": `
    SELECT id, state, check_at, conclude_by FROM call
    WHERE (state IN ('placing', 'placed', 'unknown') AND (check_at IS NULL OR ended_at IS NOT NULL))
      OR (state = 'ended' AND conclude_by IS NULL)
      OR (state = 'concluded') <> (verdict IS NOT NULL AND decided_at IS NOT NULL)`,
  // Rows of an import bring a completed batch back, its opening does not yet.
  "a batch completes when nothing of it is open, and only then": `
    SELECT c.* FROM campaign c WHERE c.type = 'batch' AND c.archived_at IS NULL AND c.expired = 0
      AND CASE WHEN c.completed_at IS NULL
        THEN c.tasks = c.completed + c.archived AND c.tasks > 0
          AND NOT EXISTS (SELECT 1 FROM import i WHERE i.campaign = c.id AND i.open = 1)
        ELSE c.tasks > c.completed + c.archived OR c.tasks = 0 END`,
};
