import { env } from "cloudflare:test";
import { describe, expect, it, vi } from "vitest";
import {
  type Calling,
  completed,
  FIXTURES,
  imported,
  pausedBatch,
  rowsText,
  send,
  tasksOf,
} from "../support/workerd/imports.ts";
import {
  codeOf,
  itemsOf,
  type Json,
  made,
  mintCallingWorkspace,
  pathsOf,
  pausedCampaign,
} from "../support/workerd/workspace.ts";

const counted = (rejected: { reason: string }[]) =>
  Object.fromEntries(
    rejected.map(({ reason }) => [reason, rejected.filter((one) => one.reason === reason).length]),
  );

async function campaignOf(workspace: Calling, campaign: string): Promise<Json> {
  return (await workspace.ask(`GET /v1/campaigns/${campaign}`)).json;
}

describe("H7 an awkward file", () => {
  it.each(FIXTURES)("$name gives the tasks and the report that stand beside it", async (one) => {
    const { bytes, expected } = one;
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const trial = await send(workspace, campaign, bytes, { query: "?dryRun=true" });
    const reply = await send(workspace, campaign, bytes);
    const rows = expected.taken.length + expected.rejected.length;
    if (rows === 0) {
      for (const refused of [trial, reply]) {
        expect(refused.status).toBe(422);
        expect(pathsOf(refused)).toEqual(["rows"]);
      }
      return;
    }
    expect(reply.status, reply.text).toBe(202);
    const done = await completed(workspace, campaign, String(reply.json.id));
    const report = {
      columns: expected.columns,
      rows,
      rowsTaken: expected.taken.length,
      rejected: counted(expected.rejected),
      problems: expected.rejected,
    };
    expect(done).toMatchObject({ ...report, rowsRead: rows });
    expect(trial.status, trial.text).toBe(200);
    expect(trial.json).toMatchObject(report);
    expect(await tasksOf(workspace, campaign, expected.taken.length)).toEqual(expected.taken);
  });

  it("with letters that are no UTF-8 says so, and loses no row", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const latin = Uint8Array.from("phone,name\n+919876540001,Ren\xe9e\n", (c) => c.charCodeAt(0));
    const done = await imported(workspace, campaign, latin);
    expect(done).toMatchObject({ rowsTaken: 1, warnings: [{ path: "file" }] });
  });

  it("with one row that no context could hold loses only that one", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const long = "x".repeat(3_000_000);
    const file = `phone,a\n+919876540001,1\n+919876540002,${long}\n+919876540003,3\n`;
    const done = await imported(workspace, campaign, file);
    expect(done).toMatchObject({
      rowsTaken: 2,
      problems: [{ line: 3, reason: "context_too_large" }],
    });
  });
});

describe("H7 the rejected rows", () => {
  it("download as a CSV that can be mended and imported again", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const file = "phone;name;\n12;=Asha;x\n+919876540001;Bela;y\n9.19E+11;Chitra;\n";
    const first = await imported(workspace, campaign, file);
    expect(first).toMatchObject({ rowsTaken: 1, rejected: { no_country_code: 1, scientific: 1 } });
    const path = String(first.rejectedUrl).slice(env.PUBLIC_URL.length);
    const download = await workspace.ask(`GET ${path}`);
    expect(download.headers.get("content-type")).toBe("text/csv; charset=utf-8");
    expect(download.text).toBe(
      "phone,name,,outdial_line,outdial_reason\r\n" +
        "12,'=Asha,x,2,no_country_code\r\n9.19E+11,Chitra,,4,scientific\r\n",
    );
    const mended = download.text
      .replace("\n12,", "\n+919876540002,")
      .replace("9.19E+11", "+919876540003");
    const second = await imported(workspace, campaign, mended);
    expect(second).toMatchObject({ rowsTaken: 2, rejected: {}, columns: ["name"] });
    expect(second.rejectedUrl).toBeNull();
    expect(await tasksOf(workspace, campaign, 3)).toEqual([
      { phone: "+919876540001", context: { name: "Bela" } },
      { phone: "+919876540002", context: { name: "=Asha" } },
      { phone: "+919876540003", context: { name: "Chitra" } },
    ]);
  });

  it("are shown up to 50 and downloaded all, in the order of the file", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const bad = Array.from({ length: 1234 }, (_, n) => `+${n % 2},${n}`).join("\n");
    const done = await imported(workspace, campaign, `phone,n\n${bad}\n+919876540001,x\n`);
    expect(done).toMatchObject({ rowsTaken: 1, rejectedCount: 1234 });
    expect(done.problems).toHaveLength(50);
    const path = String(done.rejectedUrl).slice(env.PUBLIC_URL.length);
    const lines = (await workspace.ask(`GET ${path}`)).text.trimEnd().split("\r\n");
    expect(lines.slice(1).map((line) => line.split(",")[1])).toEqual(
      Array.from({ length: 1234 }, (_, n) => String(n)),
    );
  });
});

