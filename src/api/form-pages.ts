import { escapeHtml, snippetOf, TURNSTILE_SCRIPT } from "../core/form-snippet.ts";
import type { Issue } from "../core/result.ts";
import type { Ctx } from "./context.ts";
import type { OpenForm } from "./form-of.ts";

/*
 * Pages of ours for people who asked for a call: the answer where a page runs no script, and a page
 * with the form itself.
 */

const STYLE = `
:root { color-scheme: light dark; --line: light-dark(#767b85, #8a8f99); --deed: light-dark(#0b6e6e, #5cc7c2); --on-deed: light-dark(#fff, #06211f); --bad: light-dark(#b3261e, #ffb4ab); }
body { margin: 0; font: 16px/1.5 system-ui, sans-serif; background: light-dark(#f6f7f8, #15171a); color: light-dark(#1b1e22, #e8eaed); }
main { max-width: 30rem; margin: 0 auto; padding: 3rem 1.25rem; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .5rem; }
a { color: var(--deed); }
form { margin-top: 1.5rem; }
label { display: block; }
input:not([type=checkbox]), textarea { display: block; box-sizing: border-box; width: 100%; margin-top: .25rem; padding: .6rem .75rem; font: inherit; color: inherit; background: light-dark(#fff, #1d2024); border: 1px solid var(--line); border-radius: .5rem; }
input[type=checkbox] { margin: 0 .4rem 0 0; width: 1.1rem; height: 1.1rem; vertical-align: -.15rem; accent-color: var(--deed); }
:focus-visible { outline: 2px solid var(--deed); outline-offset: 2px; }
[aria-invalid=true] { border-color: var(--bad) !important; }
.outdial-error { display: block; color: var(--bad); font-size: .9rem; }
.outdial-answer { padding: .75rem 1rem; border-left: 4px solid var(--deed); background: light-dark(#fff, #1d2024); }
.outdial-answer.outdial-failed { border-color: var(--bad); }
.outdial-answer:empty { display: none; }
button { width: 100%; padding: .75rem; font: inherit; font-weight: 600; color: var(--on-deed); background: var(--deed); border: 0; border-radius: .5rem; cursor: pointer; }
button[aria-disabled=true] { opacity: .6; cursor: progress; }
.quiet { color: light-dark(#555b64, #a3a9b2); font-size: .9rem; }
`;

function pageOf(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>${escapeHtml(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<main>
${body}</main>
</body>
</html>
`;
}

/** What a page without script comes to after its post. */
export function answerPage(message: string, back: string | null): string {
  return pageOf(message, `<h1>${escapeHtml(message)}</h1>\n${linkBack(back)}`);
}

/** What is wrong with a post, for the person who sent it. */
export function refusalPage(
  refusal: { message: string; issues?: Issue[] },
  back: string | null,
): string {
  const issues = (refusal.issues ?? []).map(({ expected, got }) => {
    return `<li>${escapeHtml(`Expected ${expected}; got ${got}.`)}</li>`;
  });
  const list = issues.length === 0 ? "" : `<ul>\n${issues.join("\n")}\n</ul>\n`;
  const what =
    issues.length === 0
      ? refusal.message
      : "Nothing was dialled yet: please go back and mend this.";
  return pageOf(
    "We cannot call you yet",
    `<h1>We cannot call you yet</h1>\n<p>${escapeHtml(what)}</p>\n${list}${linkBack(back)}`,
  );
}

function linkBack(back: string | null): string {
  return back === null ? "" : `<p><a href="${escapeHtml(back)}">Back to the page</a></p>\n`;
}

/** A page with the form, as one that pastes it would have it. */
export function formPage(
  form: OpenForm,
  words: { title: string; lead: string; note: string },
): string {
  const consent = form.consents.at(-1);
  if (consent === undefined) throw new Error("bug: a form without a text of consent");
  const { fields, country, siteKey } = form.settings;
  const own = { url: `/f/${form.id}`, script: "/form.js" };
  const snippet = snippetOf({ ...own, fields, consent, country, siteKey });
  return pageOf(
    words.title,
    `<h1>${escapeHtml(words.title)}</h1>\n<p>${escapeHtml(words.lead)}</p>\n${snippet}${words.note}`,
  );
}

/** Answers with a page; its policy lets it run our script, Turnstile's where it is asked for, and lead on. */
export function sendPage(c: Ctx, form: OpenForm | null, page: string, status: 200 | 409 = 200) {
  const { siteKey = null, redirect = null } = form?.settings ?? {};
  const turnstile = siteKey === null ? "" : ` ${new URL(TURNSTILE_SCRIPT).origin}`;
  const onward = redirect === null ? "" : ` ${new URL(redirect).origin}`;
  const policy = [
    ...["default-src 'none'", "style-src 'unsafe-inline'", "connect-src 'self'"],
    ...[`script-src 'self'${turnstile}`, `frame-src 'self'${turnstile}`],
    ...["base-uri 'none'", `form-action 'self'${onward}`, "frame-ancestors 'none'"],
  ];
  c.header("content-security-policy", policy.join("; "));
  return c.html(page, status);
}
