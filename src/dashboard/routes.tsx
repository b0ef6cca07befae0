import type { QueryClient } from "@tanstack/react-query";
import {
  createRootRouteWithContext,
  createRoute,
  createRouter,
  lazyRouteComponent,
  redirect,
} from "@tanstack/react-router";
import { CAMPAIGN_STATUSES, CAMPAIGN_TYPES } from "../core/campaign.ts";
import { TASK_STATUSES } from "../core/task.ts";
import { Campaigns } from "./pages/Campaigns.tsx";
import { Frame } from "./pages/Frame.tsx";
import { Lost } from "./pages/Lost.tsx";
import { Broken } from "./ui/states.tsx";

export const CAMPAIGN_SORTS = ["created", "name", "progress", "rate"] as const;
export const DELIVERY_FILTERS = ["waiting", "failed"] as const;

type Search = Record<string, unknown>;
const text = (value: unknown): string | undefined =>
  value === undefined || value === "" || typeof value === "object" ? undefined : String(value);
function oneOf<T extends string>(values: readonly T[], value: unknown): T | undefined {
  return values.find((one) => one === value);
}
/** Only what is set stands in an address. */
function given<T extends Search>(search: T): Partial<T> {
  const set = Object.entries(search).filter(([, value]) => value !== undefined);
  return Object.fromEntries(set) as Partial<T>;
}

/** Filters of calls, and which one is open. */
const callSearch = (search: Search) => ({
  outcome: text(search.outcome),
  agent: text(search.agent),
  when: text(search.when),
  length: text(search.length),
  call: text(search.call),
});

const root = createRootRouteWithContext<{ client: QueryClient }>()({
  notFoundComponent: Lost,
  errorComponent: ({ error }) => (
    <Broken error={error instanceof Error ? error : new Error(String(error))} />
  ),
});

const signIn = createRoute({
  getParentRoute: () => root,
  path: "/sign-in",
  validateSearch: (search: Search) => given({ to: text(search.to), error: text(search.error) }),
  component: lazyRouteComponent(() => import("./pages/SignIn.tsx"), "SignIn"),
});
const forgot = createRoute({
  getParentRoute: () => root,
  path: "/forgot-password",
  component: lazyRouteComponent(() => import("./pages/Password.tsx"), "ForgotPassword"),
});
const reset = createRoute({
  getParentRoute: () => root,
  path: "/reset-password",
  component: lazyRouteComponent(() => import("./pages/Password.tsx"), "ResetPassword"),
});
const setup = createRoute({
  getParentRoute: () => root,
  path: "/setup",
  component: lazyRouteComponent(() => import("./pages/Setup.tsx"), "Setup"),
});
const invitation = createRoute({
  getParentRoute: () => root,
  path: "/invitations/$token",
  component: lazyRouteComponent(() => import("./pages/Invitation.tsx"), "Invitation"),
});

const frame = createRoute({ getParentRoute: () => root, id: "frame", component: Frame });
const campaigns = createRoute({
  getParentRoute: () => frame,
  path: "/",
  validateSearch: (search: Search) =>
    given({
      type: oneOf(CAMPAIGN_TYPES, search.type),
      status: oneOf(CAMPAIGN_STATUSES, search.status),
      sort: oneOf(CAMPAIGN_SORTS, search.sort),
      q: text(search.q),
    }),
  component: Campaigns,
});
const newBatch = createRoute({
  getParentRoute: () => frame,
  path: "/campaigns/new/batch",
  // A campaign that was made and waits for its start, with its first upload.
  validateSearch: (search: Search) =>
    given({ made: text(search.made), import: text(search.import) }),
  component: lazyRouteComponent(() => import("./pages/NewBatch.tsx"), "NewBatch"),
});
const newRealtime = createRoute({
  getParentRoute: () => frame,
  path: "/campaigns/new/realtime",
  component: lazyRouteComponent(() => import("./pages/NewRealtime.tsx"), "NewRealtime"),
});

const campaignPage = () => import("./pages/Campaign.tsx");
const campaign = createRoute({
  getParentRoute: () => frame,
  path: "/campaigns/$campaign",
  component: lazyRouteComponent(campaignPage, "Campaign"),
});
const campaignIndex = createRoute({
  getParentRoute: () => campaign,
  path: "/",
  beforeLoad: ({ params }) => {
    throw redirect({ to: "/campaigns/$campaign/tasks", params, replace: true });
  },
});
const tasks = createRoute({
  getParentRoute: () => campaign,
  path: "/tasks",
  validateSearch: (search: Search) =>
    given({
      status: oneOf(TASK_STATUSES, search.status),
      outcome: text(search.outcome),
      phone: text(search.phone),
    }),
  component: lazyRouteComponent(() => import("./pages/Tasks.tsx"), "Tasks"),
});
const task = createRoute({
  getParentRoute: () => tasks,
  path: "/$task",
  validateSearch: (search: Search) => given({ call: text(search.call), tab: text(search.tab) }),
  component: lazyRouteComponent(() => import("./pages/Task.tsx"), "Task"),
});
const callsOfCampaign = createRoute({
  getParentRoute: () => campaign,
  path: "/calls",
  validateSearch: (search: Search) => given(callSearch(search)),
  component: lazyRouteComponent(() => import("./pages/Calls.tsx"), "CallsOfCampaign"),
});
const imports = createRoute({
  getParentRoute: () => campaign,
  path: "/imports",
  component: lazyRouteComponent(() => import("./pages/Imports.tsx"), "Imports"),
});
const push = createRoute({
  getParentRoute: () => campaign,
  path: "/push",
  component: lazyRouteComponent(() => import("./pages/Push.tsx"), "Push"),
});
const overview = createRoute({
  getParentRoute: () => campaign,
  path: "/overview",
  component: lazyRouteComponent(() => import("./pages/Overview.tsx"), "Overview"),
});
const activity = createRoute({
  getParentRoute: () => campaign,
  path: "/activity",
  component: lazyRouteComponent(() => import("./pages/Activity.tsx"), "Activity"),
});
const settings = createRoute({
  getParentRoute: () => campaign,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/CampaignSettings.tsx"), "CampaignSettings"),
});
const calls = createRoute({
  getParentRoute: () => frame,
  path: "/calls",
  validateSearch: (search: Search) =>
    given({ campaign: text(search.campaign), ...callSearch(search) }),
  component: lazyRouteComponent(() => import("./pages/Calls.tsx"), "Calls"),
});

