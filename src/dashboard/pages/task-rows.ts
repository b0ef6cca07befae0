import { useQueries, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useState } from "react";
import { type CampaignId, parseId } from "../../core/ids.ts";
import * as queries from "../queries.ts";
import type { Task, TaskFilter } from "../things.ts";

/** One page that was read: where it starts, its last task once there is a page after it, its length. */
type Span = { cursor: string | null; last: number | null; rows: number };

/** A task's number in its workspace, by which lists are ordered. */
function keyOf(task: Task): number {
  return Number.parseInt(parseId("tsk", task.id)?.local ?? "0", 36);
}

/**
 * The tasks of a campaign as one long list. Pages are read as they come into view, and only those in
 * view are asked for again: a hundred thousand rows cost no more than what one sees. A page ends
 * where the next one starts, so that no task stands in two when the filter lets some go.
 */
export function useTaskRows(campaign: CampaignId | string, filter: TaskFilter) {
  const client = useQueryClient();
  const [spans, setSpans] = useState<Span[]>([{ cursor: null, last: null, rows: 0 }]);
  const [view, setView] = useState({ from: 0, to: 0 });
  const newestFirst = filter.order === "newest";

  const looked = useMemo(() => {
    const pages: number[] = [];
    for (let page = view.from; page <= view.to && page < spans.length; page++) pages.push(page);
    return pages;
  }, [view, spans.length]);
  const pageOf = (index: number) =>
    queries.taskPage(campaign, filter, spans[index]?.cursor ?? null);
  const results = useQueries({ queries: looked.map(pageOf) });

  const within = (items: Task[], { last }: Span) =>
    last === null
      ? items
      : items.filter((one) => (newestFirst ? keyOf(one) >= last : keyOf(one) <= last));

  const stamp = results.map(({ dataUpdatedAt }) => dataUpdatedAt).join(" ");
  // biome-ignore lint/correctness/useExhaustiveDependencies: `stamp` tells when any page has changed
  useEffect(() => {
    setSpans((before) => {
      const after = [...before];
      for (const [at, index] of looked.entries()) {
        const data = results[at]?.data;
        const span = after[index];
        if (data === undefined || span === undefined) continue;
        const rows = within(data.items, span).length;
        const isLast = index === after.length - 1;
        const lastRow = data.items.at(-1);
        if (isLast && data.nextCursor !== null && lastRow !== undefined) {
          after[index] = { ...span, rows, last: keyOf(lastRow) };
          after.push({ cursor: data.nextCursor, last: null, rows: 0 });
        } else if (rows !== span.rows) {
          after[index] = { ...span, rows };
        }
      }
      const same = after.length === before.length && after.every((span, i) => span === before[i]);
      return same ? before : after;
    });
  }, [stamp, looked]);

  const starts = useMemo(() => {
    let row = 0;
    return spans.map(({ rows }) => {
      const start = row;
      row += rows;
      return start;
    });
  }, [spans]);
  const known = (starts.at(-1) ?? 0) + (spans.at(-1)?.rows ?? 0);
  const placeOf = (row: number) => {
    let page = starts.length - 1;
    while (page > 0 && (starts[page] ?? 0) > row) page--;
    return { page, index: row - (starts[page] ?? 0) };
  };

  return {
    /** Rows that are known to be there. */
    known,
    /** Whether there may be more behind them. */
    more: spans.length > 1 && spans.at(-1)?.rows === 0,
    first: results[0],
    taskAt(row: number): Task | undefined {
      const { page, index } = placeOf(row);
      const span = spans[page];
      const data = client.getQueryData(pageOf(page).queryKey);
      return span === undefined || data === undefined ? undefined : within(data.items, span)[index];
    },
    /** Says which rows are in view. */
    look(from: number, to: number): void {
      const next = { from: placeOf(from).page, to: placeOf(to + 1).page };
      setView((now) => (now.from === next.from && now.to === next.to ? now : next));
    },
  };
}
