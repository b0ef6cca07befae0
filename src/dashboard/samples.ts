/** Ready to paste: how a task is pushed, with this campaign's ids. `KEY` stands for a key. */
export function samplesOf(origin: string, sample: Record<string, unknown>) {
  const json = JSON.stringify(sample, null, 2);
  const line = JSON.stringify(sample);
  const url = `${origin}/v1/tasks`;
  return [
    { name: "JSON", text: json },
    {
      name: "curl",
      text: `curl ${url} \\\n  -H "Authorization: Bearer $KEY" \\\n  -H "Content-Type: application/json" \\\n  -d '${line.replaceAll("'", "'\\''")}'`,
    },
    {
      name: "fetch",
      text: `const reply = await fetch(${JSON.stringify(url)}, {\n  method: "POST",\n  headers: {\n    authorization: \`Bearer \${process.env.KEY}\`,\n    "content-type": "application/json",\n    "idempotency-key": leadId, // the same lead twice is one call\n  },\n  body: JSON.stringify(${json.replaceAll("\n", "\n  ")}),\n});\nif (!reply.ok) throw new Error(await reply.text());`,
    },
    {
      name: "Python",
      text: `import json, os, urllib.request\n\ntask = json.loads(r'''${json.replaceAll("'''", "\\u0027\\u0027\\u0027")}''')\nrequest = urllib.request.Request(\n    ${JSON.stringify(url)},\n    data=json.dumps(task).encode(),\n    headers={\n        "Authorization": "Bearer " + os.environ["KEY"],\n        "Content-Type": "application/json",\n    },\n)\nwith urllib.request.urlopen(request) as reply:\n    print(json.load(reply)["id"])`,
    },
    {
      name: "No code",
      text: `An HTTP step of Zapier, Make, n8n or the like:\n\nMethod    POST\nURL       ${url}\nHeader    Authorization: Bearer <key>\nHeader    Content-Type: application/json\nBody      ${line}\n\nPut the form's fields in place of the phone and of the values in "context".`,
    },
  ];
}
