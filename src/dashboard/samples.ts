/** What a website pushes: only what is its own, so that the campaign's settings go on counting. */
export type Sample = {
  campaign: string;
  phone: string;
  /** Only where the campaign has none: both or neither (H33). */
  agent?: string;
  from?: string;
  context?: Record<string, string>;
};

/** Ready to paste: how a task is pushed, with this campaign's ids. `KEY` stands for a key. */
export function samplesOf(origin: string, sample: Sample) {
  const json = JSON.stringify(sample, null, 2);
  const line = JSON.stringify(sample);
  const url = `${origin}/v1/tasks`;
  return [
    { name: "JSON", text: json },
    { name: "curl", text: curl(url, line) },
    { name: "fetch", text: fetchCall(url, json) },
    { name: "Python", text: python(url, json) },
    { name: "No code", text: noCode(url, line) },
  ];
}

function curl(url: string, line: string): string {
  return [
    `curl ${url} \\`,
    `  -H "Authorization: Bearer $KEY" \\`,
    `  -H "Content-Type: application/json" \\`,
    `  -d '${line.replaceAll("'", "'\\''")}'`,
  ].join("\n");
}

function fetchCall(url: string, json: string): string {
  return [
    `const reply = await fetch(${JSON.stringify(url)}, {`,
    `  method: "POST",`,
    `  headers: {`,
    `    authorization: "Bearer " + process.env.KEY,`,
    `    "content-type": "application/json",`,
    `    "idempotency-key": "lead-1042", // the lead's own id: the same one twice is one call`,
    `  },`,
    `  body: JSON.stringify(${json.replaceAll("\n", "\n  ")}),`,
    `});`,
    `if (!reply.ok) throw new Error(await reply.text());`,
  ].join("\n");
}

function python(url: string, json: string): string {
  return [
    `import json, os, urllib.request`,
    ``,
    `task = json.loads(r'''${json.replaceAll("'''", "\\u0027\\u0027\\u0027")}''')`,
    `request = urllib.request.Request(`,
    `    ${JSON.stringify(url)},`,
    `    data=json.dumps(task).encode(),`,
    `    headers={`,
    `        "Authorization": "Bearer " + os.environ["KEY"],`,
    `        "Content-Type": "application/json",`,
    `    },`,
    `)`,
    `with urllib.request.urlopen(request) as reply:`,
    `    print(json.load(reply)["id"])`,
  ].join("\n");
}

function noCode(url: string, line: string): string {
  return [
    `An HTTP step of Zapier, Make, n8n or the like:`,
    ``,
    `Method    POST`,
    `URL       ${url}`,
    `Header    Authorization: Bearer <key>`,
    `Header    Content-Type: application/json`,
    `Body      ${line}`,
    ``,
    `Put the form's fields in place of the phone and of the values in "context".`,
  ].join("\n");
}
