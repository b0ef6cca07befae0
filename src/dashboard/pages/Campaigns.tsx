import {
  Button,
  CloseButton,
  Group,
  Menu,
  SegmentedControl,
  Select,
  Text,
  TextInput,
  Title,
} from "@mantine/core";
import { useHotkeys } from "@mantine/hooks";
import {
  IconArrowDown,
  IconBolt,
  IconFileSpreadsheet,
  IconPlus,
  IconSearch,
} from "@tabler/icons-react";
import { useInfiniteQuery, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useMemo, useRef } from "react";
import { CAMPAIGN_STATUSES } from "../../core/campaign.ts";
import * as queries from "../queries.ts";
import type { Campaign } from "../things.ts";
import { CampaignRow, reached } from "../ui/CampaignRow.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { total } from "../ui/progress.tsx";
import { Slots } from "../ui/Slots.tsx";
import { Broken, Empty, Loading } from "../ui/states.tsx";
import { CAMPAIGN_STATUS } from "../words.ts";
import { FirstSteps } from "./FirstSteps.tsx";
import { useRowKeys } from "./keys.ts";
import { useMay, useTitle } from "./session.tsx";
import { WebhookTrouble } from "./WebhookTrouble.tsx";

const route = getRouteApi("/frame/");

const shareDone = ({ counters }: Campaign) =>
  (counters.completed + counters.archived) / Math.max(1, total(counters));
const rate = ({ counters }: Campaign) =>
  counters.attempts === 0 ? -1 : reached(counters.outcomes) / counters.attempts;
const ORDERS = {
  created: (a: Campaign, b: Campaign) => b.createdAt - a.createdAt,
  name: (a: Campaign, b: Campaign) => a.name.localeCompare(b.name),
  progress: (a: Campaign, b: Campaign) => shareDone(a) - shareDone(b),
  rate: (a: Campaign, b: Campaign) => rate(b) - rate(a),
};
type Sort = keyof typeof ORDERS;

/** The start page: every campaign, what it does now, and what holds it up. */
export function Campaigns() {
  useTitle("Campaigns");
  const { type, status, sort = "created", q = "" } = route.useSearch();
  const navigate = route.useNavigate();
  const mayRun = useMay("run");
  const workspace = useQuery(queries.workspace());
  const list = useInfiniteQuery(queries.campaigns(type, status));
  const agents = useQuery(queries.agents());
  const search = useRef<HTMLInputElement>(null);
  useHotkeys([["/", () => search.current?.focus()]]);
  const rows = useRowKeys();

  const all = useMemo(() => list.data?.pages.flatMap(({ items }) => items) ?? [], [list.data]);
  const shown = useMemo(() => {
    const wanted = q.trim().toLowerCase();
    const found = all.filter(
      ({ name, id }) => name.toLowerCase().includes(wanted) || id === wanted,
    );
    return found.sort(ORDERS[sort]);
  }, [all, q, sort]);
  const names = new Map(agents.data?.items.map(({ id, name }) => [id, name]));
  const set = (
    change: Partial<{ type: typeof type; status: typeof status; sort: Sort; q: string }>,
  ) =>
    void navigate({
      search: (old) => clean({ ...old, ...change }),
      replace: true,
    });
  const filtered = type !== undefined || status !== undefined || q !== "";

  return (
    <>
      <Group justify="space-between" mb="md">
        <Title order={1} size="h2">
          Campaigns
        </Title>
        {mayRun && <NewCampaign />}
      </Group>
      {workspace.data !== undefined && (
        <Slots workspace={workspace.data} campaigns={all}>
          <WebhookTrouble />
        </Slots>
      )}
      <Group mb="md" gap="sm">
        <SegmentedControl
          aria-label="Type"
          value={type ?? "all"}
          onChange={(value) =>
            set({ type: value === "all" ? undefined : (value as Campaign["type"]) })
          }
          data={[
            { value: "all", label: "All" },
            { value: "batch", label: "Batch" },
            { value: "realtime", label: "Realtime" },
          ]}
        />
        <TextInput
          ref={search}
          aria-label="Search by name"
          placeholder="Search by name  /"
          leftSection={<IconSearch size={16} />}
          value={q}
          onChange={({ currentTarget }) => set({ q: currentTarget.value })}
          onKeyDown={({ key, currentTarget }) => key === "Escape" && currentTarget.blur()}
          rightSection={
            q === "" ? null : (
              <CloseButton size="sm" aria-label="Clear" onClick={() => set({ q: "" })} />
            )
          }
          style={{ flex: "1 1 180px", maxWidth: 320 }}
        />
        <Select
          aria-label="Status"
          placeholder="Any status"
          clearable
          w={160}
          value={status ?? null}
          onChange={(value) => set({ status: (value ?? undefined) as typeof status })}
          data={CAMPAIGN_STATUSES.map((value) => ({ value, label: CAMPAIGN_STATUS[value].label }))}
        />
      </Group>
      {list.data === undefined ? (
        list.error === null ? (
          <Loading rows={6} height={60} />
        ) : (
          <Broken error={list.error} again={() => void list.refetch()} />
        )
      ) : shown.length === 0 ? (
        filtered ? (
          <Empty title="No campaign is like that">
            <Button variant="default" onClick={() => void navigate({ search: {}, replace: true })}>
              Show all
            </Button>
          </Empty>
        ) : (
          <First mayRun={mayRun} />
        )
      ) : (
        <div className="list" role="table" aria-label="Campaigns" ref={rows}>
          <div className="list-head campaign-row wide" role="row" style={{ minHeight: 40 }}>
            <Head sort="name" now={sort} set={set}>
              Name
            </Head>
            <div role="columnheader">Status</div>
            <Head sort="progress" now={sort} set={set}>
              Progress
            </Head>
            <div role="columnheader">Agent</div>
            <Head sort="created" now={sort} set={set}>
              Created
            </Head>
            <Head sort="rate" now={sort} set={set}>
              Reached
            </Head>
          </div>
          {shown.map((campaign) => (
            <CampaignRow
              key={campaign.id}
              campaign={campaign}
              agent={campaign.agent === null ? null : (names.get(campaign.agent) ?? "…")}
            />
          ))}
        </div>
      )}
      {list.hasNextPage && (
        <Group justify="center" mt="md">
          <Text size="sm" className="quiet">
            The newest {all.length} are here.
          </Text>
          <Button
            variant="default"
            size="xs"
            loading={list.isFetchingNextPage}
            onClick={() => void list.fetchNextPage()}
          >
            Load older ones
          </Button>
        </Group>
      )}
    </>
  );
}

