import { env } from "cloudflare:test";
import { afterEach, describe, expect, it, vi } from "vitest";
import { canMail, sendMail } from "../../src/shell/mailer.ts";

const MAIL = { to: "maya@example.test", subject: 'Join "Acme"', text: "Line one\n\nLine {to}" };
const bare = { ...env, MAIL_URL: undefined, MAIL_FROM: undefined } as unknown as Env;
afterEach(() => vi.unstubAllGlobals());

function catchPosts(status = 202) {
  const posts: { url: string; headers: Headers; body: unknown }[] = [];
  vi.stubGlobal("fetch", async (url: string, init: RequestInit) => {
    const body = JSON.parse(String(init.body));
    posts.push({ url, headers: new Headers(init.headers), body });
    return new Response("no", { status });
  });
  return posts;
}

describe("a mail", () => {
  it("is posted in the shape that the API wants, with its key", async () => {
    const posts = catchPosts();
    await sendMail(
      {
        ...bare,
        MAIL_URL: "https://mails.example.com/v1/send",
        MAIL_FROM: "calls@example.com",
        MAIL_HEADER: "Authorization: Bearer abc:def",
        MAIL_BODY:
          '{"personalizations": [{"to": [{"email": "{to}"}]}], "from": {"email": "{from}"}, "subject": "{subject}", "content": [{"type": "text/plain", "value": "{text}"}], "track": false}',
      },
      MAIL,
    );
    expect(posts.map(({ url }) => url)).toEqual(["https://mails.example.com/v1/send"]);
    expect(posts[0]?.headers.get("authorization")).toBe("Bearer abc:def");
    // What a mail says is never read as a template.
    expect(posts[0]?.body).toEqual({
      personalizations: [{ to: [{ email: MAIL.to }] }],
      from: { email: "calls@example.com" },
      subject: MAIL.subject,
      content: [{ type: "text/plain", value: MAIL.text }],
      track: false,
    });
  });

  it("goes out by Cloudflare where that is bound", async () => {
    const send = vi.fn(async (_: unknown) => ({ messageId: "1" }));
    const bound = { ...bare, MAILS: { send } as unknown as SendEmail, MAIL_FROM: "c@example.com" };
    expect(canMail(bound)).toBe(true);
    await sendMail(bound, MAIL);
    expect(send.mock.calls).toEqual([[{ from: "c@example.com", ...MAIL }]]);
  });

  it("that is not taken is an error which names neither address nor words", async () => {
    catchPosts(422);
    const api = { ...bare, MAIL_URL: "https://mails.example.com/" };
    const send = async () => {
      throw Object.assign(new Error(`cannot send to ${MAIL.to}`), { code: "E_RECIPIENT" });
    };
    const bound = { ...bare, MAILS: { send } as unknown as SendEmail, MAIL_FROM: "c@example.com" };
    for (const [bindings, part] of [
      [api, "422"],
      [bound, "E_RECIPIENT"],
      [bare, "no mail"],
    ] as const) {
      const error = await sendMail(bindings, MAIL).then(() => null, String);
      expect(error).toContain(part);
      expect(error).not.toContain("maya");
      expect(error).not.toContain("Line one");
    }
  });

  it("cannot be sent where nothing is set up", () => {
    expect(canMail(bare)).toBe(false);
    expect(canMail({ ...bare, MAILS: {} as SendEmail })).toBe(false);
    expect(canMail(env as Env)).toBe(true);
  });
});
