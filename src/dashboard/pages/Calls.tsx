import { Button, Drawer, Group, Select, Text, Title } from "@mantine/core";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link, useNavigate, useSearch } from "@tanstack/react-router";
import { useState } from "react";
import { OUTCOMES } from "../../core/outcome.ts";
import * as queries from "../queries.ts";
import type { CallFilter, CallSummary } from "../things.ts";
import { length } from "../times.ts";
import { Sign, When } from "../ui/signs.tsx";
import { Broken, Empty, Loading } from "../ui/states.tsx";
import { CALL_STATUS, outcomeLook } from "../words.ts";
import { CallPanel } from "./CallPanel.tsx";
import { useRowKeys } from "./keys.ts";
import { useTitle } from "./session.tsx";

const ofCampaign = getRouteApi("/frame/campaigns/$campaign/calls");

/** All calls of the workspace, newest first. */
export function Calls() {
  useTitle("Calls");
  const workspace = useQuery(queries.workspace());
  const { campaign } = useSearch({ from: "/frame/calls" });
  const campaigns = useInfiniteQuery(queries.campaigns(undefined, undefined));
  const navigate = useNavigate();
  const items = campaigns.data?.pages.flatMap((page) => page.items) ?? [];
  const names = new Map(items.map(({ id, name }) => [id, name]));
  return (
    <>
      <Title order={1} size="h2" mb="md">
        Calls
      </Title>
      <List campaign={campaign} zone={workspace.data?.timezone ?? "UTC"} names={names}>
        <Select
          aria-label="Campaign"
          placeholder="Any campaign"
          clearable
          searchable
          w={220}
          value={campaign ?? null}
          onChange={(value) =>
            void navigate({
              to: "/calls",
              search: ({ campaign: _before, ...rest }) =>
                value === null ? rest : { ...rest, campaign: value },
              replace: true,
            })
          }
          data={items.map(({ id, name }) => ({ value: id, label: name }))}
        />
      </List>
    </>
  );
}

export function CallsOfCampaign() {
  const { campaign: id } = ofCampaign.useParams();
  const campaign = useQuery(queries.campaign(id));
  return <List campaign={id} zone={campaign.data?.timezone ?? "UTC"} names={null} />;
}

type ListProps = {
  campaign: string | undefined;
  zone: string;
  names: Map<string, string> | null;
  children?: React.ReactNode;
};

const DAY_MS = 24 * 3_600_000;
/** Spans of time, by what stands in the address. */
const WHEN: Record<string, { label: string; since: (now: number) => number }> = {
  hour: { label: "Last hour", since: (now) => now - DAY_MS / 24 },
  day: { label: "Last 24 hours", since: (now) => now - DAY_MS },
  week: { label: "Last 7 days", since: (now) => now - 7 * DAY_MS },
  month: { label: "Last 30 days", since: (now) => now - 30 * DAY_MS },
};
const LENGTHS: Record<string, { label: string; atLeastMs?: number; atMostMs?: number }> = {
  short: { label: "Up to 10 s", atMostMs: 10_000 },
  middle: { label: "10 s to 1 min", atLeastMs: 10_000, atMostMs: 60_000 },
  long: { label: "Over 1 min", atLeastMs: 60_000 },
};
type Search = {
  outcome?: string;
  agent?: string;
  when?: string;
  length?: string;
  call?: string;
};

/** What the API is asked for by an address. */
function filterOf(campaign: string | undefined, search: Search, now: number): CallFilter {
  const { outcome, agent, when = "", length: long = "" } = search;
  const { label: _label, ...lasted } = LENGTHS[long] ?? { label: "" };
  const since = WHEN[when]?.since(now);
  return {
    ...(campaign === undefined ? {} : { campaign }),
    ...(outcome === undefined ? {} : { outcome }),
    ...(agent === undefined ? {} : { agent }),
    ...(since === undefined ? {} : { since }),
    ...lasted,
  };
}