describe("H5 H38 a file that is none", () => {
  const png = Uint8Array.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 0x1a, 10, 0, 0, 0, 13]);
  it.each([
    ["is empty", "", "file"],
    ["has only empty lines", "\n \r\n,,\n", "file"],
    ["has only a header", "phone,name\n\n", "rows"],
    ["starts with another header", "name,phone\nAsha,+919876540001\n", "header.0"],
    ["has no header", "+919876540001,Asha\n", "header.0"],
    ["repeats a header", "phone,name, name\n+919876540001,a,b\n", "header.2"],
    ["has an open quote in its header", 'phone,"name\n+919876540001,a\n', "header"],
    ["has a header without end", `phone,${"x,".repeat(2_000)}\n+919876540001\n`, "header"],
    ["is binary", png, "file"],
    ["is JSON", '{"phone":"+919876540001"}', "header.0"],
  ])("%s is refused by the field, and nothing stays", async (_, file, path) => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const before = await campaignOf(workspace, campaign);
    for (const query of ["", "?dryRun=true"]) {
      const reply = await send(workspace, campaign, file, { query });
      expect(reply.status, reply.text).toBe(422);
      expect(codeOf(reply)).toBe("invalid");
      expect(pathsOf(reply)).toEqual([path]);
      expect(reply.text).not.toContain("9876540001");
    }
    expect(itemsOf(await workspace.ask(`GET /v1/campaigns/${campaign}/imports`))).toEqual([]);
    expect(await campaignOf(workspace, campaign)).toEqual(before);
  });

  it("is larger than 20 MB is a 413, told or untold", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const line = `+919876540001,${"x".repeat(1000)}\n`;
    const text = new TextEncoder().encode(`phone,a\n${line.repeat(22_000)}`);
    const told = await send(workspace, campaign, text);
    const untold = await send(workspace, campaign, new Blob([text]).stream());
    for (const reply of [told, untold]) {
      expect(reply.status).toBe(413);
      expect(codeOf(reply)).toBe("too_large");
      expect(reply.json.error).toMatchObject({
        issues: [{ expected: "at most 20 MB", got: "more" }],
      });
    }
    expect(itemsOf(await workspace.ask(`GET /v1/campaigns/${campaign}/imports`))).toEqual([]);
  });
});

describe("H6 the rows of a file", () => {
  it("may be 100,000 and no more", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const text = `phone,name,n\n${rowsText(100_000)}`;
    const most = await imported(workspace, campaign, text);
    expect(most).toMatchObject({ rows: 100_000, rowsTaken: 100_000, rejected: {} });
    const more = await send(workspace, campaign, `${text}+919999999999,x,y\n`);
    expect(more.status).toBe(422);
    expect(pathsOf(more)).toEqual(["rows"]);
    expect(itemsOf(await workspace.ask(`GET /v1/campaigns/${campaign}/imports`))).toHaveLength(1);
    const left = await env.DB.prepare("SELECT COUNT(*) AS count FROM import_chunks").first("count");
    expect(left).toBe(0);
    expect(await campaignOf(workspace, campaign)).toMatchObject({ counters: { paused: 100_000 } });
  }, 60_000);
});

