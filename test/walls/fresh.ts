import type { WorkspaceId } from "../../src/core/ids.ts";
import { made, pausedCampaign } from "../support/workerd/workspace.ts";
import { type Ids, insertInvitation, join, type Lived, newcomer } from "./world.ts";

type Fresh = Record<string, (who: { person?: string }) => Promise<Ids>>;

/** What a request uses up is made for it, by its route; people leave `another` workspace. */
export function freshFor(ours: Lived, another: WorkspaceId): Fresh {
  const key = async () => {
    return { keys: await made(ours, "keys", { name: "Short-lived", scopes: ["tasks:write"] }) };
  };
  const campaign = async () => ({ campaigns: await pausedCampaign(ours) });
  const person = async () => ({ people: (await newcomer(ours.workspace)).id });
  return {
    "DELETE /v1/keys/{id}": key,
    "POST /v1/keys/{id}/roll": key,
    "DELETE /v1/suppressions/{phone}": async () => {
      const phone = "+919876518888";
      await ours.ask("POST /v1/suppressions", { body: { phone } });
      return { suppressions: phone };
    },
    "DELETE /v1/people/{id}": person,
    "PATCH /v1/people/{id}": person,
    "DELETE /v1/invitations/{id}": async () => ({
      invitations: await insertInvitation(ours.workspace),
    }),
    // He leaves the other workspace, into which he was taken for it.
    "DELETE /v1/me/workspaces/{id}": async ({ person = "" }) => {
      await join(another, { id: person, email: "" }, "viewer");
      return { workspaces: another };
    },
    "DELETE /v1/webhooks/{id}": async () => {
      const body = { name: "Short-lived", url: "https://crm.example.com/x" };
      return { webhooks: await made(ours, "webhooks", { ...body, events: ["campaign.paused"] }) };
    },
    "DELETE /v1/forms/{id}": async () => {
      const { campaigns = "" } = ours.ids;
      const body = { name: "Short-lived", campaign: campaigns, consentText: "You may call me." };
      return { forms: await made(ours, "forms", body) };
    },
    "POST /v1/campaigns/{id}/pause": campaign,
    "POST /v1/campaigns/{id}/resume": campaign,
    "POST /v1/campaigns/{id}/archive": campaign,
  };
}
