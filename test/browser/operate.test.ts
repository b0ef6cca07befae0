import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/node/local.ts";
import { axeFaults } from "./axe.ts";
import { complaints, hasBrowser, NARROW, Stage, WIDE } from "./stage.ts";

const ASSETS = join(import.meta.dirname, "..", "..", "dist", "assets");
/** Gzipped, what the start page loads first. */
const FIRST_LOAD_BYTES = 300_000;
/** No skeleton is in sight. */
const LOADED =
  "![...document.querySelectorAll('[aria-busy=true]')].some((one) => one.offsetParent !== null)";
const TOMORROW_MS = 30 * 3_600_000;

const csvFile = (name: string, text: string) => ({
  name,
  mimeType: "text/csv",
  buffer: Buffer.from(text),
});
const button = (page: Page, name: string | RegExp) =>
  page.getByRole("button", { name, exact: true });

/** An operator's day, in a real browser on the production bundle. */
describe.skipIf(!hasBrowser)("an operator", () => {
  let stage: Stage;
  /** Runs all the time. */
  let busy: string;
  /** Starts tomorrow: its tasks wait. */
  let later: string;

  beforeAll(async () => {
    stage = await Stage.open(2);
    busy = await stage.campaign({ name: "Busy all day", type: "batch", priority: "low" });
    await stage.import(busy, 900);
    const startAfter = Date.now() + TOMORROW_MS;
    later = await stage.campaign({ name: "Tomorrow's list", type: "batch", startAfter });
    await stage.import(later, 60);
  });
  afterEach(() => stage.clear());
  afterAll(() => stage?.close());

  const counters = async (id: string) =>
    (await stage.api.get<{ counters: Record<string, number> }>(`/v1/campaigns/${id}`)).counters;
  const open = async (page: Page, path: string) => {
    await page.goto(stage.url + path);
    await page.getByRole("heading").first().waitFor();
  };

  it("H7 makes a campaign of an awkward CSV, mends what was rejected, and starts it", async () => {
    const page = await stage.enter("operator");
    await button(page, "New campaign").click();
    await page.getByRole("menuitem", { name: /Batch/ }).click();
    await page.getByLabel("Name", { exact: true }).fill("December follow-up");
    // What was written stays when the page is left.
    await page.getByRole("link", { name: "Calls", exact: true }).click();
    await page.getByRole("heading", { name: "Calls" }).waitFor();
    await page.goBack();
    expect(await page.getByLabel("Name", { exact: true }).inputValue()).toBe("December follow-up");
    await button(page, "Next").click();
    expect(await button(page, "Next").isDisabled()).toBe(true);
    const rows = [
      '+919876523111;"Asha, of Pune";A-1',
      "919876523121;Plain;A-2",
      "9.19877E+11;Lost;A-3",
      "+919876523111;Again;A-4",
      "+919876523151;Dev;A-5",
    ];
    const awkward = `\ufeffPhone;full name;orderId\r\n${rows.join("\r\n")}\r\n\r\n`;
    await page.getByLabel("CSV file").setInputFiles(csvFile("awkward.csv", awkward));
    await page.getByText("2 numbers to call of 5 rows").waitFor();
    await page.getByText(/no column is called that.*Rename the column full name/).waitFor();
    await page.getByText("A spreadsheet dropped its digits (9.19877E+11)").waitFor();
    await page.getByRole("combobox", { name: "Numbers without +" }).click();
    await page.getByRole("option", { name: /only \+ is missing/ }).click();
    await page.getByText("3 numbers to call of 5 rows").waitFor();
    await button(page, "Next").click();
    await page.getByText(/^Calls go out at any hour in/).waitFor();
    await button(page, "Next").click();
    await page.getByLabel("Retries").waitFor();
    await button(page, "Next").click();
    await page.getByText("3 numbers to call, 2 rows rejected").waitFor();
    await button(page, "Upload the list").click();
    await page.getByText("3 rows of 5 became tasks, 2 rejected").waitFor();
    await page.getByText("awkward.csv", { exact: true }).waitFor();
    await page.reload();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Rejected rows as CSV" }).click(),
    ]);
    const rejected = readFileSync(await download.path(), "utf8");
    expect(rejected).toContain("outdial_reason");
    const mended = rejected.replace("9.19877E+11", "+919876523131").replace(/^.*A-4.*$/m, "");
    await page.getByLabel("CSV file").setInputFiles(csvFile("mended.csv", mended));
    await page.getByText("1 row of 1 became tasks").waitFor();
    await button(page, /^Start: call 4 numbers$/).click();
    await page.getByRole("heading", { name: "December follow-up" }).waitFor();
    // Its numbers move, and nobody reloads.
    await page.getByRole("link", { name: /^4 completed$/ }).waitFor({ timeout: 20_000 });
    const table = page.getByRole("table", { name: "Tasks" });
    await table.getByText("Completed", { exact: true }).nth(3).waitFor();
  });

  it("H34 sees at once what somebody else does, while the page is live", async () => {
    const page = await stage.enter("operator");
    const other = await stage.enter("admin", NARROW);
    await open(page, `/campaigns/${busy}`);
    await open(other, `/campaigns/${busy}`);
    await page.locator('.live-sign[data-state="live"]').waitFor();
    await button(other, "Pause").click();
    await page.getByText(/Paused by hand/).waitFor({ timeout: 5_000 });
    await button(page, "Resume").click();
    await button(other, "Pause").waitFor({ timeout: 5_000 });
  });

  it("H34 loses the connection, says so, and comes back", async () => {
    const page = await stage.enter("operator");
    await page.locator('.live-sign[data-state="live"]').waitFor();
    await page.context().setOffline(true);
    await page.getByText("The server does not answer").waitFor();
    await page.locator('.live-sign[data-state="offline"]').waitFor();
    await page.context().setOffline(false);
    await page.locator('.live-sign[data-state="live"]').waitFor();
    expect(await page.getByText("The server does not answer").count()).toBe(0);
  });

  it("H34 goes on asking where no socket opens, and says so", async () => {
    const page = await stage.enter("operator");
    await page.context().routeWebSocket(/\/v1\/live/, (socket) => socket.close());
    await open(page, `/campaigns/${busy}`);
    await page.locator('.live-sign[data-state="polling"]').waitFor();
    const done = page.getByRole("link", { name: /completed$/ });
    await done.waitFor();
    const before = await done.textContent();
    await until(
      () => done.textContent(),
      (text) => text !== before,
    );
    await page.getByRole("status", { name: /^Not live/ }).waitFor();
  });

  it("H41 reads why tasks wait, and pauses, resumes and archives many at once", async () => {
    const page = await stage.enter("operator");
    await open(page, `/campaigns/${later}`);
    await page.getByText(/Nothing is dialled now: starts/).waitFor();
    const tasks = page.getByRole("table", { name: "Tasks" });
    await tasks
      .getByText(/^starts /)
      .first()
      .waitFor();
    const choose = async () => {
      for (const n of [1, 2]) await tasks.getByRole("checkbox").nth(n).click();
      await page.getByText("2 chosen").waitFor();
    };
    await choose();
    await button(page, "Pause").last().click();
    await page.getByText("2 tasks paused").waitFor();
    await tasks.getByText("Paused", { exact: true }).nth(1).waitFor();
    await choose();
    await button(page, "Resume").last().click();
    await page.getByText("2 tasks resumed").waitFor();
    await choose();
    await button(page, "Archive").click();
    await button(page, "Archive 2 for good?").click();
    await page.getByText("2 tasks archived").waitFor();
    await until(
      () => counters(later),
      ({ archived }) => archived === 2,
    );
    await page.getByRole("link", { name: /^2 archived$/ }).click();
    await page.getByText("2 like that").waitFor();
    expect(page.url()).toContain("status=archived");
  });

  it("H4 edits hours while it runs, and reads for whom before saving", async () => {
    const page = await stage.enter("operator");
    await open(page, `/campaigns/${later}/settings`);
    await page.getByRole("switch", { name: "At any hour" }).click();
    await page.getByLabel("Opens").fill("22:00");
    await page.getByLabel("Closes").fill("02:00");
    await page.getByText(/22:00–02:00 the next day in Kolkata/).waitFor();
    await page.getByText(/From the next dial on, for \d+ waiting tasks/).waitFor();
    await button(page, "Save").click();
    await page.getByText("Saved", { exact: true }).waitFor();
    const saved = await stage.api.get(`/v1/campaigns/${later}`);
    expect(saved).toMatchObject({ start: 2200, end: 200 });
  });

  it("H33 opens a task, reads where each value came from, and archives it", async () => {
    const leads = await stage.campaign({ name: "Website leads", type: "realtime", paused: true });
    const push = { campaign: leads, phone: "+915550123456", retries: 3, intervals: [60_000, 1] };
    const { id } = await stage.api.post<{ id: string }>("/v1/tasks", push);
    const page = await stage.enter("operator");
    await page.goto(`${stage.url}/campaigns/${leads}/tasks/${id}?tab=details`);
    const drawer = page.getByRole("dialog");
    await drawer.getByText("3 from the task").waitFor();
    await drawer.getByText("Asha from the campaign").waitFor();
    await button(page, "Archive …").click();
    await page
      .getByRole("dialog", { name: "Archive this task?" })
      .getByRole("button", { name: "Archive" })
      .click();
    await drawer.getByText("Archived", { exact: true }).first().waitFor();
  });

  it("H32 finds calls by outcome, time and length, plays one and searches what was said", async () => {
    const page = await stage.enter("operator");
    await open(page, `/calls?campaign=${busy}`);
    for (const [label, option] of [
      ["Outcome", "Connected"],
      ["Time", "Last hour"],
      ["Time on the line", "Up to 10 s"],
    ] as const) {
      await page.getByRole("combobox", { name: label, exact: true }).click();
      await page.getByRole("option", { name: option }).click();
    }
    const found = new URL(page.url()).searchParams;
    expect([found.get("outcome"), found.get("when"), found.get("length")]).toEqual([
      "connected",
      "hour",
      "short",
    ]);
    await page.getByRole("table", { name: "Calls" }).getByRole("link").first().click();
    const drawer = page.getByRole("dialog");
    await drawer.getByLabel("Search the transcript").fill("calling about");
    await drawer.locator("mark").waitFor();
    const audio = drawer.locator("audio");
    await audio.evaluate(async (player: { play(): Promise<void>; muted: boolean }) => {
      player.muted = true;
      await player.play();
    });
    await drawer.locator(".turn.spoken").waitFor();
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    await page.getByRole("combobox", { name: "Time on the line" }).click();
    await page.getByRole("option", { name: "Over 1 min" }).click();
    await page.getByRole("heading", { name: "No call is like that" }).waitFor();
  });

  it("reads charts as numbers, too, and what was done where that is allowed", async () => {
    const page = await stage.enter("operator");
    await open(page, `/campaigns/${busy}/overview`);
    const outcomes = page.getByRole("region", { name: "Outcomes by attempt" });
    await outcomes.getByText("The numbers").click();
    await outcomes.getByRole("columnheader", { name: "Connected" }).waitFor();
    expect(await page.getByRole("tab", { name: "Activity" }).count()).toBe(0);
    const admin = await stage.enter("admin");
    await open(admin, `/campaigns/${later}`);
    await admin.getByRole("tab", { name: "Activity" }).click();
    await admin.getByRole("list", { name: "What was done to this campaign" }).waitFor();
    await admin.getByText(/changed a campaign/).waitFor();
  });

  it("goes by keys alone", async () => {
    const page = await stage.enter("operator");
    await page.keyboard.press("Shift+?");
    await page.getByRole("dialog", { name: "Keys" }).waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
    await page.keyboard.press("/");
    await page.keyboard.type("tomorrow");
    await page.getByRole("row", { name: /Busy all day/ }).waitFor({ state: "detached" });
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Tomorrow's list" }).waitFor();
    await page.getByRole("table", { name: "Tasks" }).getByRole("link").first().waitFor();
    await page.keyboard.press("j");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("dialog").waitFor();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  });

  it.each([
    ["light", WIDE],
    ["dark", NARROW],
  ] as const)(
    "axe finds nothing serious on any page, %s",
    async (colorScheme, viewport) => {
      const page = await stage.enter("admin", viewport);
      await page.emulateMedia({ colorScheme });
      const of = `/campaigns/${later}`;
      const tasks = await stage.api.get<{ items: { id: string }[] }>(`/v1${of}/tasks?limit=1`);
      const calls = await stage.api.get<{ items: { id: string }[] }>(
        "/v1/calls?outcome=connected&limit=1",
      );
      for (const path of [
        "/",
        "/?q=nothing+like+that",
        "/campaigns/new/batch",
        `${of}/tasks`,
        `${of}/tasks/${tasks.items[0]?.id}?tab=details`,
        `${of}/imports`,
        `${of}/settings`,
        `${of}/activity`,
        `/campaigns/${busy}/overview`,
        "/calls",
        `/calls?call=${calls.items[0]?.id}`,
        "/nowhere",
      ]) {
        await open(page, path);
        await until(() => page.evaluate<boolean>(LOADED), Boolean);
        expect([path, await axeFaults(page)]).toEqual([path, []]);
        const over = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        expect([path, over]).toEqual([path, 0]);
      }
    },
    150_000,
  );

  it("loads little for the start page", async () => {
    const page = await stage.enter("operator");
    await page.reload();
    await page.getByRole("row", { name: /Busy all day/ }).waitFor();
    const loaded = await page.evaluate<string[]>(
      "performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)",
    );
    const files = [...new Set(loaded.filter((path) => path.startsWith("/app/")))];
    expect(files.length).toBeGreaterThan(2);
    const bytes = files.map((path) => gzipSync(readFileSync(join(ASSETS, path))).length);
    expect(bytes.reduce((sum, one) => sum + one, 0)).toBeLessThan(FIRST_LOAD_BYTES);
  });

  it("breaks no policy and throws nothing in all of this", () => {
    // A socket that was taken away is the browser's to complain of.
    expect(complaints.filter((text) => !text.includes("WebSocket"))).toEqual([]);
  });
});