describe("H8 numbers without a plus", () => {
  const file = "phone\n919876540001\n9876540002\n+14155550001\n";
  it("are rejected unless the import says how to read them", async () => {
    const workspace = await mintCallingWorkspace();
    const taken: unknown[] = [];
    for (const query of [
      "?numbers=e164",
      "?numbers=international-without-plus",
      "?defaultCountry=in",
    ]) {
      const campaign = await pausedBatch(workspace);
      const done = await imported(workspace, campaign, file, query);
      taken.push({ taken: done.rowsTaken, options: done.options, problems: done.problems });
    }
    expect(taken).toEqual([
      {
        taken: 1,
        options: { numbers: "e164", allowDuplicates: false },
        problems: [
          { line: 2, reason: "no_country_code" },
          { line: 3, reason: "no_country_code" },
        ],
      },
      {
        taken: 2,
        options: { numbers: "international-without-plus", allowDuplicates: false },
        problems: [{ line: 3, reason: "invalid" }],
      },
      { taken: 3, options: { defaultCountry: "IN", allowDuplicates: false }, problems: [] },
    ]);
  });

  it.each([
    ["?numbers=guess", "numbers"],
    ["?defaultCountry=India", "defaultCountry"],
    ["?defaultCountry=XX", "defaultCountry"],
    ["?defaultCountry=IN&numbers=international-without-plus", "defaultCountry"],
    ["?allowDuplicates=perhaps", "allowDuplicates"],
    ["?dryRun=2", "dryRun"],
  ])("with %s are refused by the field (H38)", async (query, path) => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const reply = await send(workspace, campaign, file, { query });
    expect(reply.status).toBe(422);
    expect(pathsOf(reply)).toEqual([path]);
  });
});

describe("H9 a number that came before", () => {
  it("in an earlier file is a duplicate, unless duplicates are allowed", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    await imported(workspace, campaign, "phone,n\n+919876540001,1\n+919876540002,2\n");
    const file = "phone,n\n+91 98765 40002,again\n+919876540003,3\n+919876540003,4\n";
    const report = {
      rowsTaken: 1,
      rejected: { duplicate: 2 },
      problems: [
        { line: 2, reason: "duplicate" },
        { line: 4, reason: "duplicate" },
      ],
    };
    await tasksOf(workspace, campaign, 2);
    const trial = await send(workspace, campaign, file, { query: "?dryRun=true" });
    expect(trial.json).toMatchObject(report);
    expect(await imported(workspace, campaign, file)).toMatchObject(report);
    const again = await imported(workspace, campaign, file, "?allowDuplicates=true");
    expect(again).toMatchObject({ rowsTaken: 3, rejected: {} });
    expect(await tasksOf(workspace, campaign, 6)).toHaveLength(6);
  });

  it("in another campaign is none", async () => {
    const workspace = await mintCallingWorkspace();
    for (const campaign of [await pausedBatch(workspace), await pausedBatch(workspace)]) {
      const done = await imported(workspace, campaign, "phone\n+919876540001\n");
      expect(done).toMatchObject({ rowsTaken: 1 });
    }
  });
});

describe("H40 a suppressed number", () => {
  it("is rejected, in a trial as well", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    await workspace.ask("POST /v1/suppressions", { body: { phone: "+919876540001" } });
    const file = "phone\n+919876540001\n+919876540002\n";
    const report = {
      rowsTaken: 1,
      rejected: { suppressed: 1 },
      problems: [{ line: 2, reason: "suppressed" }],
    };
    const trial = await send(workspace, campaign, file, { query: "?dryRun=true" });
    expect(trial.json).toMatchObject(report);
    expect(await imported(workspace, campaign, file)).toMatchObject(report);
  });
});

