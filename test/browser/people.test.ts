import type { Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { codeAt } from "../support/totp.ts";
import { axeFaults } from "./axe.ts";
import { complaints, Deployment, hasBrowser, NARROW } from "./stage.ts";

const OWNER = {
  name: "Olivia",
  email: "olivia@lotus.example",
  password: "nine kites over the bay",
};
const MAYA = { name: "Maya", email: "maya@lotus.example", password: "three lamps and a kite" };
const OTHER_PASSWORD = "seven boats on a lake";

const GITHUB = { GITHUB_CLIENT_ID: "browser-id", GITHUB_CLIENT_SECRET: "browser-secret" };

/** From a new deployment to people who come, sign in with a second factor, and go: each test goes on where the last ended. */
describe.skipIf(!hasBrowser)("people", () => {
  let deployment: Deployment;
  let owner: Page;
  let maya: Page;

  beforeAll(async () => {
    deployment = new Deployment(await Deployment.launch(GITHUB));
    owner = await deployment.visit();
    maya = await deployment.visit();
  });
  afterAll(() => deployment?.close());

  const url = (path: string) => deployment.url + path;
  const signIn = async (page: Page, email: string, password: string) => {
    await page.getByLabel("Email", { exact: true }).fill(email);
    await page.getByLabel("Password", { exact: true }).fill(password);
    await page.getByRole("button", { name: "Sign in" }).click();
  };
  const signOut = async (page: Page) => {
    await page.getByRole("button", { name: /^You: / }).click();
    await page.getByRole("menuitem", { name: "Sign out" }).click();
    await page.getByRole("heading", { name: "Sign in" }).waitFor();
  };

  it("sets up a new deployment once, with the token that was printed", async () => {
    await owner.goto(url("/"));
    await owner.getByRole("heading", { name: "Set up outdial" }).waitFor();
    expect(await axeFaults(owner)).toEqual([]);
    await owner.getByLabel("Your name").fill(OWNER.name);
    await owner.getByLabel("Email").fill(OWNER.email);
    await owner.getByLabel("Password", { exact: true }).fill("password12345");
    await owner.getByLabel("Workspace").fill("Lotus Kitchenware");
    await owner.getByLabel("Set-up token").fill("not the token that was printed");
    await owner.getByRole("button", { name: "Set up" }).click();
    await owner.getByRole("alert").waitFor();
    await owner.getByLabel("Set-up token").fill(deployment.setupToken);
    await owner.getByRole("button", { name: "Set up" }).click();
    // A common one: said at the field itself.
    await owner.getByText(/^Expected .* common/).waitFor();
    await owner.getByLabel("Password", { exact: true }).fill(OWNER.password);
    await owner.getByRole("button", { name: "Set up" }).click();
    await owner.getByRole("heading", { name: "No campaigns yet" }).waitFor();
    const steps = owner.getByRole("list", { name: "Before the first call" });
    await steps.getByRole("link", { name: "Connect a carrier" }).click();
    await owner.getByLabel("Carrier", { exact: true }).first().click();
    await owner.getByRole("option", { name: "Simulated carrier" }).click();
    await owner.getByLabel("Address").fill(deployment.carrierUrl);
    await owner.getByLabel("Key", { exact: true }).fill(deployment.carrier.apiKey);
    await owner.getByLabel("Secret of reports").fill(deployment.carrier.reportSecret);
    await owner.getByRole("button", { name: "Connect" }).click();
    await owner.getByRole("link", { name: "Campaigns" }).click();
    await steps.getByText("Connect a carrier: done").waitFor();
    expect(await steps.getByRole("link").allTextContents()).toEqual([
      "Add an agent, who speaks",
      "Add a number to call from",
    ]);
    expect(await axeFaults(owner)).toEqual([]);
    await maya.goto(url("/setup"));
    await maya.getByRole("heading", { name: "Sign in" }).waitFor();
  });

  it("invites somebody by mail, who joins in the role that was given", async () => {
    await owner.goto(url("/settings/people"));
    await owner.getByRole("button", { name: "Invite somebody" }).click();
    await owner.getByLabel("Email").fill(MAYA.email);
    await owner.getByRole("button", { name: "Mail the invitation" }).click();
    await owner.getByRole("list", { name: "Open invitations" }).getByText(MAYA.email).waitFor();
    await maya.goto(await deployment.linkTo(MAYA.email, "/invitations/"));
    await maya.getByText(`${MAYA.email} is invited to Lotus Kitchenware as operator.`).waitFor();
    expect(await axeFaults(maya)).toEqual([]);
    await maya.getByLabel("Your name").fill(MAYA.name);
    await maya.getByLabel("Password", { exact: true }).fill(MAYA.password);
    await maya.getByRole("button", { name: "Join" }).click();
    await maya.getByRole("button", { name: "You: Maya" }).waitFor();
    await owner.reload();
    await owner.getByRole("list", { name: "People" }).getByText(MAYA.email).waitFor();
    expect(await owner.getByRole("list", { name: "Open invitations" }).count()).toBe(0);
    await owner.goto(await deployment.linkTo(MAYA.email, "/invitations/"));
    await owner.getByRole("alert").waitFor();
  });

  it("leads to an account elsewhere where one is set up, and says what was refused", async () => {
    const guest = await deployment.visit();
    await guest.route("https://github.com/**", (route) => route.fulfill({ body: "GitHub" }));
    await guest.goto(url("/sign-in?error=not_invited"));
    await guest.getByText(/was not invited/).waitFor();
    expect(await guest.getByRole("button", { name: /Google/ }).count()).toBe(0);
    await guest.getByRole("button", { name: "Continue with GitHub" }).click();
    await guest.waitForURL("https://github.com/**");
    const { searchParams } = new URL(guest.url());
    expect(searchParams.get("client_id")).toBe("browser-id");
    expect(searchParams.get("redirect_uri")).toBe(url("/api/auth/callback/github"));
    await guest.context().close();
  });

  it("revokes an invitation: its link is worth nothing then", async () => {
    await owner.goto(url("/settings/people"));
    await owner.getByRole("button", { name: "Invite somebody" }).click();
    await owner.getByLabel("Email").fill("nobody@lotus.example");
    await owner.getByRole("button", { name: "Mail the invitation" }).click();
    await owner
      .getByRole("button", { name: "Revoke the invitation of nobody@lotus.example" })
      .click();
    await owner.getByText("Revoked: nobody@lotus.example").waitFor();
    const guest = await deployment.visit();
    await guest.goto(await deployment.linkTo("nobody@lotus.example", "/invitations/"));
    await guest.getByRole("alert").waitFor();
    expect(await guest.getByLabel("Your name").count()).toBe(0);
    await guest.context().close();
  });

  it("moves nothing under the hand of who signs in, however late the server says what there is", async () => {
    const guest = await deployment.visit();
    await guest.route("**/setup", async (route) => {
      await new Promise((resolve) => setTimeout(resolve, 1_500));
      await route.continue();
    });
    await guest.goto(url("/sign-in"));
    const link = guest.getByRole("link", { name: "Forgotten your password?" });
    await link.waitFor();
    const first = await link.boundingBox();
    await guest.getByRole("button", { name: /GitHub/ }).waitFor();
    expect(await link.boundingBox()).toEqual(first);
    await guest.context().close();
  });

  it("resets a forgotten password by mail, which ends every session", async () => {
    const guest = await deployment.visit();
    await guest.goto(url("/sign-in"));
    await guest.getByRole("link", { name: "Forgotten your password?" }).click();
    await guest.getByRole("heading", { name: "Forgotten password" }).waitFor();
    await guest.getByLabel("Email").fill(MAYA.email);
    await guest.getByRole("button", { name: "Mail me a link" }).click();
    await guest.getByText("If we know this address").waitFor();
    expect(await axeFaults(guest)).toEqual([]);
    // Without its token, as a mail program may cut it.
    await guest.goto(url("/reset-password"));
    await guest.getByText("This link is not whole").waitFor();
    expect(await axeFaults(guest)).toEqual([]);
    await guest.goto(await deployment.linkTo(MAYA.email, "/reset-password"));
    await guest.getByLabel("New password").fill("password12345");
    await guest.getByRole("button", { name: "Change the password" }).click();
    await guest.getByText(/^Expected .* common/).waitFor();
    await guest.getByLabel("New password").fill(OTHER_PASSWORD);
    await guest.getByRole("button", { name: "Change the password" }).click();
    await guest.getByText("Your password is changed").waitFor();
    await guest.context().close();
    await maya.reload();
    await maya.getByRole("heading", { name: "Sign in" }).waitFor();
    await signIn(maya, MAYA.email, MAYA.password);
    await maya.getByRole("alert").waitFor();
    await signIn(maya, MAYA.email, OTHER_PASSWORD);
    await maya.getByRole("button", { name: "You: Maya" }).waitFor();
  });

  it("changes one's own name and password", async () => {
    await maya.goto(url("/account"));
    await maya.getByLabel("Your name").fill("Maya Rao");
    await maya.getByRole("button", { name: "Save" }).click();
    await maya.getByRole("button", { name: "You: Maya Rao" }).waitFor();
    await maya.getByLabel("Password now").fill("not the password");
    await maya.getByLabel("New password").fill(MAYA.password);
    await maya.getByRole("button", { name: "Change the password" }).click();
    await maya.getByRole("alert").waitFor();
    await maya.getByLabel("Password now").fill(OTHER_PASSWORD);
    await maya.getByRole("button", { name: "Change the password" }).click();
    await maya.getByText("Your password is changed").waitFor();
    expect(await axeFaults(maya)).toEqual([]);
  });

  it("switches a second factor on, asks for it, and takes each recovery code once", async () => {
    await maya.getByRole("button", { name: "Switch it on …" }).click();
    await maya.getByLabel("Your password").fill(MAYA.password);
    await maya.getByRole("button", { name: "Go on" }).click();
    await maya.getByRole("img", { name: /QR code/ }).waitFor();
    expect(await axeFaults(maya)).toEqual([]);
    const secret = (await maya.getByTestId("secret").textContent()) ?? "";
    const codeNow = () => codeAt(`otpauth://totp/x?secret=${secret}`);
    const type = async (code: string) => {
      await maya
        .getByRole("textbox", { name: /Code|PinInput/ })
        .first()
        .click();
      await maya.keyboard.type(code);
    };
    await type(String((Number(await codeNow()) + 1) % 1_000_000).padStart(6, "0"));
    await maya.getByRole("dialog").getByRole("alert").waitFor();
    await type(await codeNow());
    const codes = maya.getByRole("list", { name: "Recovery codes" }).getByRole("listitem");
    await codes.first().waitFor();
    const [recovery = ""] = await codes.allTextContents();
    await maya.getByRole("button", { name: "I have them" }).click();
    await maya.getByText("It is on.").waitFor();

    await signOut(maya);
    await signIn(maya, MAYA.email, MAYA.password);
    await maya.getByRole("heading", { name: "Second factor" }).waitFor();
    expect(await axeFaults(maya)).toEqual([]);
    await type(await codeNow());
    await maya.getByRole("button", { name: /^You: / }).waitFor();

    for (const works of [true, false]) {
      await signOut(maya);
      await signIn(maya, MAYA.email, MAYA.password);
      await maya.getByRole("button", { name: "Use a recovery code" }).click();
      await maya.getByLabel("Recovery code").fill(recovery);
      await maya.getByRole("button", { name: "Sign in" }).click();
      if (works) await maya.getByRole("button", { name: /^You: / }).waitFor();
      else await maya.getByRole("alert").waitFor();
    }
  });

  it("signs out everywhere at once", async () => {
    const phone = await deployment.visit(NARROW);
    await phone.goto(url("/sign-in"));
    await signIn(phone, OWNER.email, OWNER.password);
    await phone.getByRole("button", { name: /^You: / }).waitFor();
    await phone.goto(url("/account"));
    const signIns = phone.getByRole("list", { name: "Sign-ins" }).getByRole("listitem");
    await signIns.nth(1).waitFor();
    expect(await phone.evaluate("document.documentElement.scrollWidth - innerWidth")).toBe(0);
    await phone.getByRole("button", { name: "Sign out everywhere", exact: true }).click();
    await phone.getByRole("heading", { name: "Sign in" }).waitFor();
    await owner.reload();
    await owner.getByRole("heading", { name: "Sign in" }).waitFor();
    await phone.context().close();
    await signIn(owner, OWNER.email, OWNER.password);
    await owner.getByRole("button", { name: /^You: / }).waitFor();
  });

  it("gives another role, which counts from the next request on, and shows somebody out", async () => {
    await maya.goto(url("/sign-in"));
    const member = await deployment.visit();
    await owner.goto(url("/settings/people"));
    await owner.getByRole("button", { name: "Invite somebody" }).click();
    await owner.getByLabel("Email").fill("arun@lotus.example");
    await owner.getByRole("button", { name: "Mail the invitation" }).click();
    await member.goto(await deployment.linkTo("arun@lotus.example", "/invitations/"));
    await member.getByLabel("Your name").fill("Arun");
    await member.getByLabel("Password", { exact: true }).fill(OTHER_PASSWORD);
    await member.getByRole("button", { name: "Join" }).click();
    await member
      .getByRole("button", { name: "Upload a list" })
      .or(member.getByRole("link", { name: "Upload a list" }))
      .waitFor();

    await owner.reload();
    await owner
      .getByRole("combobox", { name: "Role of Arun" })
      .or(owner.getByRole("textbox", { name: "Role of Arun" }))
      .click();
    await owner.getByRole("option", { name: "Viewer" }).click();
    await owner.getByText("Arun is viewer now").waitFor();
    await owner.getByLabel("Sees numbers and hears calls").click();
    await member.reload();
    await member.getByText("Operators, admins and owners can make one.").waitFor();
    await member.goto(url("/settings/do-not-call"));
    await member.getByRole("heading", { name: "No number is on the list" }).waitFor();
    await member.goto(url("/settings/people"));
    await member.getByText("Admins and owners see this.").waitFor();

    await owner.getByRole("button", { name: "Remove Arun" }).click();
    await owner.getByRole("button", { name: "Remove", exact: true }).click();
    await owner.getByText("Arun is out").waitFor();
    await member.reload();
    await member.getByRole("heading", { name: "You belong to no workspace" }).waitFor();
    expect(await axeFaults(member)).toEqual([]);
  });

  it("keeps the last owner in", async () => {
    await owner.goto(url("/account"));
    await owner.getByRole("button", { name: "Leave Lotus Kitchenware" }).click();
    await owner.getByRole("button", { name: "Leave", exact: true }).click();
    await owner
      .getByRole("dialog")
      .getByRole("alert")
      .getByText(/always has an owner/)
      .waitFor();
  });

  it("breaks no policy and throws nothing in all of this", () => {
    expect(complaints).toEqual([]);
  });
});
