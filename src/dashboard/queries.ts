import { infiniteQueryOptions, keepPreviousData, queryOptions } from "@tanstack/react-query";
import type { Route } from "../contract/operations.ts";
import type { ParamsOf, QueryOf, ReplyOf } from "../contract/wire.ts";
import { ApiError, type Ask, authRead, call, chosenWorkspace } from "./api.ts";
import { liveState } from "./live.ts";
import { freshCampaign, freshTask } from "./patches.ts";
import type { CallFilter, Campaign, SignedIn, TaskFilter } from "./things.ts";

/**
 * How often what is looked at is asked for again while the live socket is away, ms: the one place
 * that decides it. Nothing is asked for while nobody looks at the page.
 */
const EVERY_MS = {
  workspace: 2_000,
  campaigns: 2_000,
  campaign: 1_000,
  tasks: 1_500,
  task: 1_500,
  call: 1_500,
  calls: 2_500,
  import: 700,
  overview: 5_000,
} as const;

/** The same while the socket tells what changes: what it does not tell is read now and then, ms. */
const CALM_MS = 15_000;

function every(noun: keyof typeof EVERY_MS): () => number {
  return () => (liveState() === "live" ? CALM_MS : EVERY_MS[noun]);
}

/** How long what people set up counts as fresh, ms. */
const SET_UP_MS = 60_000;

/** One page of these, as the API gives them at most. */
export const PAGE = 200;

/** Whether asking again may help: what was refused stays so. */
export function mayRetry(failures: number, error: Error): boolean {
  return failures < 3 && !(error instanceof ApiError && error.status < 500);
}

/** One reply of the API under a key that names workspace, route and question. */
function read<R extends Route>(route: R, ask: Ask<R>) {
  return queryOptions({
    queryKey: [chosenWorkspace(), route, ask.params ?? null, ask.query ?? null],
    queryFn: ({ signal }) => call(route, ask, signal),
  });
}

export const me = () =>
  queryOptions({ ...read("GET /v1/me", {}), queryKey: ["me"], staleTime: SET_UP_MS });

export const setup = () => queryOptions({ ...read("GET /setup", {}), queryKey: ["setup"] });

export const invitation = (token: string) =>
  read("GET /invitations/{token}", { params: { token } });

export const workspace = () =>
  queryOptions({ ...read("GET /v1/workspace", {}), refetchInterval: every("workspace") });