function List({ campaign, zone, names, children }: ListProps) {
  const search = useSearch({ strict: false }) as Search;
  const navigate = useNavigate();
  const { call: open } = search;
  const agents = useQuery(queries.agents());
  const [openedAt] = useState(() => Date.now());
  const filter = filterOf(campaign, search, openedAt);
  const filtered = Object.keys(filter).length > (campaign === undefined || names !== null ? 0 : 1);
  const calls = useInfiniteQuery(queries.calls(filter));
  const rows = useRowKeys();
  const set = (change: Record<string, string | undefined>) => {
    const all = Object.entries({ ...search, ...change }).filter(([, value]) => value !== undefined);
    void navigate({ to: ".", search: Object.fromEntries(all), replace: true, resetScroll: false });
  };
  const items = calls.data?.pages.flatMap((page) => page.items) ?? [];
  return (
    <>
      <Group gap="sm" mb="md">
        {children}
        <Choice
          label="Outcome"
          any="Any outcome"
          value={search.outcome}
          set={(outcome) => set({ outcome })}
          data={OUTCOMES.map((value) => ({ value, label: outcomeLook(value).label }))}
        />
        <Choice
          label="Agent"
          any="Any agent"
          value={search.agent}
          set={(agent) => set({ agent })}
          data={(agents.data?.items ?? []).map(({ id, name }) => ({ value: id, label: name }))}
        />
        <Choice
          label="Time"
          any="At any time"
          value={search.when}
          set={(when) => set({ when })}
          data={Object.entries(WHEN).map(([value, { label }]) => ({ value, label }))}
        />
        <Choice
          label="Time on the line"
          any="Any length"
          value={search.length}
          set={(long) => set({ length: long })}
          data={Object.entries(LENGTHS).map(([value, { label }]) => ({ value, label }))}
        />
      </Group>
      {calls.data === undefined ? (
        calls.error === null ? (
          <Loading rows={8} />
        ) : (
          <Broken error={calls.error} again={() => void calls.refetch()} />
        )
      ) : items.length === 0 ? (
        <Empty title={filtered ? "No call is like that" : "No calls yet"} />
      ) : (
        <div className="list" role="table" aria-label="Calls" ref={rows}>
          <div className="list-head call-row wide" role="row">
            {[
              "Number",
              "Started",
              "Attempt",
              "Outcome",
              "On the line",
              names === null ? "" : "Campaign",
            ].map((name) => (
              <div role="columnheader" key={name}>
                {name}
              </div>
            ))}
          </div>
          {items.map((one) => (
            <Row key={one.id} call={one} zone={zone} name={names?.get(one.campaign) ?? ""} />
          ))}
        </div>
      )}
      {calls.hasNextPage && (
        <Group justify="center" mt="md">
          <Button
            variant="default"
            size="xs"
            loading={calls.isFetchingNextPage}
            onClick={() => void calls.fetchNextPage()}
          >
            Load earlier ones
          </Button>
          <Text size="sm" className="quiet">
            {items.length} shown
          </Text>
        </Group>
      )}
      <Drawer
        opened={open !== undefined}
        onClose={() => set({ call: undefined })}
        position="right"
        size="lg"
        title="Call"
        closeButtonProps={{ "aria-label": "Close" }}
        transitionProps={{ duration: 120 }}
      >
        {open !== undefined && <CallPanel id={open} zone={zone} />}
      </Drawer>
    </>
  );
}

function Choice(props: {
  label: string;
  any: string;
  value: string | undefined;
  set: (value: string | undefined) => void;
  data: { value: string; label: string }[];
}) {
  const { label, any, value, set, data } = props;
  return (
    <Select
      aria-label={label}
      placeholder={any}
      clearable
      w={160}
      value={value ?? null}
      onChange={(next) => set(next ?? undefined)}
      data={data}
    />
  );
}

function Row({ call, zone, name }: { call: CallSummary; zone: string; name: string }) {
  return (
    <div className="row call-row" role="row">
      <div role="cell" className="cut numbers">
        <Link
          to="."
          search={(old: Record<string, unknown>) => ({ ...old, call: call.id })}
          className="row-link"
          resetScroll={false}
        >
          {call.to === "" ? "erased" : call.to}
        </Link>
      </div>
      <div role="cell" className="quiet cut">
        <When at={call.startedAt} zone={zone} />
      </div>
      <div role="cell" className="minor numbers">
        {call.attempt}
      </div>
      <div role="cell" className="cut">
        <Sign look={call.outcome === null ? CALL_STATUS[call.status] : outcomeLook(call.outcome)} />
      </div>
      <div role="cell" className="minor numbers">
        {call.durationMs === null ? "–" : length(call.durationMs)}
      </div>
      <div role="cell" className="minor cut quiet">
        {name}
      </div>
    </div>
  );
}