const settingsOf = createRoute({
  getParentRoute: () => frame,
  path: "/settings",
  component: lazyRouteComponent(() => import("./pages/Settings.tsx"), "Settings"),
});
const settingsIndex = createRoute({
  getParentRoute: () => settingsOf,
  path: "/",
  beforeLoad: () => {
    throw redirect({ to: "/settings/workspace", replace: true });
  },
});
const settingsWorkspace = createRoute({
  getParentRoute: () => settingsOf,
  path: "/workspace",
  component: lazyRouteComponent(() => import("./pages/SettingsWorkspace.tsx"), "SettingsWorkspace"),
});
/** `new`, or the id of what is open. */
const opened = (search: Search) => given({ open: text(search.open) });
const settingsAgents = createRoute({
  getParentRoute: () => settingsOf,
  path: "/agents",
  validateSearch: opened,
  component: lazyRouteComponent(() => import("./pages/SettingsAgents.tsx"), "SettingsAgents"),
});
const settingsNumbers = createRoute({
  getParentRoute: () => settingsOf,
  path: "/numbers",
  validateSearch: opened,
  component: lazyRouteComponent(() => import("./pages/SettingsNumbers.tsx"), "SettingsNumbers"),
});
const settingsConnections = createRoute({
  getParentRoute: () => settingsOf,
  path: "/connections",
  validateSearch: opened,
  component: lazyRouteComponent(
    () => import("./pages/SettingsConnections.tsx"),
    "SettingsConnections",
  ),
});
const settingsWebhooks = createRoute({
  getParentRoute: () => settingsOf,
  path: "/webhooks",
  validateSearch: opened,
  component: lazyRouteComponent(() => import("./pages/SettingsWebhooks.tsx"), "SettingsWebhooks"),
});
const settingsWebhook = createRoute({
  getParentRoute: () => settingsOf,
  path: "/webhooks/$webhook",
  validateSearch: (search: Search) => given({ status: oneOf(DELIVERY_FILTERS, search.status) }),
  component: lazyRouteComponent(() => import("./pages/SettingsWebhook.tsx"), "SettingsWebhook"),
});
const settingsAddresses = createRoute({
  getParentRoute: () => settingsOf,
  path: "/webhooks/addresses",
  validateSearch: (search: Search) =>
    given({ origin: text(search.origin), status: oneOf(DELIVERY_FILTERS, search.status) }),
  component: lazyRouteComponent(() => import("./pages/SettingsAddresses.tsx"), "SettingsAddresses"),
});
const settingsForms = createRoute({
  getParentRoute: () => settingsOf,
  path: "/forms",
  validateSearch: opened,
  component: lazyRouteComponent(() => import("./pages/SettingsForms.tsx"), "SettingsForms"),
});
const settingsDoNotCall = createRoute({
  getParentRoute: () => settingsOf,
  path: "/do-not-call",
  component: lazyRouteComponent(() => import("./pages/SettingsDoNotCall.tsx"), "SettingsDoNotCall"),
});
const settingsPeople = createRoute({
  getParentRoute: () => settingsOf,
  path: "/people",
  component: lazyRouteComponent(() => import("./pages/SettingsPeople.tsx"), "SettingsPeople"),
});
const settingsKeys = createRoute({
  getParentRoute: () => settingsOf,
  path: "/keys",
  component: lazyRouteComponent(() => import("./pages/SettingsKeys.tsx"), "SettingsKeys"),
});
const settingsAudit = createRoute({
  getParentRoute: () => settingsOf,
  path: "/audit",
  validateSearch: (search: Search) =>
    given({
      actor: text(search.actor),
      action: text(search.action),
      target: text(search.target),
    }),
  component: lazyRouteComponent(() => import("./pages/SettingsAudit.tsx"), "SettingsAudit"),
});
const account = createRoute({
  getParentRoute: () => frame,
  path: "/account",
  component: lazyRouteComponent(() => import("./pages/Account.tsx"), "Account"),
});

const tree = root.addChildren([
  signIn,
  forgot,
  reset,
  setup,
  invitation,
  frame.addChildren([
    campaigns,
    newBatch,
    newRealtime,
    campaign.addChildren([
      campaignIndex,
      tasks.addChildren([task]),
      callsOfCampaign,
      imports,
      push,
      overview,
      settings,
      activity,
    ]),
    calls,
    settingsOf.addChildren([
      settingsIndex,
      settingsWorkspace,
      settingsAgents,
      settingsNumbers,
      settingsConnections,
      settingsWebhooks,
      settingsWebhook,
      settingsAddresses,
      settingsForms,
      settingsDoNotCall,
      settingsPeople,
      settingsKeys,
      settingsAudit,
    ]),
    account,
  ]),
]);

/** Every page by its address. */
export function makeRouter(client: QueryClient) {
  return createRouter({
    routeTree: tree,
    context: { client },
    defaultPreload: "intent",
    scrollRestoration: true,
    defaultPendingMs: 300,
  });
}

declare module "@tanstack/react-router" {
  interface Register {
    router: ReturnType<typeof makeRouter>;
  }
}
