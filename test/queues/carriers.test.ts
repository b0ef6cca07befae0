import { describe, expect, inject, it } from "vitest";
import type { Bench } from "../carriers/benches.ts";
import { BENCHES } from "../carriers/benches.ts";
import type { FakeCall } from "../fakes/fake.ts";
import { type Vendor, vendorAt } from "../fakes/vendor.ts";
import { imported } from "../support/workerd/imports.ts";
import {
  ask,
  itemsOf,
  type Json,
  made,
  mintWorkspace,
  poll,
  type Workspace,
} from "../support/workerd/workspace.ts";

const TIMEOUT = { timeout: 60_000 };

/** A workspace that calls through a vendor's fake. */
async function calling(bench: Bench, url: string) {
  const workspace = await mintWorkspace({ slots: 3 });
  const { carrier, dial } = bench;
  const settings = bench.settings(url) as Json;
  const body = { name: "Vendor", carrier, settings, perSecond: null };
  const connection = await made(workspace, "connections", body);
  const agent = await made(workspace, "agents", {
    name: "Asha",
    connection,
    carrierAgentId: dial?.carrierAgentId ?? "agent_1",
    prompt: dial?.prompt ?? null,
    placeholders: ["name"],
    outcomes: [{ name: "not_interested" }],
    settings: dial?.agentSettings ?? {},
  });
  const from = await made(workspace, "numbers", {
    phone: "+14155550000",
    connection,
    carrierNumberId: "number_1",
  });
  return { ...workspace, connection, agent, from };
}

/** Sends a call's reports as the vendor does, each twice: it is told so whenever it is not sure (H36). */
async function report(vendor: Vendor, bench: Bench, call: FakeCall, story: string, url: string) {
  const how = { at: Date.now(), secret: bench.reportSecret ?? "", url };
  for (const { url: to, headers, body } of await vendor.play(call.id, story, how)) {
    const { pathname, search } = new URL(to);
    for (const _ of [1, 2]) {
      const reply = await ask(`POST ${pathname}${search}`, { raw: body, headers });
      expect([story, reply.status]).toEqual([story, 200]);
    }
  }
}

/** The stories that end a call, and what of: one row of the list for each. */
function storiesOf({ endings }: Bench): Map<string, string> {
  const ending = Object.entries(endings).filter(([, outcome]) => outcome !== null);
  return new Map(ending.map(([story, outcome]) => [story, String(outcome)]));
}

async function callsOf(workspace: Workspace, campaign: string, count: number): Promise<Json[]> {
  const reply = await poll(
    () => workspace.ask(`GET /v1/calls?campaign=${campaign}&limit=100`),
    (one) => itemsOf(one).filter(({ status }) => status === "ended").length === count,
  );
  return itemsOf(reply);
}

/** One fake serves several benches: each calls numbers of its own. */
const ALL = Object.entries(BENCHES).map(([name, bench], n) => ({ name, bench, series: 10 + n }));

describe.each(ALL)("a campaign through $name", ({ bench, series }) => {
  it(
    "H35 goes to its end, after a refusal and a lost answer, with every outcome",
    TIMEOUT,
    async () => {
      const vendor = vendorAt(bench.vendor, inject("vendors")[bench.vendor] ?? "");
      const workspace = await calling(bench, vendor.url);
      const { agent, from } = workspace;
      const list = { name: "List", type: "batch", agent, from, retries: 0 };
      const campaign = await made(workspace, "campaigns", list);
      const stories = storiesOf(bench);
      const names = [...stories.keys()];
      const phones = names.map((_, n) => `+1415555${String(series * 100 + n)}`);
      const seen = async () =>
        (await vendor.seen()).calls.filter(({ phone }) => phones.includes(phone));
      // The first dial is refused for capacity, which uses no attempt (H21).
      await vendor.refuse("limited");
      const rows = phones.map((phone, n) => `${phone},Ann ${n}`).join("\n");
      expect(await imported(workspace, campaign, `phone,name\n${rows}\n`)).toMatchObject({
        rowsTaken: names.length,
      });
      const reportsTo = `http://outdial.test/reports/${workspace.connection}`;
      const told = new Set<string>();
      while (told.size < names.length) {
        const taken = await poll(seen, (some) => some.some(({ id }) => !told.has(id)));
        for (const call of taken.filter(({ id }) => !told.has(id))) {
          const story = names[phones.indexOf(call.phone)] ?? "";
          // The second call's answer is lost: its reports must find it all the same (H22).
          if (told.size === 0 && bench.namesOurs) await vendor.lose();
          told.add(call.id);
          await report(vendor, bench, call, story, reportsTo);
        }
      }
      const calls = await callsOf(workspace, campaign, names.length);
      const got = calls.map((call) => [call.to, call.attempt, call.outcome]).sort();
      expect(got).toEqual(phones.map((to, n) => [to, 1, stories.get(names[n] ?? "")]).sort());
      if (bench.keepsRecordings) {
        const heard = calls.find(({ outcome }) => outcome === "connected");
        const headers = { range: "bytes=1-2" };
        const sound = await workspace.ask(`GET /v1/calls/${heard?.id}/recording`, { headers });
        expect([sound.status, sound.text]).toEqual([206, "OU"]);
      }
      const read = await workspace.ask(`GET /v1/connections/${workspace.connection}`);
      const words = bench.unknownWord === undefined ? [] : [bench.unknownWord.word];
      const shown = read.json.unknownWords as { word: string; count: number }[];
      expect(shown.map(({ word }) => word)).toEqual(words);
      for (const { count } of shown) expect(count).toBeGreaterThan(1);
      const after = await workspace.ask(`GET /v1/campaigns/${campaign}`);
      expect(after.json).toMatchObject({ status: "completed" });
      // Nobody was called twice.
      const dialled = (await seen()).map(({ phone }) => phone);
      expect([...dialled].sort()).toEqual([...phones].sort());
    },
  );
});
