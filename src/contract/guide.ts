import { campaignOperations } from "./campaign.ts";
import type { Operation } from "./operation.ts";
import { taskOperations } from "./task.ts";

/** The same operation under a path of the guide's product (H39). */
function alias<const O extends Operation>(id: string, o: O, more = ""): O {
  const description = `Under the guide's path, with or without the last slash (H39).${more} ${o.description}`;
  return { ...o, id, tag: "Guide's paths", description };
}

const REALTIME = " The type falls to realtime.";

export const guideOperations = {
  "POST /routes/v1/tasks": alias("guidePushTask", taskOperations["POST /v1/tasks"]),
  "GET /routes/v1/tasks": alias("guideListTasks", taskOperations["GET /v1/tasks"]),
  "GET /routes/v1/tasks/{id}": alias("guideReadTask", taskOperations["GET /v1/tasks/{id}"]),
  "POST /routes/v1/campaigns": alias(
    "guideCreateCampaign",
    campaignOperations["POST /v1/campaigns"],
    REALTIME,
  ),
  "GET /routes/v1/campaigns": alias("guideListCampaigns", campaignOperations["GET /v1/campaigns"]),
  "GET /routes/v1/campaigns/{id}": alias(
    "guideReadCampaign",
    campaignOperations["GET /v1/campaigns/{id}"],
  ),
  "PATCH /routes/v1/campaigns/{id}": alias(
    "guideEditCampaign",
    campaignOperations["PATCH /v1/campaigns/{id}"],
  ),
};
