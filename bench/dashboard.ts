import type { Page } from "playwright-core";
import { Stage } from "../test/browser/stage.ts";
import { until } from "../test/support/node/local.ts";
import { csvOf, phoneOf } from "./scene.ts";
import { median } from "./spread.ts";

const TASKS = 100_000;
const ARCHIVED = 5;
const RUNS = 5;
/** How long the busy page is looked at, ms. */
const LOOK_MS = 10_000;

export type Seen = {
  /** From the click on a campaign to its first rows, ms. */
  rowsMs: number;
  /** From the click on a status to its rows, ms. */
  filterMs: number;
  /** Share of the time in which the page's main thread worked, while calls came and went. */
  busy: number;
  callsPerSecond: number;
};

/** What an operator waits for, in Chromium, in a campaign of 100,000 tasks. */
export async function measureDashboard(): Promise<Seen> {
  const stage = await Stage.open(100);
  try {
    const large = await stage.campaign({ name: "Large", type: "batch", paused: true });
    await importRows(stage, large, TASKS);
    await archiveSome(stage, large);
    const page = await stage.enter("operator");
    const [rows, filter]: [number[], number[]] = [[], []];
    for (let run = 0; run <= RUNS; run++) {
      await page.goto(stage.url);
      await page.locator(`a[href*="${large}"]`).first().waitFor();
      rows.push(await clicked(page, `a[href*="${large}"]`, null));
      filter.push(await clicked(page, 'a[href*="status=archived"]', phoneOf(0)));
    }
    // The first click loads code, too.
    const [rowsMs, filterMs] = [median(rows.slice(1)), median(filter.slice(1))];
    return { rowsMs, filterMs, ...(await watchBusy(stage, page)) };
  } finally {
    await stage.close();
  }
}

async function importRows({ api }: Stage, campaign: string, rows: number): Promise<void> {
  const path = `/v1/campaigns/${campaign}/imports`;
  const { id } = await api.postCsv<{ id: string }>(path, csvOf(rows));
  await until(
    () => api.get<{ status: string }>(`${path}/${id}`),
    ({ status }) => status === "completed",
  );
  // Until D1 knows the last row, too.
  const last = `/v1/campaigns/${campaign}/tasks?phone=${encodeURIComponent(phoneOf(rows - 1))}`;
  await until(
    () => api.get<{ items: unknown[] }>(last),
    ({ items }) => items.length === 1,
    { everyMs: 500, deadlineMs: 120_000 },
  );
}

async function archiveSome({ api }: Stage, campaign: string): Promise<void> {
  const { items } = await api.get<{ items: { id: string }[] }>(
    `/v1/campaigns/${campaign}/tasks?limit=${ARCHIVED}`,
  );
  for (const { id } of items) await api.post(`/v1/tasks/${id}/archive`);
}

/** From a click to the first row, or to this number's row among few, ms. */
function clicked(page: Page, link: string, phone: string | null): Promise<number> {
  return page.evaluate(`new Promise((resolve) => {
    const phone = ${JSON.stringify(phone)};
    const from = performance.now();
    document.querySelector(${JSON.stringify(link)}).click();
    const look = () => {
      const rows = [...document.querySelectorAll(".task-row .row-link")];
      const there = phone === null
        ? rows.length > 0
        : rows.length <= ${ARCHIVED} && rows.some((row) => row.textContent === phone);
      if (there) resolve(performance.now() - from);
      else requestAnimationFrame(look);
    };
    look();
  })`);
}

/** A page that is open on a campaign whose calls come and go as fast as they can. */
async function watchBusy(stage: Stage, page: Page) {
  const settings = { ringMs: 50, talkMs: 200, analysisMs: 20, reports: "end" };
  await stage.api.patch(`/v1/agents/${stage.agent}`, { settings });
  const busy = await stage.campaign({ name: "Busy", type: "batch" });
  await importRows(stage, busy, 5_000);
  await page.goto(`${stage.url}/campaigns/${busy}/tasks`);
  await page.locator('.live-sign[data-state="live"]').waitFor();
  const chrome = await page.context().newCDPSession(page);
  await chrome.send("Performance.enable");
  const look = async () => {
    const { metrics } = await chrome.send("Performance.getMetrics");
    const { counters } = await stage.api.get<{ counters: { attempts: number } }>(
      `/v1/campaigns/${busy}`,
    );
    const taskS = metrics.find(({ name }) => name === "TaskDuration")?.value ?? Number.NaN;
    return { at: performance.now(), taskS, calls: counters.attempts };
  };
  const from = await look();
  await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  const to = await look();
  const seconds = (to.at - from.at) / 1_000;
  return {
    busy: (to.taskS - from.taskS) / seconds,
    callsPerSecond: (to.calls - from.calls) / seconds,
  };
}
