import { Checkbox, Skeleton, Text } from "@mantine/core";
import { Link } from "@tanstack/react-router";
import { useNow } from "../clock.ts";
import type { Task } from "../things.ts";
import { relative } from "../times.ts";
import { outcomeLook, TASK_STATUS, waitingWords } from "../words.ts";
import { Sign } from "./signs.tsx";

/** When a task is called next, or why it waits (H41). */
export function nextWords(task: Task, zone: string, now: number): string {
  if (task.status === "running") return "call in progress";
  if (task.waiting !== null) return waitingWords(task.waiting, zone, now);
  if (task.status === "paused") return "paused by hand";
  if (task.status !== "queued")
    return task.endedAt === null ? "" : `ended ${relative(task.endedAt, now)}`;
  if (task.nextAttemptAt === null) return "waits for its import";
  return task.nextAttemptAt > now ? relative(task.nextAttemptAt, now) : "due";
}

export function shownPhone(task: { phone: string }): string {
  return task.phone === "" ? "erased" : task.phone;
}

type Props = {
  task: Task | undefined;
  campaign: string;
  zone: string;
  /** The context column that is shown. */
  column: string | null;
  open: boolean;
  chosen: boolean | null;
  choose: (chosen: boolean) => void;
};

export function TaskRow({ task, campaign, zone, column, open, chosen, choose }: Props) {
  const now = useNow();
  const select = chosen === null ? "no-select" : "";
  if (task === undefined) {
    return (
      <div className={`row task-row ${select}`} role="row">
        <div role="cell" style={{ gridColumn: "1 / -1" }}>
          <Skeleton height={18} />
        </div>
      </div>
    );
  }
  const value = column === null ? undefined : task.context[column];
  return (
    <div className={`row task-row ${select}`} role="row" aria-current={open}>
      {chosen !== null && (
        <div role="cell" className="above">
          <Checkbox
            size="xs"
            checked={chosen}
            onChange={({ currentTarget }) => choose(currentTarget.checked)}
            aria-label={`Choose ${shownPhone(task)}`}
          />
        </div>
      )}
      <div role="cell" className="cut numbers">
        <Link
          from="/campaigns/$campaign/tasks"
          to="/campaigns/$campaign/tasks/$task"
          params={{ campaign, task: task.id }}
          search={(old) => old}
          className="row-link"
          resetScroll={false}
        >
          {shownPhone(task)}
        </Link>
      </div>
      <div role="cell">
        <Sign look={TASK_STATUS[task.status]} />
      </div>
      <div role="cell" className="minor numbers quiet">
        {task.attempts} of {task.maxAttempts ?? "?"}
      </div>
      <div role="cell" className="minor cut">
        {task.lastOutcome === null ? (
          <Text span size="sm" className="quiet">
            –
          </Text>
        ) : (
          <Sign look={outcomeLook(task.lastOutcome)} />
        )}
      </div>
      <div role="cell" className="next cut quiet" title={nextWords(task, zone, now)}>
        {nextWords(task, zone, now)}
      </div>
      <div role="cell" className="minor cut">
        {value === undefined || value === null ? "" : String(value)}
      </div>
    </div>
  );
}
