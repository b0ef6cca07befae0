import { execFile } from "node:child_process";
import { promisify } from "node:util";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { Client } from "../../scripts/client.ts";
import { until } from "../support/node/local.ts";
import { axeFaults } from "./axe.ts";
import { complaints, hasBrowser, NARROW, Stage } from "./stage.ts";

const PAGES = [
  "workspace",
  "agents",
  "numbers",
  "connections",
  "do-not-call",
  "people",
  "keys",
  "audit",
];

/** What admins set up and govern, and what of it others see. */
describe.skipIf(!hasBrowser)("settings", () => {
  let stage: Stage;
  let admin: Page;

  beforeAll(async () => {
    stage = await Stage.open(4);
    admin = await stage.enter("admin");
  });
  afterAll(() => stage?.close());

  const open = (path: string) => admin.goto(`${stage.url}/settings/${path}`);
  const button = (name: string | RegExp) => admin.getByRole("button", { name, exact: true });
  const choose = async (label: string, option: string | RegExp) => {
    await admin
      .getByRole("combobox", { name: label })
      .or(admin.getByRole("textbox", { name: label }))
      .first()
      .click();
    await admin.getByRole("option", { name: option }).click();
  };

  it("edits slots, hours and what is kept, and saves only what changed", async () => {
    await open("workspace");
    await admin.getByLabel("Slots").fill("6");
    await admin.getByRole("switch", { name: "At any hour" }).click();
    await admin.getByLabel("Opens").fill("09:30");
    await admin.getByLabel("Closes").fill("18:00");
    await admin.getByText("Sun", { exact: true }).click();
    await admin.getByLabel("Days", { exact: true }).fill("90");
    await admin.getByText("What is older than 90 days is removed").waitFor();
    await button("Save").click();
    await admin.getByText("Saved", { exact: true }).waitFor();
    const workspace = await stage.api.get<Record<string, unknown>>("/v1/workspace");
    expect(workspace).toMatchObject({ slots: 6, start: 930, end: 1800, retentionDays: 90 });
    expect(workspace.days).toEqual(["mon", "tue", "wed", "thu", "fri", "sat"]);
    expect(await button("Save").isDisabled()).toBe(true);
    await stage.api.patch("/v1/workspace", {
      start: 0,
      end: 2400,
      days: ["mon", "tue", "wed", "thu", "fri", "sat", "sun"],
    });
  });

  it("connects a carrier, says at the field what is wrong, and tests it without a call", async () => {
    await open("connections");
    await admin.getByRole("link", { name: "Connect a carrier" }).first().click();
    await choose("Carrier", "Simulated carrier");
    await admin.getByLabel("Name").fill("Second account");
    await admin.getByLabel("Address").fill("http://10.0.0.1");
    await admin.getByLabel("Key", { exact: true }).fill("another_key");
    await admin.getByLabel("Secret of reports").fill("a secret of reports");
    await button("Connect").click();
    await admin.getByText(/^Expected an https address/).waitFor();
    await admin.getByLabel("Address").fill(stage.carrierUrl);
    await button("Connect").click();
    await button("Test Second account").click();
    await admin.getByText(/401/).waitFor();

    await admin.getByRole("link", { name: "Second account" }).click();
    await admin.getByLabel("Key", { exact: true }).fill(stage.carrier.apiKey);
    await button("Save").click();
    await admin.getByText("Saved: Second account").waitFor();
    await button("Test Second account").click();
    await admin.getByText(/^Works, answered in \d+ ms$/).waitFor();

    // Sent elsewhere, its secrets are asked for again.
    await admin.getByRole("link", { name: "Second account" }).click();
    await admin.getByLabel("Address", { exact: true }).fill("https://carrier.example.com");
    await button("Save").click();
    await admin
      .getByText(/^Expected given again, for another address/)
      .first()
      .waitFor();
    await admin.keyboard.press("Escape");
  });

  it("begins a carrier of any API from a template, shows its request and tries a report", async () => {
    await open("connections?open=new");
    await choose("Carrier", "Any HTTP API");
    await button("Bolna").click();
    await button("Show it").click();
    const request = await admin.getByLabel("The request", { exact: true }).textContent();
    expect(request).toContain("POST https://api.bolna.ai/call");
    expect(request).toContain("Bearer ***");
    await admin.getByLabel("Sample report", { exact: true }).fill('{"id": "c1", "status": "busy"}');
    await button("Try it").click();
    await admin.getByText("is over: its slot is free; the task is decided").waitFor();
    await admin
      .getByLabel("Sample report", { exact: true })
      .fill('{"id": "c1", "status": "unheard of"}');
    await button("Try it").click();
    await admin.getByText(/it would change nothing/).waitFor();
    expect(await axeFaults(admin)).toEqual([]);
    await admin.keyboard.press("Escape");
  });

  it("adds an agent, reads its placeholders, and refuses to delete one in use", async () => {
    await open("agents");
    await admin.getByRole("link", { name: "Add an agent" }).click();
    await admin.getByLabel("Name").fill("Ravi");
    await choose("Connection", /^Second account/);
    await admin.getByLabel("The carrier's id of the agent").fill("ravi");
    await admin.getByLabel("Prompt").fill(["Hello $", "{name}, about $", "{order}."].join(""));
    await admin.getByText("A list needs the columns name, order.").waitFor();
    await button("Add an outcome").click();
    await admin.getByLabel("Outcome 1", { exact: true }).fill("Not Interested");
    await button("Add").click();
    await admin.getByText(/^Expected lower-case letters/).waitFor();
    await admin.getByLabel("Outcome 1", { exact: true }).fill("not_interested");
    await admin.getByRole("switch", { name: "Never call again" }).click();
    await button("Add").click();
    await admin.getByRole("link", { name: "Ravi" }).click();
    expect(await admin.getByLabel("Outcome 1", { exact: true }).inputValue()).toBe(
      "not_interested",
    );
    await button("Delete …").click();
    await button("Delete").click();
    await admin.getByText("Deleted: Ravi").waitFor();
    await admin.getByRole("link", { name: "Ravi" }).waitFor({ state: "detached" });
    await admin.getByRole("link", { name: "Asha" }).click();
    await button("Delete …").click();
    await button("Delete").click();
    await admin.getByText(/is the default of workspace/).waitFor();
  });

  it("adds a number, and says at the field why another is none", async () => {
    await open("numbers");
    await admin.getByRole("link", { name: "Add a number" }).click();
    await admin.getByLabel("Number", { exact: true }).fill("80471122");
    await choose("Connection", /^Second account/);
    await button("Add").click();
    await admin.getByText(/^Expected .*country code/).waitFor();
    await admin.getByLabel("Number", { exact: true }).fill("+918047112244");
    await admin.getByLabel("Name").fill("Sales");
    await button("Add").click();
    await admin.getByRole("link", { name: "+918047112244" }).waitFor();
  });

  it("H40 puts numbers on the do-not-call list by hand and by file, and takes one off", async () => {
    await open("do-not-call");
    await button("Add numbers").click();
    await admin.getByLabel("Number", { exact: true }).fill("+919876500001");
    await admin.getByLabel("Reason").fill("Asked us");
    await button("Add").click();
    const list = admin.getByRole("list", { name: "Numbers not to call" });
    await list.getByText("+919876500001").waitFor();
    await button("Add numbers").click();
    const buffer = Buffer.from("phone,reason\n+919876500002,by letter\nnonsense,\n");
    await admin
      .locator('input[type="file"]')
      .setInputFiles({ name: "stop.csv", mimeType: "text/csv", buffer });
    await admin.getByText("1 number entered, 1 could not be read").waitFor();
    await admin.keyboard.press("Escape");
    await button("Take off +919876500001").click();
    await button("Take it off").click();
    await list.getByText("+919876500001").waitFor({ state: "detached" });
    await list.getByText("+919876500002").waitFor();
  });

  it("erases a person only when the number was typed again, and says what went", async () => {
    const campaign = await stage.campaign({ name: "Erased", type: "realtime", paused: true });
    await stage.api.post("/v1/tasks", { campaign, phone: "+919876500009" });
    await open("do-not-call");
    await admin.getByLabel("Number to erase").fill("+919876500009");
    await button("Erase …").click();
    expect(await button("Erase for good").isDisabled()).toBe(true);
    await admin.getByLabel(/^Type the number again/).fill("+919876500009");
    await button("Erase for good").click();
    await admin.getByText(/^Erased: /).waitFor();
    await admin.getByText("1, 1 of them waited").waitFor();
    const tasks = await stage.api.get<{ items: { phone: string }[] }>(
      `/v1/campaigns/${campaign}/tasks`,
    );
    expect(tasks.items.map(({ phone }) => phone)).toEqual([""]);
  });

  it("shows a key once, rolls it with an overlap, and revokes it at once", async () => {
    const leads = await stage.campaign({ name: "Website leads", type: "realtime" });
    const read = async () =>
      (await admin.getByLabel("the key", { exact: true }).textContent()) ?? "";
    const pushes = async (key: string) =>
      new Client(stage.url, key)
        .post("/v1/tasks", { campaign: leads, phone: "+919876500010" })
        .then(
          () => true,
          () => false,
        );
    await open("keys");
    await button("Make a key").click();
    await admin.getByLabel("Name").fill("Website");
    // An admin makes no key that may more than an admin.
    expect(await admin.getByLabel("Everything", { exact: true }).count()).toBe(0);
    await choose("Only one campaign", "Website leads");
    await button("Make it").click();
    const first = await read();
    expect(first).toMatch(/^outdial_/);
    expect(await pushes(first)).toBe(true);
    await button("I have it").click();
    await admin.reload();
    await button("Change Website").waitFor();
    expect(await admin.content()).not.toContain(first.slice(-40));

    await button("Change Website").click();
    await admin.getByRole("menuitem", { name: "Roll …" }).click();
    await button("Make the new key").click();
    const second = await read();
    expect(second).not.toBe(first);
    expect([await pushes(first), await pushes(second)]).toEqual([true, true]);
    await button("I have it").click();
    for (const left of [1, 0]) {
      await button("Change Website").first().click();
      await admin.getByRole("menuitem", { name: "Revoke …" }).click();
      await button("Revoke").click();
      const rows = () => button("Change Website").count();
      await until(rows, (count) => count === left);
    }
    expect([await pushes(first), await pushes(second)]).toEqual([false, false]);
  });

  it("tells in the audit log who did what, with what was before, and exports it", async () => {
    await open("audit");
    await choose("About", "Workspace");
    const log = admin.getByRole("list", { name: "Audit log" });
    await log.getByText("changed the workspace").first().waitFor();
    expect(new URL(admin.url()).searchParams.get("action")).toBe("workspace");
    const entry = log.getByRole("listitem").filter({ hasText: "Adaeze" }).first();
    await entry.getByText("What changed").click();
    expect(await entry.textContent()).toMatch(/slots46/);
    const [download] = await Promise.all([
      admin.waitForEvent("download"),
      admin.getByRole("link", { name: "Export as CSV" }).click(),
    ]);
    expect(download.suggestedFilename()).toMatch(/audit\.csv$/);
    await admin.goto(`${stage.url}/settings/audit?action=nothing.such`);
    await admin.getByRole("heading", { name: "No entry is like that" }).waitFor();
  });

  it("H3 makes a realtime campaign of a name, with samples that work, and rings a test call", async () => {
    await admin.goto(`${stage.url}/campaigns/new/realtime`);
    await admin.getByLabel("Name").fill("Form on the page");
    expect(await axeFaults(admin)).toEqual([]);
    await button("Create").click();
    await admin.getByRole("heading", { name: "Push a task" }).waitFor();
    const id = /cmp_\w+/.exec(admin.url())?.[0] ?? "";
    const text = (await admin.getByLabel("Sample: JSON").textContent()) ?? "";
    const sample = JSON.parse(text) as { campaign: string };
    expect(sample.campaign).toBe(id);
    for (const name of ["curl", "fetch", "Python", "No code"]) {
      await admin.getByRole("tab", { name }).click();
      expect(await admin.getByLabel(`Sample: ${name}`).textContent()).toContain(id);
    }
    expect(await axeFaults(admin)).toEqual([]);
    const body = { name: "Samples", scopes: ["tasks:write"], campaign: id };
    const { apiKey } = await stage.api.post<{ apiKey: string }>("/v1/keys", body);
    await admin.getByRole("tab", { name: "fetch" }).click();
    const script = (await admin.getByLabel("Sample: fetch").textContent()) ?? "";
    await promisify(execFile)(process.execPath, ["--input-type=module", "--eval", script], {
      env: { ...process.env, KEY: apiKey },
    });
    await admin.getByLabel("Number to call").fill("+919876500077");
    await button("Call it …").click();
    await admin.getByRole("dialog").getByText("Call +919876500077 now?").waitFor();
    // Asked for, and not done yet: the script's task is the only one.
    const path = `/v1/campaigns/${id}/tasks`;
    await until(
      () => stage.api.get<{ items: unknown[] }>(path),
      ({ items }) => items.length === 1,
    );
    await button("Call it").click();
    await admin.getByRole("dialog").getByText("+919876500077").waitFor();
    const calls = await until(
      () => stage.api.get<{ items: { to: string }[] }>(`/v1/calls?campaign=${id}`),
      ({ items }) => items.length === 2,
    );
    expect(calls.items.map(({ to }) => to)).toContain("+919876500077");
  });

  it("H41 says that a carrier refuses its account, and when it is tried again", async () => {
    const make = async (noun: string, body: unknown) =>
      (await stage.api.post<{ id: string }>(`/v1/${noun}`, body)).id;
    const connection = await make("connections", {
      ...{ name: "Locked account", carrier: "simulator" },
      settings: { baseUrl: stage.carrierUrl, apiKey: "no_such_key", reportSecret: "any" },
    });
    const agent = await make("agents", { name: "Locked", connection, carrierAgentId: "locked" });
    const from = await make("numbers", { phone: "+918047119999", connection });
    const campaign = await make("campaigns", { name: "Locked", type: "realtime", agent, from });
    await stage.api.post("/v1/tasks", { campaign, phone: "+919876500011" });
    await open("connections");
    const row = admin.getByRole("listitem").filter({ hasText: "Locked account" });
    await row.getByText(/^Suspended for .*, tries again /).waitFor();
    await admin.goto(stage.url);
    await admin.getByText(/^A connection is suspended/).waitFor();
  });

  it("fits a phone and axe on every page, open forms included", async () => {
    const page = await stage.enter("owner", NARROW);
    const paths = [
      ...PAGES.map((path) => `/settings/${path}`),
      "/settings/agents?open=new",
      "/settings/connections?open=new",
      "/account",
      "/campaigns/new/realtime",
    ];
    for (const path of paths) {
      await page.goto(stage.url + path);
      await page
        .getByRole("heading", { level: path.startsWith("/settings") ? 2 : 1 })
        .first()
        .waitFor();
      await page.locator('[aria-busy="true"]').first().waitFor({ state: "detached" });
      const over = await page.evaluate("document.documentElement.scrollWidth - innerWidth");
      expect([path, over, await axeFaults(page)]).toEqual([path, 0, []]);
    }
    await page.context().close();
  });

  it("shows a viewer what is set up without a way to change it, and says who may see the rest", async () => {
    const page = await stage.enter("viewer");
    await page.goto(`${stage.url}/settings`);
    await page.getByText("Admins and owners can change these.").waitFor();
    const links = page.getByRole("navigation", { name: "Settings" }).getByRole("link");
    expect(await links.allTextContents()).toEqual([
      "Workspace",
      "Agents",
      "Numbers",
      "Connections",
      "Forms",
    ]);
    expect(await page.getByRole("button", { name: "Save" }).count()).toBe(0);
    await links.getByText("Connections").click();
    await page.getByRole("link", { name: "Simulated carrier" }).waitFor();
    expect(await page.getByRole("button", { name: /^Test/ }).count()).toBe(0);
    expect(await page.getByRole("link", { name: "Connect a carrier" }).count()).toBe(0);
    for (const path of ["people", "keys", "audit"]) {
      await page.goto(`${stage.url}/settings/${path}`);
      await page.getByText("Admins and owners see this. You are viewer").waitFor();
    }
    await page.goto(`${stage.url}/settings/do-not-call`);
    await page.getByText(/viewers who were granted it see this/).waitFor();
    await page.context().close();
  });

  it("lets an operator keep the do-not-call list, and erase or govern nothing", async () => {
    const page = await stage.enter("operator");
    await page.goto(`${stage.url}/settings/do-not-call`);
    await page.getByRole("button", { name: "Add numbers" }).waitFor();
    await page.locator('[aria-busy="true"]').first().waitFor({ state: "detached" });
    expect(await page.getByRole("button", { name: "Erase …" }).count()).toBe(0);
    const links = page.getByRole("navigation", { name: "Settings" }).getByRole("link");
    expect(await links.allTextContents()).not.toContain("Keys");
    await page.context().close();
  });

  it("says what the server refused, and tries again", async () => {
    const refusal = { error: { code: "forbidden", message: "Not today." }, requestId: "req-17" };
    await admin.route("**/v1/keys?*", (route) => route.fulfill({ status: 403, json: refusal }));
    await open("keys");
    await admin.getByRole("alert").getByText("Not today.").waitFor();
    await admin.getByText("Request req-17").waitFor();
    expect(await axeFaults(admin)).toEqual([]);
    await admin.unroute("**/v1/keys?*");
    // A page that has asked again by itself meanwhile is as good.
    await button("Try again").or(button("Change First key")).first().waitFor();
    if (await button("Try again").isVisible()) await button("Try again").click();
    await button("Change First key").waitFor();
  });

  it("ends the workspace only for owners, and only when its name was typed", async () => {
    await open("workspace");
    await button("Save").waitFor();
    expect(await button("End the workspace …").count()).toBe(0);
    const page = await stage.enter("owner");
    await page.goto(`${stage.url}/settings/workspace`);
    await page.getByRole("button", { name: "End the workspace …" }).click();
    const end = page.getByRole("button", { name: "End it for good" });
    expect(await end.isDisabled()).toBe(true);
    await page.getByLabel(/^Type the workspace's name/).fill("Lotus Kitchenware");
    await end.click();
    await page.getByRole("heading", { name: "You belong to no workspace" }).waitFor();
    await admin.reload();
    await admin.getByRole("heading", { name: "You belong to no workspace" }).waitFor();
  });

  it("breaks no policy and throws nothing in all of this", () => {
    expect(complaints).toEqual([]);
  });
});
