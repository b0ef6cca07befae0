import { Button, Checkbox, CloseButton, Group, Select, Text, TextInput } from "@mantine/core";
import { useHotkeys, useMediaQuery } from "@mantine/hooks";
import { notifications } from "@mantine/notifications";
import { IconSearch } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, Outlet, useParams } from "@tanstack/react-router";
import { useWindowVirtualizer } from "@tanstack/react-virtual";
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { OUTCOMES } from "../../core/outcome.ts";
import type { Move } from "../../core/status.ts";
import { TASK_STATUSES } from "../../core/task.ts";
import { call } from "../api.ts";
import { useWatch } from "../live.ts";
import * as queries from "../queries.ts";
import type { Campaign, TaskFilter } from "../things.ts";
import { ButtonLink } from "../ui/links.tsx";
import { total } from "../ui/progress.tsx";
import { Broken, Empty, Loading } from "../ui/states.tsx";
import { TaskRow } from "../ui/TaskRow.tsx";
import { count, counted, outcomeLook, TASK_STATUS } from "../words.ts";
import { useRowKeys } from "./keys.ts";
import { useMay } from "./session.tsx";
import { useTaskRows } from "./task-rows.ts";

const route = getRouteApi("/frame/campaigns/$campaign/tasks");

/** A campaign's tasks, filtered by what stands in the address. */
export function Tasks() {
  const { campaign: id } = route.useParams();
  const search = route.useSearch();
  const campaign = useQuery(queries.campaign(id));
  if (campaign.data === undefined) return null;
  return (
    <>
      <Filters campaign={campaign.data} />
      <Rows
        key={JSON.stringify([id, search.status, search.outcome, search.phone])}
        campaign={campaign.data}
      />
      <Outlet />
    </>
  );
}

function Filters({ campaign }: { campaign: Campaign }) {
  const { status, outcome, phone } = route.useSearch();
  const navigate = route.useNavigate();
  const field = useRef<HTMLInputElement>(null);
  const maySearch = useMay("see_personal");
  const [typed, setTyped] = useState(phone ?? "");
  useHotkeys([["/", () => field.current?.focus()]]);
  useEffect(() => setTyped(phone ?? ""), [phone]);
  const set = (change: Record<string, string | undefined>) =>
    void navigate({
      search: (old) => {
        const all = Object.entries({ ...old, ...change }).filter(
          ([, value]) => value !== undefined,
        );
        return Object.fromEntries(all);
      },
      replace: true,
      resetScroll: false,
    });
  const outcomes = [...new Set([...OUTCOMES, ...Object.keys(campaign.counters.outcomes)])];
  return (
    <Group gap="sm" mb="md">
      {maySearch && (
        <form
          style={{ flex: "1 1 200px", maxWidth: 300 }}
          onSubmit={(event) => {
            event.preventDefault();
            set({ phone: typed.trim() === "" ? undefined : typed.trim() });
          }}
        >
          <TextInput
            ref={field}
            aria-label="Search by number"
            placeholder="Whole number, with +  /"
            leftSection={<IconSearch size={16} />}
            value={typed}
            onChange={({ currentTarget }) => setTyped(currentTarget.value)}
            onKeyDown={({ key, currentTarget }) => key === "Escape" && currentTarget.blur()}
            rightSection={
              phone === undefined ? null : (
                <CloseButton
                  size="sm"
                  aria-label="Clear the search"
                  onClick={() => set({ phone: undefined })}
                />
              )
            }
          />
        </form>
      )}
      <Select
        aria-label="Status"
        placeholder="Any status"
        clearable
        w={150}
        value={status ?? null}
        onChange={(value) => set({ status: value ?? undefined })}
        data={TASK_STATUSES.map((value) => ({ value, label: TASK_STATUS[value].label }))}
      />
      <Select
        aria-label="Last outcome"
        placeholder="Any outcome"
        clearable
        w={170}
        value={outcome ?? null}
        onChange={(value) => set({ outcome: value ?? undefined })}
        data={outcomes.map((value) => ({ value, label: outcomeLook(value).label }))}
      />
    </Group>
  );
}

