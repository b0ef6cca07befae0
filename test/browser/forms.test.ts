import { once } from "node:events";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/node/local.ts";
import { axeFaults } from "./axe.ts";
import { complaints, hasBrowser, NARROW, Stage, WIDE } from "./stage.ts";

type Calls = { items: { to: string; task: string }[] };
type Form = { id: string; url: string; origins: string[]; consent: { version: number } };

/** A site of somebody else, on an origin of its own: one page with what was pasted into it. */
async function openSite(): Promise<{ url: string; paste: (html: string) => void; server: Server }> {
  let pasted = "";
  const server = createServer((_, response) => {
    response.writeHead(200, { "content-type": "text/html" });
    response.end(
      `<!doctype html><html lang="en"><title>Shop</title><body><main><h1>Shop</h1>${pasted}</main></body></html>`,
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    url,
    server,
    paste: (html) => {
      pasted = html;
    },
  };
}
type Site = Awaited<ReturnType<typeof openSite>>;

/** Forms on pages of others: made in the dashboard, filled in by a browser on another origin. */
describe.skipIf(!hasBrowser)("a form on a page of another origin", () => {
  let stage: Stage;
  let admin: Page;
  let shop: Site;
  let stranger: Site;
  let campaign: string;
  let phones = 0;

  beforeAll(async () => {
    [stage, shop, stranger] = await Promise.all([
      Stage.open(4, { DEMO_FORM: "Call me back" }),
      openSite(),
      openSite(),
    ]);
    campaign = await stage.campaign({ name: "Website leads", type: "realtime" });
    admin = await stage.enter("admin");
  });
  afterAll(async () => {
    await stage?.close();
    for (const site of [shop, stranger]) {
      site?.server.closeAllConnections();
      site?.server.close();
    }
  });

  const phone = () => `98765400${String(++phones).padStart(2, "0")}`;
  const called = async (number: string) => {
    const { items } = await stage.api.get<Calls>("/v1/calls?limit=200");
    return items.filter(({ to }) => to === `+91${number}`);
  };
  const rings = (number: string) =>
    until(
      () => called(number),
      (calls) => calls.length === 1,
    );
  const form = async () => (await stage.api.get<{ items: Form[] }>("/v1/forms")).items[0] as Form;

  /** A visitor of a site, whose complaints are his own. */
  async function visit(site: Site, more: { javaScriptEnabled?: boolean } = {}): Promise<Page> {
    const page = await (await stage.browser.newContext({ viewport: WIDE, ...more })).newPage();
    await page.goto(site.url);
    return page;
  }
  async function fill(page: Page, number: string): Promise<void> {
    await page.getByLabel("Your name").fill("Maya");
    await page.getByLabel("Phone number").fill(number);
    await page.getByRole("checkbox").check();
  }
  const send = (page: Page) => page.getByRole("button", { name: "Call me" }).click();

  it("is made in the dashboard, with a preview and the text to paste", async () => {
    await admin.goto(`${stage.url}/settings/forms`);
    await admin.getByRole("link", { name: "Make a form" }).first().click();
    await admin.getByLabel("Name", { exact: true }).fill("Call me back");
    await admin
      .getByRole("combobox", { name: "Campaign" })
      .or(admin.getByRole("textbox", { name: "Campaign" }))
      .first()
      .click();
    await admin.getByRole("option", { name: "Website leads" }).click();
    await admin.getByLabel("Pages that may post").fill("http://shop.example");
    await admin.getByLabel("Consent").fill("Lotus may call me.");
    const preview = admin.frameLocator("iframe");
    await preview.getByText("Lotus may call me.").waitFor();
    await admin.getByRole("button", { name: "Make the form" }).click();
    await admin.getByText(/Expected the origin of a page/).waitFor();
    await admin.getByLabel("Pages that may post").fill(`${shop.url}\n${stage.url}`);
    await admin
      .getByRole("combobox", { name: "Country" })
      .or(admin.getByRole("textbox", { name: "Country" }))
      .first()
      .click();
    await admin.getByRole("option", { name: "India", exact: true }).click();
    await admin.getByRole("button", { name: "Make the form" }).click();
    await admin.getByText("Made: Call me back").waitFor();
    await admin.getByRole("tab", { name: "To paste" }).click();
    const snippet = (await admin.getByLabel("The form as HTML").textContent()) ?? "";
    const made = await form();
    expect(made.origins).toEqual([shop.url, stage.url]);
    expect(snippet).toContain(`<form action="${made.url}" method="post" data-outdial>`);
    expect(snippet).not.toMatch(/outdial_|secret/);
    shop.paste(snippet);
    stranger.paste(snippet);
  });

  it("rings, and says so where it stands", async () => {
    const page = await visit(shop);
    const number = phone();
    await fill(page, number);
    await send(page);
    await page.getByRole("status").getByText("Thank you. We are calling you now.").waitFor();
    expect(page.url()).toBe(`${shop.url}/`);
    expect(await page.evaluate("document.activeElement.getAttribute('role')")).toBe("status");
    const [call] = await rings(number);
    const task = await stage.api.get<{ consent: unknown; context: unknown }>(
      `/v1/tasks/${call?.task}`,
    );
    expect(task.context).toEqual({ name: "Maya" });
    expect(task.consent).toMatchObject({
      version: 1,
      text: "Lotus may call me.",
      page: `${shop.url}/`,
      userAgent: expect.stringContaining("Chrome"),
    });
    // The same person, once more: one call.
    await fill(page, number);
    await send(page);
    await page.getByRole("status").getByText("Thank you.").waitFor();
    expect(await called(number)).toHaveLength(1);

    await admin.goto(`${stage.url}/campaigns/${campaign}/tasks/${call?.task}?tab=details`);
    await admin.getByText("Lotus may call me.", { exact: true }).first().waitFor();
  });

  it("says at the field what is wrong, by itself and by what the server says", async () => {
    const page = await visit(shop);
    await send(page);
    await page.getByText("Please look at what is marked.").waitFor();
    const name = page.getByLabel("Your name");
    expect(await name.getAttribute("aria-invalid")).toBe("true");
    expect(await page.evaluate("document.activeElement.name")).toBe("name");
    expect(await axeFaults(page)).toEqual([]);
    await fill(page, "98765");
    await send(page);
    await page.getByText(/Expected: a phone number as it is dialled in India/).waitFor();
    expect(await name.getAttribute("aria-invalid")).toBeNull();
    expect(await page.evaluate("document.activeElement.name")).toBe("phone");
    const number = phone();
    await page.getByLabel("Phone number").fill(number);
    await send(page);
    await page.getByText("We are calling you now.").waitFor();
    await rings(number);
  });

  it("rings without script, and leads to a page that says so and back", async () => {
    const page = await visit(shop, { javaScriptEnabled: false });
    const number = phone();
    await fill(page, number);
    await send(page);
    await page.getByRole("heading", { name: "Thank you. We are calling you now." }).waitFor();
    await rings(number);
    await page.getByRole("link", { name: "Back to the page" }).click();
    await page.getByRole("heading", { name: "Shop" }).waitFor();
  });

  it("rings nobody from an origin that is not in its list, with script and without", async () => {
    const numbers = [phone(), phone()];
    for (const [index, javaScriptEnabled] of [true, false].entries()) {
      const page = await visit(stranger, { javaScriptEnabled });
      await fill(page, numbers[index] ?? "");
      await send(page);
      const refused = javaScriptEnabled
        ? page.getByText("This could not be sent.")
        : page.getByText("its list has no such page");
      await refused.waitFor();
    }
    // Whoever comes after them rings.
    const page = await visit(shop);
    const number = phone();
    await fill(page, number);
    await send(page);
    await rings(number);
    for (const one of numbers) expect(await called(one)).toEqual([]);
  });

  it("is on a page of ours, and on the demo's, where a call is in the dashboard within two seconds", async () => {
    await admin.goto(`${stage.url}/campaigns/${campaign}/tasks`);
    await admin.getByRole("table", { name: "Tasks" }).waitFor();
    const { id } = await form();
    for (const path of [`/f/${id}`, "/demo/form"]) {
      const page = await stage.visit();
      await page.goto(stage.url + path);
      const number = phone();
      await fill(page, number);
      await send(page);
      await page.getByText("We are calling you now.").waitFor();
      const shown = admin.getByText(new RegExp(`${number.slice(0, 5)} ?${number.slice(5)}`));
      await shown.first().waitFor({ timeout: 2_000 });
    }
  });

  it("has no serious fault that axe finds, wide and narrow, in light and dark", async () => {
    const { id } = await form();
    for (const viewport of [WIDE, NARROW]) {
      await admin.setViewportSize(viewport);
      for (const colorScheme of ["light", "dark"] as const) {
        await admin.emulateMedia({ colorScheme });
        for (const path of ["settings/forms", `settings/forms?open=${id}`]) {
          await admin.goto(`${stage.url}/${path}`);
          const ready = path.includes("open") ? "Against robots and repetitions" : "Call me back";
          await admin.getByText(ready).first().waitFor();
          await admin.waitForTimeout(200);
          expect([path, viewport.width, colorScheme, await axeFaults(admin)]).toEqual([
            ...[path, viewport.width, colorScheme, []],
          ]);
        }
        const page = await stage.visit(viewport, { colorScheme });
        await page.goto(`${stage.url}/demo/form`);
        await send(page);
        await page.getByText("Please look at what is marked.").waitFor();
        expect([viewport.width, colorScheme, await axeFaults(page)]).toEqual([
          ...[viewport.width, colorScheme, []],
        ]);
        const wide = await page.evaluate<number>("document.documentElement.scrollWidth");
        expect(wide).toBeLessThanOrEqual(viewport.width);
      }
    }
    expect(complaints).toEqual([]);
  });
});
