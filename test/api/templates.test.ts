import { describe, expect, it } from "vitest";
import { type Json, mintWorkspace, pathsOf } from "../support/workerd/workspace.ts";

type Workspace = Awaited<ReturnType<typeof mintWorkspace>>;

async function shipped(workspace: Workspace, name: string): Promise<string> {
  const list = await workspace.ask("GET /v1/templates");
  const items = list.json.items as { name: string; template: string }[];
  const one = items.find((item) => item.name === name);
  if (one === undefined) throw new Error(`no template ${name}`);
  return one.template;
}

describe("templates over HTTP", () => {
  it("are there to begin with, and a connection takes each as it stands", async () => {
    const workspace = await mintWorkspace();
    for (const name of ["Bolna", "Telnyx", "Plivo"]) {
      const template = await shipped(workspace, name);
      const settings: Json = { template, key: "k-1", keySecret: "k-2", reportSecret: "k-3" };
      const body = { name, carrier: "http", settings };
      const created = await workspace.ask("POST /v1/connections", { body });
      expect([name, created.status]).toEqual([name, 201]);
      expect((created.json.settings as Json).template).toBe(template);
    }
  });

  it("are rendered for a made-up dial, with stars for secrets", async () => {
    const workspace = await mintWorkspace();
    const template = await shipped(workspace, "Bolna");
    const body = { template, agent: "asha-1", context: { name: 'Ann "A"' } };
    const reply = await workspace.ask("POST /v1/templates/preview", { body });
    expect(reply.status, reply.text).toBe(200);
    expect(reply.json).toMatchObject({ method: "POST", url: "https://api.bolna.ai/call" });
    expect(reply.json.headers).toMatchObject({ authorization: "Bearer ***" });
    expect(JSON.parse(String(reply.json.body))).toEqual({
      agent_id: "asha-1",
      recipient_phone_number: "+14155550100",
      from_phone_number: "+14155550000",
      user_data: { name: 'Ann "A"', outdial_call_id: `cal_${workspace.id.slice(3)}_1` },
    });
  });

  it("tell the outcome that a sample report would give", async () => {
    const workspace = await mintWorkspace();
    const template = await shipped(workspace, "Bolna");
    const sample = async (report: unknown) => {
      const body = { template, report: JSON.stringify(report) };
      return (await workspace.ask("POST /v1/templates/trial", { body })).json;
    };
    const data = { outcome: "Not interested" };
    expect(
      await sample({
        id: "e1",
        status: "completed",
        total_cost: 12.5,
        transcript: "assistant: Hello\nuser: Hi",
        extracted_data: data,
      }),
    ).toMatchObject({
      ...{ readable: true, known: true, carrierCallId: "e1", ended: true, concluding: true },
      ...{ outcome: "not_interested", costMicros: 125_000, turns: 2, analysis: data },
    });
    expect(await sample({ id: "e1", status: "balance-low" })).toMatchObject({
      refusal: "connection",
    });
    const unknown = { readable: true, known: false, ended: false, outcome: null };
    expect(await sample({ id: "e1", status: "brand-new" })).toMatchObject(unknown);
    expect(await sample([1])).toMatchObject({ readable: false, known: false, ended: false });
  });

  it("H38 that are wrong are refused at their field, however they are written", async () => {
    const workspace = await mintWorkspace();
    const deep = `{"place":${"[".repeat(15_000)}${"]".repeat(15_000)}}`;
    for (const template of ["", "{", "[]", "{}", deep]) {
      for (const route of ["preview", "trial"]) {
        const body = { template, report: "{}" };
        const reply = await workspace.ask(`POST /v1/templates/${route}`, { body });
        expect([template.slice(0, 9), reply.status]).toEqual([template.slice(0, 9), 422]);
        expect(pathsOf(reply)).toEqual(["template"]);
      }
    }
    const body = { template: await shipped(workspace, "Bolna"), report: "[".repeat(100_000) };
    const reply = await workspace.ask("POST /v1/templates/trial", { body });
    expect([reply.status, reply.json.readable]).toEqual([200, false]);
  });
});