function clean<T extends Record<string, unknown>>(search: T): T {
  const set = Object.entries(search).filter(([, value]) => value !== undefined && value !== "");
  return Object.fromEntries(set) as T;
}

function Head(props: {
  sort: Sort;
  now: Sort;
  set: (change: { sort: Sort }) => void;
  children: string;
}) {
  const active = props.sort === props.now;
  return (
    <div role="columnheader" aria-sort={active ? "descending" : "none"}>
      <button type="button" className="head-button" onClick={() => props.set({ sort: props.sort })}>
        {props.children}
        {active && <IconArrowDown size={12} aria-hidden />}
      </button>
    </div>
  );
}

function NewCampaign() {
  return (
    <Menu position="bottom-end" width={260}>
      <Menu.Target>
        <Button leftSection={<IconPlus size={16} />}>New campaign</Button>
      </Menu.Target>
      <Menu.Dropdown>
        <Menu.Item
          leftSection={<IconFileSpreadsheet size={18} />}
          renderRoot={(props) => <Link to="/campaigns/new/batch" {...props} />}
        >
          Batch
          <Text size="xs" className="quiet">
            Call everybody on a list
          </Text>
        </Menu.Item>
        <Menu.Item
          leftSection={<IconBolt size={18} />}
          renderRoot={(props) => <Link to="/campaigns/new/realtime" {...props} />}
        >
          Realtime
          <Text size="xs" className="quiet">
            Your website pushes numbers one by one
          </Text>
        </Menu.Item>
      </Menu.Dropdown>
    </Menu>
  );
}

function First({ mayRun }: { mayRun: boolean }) {
  return (
    <Empty title="No campaigns yet">
      <Text className="quiet" ta="center" maw={480}>
        A batch campaign calls everybody on a list that you upload. A realtime campaign stays, and
        your website pushes numbers to it that ring a moment later.
      </Text>
      <FirstSteps />
      {mayRun ? (
        <Group justify="center">
          <ButtonLink to="/campaigns/new/batch">Upload a list</ButtonLink>
          <ButtonLink to="/campaigns/new/realtime" variant="default">
            Make a realtime campaign
          </ButtonLink>
        </Group>
      ) : (
        <Text className="quiet">Operators, admins and owners can make one.</Text>
      )}
    </Empty>
  );
}
