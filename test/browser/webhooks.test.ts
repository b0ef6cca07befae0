import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/node/local.ts";
import { axeFaults } from "./axe.ts";
import { Receiver } from "./receiver.ts";
import { complaints, hasBrowser, NARROW, Stage, WIDE } from "./stage.ts";

/** Systems outside that are told of events: set up, watched and mended in the page. */
describe.skipIf(!hasBrowser)("webhooks", () => {
  let stage: Stage;
  let receiver: Receiver;
  let admin: Page;
  let campaign: string;
  let secret = "";
  let id = "";

  beforeAll(async () => {
    receiver = await Receiver.open();
    stage = await Stage.open(4, { OUTBOUND_ALLOW: "127.0.0.1:*" });
    admin = await stage.enter("admin");
    campaign = await stage.campaign({ name: "Leads", type: "realtime" });
  });
  afterAll(async () => {
    await stage?.close();
    await receiver?.close();
  });

  const open = (path = "") => admin.goto(`${stage.url}/settings/webhooks${path}`);
  const button = (name: string | RegExp) => admin.getByRole("button", { name, exact: true });
  const change = async (item: string) => {
    await button("Change").click();
    await admin.getByRole("menuitem", { name: item }).click();
    await admin.getByRole("menu").waitFor({ state: "detached" });
  };
  const deliveries = () => admin.getByRole("list", { name: "Deliveries" }).getByRole("listitem");
  let phones = 9_876_510_000;
  const push = async (more: Record<string, unknown> = {}) => {
    phones += 1;
    const body = { campaign, phone: `+91${phones}`, ...more };
    return (await stage.api.post<{ id: string }>("/v1/tasks", body)).id;
  };
  /** The types of a task's events, once its last one has come. */
  const told = async (task: string) => {
    const found = await until(
      async () => receiver.of(task),
      (events) => events.some(({ body }) => body.type === "task.completed"),
    );
    return found;
  };

  it("says what webhooks are for, and at the field what is wrong with one", async () => {
    await open();
    await admin.getByRole("heading", { name: "Nobody is told yet" }).waitFor();
    const docs = admin.getByRole("link", { name: /what is sent$/ });
    expect(await docs.getAttribute("href")).toBe("/docs#/Webhooks");
    await admin.getByRole("link", { name: "Add a webhook" }).click();
    await admin.getByLabel("Name").fill("CRM");
    await admin.getByRole("textbox", { name: "Address" }).fill("http://10.0.0.1/hooks");
    await button("None of Tasks").click();
    await button("All of Tasks").click();
    await button("All of Calls").click();
    await button("Add it").click();
    await admin.getByText(/^Expected an https address/).waitFor();
    expect(await axeFaults(admin)).toEqual([]);
  });

  it("shows the secret once, and sends a test event that it signs", async () => {
    await admin.getByRole("textbox", { name: "Address" }).fill(`${receiver.url}/hooks`);
    await button("Add it").click();
    const shown = admin.getByLabel("the signing secret", { exact: true });
    secret = (await shown.textContent()) ?? "";
    expect(secret).toMatch(/^whsec_.{32}$/);
    await button("I have it").click();
    await admin.getByRole("heading", { name: "CRM", level: 2 }).waitFor();
    id = /whk_\w+/.exec(admin.url())?.[0] ?? "";
    await admin.reload();
    await admin.getByRole("heading", { name: "Nothing was sent yet" }).waitFor();
    expect(await admin.content()).not.toContain(secret);

    await button("Send a test event").click();
    await admin.getByText(/^Answered 200 in \d+ ms: ok$/).waitFor();
    const [test] = receiver.received;
    expect(test?.body).toMatchObject({ type: "webhook.test", data: { webhook: id } });
    expect(test?.signatures).toEqual([test?.signedBy(secret)]);
  });

  it("tells a receiver what becomes of a task, signed, and shows each delivery", async () => {
    const task = await push();
    const events = await told(task);
    expect(events.map(({ body }) => body.type)).toEqual(
      expect.arrayContaining(["call.started", "call.ended", "task.completed"]),
    );
    for (const event of events) {
      expect(event.signatures).toEqual([event.signedBy(secret)]);
      expect(event.text).not.toContain(String(phones));
    }
    const last = events.find(({ body }) => body.type === "task.completed");
    const row = deliveries().filter({ hasText: "task.completed" }).first();
    await row.getByText("Delivered").waitFor();
    await row.getByText("Request and answer").click();
    const request = (await row.getByLabel(/^Request /).textContent()) ?? "";
    expect(JSON.parse(request)).toEqual(last?.body);
    await row.getByText(/^Answer of try 1, .*: 200, “ok”$/).waitFor();
    await row.getByRole("button", { name: /^Replay task.completed/ }).click();
    await until(
      async () => receiver.received.filter((one) => one.id === last?.id).length,
      (count) => count === 2,
    );
  });

  it("says that a receiver fails, where it is set up and on the first page, and until when it waits", async () => {
    receiver.answer = { status: 500, text: "out of order" };
    await push();
    await admin.getByText(/^Failing for .*, tries again /).waitFor();
    await admin.getByText("Waiting", { exact: true }).first().waitFor();
    await admin.getByRole("radiogroup", { name: "Which deliveries" }).waitFor();
    await admin.locator("label").filter({ hasText: "Waiting" }).click();
    await until(
      async () => new URL(admin.url()).search,
      (search) => search === "?status=waiting",
    );
    await deliveries()
      .first()
      .getByText(/next try/)
      .waitFor();
    await admin.goto(stage.url);
    const alert = admin.getByRole("alert").filter({ hasText: /Webhook CRM · Failing for/ });
    await alert.getByRole("link", { name: "CRM" }).click();
    await admin.getByRole("heading", { name: "CRM", level: 2 }).waitFor();
    receiver.answer = { status: 200, text: "ok" };
    await admin
      .getByRole("button", { name: /^Try now call.started/ })
      .first()
      .click();
    await admin.getByText("On", { exact: true }).waitFor();
  });

  it("switches off what answers 410, says so by mail, and replays what it missed since a time", async () => {
    await until(
      () => stage.api.get<{ items: unknown[] }>(`/v1/deliveries?webhook=${id}&status=waiting`),
      ({ items }) => items.length === 0,
    );
    receiver.answer = { status: 410, text: "gone" };
    const task = await push();
    await admin.getByText("Switched off: it answered 410: it wants no more").waitFor();
    expect(await button("Replay since …").isDisabled()).toBe(true);
    const link = await stage.linkTo("owner@lotus.example", "/settings/webhooks/");
    expect(link).toBe(`${stage.url}/settings/webhooks/${id}`);
    receiver.answer = { status: 200, text: "ok" };
    const before = receiver.of(task).length;
    await button("Switch on").click();
    await admin.getByText("On", { exact: true }).waitFor();
    await admin.goto(`${stage.url}/settings/webhooks/${id}?status=failed`);
    await deliveries().first().getByText("Given up").waitFor();
    await button("Replay since …").click();
    expect(await axeFaults(admin)).toEqual([]);
    await button("Send again").click();
    await admin.getByText(/^\d+ events? goe?s? ?out again\.$/).waitFor();
    await until(
      async () => receiver.of(task).length,
      (count) => count > before,
    );
    await admin.keyboard.press("Escape");
    await admin.getByRole("heading", { name: "Nothing was given up" }).waitFor();
    await button("Replay since …").click();
    await admin.getByLabel("Everything").click();
    await button("Send again").click();
    await admin.getByText(/out again\.$/).waitFor();
    await until(
      async () => receiver.received.filter(({ body }) => body.type === "task.completed").length,
      (count) => count > 3,
    );
    await admin.keyboard.press("Escape");
  });

  it("rolls the secret: for a day both sign", async () => {
    await open(`/${id}`);
    await change("Roll the secret …");
    await admin.getByText(/For one day both sign/).waitFor();
    expect(await axeFaults(admin)).toEqual([]);
    await button("Make the new secret").click();
    const fresh =
      (await admin.getByLabel("the signing secret", { exact: true }).textContent()) ?? "";
    expect(fresh).not.toBe(secret);
    await button("I have it").click();
    await admin.getByText(/^signs, too, until /).waitFor();
    const events = await told(await push());
    for (const event of events) {
      expect(event.signatures).toEqual([event.signedBy(fresh), event.signedBy(secret)]);
    }
  });

  it("lists tasks' own addresses by their origin, with the secret that signs for all of them", async () => {
    await open();
    await admin.getByText("No task that brought an address has had an event yet.").waitFor();
    const task = await push({ statusCallbackUrl: `${receiver.url}/tasks/7` });
    const own = async () => (await told(task)).filter(({ path }) => path === "/tasks/7");
    const events = await until(own, (found) =>
      found.some(({ body }) => body.type === "task.completed"),
    );
    await button("Show the signing secret").click();
    const shown = admin.locator("code", { hasText: "whsec_" });
    const secretOfTasks = (await shown.textContent()) ?? "";
    for (const event of events) {
      expect(event.signatures).toEqual([event.signedBy(secretOfTasks)]);
    }
    await admin.reload();
    await admin.getByRole("link", { name: receiver.url, exact: true }).click();
    await admin.getByRole("heading", { name: receiver.url, level: 2 }).waitFor();
    await admin.getByText("Takes its events").waitFor();
    await deliveries().filter({ hasText: "task.completed" }).waitFor();
    const count = events.length;
    await admin.getByRole("button", { name: /^Replay task.completed/ }).click();
    await until(
      async () => (await own()).length,
      (now) => now > count,
    );
  });

  it("edits, switches off and deletes one", async () => {
    await open(`/${id}`);
    await change("Edit …");
    await admin.getByLabel("Name").fill("Old CRM");
    await admin.getByLabel("connection.suspended").click();
    await admin.getByRole("switch", { name: "With what was said" }).click();
    await button("Save").click();
    await admin.getByText("Saved: Old CRM").waitFor();
    await admin.getByText("with call.analyzed", { exact: true }).waitFor();
    await change("Switch off …");
    await button("Switch off").click();
    await admin.getByText("Off since").waitFor();
    const webhook = await stage.api.get<Record<string, unknown>>(`/v1/webhooks/${id}`);
    expect(webhook).toMatchObject({ on: false, texts: true, off: { reason: null } });
    await stage.api.patch(`/v1/webhooks/${id}`, { on: true });
  });

  const sizes = { wide: WIDE, narrow: NARROW };
  it.each(["wide", "narrow"] as const)("fits a %s screen and axe, light and dark", async (size) => {
    const origin = encodeURIComponent(receiver.url);
    const paths = ["", "?open=new", `/${id}`, `/addresses?origin=${origin}`, "/whk_unknown"];
    const page = await stage.enter("owner", sizes[size]);
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      for (const path of paths) {
        await page.goto(`${stage.url}/settings/webhooks${path}`);
        await page.getByRole("heading", { level: 2 }).or(page.getByRole("alert")).first().waitFor();
        await page.locator('[aria-busy="true"]').first().waitFor({ state: "detached" });
        const opens = page.getByText("Request and answer");
        if ((await opens.count()) > 0) await opens.first().click();
        const over = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
        const found = [path, colorScheme, over, await axeFaults(page)];
        expect(found).toEqual([path, colorScheme, 0, []]);
      }
    }
    await page.context().close();
  });

  it("opens and replays deliveries by the keyboard alone", async () => {
    await open(`/${id}`);
    const row = deliveries().first();
    await row.locator("summary").focus();
    await admin.keyboard.press("Enter");
    await row.getByLabel(/^Request /).waitFor();
    const before = receiver.received.length;
    await row.getByRole("button", { name: /^Replay / }).focus();
    await admin.keyboard.press("Enter");
    await until(
      async () => receiver.received.length,
      (count) => count > before,
    );
  });

  it("says what the server refused, and tries again", async () => {
    const refusal = { error: { code: "unavailable", message: "Not now." }, requestId: "req-9" };
    await admin.route("**/v1/deliveries?*", (route) =>
      route.fulfill({ status: 403, json: refusal }),
    );
    await open(`/${id}`);
    await admin.getByRole("alert").getByText("Not now.").waitFor();
    await admin.unroute("**/v1/deliveries?*");
    await button("Try again").or(deliveries().first()).first().waitFor();
    if (await button("Try again").isVisible()) await button("Try again").click();
    await deliveries().first().waitFor();
  });

  it("is for whoever may set up: others are told who may", async () => {
    const page = await stage.enter("operator");
    await page.goto(`${stage.url}/settings/webhooks/${id}`);
    await page.getByText("Admins and owners see this. You are operator").waitFor();
    const links = page.getByRole("navigation", { name: "Settings" }).getByRole("link");
    expect(await links.allTextContents()).not.toContain("Webhooks");
    await page.context().close();
  });

  it("deletes one, and tells in the audit log what was done", async () => {
    await open(`/${id}`);
    await change("Delete …");
    await button("Delete").click();
    await admin.getByRole("heading", { name: "Nobody is told yet" }).waitFor();
    await admin.goto(`${stage.url}/settings/audit?action=webhook`);
    const log = admin.getByRole("list", { name: "Audit log" });
    for (const deed of [
      "made a webhook",
      "changed a webhook",
      "gave a webhook a new secret",
      "sent events again",
      "switched a webhook off",
      "deleted a webhook",
    ]) {
      await log.getByText(deed).first().waitFor();
    }
  });

  it("breaks no policy and throws nothing in all of this", () => {
    expect(complaints).toEqual([]);
  });
});
