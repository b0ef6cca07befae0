import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/node/local.ts";
import { complaints, hasBrowser, NARROW, Stage } from "./stage.ts";

/** What people do with the dashboard, in a real browser on the production bundle. */
describe.skipIf(!hasBrowser)("the dashboard", () => {
  let stage: Stage;
  let batch: string;
  let leads: string;

  beforeAll(async () => {
    stage = await Stage.open(2);
    batch = await stage.campaign({ name: "November orders", type: "batch", retries: 1 });
    leads = await stage.campaign({ name: "Website leads", type: "realtime" });
    const bad = ["+9198,Short,LK-1", "9.19877E+11,Digits lost,LK-2", "+919876510101,Again,LK-3"];
    await stage.import(batch, 400, bad);
  });
  afterEach(() => stage.clear());
  afterAll(async () => {
    await stage?.close();
  });

  it("sends whoever is not signed in to sign in, and back to the page they wanted", async () => {
    const page = await stage.visit();
    await page.goto(`${stage.url}/campaigns/${batch}/tasks?status=queued`);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.getByLabel("Email").fill("operator@lotus.example");
    await page.getByLabel("Password", { exact: true }).fill("not the password");
    await page.getByRole("button", { name: "Sign in" }).click();
    await page.getByRole("alert").waitFor();
    await page.getByLabel("Password", { exact: true }).fill("lamps and kites 2");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "November orders" }).waitFor();
    expect(page.url()).toBe(`${stage.url}/campaigns/${batch}/tasks?status=queued`);
    await page.getByRole("button", { name: /^You: / }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
    await page.goto(stage.url);
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  it("shows every campaign and who uses the slots, moving without a reload", async () => {
    const page = await stage.enter("operator");
    const row = page.getByRole("row", { name: /November orders/ });
    await row.waitFor();
    await page
      .getByText(/of 2 slots in use/)
      .first()
      .waitFor();
    const before = await row.textContent();
    await until(
      () => row.textContent(),
      (text) => text !== before,
    );
    await page.keyboard.press("/");
    await page.keyboard.type("website");
    await page.getByRole("row", { name: /November orders/ }).waitFor({ state: "detached" });
    expect(page.url()).toContain("q=website");
    await page.keyboard.press("Escape");
    await page.keyboard.press("j");
    await page.keyboard.press("Enter");
    await page.getByRole("heading", { name: "Website leads" }).waitFor();
  });

  it("H30 pauses and resumes a campaign", async () => {
    const page = await stage.enter("operator");
    await page.goto(`${stage.url}/campaigns/${batch}`);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByText(/Paused by hand/).waitFor();
    expect((await stage.api.get<{ status: string }>(`/v1/campaigns/${batch}`)).status).toBe(
      "paused",
    );
    await page.getByText("paused by hand").first().waitFor();
    await page.getByRole("button", { name: "Resume", exact: true }).click();
    await page.getByRole("button", { name: "Pause", exact: true }).waitFor();
  });

  it("keeps the filter and the open task in the address, and plays its call", async () => {
    const page = await stage.enter("operator");
    await page.goto(`${stage.url}/campaigns/${batch}/tasks?status=completed&outcome=connected`);
    const first = page.getByRole("table", { name: "Tasks" }).getByRole("link").first();
    await first.waitFor();
    await first.click();
    const drawer = page.getByRole("dialog");
    await drawer.getByRole("button", { name: /Attempt 1/ }).click();
    await drawer.getByText("Transcript").waitFor();
    const { pathname, searchParams } = new URL(page.url());
    expect(pathname).toMatch(/\/tasks\/tsk_\w+$/);
    expect(searchParams.get("outcome")).toBe("connected");
    expect(searchParams.get("call")).toMatch(/^cal_/);
    await page.reload();
    await drawer.getByText("Transcript").waitFor();
    await drawer.getByLabel("Search the transcript").fill("no such words");
    await drawer.getByText("Nothing said is like that.").waitFor();
    const audio = drawer.locator("audio");
    const played = await audio.evaluate(
      async (element: { play(): Promise<void>; muted: boolean }) => {
        element.muted = true;
        await element.play();
        return true;
      },
    );
    expect(played).toBe(true);
    await page.keyboard.press("Escape");
    await drawer.waitFor({ state: "detached" });
    expect(page.url()).toBe(
      `${stage.url}/campaigns/${batch}/tasks?status=completed&outcome=connected`,
    );
  });

  it("H34 shows a task that was pushed through the API", async () => {
    const page = await stage.enter("operator");
    await page.goto(`${stage.url}/campaigns/${leads}/tasks`);
    await page.getByRole("heading", { name: "No tasks yet" }).waitFor();
    await stage.api.post("/v1/tasks", { campaign: leads, phone: "+915550123456" });
    await page.getByRole("link", { name: "+915550123456" }).waitFor();
  });

  it("H7 shows the rejected rows by reason, with the file to mend", async () => {
    const page = await stage.enter("operator");
    await page.goto(`${stage.url}/campaigns/${batch}/imports`);
    await page.getByText("400 rows of 403 became tasks, 3 rejected").waitFor();
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("link", { name: "Rejected rows as CSV" }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/\.csv$/);
  });

  it("hides from a viewer what a viewer may not, numbers included", async () => {
    const page = await stage.enter("viewer");
    expect(await page.getByRole("button", { name: "New campaign" }).count()).toBe(0);
    await page.goto(`${stage.url}/campaigns/${batch}/tasks`);
    const link = page.getByRole("table", { name: "Tasks" }).getByRole("link").first();
    await link.waitFor();
    expect(await link.textContent()).not.toMatch(/\d{5}/);
    expect(await page.getByRole("button", { name: "Pause", exact: true }).count()).toBe(0);
    expect(await page.getByRole("checkbox").count()).toBe(0);
  });

  it("fits a phone: no page is wider than it, and a campaign can be paused there", async () => {
    const page = await stage.enter("operator", NARROW);
    for (const path of [
      "/",
      `/campaigns/${batch}/tasks`,
      `/campaigns/${batch}/settings`,
      "/calls",
    ]) {
      await page.goto(stage.url + path);
      await page.getByRole("heading").first().waitFor();
      const over = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect([path, over]).toEqual([path, 0]);
    }
    await page.goto(`${stage.url}/campaigns/${batch}`);
    await page.getByRole("button", { name: "Pause", exact: true }).click();
    await page.getByRole("button", { name: "Resume", exact: true }).waitFor();
  });

  it("archives only when the campaign's name was typed, and says how many tasks end", async () => {
    const page = await stage.enter("operator");
    const { counters } = await stage.api.get<{ counters: { queued: number; paused: number } }>(
      `/v1/campaigns/${batch}`,
    );
    await page.goto(`${stage.url}/campaigns/${batch}`);
    await page.getByRole("button", { name: "More" }).click();
    await page.getByRole("menuitem", { name: /Archive/ }).click();
    const button = page.getByRole("button", { name: /Archive, and end \d+ tasks/ });
    await button.waitFor();
    expect(await button.textContent()).toContain(String(counters.paused));
    expect(await button.isDisabled()).toBe(true);
    await page.getByLabel(/Type the campaign's name/).fill("November orders");
    await button.click();
    await page.getByText("Archived", { exact: true }).first().waitFor();
  });

  it("answers an unknown page with a page, and an unknown route of the API as data", async () => {
    const page = await stage.visit();
    await page.goto(`${stage.url}/nowhere/at/all`);
    await page.getByRole("heading", { name: "There is no such page" }).waitFor();
    const reply = await fetch(`${stage.url}/v1/nowhere`);
    expect([reply.status, reply.headers.get("content-type")]).toEqual([404, "application/json"]);
    await page.goto(`${stage.url}/invitations/unknown_token`);
    await page.getByRole("heading", { name: "Invitation" }).waitFor();
    await page.getByRole("alert").waitFor();
  });

  it("breaks no policy and throws nothing in all of this", () => {
    expect(complaints).toEqual([]);
  });
});