describe("H10 a placeholder without a column", () => {
  it("is named by the import before anything is dialled", async () => {
    const workspace = await mintCallingWorkspace();
    const { connection, from } = workspace;
    // biome-ignore lint/suspicious/noTemplateCurlyInString: a prompt's own placeholders
    const prompt = "You call ${name} in ${city} about ${order}.";
    const body = { name: "Bela", connection, carrierAgentId: "agent-2", prompt };
    const agent = await made(workspace, "agents", body);
    const campaign = await pausedBatch(workspace, { agent, from });
    const file = "phone,name,City\n+919876540001,Asha,Pune\n";
    for (const query of ["?dryRun=true", ""]) {
      const reply = await send(workspace, campaign, file, { query });
      expect(reply.json.missingPlaceholders).toEqual(["city", "order"]);
    }
    const [one] = itemsOf(await workspace.ask(`GET /v1/campaigns/${campaign}/imports`));
    expect(one).toMatchObject({
      missingPlaceholders: ["city", "order"],
      warnings: [{ path: "header" }, { path: "header" }],
    });
  });
});

describe("H11 an import", () => {
  it("starts a campaign that was to start now, at the instant it is complete", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    expect(await campaignOf(workspace, campaign)).toMatchObject({ startsAt: null });
    const before = Date.now();
    await imported(workspace, campaign, "phone\n+919876540001\n");
    const { startsAt } = await campaignOf(workspace, campaign);
    expect(startsAt).toBeGreaterThanOrEqual(before);
    await imported(workspace, campaign, "phone\n+919876540002\n");
    expect(await campaignOf(workspace, campaign)).toMatchObject({ startsAt });
  });

  it("of which every row is bad leaves the campaign as it was", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const before = await campaignOf(workspace, campaign);
    const done = await imported(workspace, campaign, "phone\n12\nabc\n");
    expect(done).toMatchObject({ rowsTaken: 0, rejectedCount: 2 });
    expect(await campaignOf(workspace, campaign)).toEqual(before);
  });

  it("adds a second file to a live campaign", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    await imported(workspace, campaign, "phone,a\n+919876540001,1\n");
    await imported(workspace, campaign, "phone,b\n+919876540002,2\n");
    expect(await tasksOf(workspace, campaign, 2)).toEqual([
      { phone: "+919876540001", context: { a: "1" } },
      { phone: "+919876540002", context: { b: "2" } },
    ]);
    const all = itemsOf(await workspace.ask(`GET /v1/campaigns/${campaign}/imports`));
    expect(all.map((one) => one.columns)).toEqual([["b"], ["a"]]);
  });

  it("pages through the imports of a campaign, newest first", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const ids: unknown[] = [];
    for (let n = 1; n <= 3; n++) {
      ids.push((await imported(workspace, campaign, `phone\n+91987654000${n}\n`)).id);
    }
    const path = `GET /v1/campaigns/${campaign}/imports?limit=2`;
    const first = await workspace.ask(path);
    const second = await workspace.ask(`${path}&cursor=${first.json.nextCursor}`);
    const seen = [...itemsOf(first), ...itemsOf(second)].map((one) => one.id);
    expect(seen).toEqual(ids.toReversed());
    expect(second.json.nextCursor).toBeNull();
  });
});

describe("a campaign that takes no rows", () => {
  const file = "phone\n+919876540001\n";

  it("H1 is a realtime one", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    for (const query of ["", "?dryRun=true"]) {
      const reply = await send(workspace, campaign, file, { query });
      expect(reply.status).toBe(409);
      expect(codeOf(reply)).toBe("conflict");
    }
  });

  it("H28 is archived, or past its end", async () => {
    const workspace = await mintCallingWorkspace();
    const archived = await pausedBatch(workspace);
    await workspace.ask(`POST /v1/campaigns/${archived}/archive`);
    const ended = await pausedBatch(workspace, { endAfter: Date.now() + 3_600_000 });
    vi.useFakeTimers({ toFake: ["Date"], now: Date.now() + 3_600_000 });
    try {
      for (const campaign of [archived, ended]) {
        const reply = await send(workspace, campaign, file);
        expect(reply.status, reply.text).toBe(409);
        expect(itemsOf(await workspace.ask(`GET /v1/campaigns/${campaign}/imports`))).toEqual([]);
      }
    } finally {
      vi.useRealTimers();
    }
  });

  it("H37 is unknown, or of another workspace", async () => {
    const workspace = await mintCallingWorkspace();
    const other = await mintCallingWorkspace();
    const campaign = await pausedBatch(other);
    const { id } = await imported(other, campaign, `${file}12\n`);
    const unknown = `cmp_${workspace.id.slice(3)}_zz`;
    for (const one of [campaign, unknown, "nonsense"]) {
      expect((await send(workspace, one, file)).status).toBe(404);
      const list = `/v1/campaigns/${one}/imports`;
      for (const path of [list, `${list}/${id}`, `${list}/${id}/rejected.csv`]) {
        expect((await workspace.ask(`GET ${path}`)).status, path).toBe(404);
      }
    }
    const own = await pausedBatch(other);
    expect((await other.ask(`GET /v1/campaigns/${own}/imports/${id}`)).status).toBe(404);
    expect((await other.ask(`GET /v1/campaigns/${own}/imports/imp_x`)).status).toBe(404);
  });
});