export const campaigns = (
  type: Campaign["type"] | undefined,
  status: Campaign["status"] | undefined,
) =>
  infiniteQueryOptions({
    queryKey: [chosenWorkspace(), "GET /v1/campaigns", type ?? null, status ?? null],
    queryFn: async ({ pageParam, signal }) => {
      const cursor = pageParam ?? undefined;
      const query = { limit: PAGE, type, status, cursor };
      const page = await call("GET /v1/campaigns", { query }, signal);
      return { ...page, items: page.items.map(freshCampaign) };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    refetchInterval: every("campaigns"),
    placeholderData: keepPreviousData,
  });

export const campaign = (id: string) =>
  queryOptions({
    ...read("GET /v1/campaigns/{id}", { params: { id } }),
    refetchInterval: every("campaign"),
  });

/** Asked for seldom, live or not: each reads the campaign's calls. */
export const overview = (id: string) =>
  queryOptions({
    ...read("GET /v1/campaigns/{id}/overview", { params: { id } }),
    refetchInterval: EVERY_MS.overview,
  });

/** One page of a campaign's tasks, while it is looked at. */
export const taskPage = (id: string, filter: TaskFilter, cursor: string | null) => {
  const route = "GET /v1/campaigns/{id}/tasks";
  const query = { ...filter, limit: PAGE, ...(cursor === null ? {} : { cursor }) };
  return queryOptions({
    queryKey: [chosenWorkspace(), route, { id }, query],
    queryFn: async ({ signal }) => {
      const page = await call(route, { params: { id }, query }, signal);
      return { ...page, items: page.items.map(freshTask) };
    },
    refetchInterval: every("tasks"),
  });
};

export const task = (id: string) =>
  queryOptions({
    ...read("GET /v1/tasks/{id}", { params: { id } }),
    refetchInterval: every("task"),
  });

export const callsOfTask = (id: string) =>
  queryOptions({
    ...read("GET /v1/tasks/{id}/calls", { params: { id } }),
    refetchInterval: every("task"),
  });

/** A call is asked for until it has ended and its analysis had time to come. */
export const wholeCall = (id: string) =>
  queryOptions({
    ...read("GET /v1/calls/{id}", { params: { id } }),
    refetchInterval: ({ state: { data } }) =>
      data !== undefined && data.outcome !== null && data.analysis !== null
        ? false
        : every("call")(),
  });

export const calls = (filter: CallFilter) =>
  infiniteQueryOptions({
    queryKey: [chosenWorkspace(), "GET /v1/calls", filter],
    queryFn: ({ pageParam, signal }) => {
      const cursor = pageParam === null ? {} : { cursor: pageParam };
      return call("GET /v1/calls", { query: { ...filter, limit: 50, ...cursor } }, signal);
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    // Further pages are history: only whoever looks at the newest sees them move.
    refetchInterval: ({ state: { data } }) =>
      (data?.pages.length ?? 1) > 1 ? false : every("calls")(),
  });

export const imports = (id: string) =>
  queryOptions({
    ...read("GET /v1/campaigns/{id}/imports", { params: { id }, query: { limit: PAGE } }),
    refetchInterval: ({ state: { data } }) =>
      data?.items.some(({ status }) => status === "running") ? EVERY_MS.import : every("calls")(),
  });

export const oneImport = (id: string, importId: string) =>
  queryOptions({
    ...read("GET /v1/campaigns/{id}/imports/{importId}", { params: { id, importId } }),
    refetchInterval: ({ state: { data } }) =>
      data === undefined || data.status === "running" ? EVERY_MS.import : false,
  });

export const agents = () =>
  queryOptions({ ...read("GET /v1/agents", { query: { limit: PAGE } }), staleTime: SET_UP_MS });

export const numbers = () =>
  queryOptions({ ...read("GET /v1/numbers", { query: { limit: PAGE } }), staleTime: SET_UP_MS });

/** Routes that answer with a page of a whole list. */
export type ListRoute = {
  [R in Route]: ReplyOf<R> extends { items: unknown[]; nextCursor: string | null }
    ? ParamsOf<R> extends null
      ? R
      : never
    : never;
}[Route];
export type ItemOf<R extends ListRoute> = ReplyOf<R> extends { items: (infer I)[] } ? I : never;
export type FilterOf<R extends ListRoute> = Omit<NonNullable<QueryOf<R>>, "limit" | "cursor">;

/** Lists that change by themselves and that no message tells of: asked for while they are looked at, ms. */
const LIST_EVERY_MS: Partial<Record<Route, number>> = {
  "GET /v1/webhooks": 10_000,
  "GET /v1/callbacks": 10_000,
  "GET /v1/deliveries": 2_500,
};
/** Lists whose rows are large or many. */
const SHORT_PAGES: readonly Route[] = ["GET /v1/audit", "GET /v1/deliveries"];

/** A list, page by page, as far down as somebody went. */
export function list<R extends ListRoute>(route: R, filter: FilterOf<R>) {
  return infiniteQueryOptions({
    queryKey: [chosenWorkspace(), route, "list", filter],
    queryFn: async ({ pageParam, signal }) => {
      const cursor = pageParam === null ? {} : { cursor: pageParam };
      // Every route of these takes both beside its own filter.
      const limit = SHORT_PAGES.includes(route) ? 50 : PAGE;
      const ask = { query: { ...filter, limit, ...cursor } } as unknown as Ask<R>;
      const page = await call(route, ask, signal);
      return page as unknown as { items: ItemOf<R>[]; nextCursor: string | null };
    },
    initialPageParam: null as string | null,
    getNextPageParam: (page) => page.nextCursor,
    refetchInterval: ({ state: { data } }) =>
      (data?.pages.length ?? 1) > 1 ? false : (LIST_EVERY_MS[route] ?? false),
    placeholderData: keepPreviousData,
  });
}

export const webhook = (id: string) =>
  queryOptions({
    ...read("GET /v1/webhooks/{id}", { params: { id } }),
    refetchInterval: LIST_EVERY_MS["GET /v1/deliveries"] ?? false,
  });

export const connections = () =>
  queryOptions({
    ...read("GET /v1/connections", { query: { limit: PAGE } }),
    staleTime: SET_UP_MS,
  });

export const templates = () =>
  queryOptions({ ...read("GET /v1/templates", {}), staleTime: SET_UP_MS });

/** Where and on what somebody is signed in. */
export const sessions = () =>
  queryOptions({
    queryKey: ["sessions"],
    queryFn: async () => {
      const [all, here] = await Promise.all([
        authRead<SignedIn[]>("/list-sessions"),
        authRead<{ session: Pick<SignedIn, "token"> } | null>("/get-session"),
      ]);
      return all.map((one) => ({ ...one, isHere: one.token === here?.session.token }));
    },
  });
