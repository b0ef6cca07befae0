import { parseId } from "../core/ids.ts";
import { database } from "../db/database.ts";
import { findFormNamed } from "../db/forms.ts";
import { notFound } from "./errors.ts";
import { openForm } from "./form-of.ts";
import { formPage, sendPage } from "./form-pages.ts";
import { SHARED_HEADERS } from "./policy.ts";
import type { Handler } from "./serve.ts";

declare global {
  namespace Cloudflare {
    interface Env {
      /** Name of the form that `/demo/form` shows; local demos only, without it there is no such page. */
      DEMO_FORM?: string;
    }
  }
}

/** The script of forms, for pages of any origin; `npm run build` puts it among the assets. */
export const script: Handler<"GET /form.js"> = async (c) => {
  const asset = await c.env.ASSETS.fetch(new URL("/form.js", c.req.url));
  if (!asset.ok) throw notFound("script");
  for (const [name, value] of Object.entries(SHARED_HEADERS)) c.header(name, value);
  c.header("content-type", "text/javascript; charset=utf-8");
  return c.body(await asset.text());
};

const NOTE = `<p class="quiet">This page stands for one of yours: all that it has of outdial is the form above, pasted, and a script. Post it, and watch the call in the <a href="/">dashboard</a>.</p>
`;

/** A page as a customer would have it, with the local demo's form: whoever goes there is nobody's guest. */
export const demo: Handler<"GET /demo/form"> = async (c) => {
  const { DEMO_FORM, PUBLIC_URL } = c.env;
  // A deployment has forms of more than one workspace: there a name says nothing.
  if (!DEMO_FORM || !PUBLIC_URL.startsWith("http:")) throw notFound("route");
  const named = await findFormNamed(database(c.env), DEMO_FORM);
  const known = named === null ? null : parseId("frm", named.id);
  const form = known === null ? null : await openForm(c.env, known.id, c.get("now"));
  if (form === null) throw notFound("form");
  const words = {
    title: "Questions about our pans?",
    lead: "Leave your number, and Asha calls you back.",
  };
  return sendPage(c, form, formPage(form, { ...words, note: NOTE }));
};
