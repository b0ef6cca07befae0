import type { ReactNode } from "react";
import type { TaskStatus } from "../../core/task.ts";
import { barColor, count, PROGRESS_ORDER, TASK_STATUS } from "../words.ts";

export type Counts = Record<TaskStatus, number>;

export function total(counts: Counts): number {
  return PROGRESS_ORDER.reduce((sum, status) => sum + counts[status], 0);
}

/** Tasks by status as one bar; its text says the same. */
export function ProgressBar({ counts, height = 8 }: { counts: Counts; height?: number }) {
  const parts = PROGRESS_ORDER.filter((status) => counts[status] > 0);
  const text = parts
    .map((status) => `${count(counts[status])} ${TASK_STATUS[status].label.toLowerCase()}`)
    .join(", ");
  return (
    <div className="bar" style={{ height }} role="img" aria-label={text || "no tasks"} title={text}>
      {parts.map((status) => (
        <span key={status} style={{ flexGrow: counts[status], background: barColor(status) }} />
      ))}
    </div>
  );
}

/** What the colours of the bar stand for, with numbers; `link` makes each a way to its tasks. */
export function Legend(props: {
  counts: Counts;
  link: (status: TaskStatus, children: ReactNode) => ReactNode;
}) {
  return (
    <div className="legend numbers">
      {PROGRESS_ORDER.map((status) => (
        <span key={status}>
          {props.link(
            status,
            <>
              <span className="dot" style={{ background: barColor(status) }} />
              <strong>{count(props.counts[status])}</strong>{" "}
              <span className="quiet">{TASK_STATUS[status].label.toLowerCase()}</span>
            </>,
          )}
        </span>
      ))}
    </div>
  );
}