describe("a form with a file", () => {
  const csv = "phone,name\r\n+919876540001,Asha\r\n--edge,x\r\n+919876540002,Bela";
  const type = { "content-type": 'multipart/form-data; boundary="edge"' };
  const field = '--edge\r\nContent-Disposition: form-data; name="note"\r\n\r\nhello\r\n';
  const file = (name: string, text: string) =>
    `--edge\r\nContent-Disposition: form-data; name="file"; filename="${name}"\r\nContent-Type: text/csv\r\n\r\n${text}\r\n`;

  it("is read like the file itself, and keeps its name", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const form = new FormData();
    form.append("note", "hello");
    form.append("file", new File([csv], "leads für heute.csv", { type: "text/csv" }));
    form.append("more", "bye");
    const whole = new Response(form);
    const headers = { "content-type": whole.headers.get("content-type") ?? "" };
    const raw = new Uint8Array(await whole.arrayBuffer());
    const reply = await send(workspace, campaign, raw, { headers });
    expect(reply.status, reply.text).toBe(202);
    const done = await completed(workspace, campaign, String(reply.json.id));
    expect(done).toMatchObject({
      fileName: "leads für heute.csv",
      rowsTaken: 2,
      rejected: { letters: 1 },
    });
  });

  it("is the same wherever its bytes are cut", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const inner = "phone\r\n+919876540001\r\n\r\n-\r\n--\r\n--edg\r\n+919876540002\r\n";
    const bytes = new TextEncoder().encode(`${field}${file("a.csv", inner)}--edge--\r\n`);
    const letterByLetter = new ReadableStream({
      start(controller) {
        for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    const query = "?dryRun=true";
    const whole = await send(workspace, campaign, bytes, { headers: type, query });
    const cut = await send(workspace, campaign, letterByLetter, { headers: type, query });
    expect(whole.json).toMatchObject({ rows: 5, rowsTaken: 2, fileName: "a.csv" });
    expect(cut.json).toEqual(whole.json);
  });

  it.each([
    ["without a file", `${field}--edge--`, "file"],
    ["with two files", `${file("a.csv", csv)}${file("b.csv", csv)}--edge--`, "file"],
    ["with an empty file", `${file("a.csv", "")}--edge--`, "file"],
    ["that breaks off", file("a.csv", csv), "body"],
    ["that is none", "hello", "body"],
    ["with headers without end", `--edge\r\n${"x".repeat(20_000)}`, "body"],
  ])("%s is refused, and nothing stays", async (_, raw, path) => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const reply = await send(workspace, campaign, raw, { headers: type });
    expect(reply.status, reply.text).toBe(422);
    expect(pathsOf(reply)).toEqual([path]);
    expect(itemsOf(await workspace.ask(`GET /v1/campaigns/${campaign}/imports`))).toEqual([]);
  });

  it("without a boundary is refused", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedBatch(workspace);
    const headers = { "content-type": "multipart/form-data" };
    expect((await send(workspace, campaign, csv, { headers })).status).toBe(422);
  });
});
