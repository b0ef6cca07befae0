declare global {
  namespace Cloudflare {
    interface Env {
      /** Cloudflare's email sending; needs `MAIL_FROM`. */
      MAILS?: SendEmail;
      /** Sender's address. */
      MAIL_FROM?: string;
      /** Any HTTP mail API, in its stead: where mails are posted. */
      MAIL_URL?: string;
      /** A header with that API's key: `Authorization: Bearer …`. */
      MAIL_HEADER?: string;
      /** Its body as JSON, with `{from}`, `{to}`, `{subject}` and `{text}` in its texts. */
      MAIL_BODY?: string;
    }
  }
}

export type Mail = { to: string; subject: string; text: string };

const BODY = '{"from": "{from}", "to": "{to}", "subject": "{subject}", "text": "{text}"}';
const TIMEOUT_MS = 10_000;

/** Whether this deployment can send mails at all. */
export function canMail(env: Env): boolean {
  return Boolean(env.MAIL_URL) || (env.MAILS !== undefined && Boolean(env.MAIL_FROM));
}

/**
 * Sends one mail by the HTTP API of `MAIL_URL`, else by Cloudflare. Throws where it was not taken;
 * nothing that is thrown names an address or what the mail says.
 */
export async function sendMail(env: Env, mail: Mail): Promise<void> {
  const from = env.MAIL_FROM ?? "";
  if (env.MAIL_URL) return post(env, env.MAIL_URL, { ...mail, from });
  if (env.MAILS === undefined || from === "") throw new Error("no mail is set up");
  try {
    await env.MAILS.send({ from, to: mail.to, subject: mail.subject, text: mail.text });
  } catch (error) {
    const { code } = error as { code?: unknown };
    throw new Error(`Cloudflare did not take a mail: ${String(code ?? "no code")}`);
  }
}

async function post(env: Env, url: string, mail: Mail & { from: string }): Promise<void> {
  const headers = new Headers({ "content-type": "application/json" });
  const header = env.MAIL_HEADER ?? "";
  const colon = header.indexOf(":");
  if (colon > 0) headers.set(header.slice(0, colon).trim(), header.slice(colon + 1).trim());
  const response = await fetch(url, {
    method: "POST",
    headers,
    body: JSON.stringify(fill(JSON.parse(env.MAIL_BODY ?? BODY), mail)),
    redirect: "manual",
    signal: AbortSignal.timeout(TIMEOUT_MS),
  });
  await response.body?.cancel();
  if (!response.ok) throw new Error(`the mail API did not take a mail: ${response.status}`);
}

/** A template with what stands for the mail's parts replaced, in every text that it holds. */
function fill(template: unknown, mail: Mail & { from: string }): unknown {
  if (typeof template === "string") {
    return template.replaceAll(/\{(from|to|subject|text)\}/g, (_, part) => {
      return mail[part as keyof typeof mail];
    });
  }
  if (Array.isArray(template)) return template.map((one) => fill(one, mail));
  if (typeof template !== "object" || template === null) return template;
  const entries = Object.entries(template).map(([key, value]) => [key, fill(value, mail)]);
  return Object.fromEntries(entries);
}