const HIGH = 44;
const HIGH_NARROW = 68;

function Rows({ campaign }: { campaign: Campaign }) {
  const { id, timezone, counters, type } = campaign;
  const search = route.useSearch();
  const open = useParams({ strict: false }).task;
  const mayRun = useMay("run");
  const narrow = useMediaQuery("(max-width: 47.99em)") ?? false;
  const [chosen, setChosen] = useState<ReadonlySet<string>>(new Set());
  const list = useRowKeys();
  const [top, setTop] = useState(0);
  const order = type === "realtime" ? { order: "newest" as const } : {};
  const filter: TaskFilter = { ...search, ...order };
  const rows = useTaskRows(id, filter);
  const filtered = Object.keys(search).length > 0;
  const expected = filtered ? rows.known : Math.max(rows.known, total(counters));
  const shown = rows.more ? Math.min(expected, rows.known + queries.PAGE) : rows.known;
  const virtual = useWindowVirtualizer({
    count: shown,
    estimateSize: () => (narrow ? HIGH_NARROW : HIGH),
    overscan: 12,
    scrollMargin: top,
  });
  const items = virtual.getVirtualItems();
  const from = items[0]?.index ?? 0;
  const to = items.at(-1)?.index ?? 0;
  // biome-ignore lint/correctness/useExhaustiveDependencies: a new length changes which pages rows are in
  useEffect(() => rows.look(from, to), [from, to, shown]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another size is measured anew
  useEffect(() => virtual.measure(), [narrow]);
  useLayoutEffect(() => {
    const box = list.current?.getBoundingClientRect();
    if (box !== undefined) setTop(box.top + window.scrollY);
  });

  const pageIds = items.flatMap(({ index }) => rows.taskAt(index)?.id ?? []);
  useWatch(null, pageIds);

  if (rows.first?.data === undefined) {
    const error = rows.first?.error ?? null;
    if (error === null) return <Loading rows={8} />;
    return <Broken error={error} again={() => void rows.first?.refetch()} />;
  }
  if (rows.known === 0) return <Nothing campaign={campaign} filtered={filtered} />;

  const column = Object.keys(rows.taskAt(0)?.context ?? {})[0] ?? null;
  const chosenIds = [...chosen];
  const allChosen = pageIds.length > 0 && pageIds.every((one) => chosen.has(one));
  const choose = (ids: string[], on: boolean) => {
    const next = new Set(chosen);
    for (const one of ids) on ? next.add(one) : next.delete(one);
    setChosen(next);
  };
  return (
    <>
      {chosen.size > 0 && <Bulk ids={chosenIds} clear={() => setChosen(new Set())} />}
      <div
        className="list"
        role="table"
        aria-label="Tasks"
        aria-rowcount={rows.more ? -1 : rows.known}
        ref={list}
      >
        <div
          className={`list-head task-row wide sticky ${mayRun ? "" : "no-select"}`}
          role="row"
          style={{ height: 40 }}
        >
          {mayRun && (
            <div role="columnheader">
              <Checkbox
                size="xs"
                checked={allChosen}
                indeterminate={!allChosen && chosen.size > 0}
                onChange={({ currentTarget }) => choose(pageIds, currentTarget.checked)}
                aria-label="Choose the tasks in view"
              />
            </div>
          )}
          {["Number", "Status", "Attempts", "Last outcome", "Next", column ?? ""].map((name) => (
            <div role="columnheader" key={name} className="cut">
              {name}
            </div>
          ))}
        </div>
        <div role="rowgroup" style={{ height: virtual.getTotalSize(), position: "relative" }}>
          {items.map(({ index, start, key }) => {
            const task = rows.taskAt(index);
            return (
              <div
                key={key}
                role="presentation"
                style={{
                  position: "absolute",
                  insetInline: 0,
                  top: 0,
                  transform: `translateY(${start - top}px)`,
                }}
              >
                <TaskRow
                  task={task}
                  campaign={id}
                  zone={timezone}
                  column={column}
                  open={task !== undefined && task.id === open}
                  chosen={mayRun ? task !== undefined && chosen.has(task.id) : null}
                  choose={(on) => task !== undefined && choose([task.id], on)}
                />
              </div>
            );
          })}
        </div>
      </div>
      <Text size="sm" mt="xs" className="quiet numbers" role="status">
        {filtered
          ? `${count(rows.known)}${rows.more ? " or more" : ""} like that`
          : counted(total(counters), "task")}
        {mayRun && !narrow && " · j and k go from row to row, Enter opens, / searches"}
      </Text>
    </>
  );
}

function Nothing({ campaign, filtered }: { campaign: Campaign; filtered: boolean }) {
  const navigate = route.useNavigate();
  const mayRun = useMay("run");
  if (filtered) {
    return (
      <Empty title="No task is like that">
        <Button variant="default" onClick={() => void navigate({ search: {}, replace: true })}>
          Show all tasks
        </Button>
      </Empty>
    );
  }
  const params = { campaign: campaign.id };
  const leads =
    campaign.type === "batch" ? (
      <ButtonLink to="/campaigns/$campaign/imports" params={params}>
        Import a list
      </ButtonLink>
    ) : (
      <ButtonLink to="/campaigns/$campaign/push" params={params}>
        How to push one
      </ButtonLink>
    );
  return <Empty title="No tasks yet">{mayRun && leads}</Empty>;
}

const PAST: Record<Move, string> = { pause: "paused", resume: "resumed", archive: "archived" };
const AT_ONCE = 6;

/** The chosen tasks, one request each, six at a time; what was refused is said. */
function Bulk({ ids, clear }: { ids: string[]; clear: () => void }) {
  const client = useQueryClient();
  const [sure, setSure] = useState(false);
  const move = useMutation({
    mutationFn: async (verb: Move) => {
      let done = 0;
      const refusals: string[] = [];
      const queue = [...ids];
      const work = async () => {
        for (let id = queue.shift(); id !== undefined; id = queue.shift()) {
          try {
            await call(`POST /v1/tasks/{id}/${verb}`, { params: { id } });
            done++;
          } catch (error) {
            refusals.push(error instanceof Error ? error.message : String(error));
          }
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      return { done, refusals };
    },
    onSuccess: ({ done, refusals }, verb) => {
      const why = [...new Set(refusals)].slice(0, 2).join(" ");
      notifications.show({
        color: refusals.length === 0 ? "teal" : "orange",
        title: `${counted(done, "task")} ${PAST[verb]}`,
        message: refusals.length === 0 ? "" : `${refusals.length} not: ${why}`,
      });
      void client.invalidateQueries();
      clear();
    },
  });
  return (
    <Group
      className="sticky"
      mb="sm"
      p="xs"
      gap="xs"
      style={{
        background: "var(--mantine-color-body)",
        border: "1px solid var(--outdial-line)",
        borderRadius: 8,
        zIndex: 6,
      }}
    >
      <Text size="sm" fw={600} px={6} className="numbers">
        {ids.length} chosen
      </Text>
      <Button
        size="xs"
        variant="default"
        loading={move.isPending}
        onClick={() => move.mutate("pause")}
      >
        Pause
      </Button>
      <Button
        size="xs"
        variant="default"
        loading={move.isPending}
        onClick={() => move.mutate("resume")}
      >
        Resume
      </Button>
      <Button
        size="xs"
        color="red"
        variant={sure ? "filled" : "default"}
        loading={move.isPending}
        onClick={() => (sure ? move.mutate("archive") : setSure(true))}
        onBlur={() => setSure(false)}
      >
        {sure ? `Archive ${ids.length} for good?` : "Archive"}
      </Button>
      <CloseButton size="sm" ml="auto" aria-label="Choose none" onClick={clear} />
    </Group>
  );
}
