import { execFileSync, spawnSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { outboundOf } from "../../src/carriers/outbound.ts";
import type { WorkspaceId } from "../../src/core/ids.ts";
import { EVENT_TYPES, RETRY_GAPS_MS, type WebhookEvent } from "../../src/core/webhook.ts";
import { bodyOf } from "../../src/core/webhook-body.ts";
import { newSecret, tell } from "../../src/shell/webhook.ts";

const page = readFileSync(new URL("../../docs/webhooks.md", import.meta.url), "utf8");

/** The page's blocks in one language. */
function blocksOf(language: string): string[] {
  const found = page.matchAll(new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, "gms"));
  return [...found].map(([, text = ""]) => text);
}

/** First cells of the table that begins with this head. */
function cellsUnder(head: string): string[] {
  const [, after = ""] = page.split(`${head}\n`);
  const [table = ""] = after.split("\n\n");
  const rows = table.split("\n").slice(1);
  return rows.map((line) => line.split("|")[1]?.trim() ?? "");
}

type Request = { headers: Record<string, string>; body: string };

const EVENT: WebhookEvent = {
  id: "cal_k3v9q2m8xa_3n5-ended",
  type: "call.ended",
  at: Date.UTC(2025, 11, 1, 8),
  sequence: 4711,
  task: 95,
  call: 4_721,
  callback: null,
  only: false,
  data: { call: "cal_k3v9q2m8xa_3n5", reason: "Zoë said “ja” to 20 €" },
};

/** An event as the product sends it. */
async function sent(secrets: string[], at = Date.now()): Promise<Request> {
  const requests: Request[] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
    const headers = request.headers as Record<string, string>;
    requests.push({ headers, body: Buffer.concat(chunks).toString() });
    response.end();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`;
  const out = outboundOf({ PUBLIC_URL: "http://outdial.test", OUTBOUND_ALLOW: "127.0.0.1:*" });
  const body = JSON.stringify(bodyOf(EVENT, "ws_k3v9q2m8xa" as WorkspaceId));
  const told = await tell(out, { url, secrets }, { id: EVENT.id, body }, at);
  expect(told.status).toBe(200);
  server.closeAllConnections();
  server.close();
  const [request] = requests;
  if (request === undefined) throw new Error("nothing came");
  return request;
}

const DRIVERS = {
  js: `
import { readFileSync } from "node:fs";
const headers = JSON.parse(process.env.HEADERS);
console.log(isSigned(process.env.SECRET, headers, readFileSync("body.json", "utf8")) ? "signed" : "forged");`,
  python: `
import json, os
body = open("body.json", "rb").read()
print("signed" if is_signed(os.environ["SECRET"], json.loads(os.environ["HEADERS"]), body) else "forged")`,
  sh: "",
};
type Language = keyof typeof DRIVERS;
const RUN = {
  js: [process.execPath, "check.mjs"],
  python: ["python3", "check.py"],
  sh: ["sh", "check.sh"],
};

const isThere = (program: string, how: string) => spawnSync(program, [how]).status === 0;
/** Node is there; where the others are not, theirs are left out. */
const LANGUAGES: Language[] = [
  "js",
  ...(isThere("python3", "--version") ? ["python" as const] : []),
  ...(isThere("openssl", "version") ? ["sh" as const] : []),
];

describe.each(LANGUAGES)("docs/webhooks.md verifies in %s", (language) => {
  const secret = newSecret();
  let folder: string;
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), "outdial-hooks-"));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function said(by: Language, known: string, { headers, body }: Request): string {
    const [program = "", file = ""] = RUN[by];
    const snippet = blocksOf(by).find((text) => /signature/i.test(text)) ?? "";
    writeFileSync(join(folder, file), snippet + DRIVERS[by]);
    writeFileSync(join(folder, "body.json"), body);
    const env = {
      PATH: process.env.PATH ?? "",
      SECRET: known,
      HEADERS: JSON.stringify(headers),
      ID: headers["webhook-id"] ?? "",
      AT: headers["webhook-timestamp"] ?? "",
      SIGNATURE: headers["webhook-signature"] ?? "",
    };
    return execFileSync(program, [file], { cwd: folder, env, encoding: "utf8" }).trim();
  }

  test("what is signed, by either secret after a roll", async () => {
    const request = await sent([secret]);
    expect(said(language, secret, request)).toBe("signed");
    const before = newSecret();
    const rolled = await sent([secret, before]);
    expect([secret, before].map((one) => said(language, one, rolled))).toEqual([
      "signed",
      "signed",
    ]);
  });

  test("and nothing else: another secret, body, id or time", async () => {
    const request = await sent([secret]);
    const { headers, body } = request;
    const others = [
      said(language, newSecret(), request),
      said(language, secret, { headers, body: body.replace("4711", "4712") }),
      said(language, secret, { headers: { ...headers, "webhook-id": "other" }, body }),
      said(language, secret, { headers: { ...headers, "webhook-timestamp": "1764576000" }, body }),
      said(language, secret, { headers: { ...headers, "webhook-signature": "v1," }, body }),
    ];
    expect(others).toEqual(others.map(() => "forged"));
  });

  // By hand one looks at requests that came long ago.
  if (language === "sh") return;
  test("nor what was signed long ago", async () => {
    const old = await sent([secret], Date.now() - 301_000);
    expect(said(language, secret, old)).toBe("forged");
  });
});

describe("docs/webhooks.md", () => {
  test("names every event once, in core's order", () => {
    const [, events = ""] = page.split("## What is told\n");
    const [head = ""] = events.trim().split("\n");
    const named = cellsUnder(head).flatMap((cell) => cell.split(", "));
    expect(named).toEqual(EVENT_TYPES.map((type) => `\`${type}\``));
  });

  test("shows an event with the fields that events have", () => {
    const [block = ""] = blocksOf("http");
    const [, text = ""] = block.split("\n\n");
    const shown = JSON.parse(text) as Record<string, unknown>;
    const { data, ...rest } = bodyOf(EVENT, "ws_k3v9q2m8xa" as WorkspaceId);
    expect(shown).toMatchObject(rest);
    expect(Object.keys(shown)).toEqual([...Object.keys(rest), "data"]);
    expect(data).toMatchObject({ call: (shown.data as { call: string }).call });
  });

  test("tells the gaps between tries", () => {
    const words = RETRY_GAPS_MS.map((ms) => {
      if (ms < 60_000) return `${ms / 1_000} s`;
      return ms < 3_600_000 ? `${ms / 60_000} min` : `${ms / 3_600_000} h`;
    });
    expect(page).toContain(`Gaps are ${words.slice(0, -1).join(", ")}, then ${words.at(-1)}`);
  });
});
