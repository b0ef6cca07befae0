import { describe, expect, it } from "vitest";
import { CALL_STATES } from "../../src/core/call.ts";
import { CAMPAIGN_STATUSES, type CampaignStatus } from "../../src/core/campaign.ts";
import {
  callStatus,
  campaignStatus,
  MOVES,
  type Move,
  moveCampaign,
  moveTask,
  taskStatus,
} from "../../src/core/status.ts";
import { TASK_STATUSES, type TaskStatus } from "../../src/core/task.ts";

const BOTH = [false, true];

describe("status of a campaign", () => {
  it("H28 archived, completed, paused, running, scheduled: the first that holds", () => {
    for (const archivedAt of [null, 4]) {
      for (const completedAt of [null, 3]) {
        for (const paused of BOTH) {
          for (const startedAt of [null, 0, 1]) {
            const status = campaignStatus({ startedAt, paused, completedAt, archivedAt });
            if (archivedAt !== null) expect(status).toBe("archived");
            else if (completedAt !== null) expect(status).toBe("completed");
            else if (paused) expect(status).toBe("paused");
            else expect(status).toBe(startedAt === null ? "scheduled" : "running");
          }
        }
      }
    }
  });
});

describe("status of a task", () => {
  it("H29 its end, its call, its campaign's end, a pause, the queue: the first that holds", () => {
    for (const ended of [null, "completed", "archived"] as const) {
      for (const calling of BOTH) {
        for (const held of BOTH) {
          for (const over of BOTH) {
            for (const paused of BOTH) {
              const status = taskStatus({ ended, calling, held }, { over, paused });
              if (ended !== null) expect(status).toBe(ended);
              else if (calling) expect(status).toBe("running");
              else if (over) expect(status).toBe("archived");
              else expect(status).toBe(paused || held ? "paused" : "queued");
            }
          }
        }
      }
    }
  });
});

describe("status of a call", () => {
  it("H29 every state, ringing or not, answered or not", () => {
    const seen = CALL_STATES.map((state) => [
      callStatus(state, null, null),
      callStatus(state, 1, null),
      callStatus(state, 1, 2),
      callStatus(state, null, 2),
    ]);
    expect(Object.fromEntries(CALL_STATES.map((state, index) => [state, seen[index]]))).toEqual({
      placing: ["dialling", "ringing", "talking", "talking"],
      placed: ["dialling", "ringing", "talking", "talking"],
      unknown: ["unknown", "unknown", "unknown", "unknown"],
      ended: ["ended", "ended", "ended", "ended"],
      concluded: ["ended", "ended", "ended", "ended"],
    });
    expect(() => callStatus("gone" as never, null, null)).toThrow("bug: unreachable value gone");
  });
});

const said = (answer: ReturnType<typeof moveCampaign>) => {
  if (answer.ok) return true;
  expect(answer.code).toBe("conflict");
  return answer.message;
};
const over = (noun: string, status: string, move: Move) => {
  const past = { pause: "paused", resume: "resumed", archive: "archived" }[move];
  return `The ${noun} is ${status}: it cannot be ${past} any more.`;
};
const notPaused = (noun: string, status: string) =>
  `The ${noun} is ${status}, not paused: there is nothing to resume.`;

describe("moves", () => {
  it("H30 every campaign status × every move", () => {
    const expected: Record<CampaignStatus, Record<Move, true | string>> = {
      scheduled: { pause: true, resume: notPaused("campaign", "scheduled"), archive: true },
      running: { pause: true, resume: notPaused("campaign", "running"), archive: true },
      paused: { pause: "The campaign is already paused.", resume: true, archive: true },
      completed: {
        pause: over("campaign", "completed", "pause"),
        resume: over("campaign", "completed", "resume"),
        archive: over("campaign", "completed", "archive"),
      },
      archived: {
        pause: over("campaign", "archived", "pause"),
        resume: over("campaign", "archived", "resume"),
        archive: over("campaign", "archived", "archive"),
      },
    };
    for (const status of CAMPAIGN_STATUSES) {
      for (const move of MOVES) {
        expect(said(moveCampaign(status, move)), `${move} ${status}`).toBe(expected[status][move]);
      }
    }
  });

  const live: Record<TaskStatus, Record<Move, true | string>> = {
    queued: { pause: true, resume: notPaused("task", "queued"), archive: true },
    running: { pause: true, resume: notPaused("task", "running"), archive: true },
    paused: { pause: "The task is already paused.", resume: true, archive: true },
    completed: {
      pause: over("task", "completed", "pause"),
      resume: over("task", "completed", "resume"),
      archive: over("task", "completed", "archive"),
    },
    archived: {
      pause: over("task", "archived", "pause"),
      resume: over("task", "archived", "resume"),
      archive: over("task", "archived", "archive"),
    },
  };

  it("H31 every task status × every campaign status × every move", () => {
    for (const status of TASK_STATUSES) {
      for (const campaign of CAMPAIGN_STATUSES) {
        for (const move of MOVES) {
          const answer = said(moveTask(status, campaign, move));
          const ended = status === "completed" || status === "archived";
          const gone = campaign === "completed" || campaign === "archived";
          let expected = live[status][move];
          if (!ended && gone) {
            expected = `The task's campaign is ${campaign}: it has no further attempts.`;
          } else if (campaign === "paused" && status === "paused" && move === "resume") {
            expected = "The task's campaign is paused: resume the campaign.";
          }
          expect(answer, `${move} ${status} in ${campaign}`).toBe(expected);
        }
      }
    }
  });
});
