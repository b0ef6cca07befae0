import { agentOperations } from "./agent.ts";
import { auditOperations } from "./audit.ts";
import { callOperations } from "./call.ts";
import { campaignOperations } from "./campaign.ts";
import { connectionOperations } from "./connection.ts";
import { deploymentOperations } from "./deployment.ts";
import { erasureOperations } from "./erasure.ts";
import { formOperations } from "./form.ts";
import { guideOperations } from "./guide.ts";
import { importOperations } from "./import.ts";
import { invitationOperations } from "./invitation.ts";
import { keyOperations } from "./key.ts";
import { liveOperations } from "./live.ts";
import { numberOperations } from "./number.ts";
import { overviewOperations } from "./overview.ts";
import { personOperations } from "./person.ts";
import { reportOperations } from "./report.ts";
import { suppressionOperations } from "./suppression.ts";
import { systemOperations } from "./system.ts";
import { taskOperations } from "./task.ts";
import { templateOperations } from "./template.ts";
import { webhookOperations } from "./webhook.ts";
import { workspaceOperations } from "./workspace.ts";

/** Every route, by method and path. */
export const OPERATIONS = {
  ...workspaceOperations,
  ...personOperations,
  ...invitationOperations,
  ...auditOperations,
  ...erasureOperations,
  ...keyOperations,
  ...connectionOperations,
  ...templateOperations,
  ...agentOperations,
  ...liveOperations,
  ...numberOperations,
  ...suppressionOperations,
  ...campaignOperations,
  ...overviewOperations,
  ...importOperations,
  ...taskOperations,
  ...formOperations,
  ...webhookOperations,
  ...callOperations,
  ...guideOperations,
  ...reportOperations,
  ...deploymentOperations,
  ...systemOperations,
};
export type Route = keyof typeof OPERATIONS;
