import app from "./api/app.ts";
import { handleEvents } from "./queues/events.ts";
import { handleIngest } from "./queues/ingest.ts";
import type {
  EventsMessage,
  IngestMessage,
  ReportMessage,
  TurnMessage,
} from "./queues/messages.ts";
import { handleDead, handleReports } from "./queues/reports.ts";
import { watchdog } from "./queues/watchdog.ts";

export { DialerObject } from "./dialer/object.ts";

/** Everything that reaches the Worker: requests, messages of the queues, and the minute's tick. */
export default {
  fetch: app.fetch,

  async queue(batch: MessageBatch<unknown>, env: Env): Promise<void> {
    switch (batch.queue) {
      case "outdial-ingest":
        return handleIngest(batch as MessageBatch<IngestMessage>, env);
      case "outdial-reports":
        return handleReports(batch as MessageBatch<ReportMessage>, env);
      case "outdial-events":
        return handleEvents(batch as MessageBatch<EventsMessage | TurnMessage>, env);
      case "outdial-dead":
        return handleDead(batch as MessageBatch<IngestMessage | ReportMessage>, env);
      default:
        throw new Error(`bug: no consumer for queue ${batch.queue}`);
    }
  },

  async scheduled(controller: ScheduledController, env: Env): Promise<void> {
    await watchdog(env, controller.scheduledTime);
  },
} satisfies ExportedHandler<Env, unknown>;
