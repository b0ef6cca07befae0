import { SELF } from "cloudflare:test";
import { describe, expect, it } from "vitest";
import type { Patch } from "../../src/core/live.ts";
import {
  codeOf,
  mintCallingWorkspace,
  mintWorkspace,
  pausedCampaign,
  poll,
  type Workspace,
} from "../support/workerd/workspace.ts";

const UPGRADE = { upgrade: "websocket" };

async function ticketOf(workspace: Workspace): Promise<string> {
  const reply = await workspace.ask("POST /v1/live");
  expect(reply.status, reply.text).toBe(201);
  const url = new URL(String(reply.json.url));
  expect(url.protocol).toBe("ws:");
  return url.pathname + url.search;
}

const knock = (path: string, headers: Record<string, string> = UPGRADE) =>
  SELF.fetch(`http://outdial.test${path}`, { headers });

async function look(workspace: Workspace) {
  const { webSocket: socket, status } = await knock(await ticketOf(workspace));
  expect(status).toBe(101);
  if (socket === null) throw new Error("no socket");
  const told: Patch[] = [];
  const closed: number[] = [];
  socket.addEventListener("message", ({ data }) => {
    if (data !== "pong") told.push(JSON.parse(String(data)));
  });
  socket.addEventListener("close", ({ code }) => closed.push(code));
  socket.accept();
  return { socket, told, closed };
}

const seen = <T>(get: () => T, wanted: (value: T) => boolean) => poll(async () => get(), wanted);

describe("the live socket", () => {
  it("H34 begins with a snapshot and goes on with what changes", async () => {
    const workspace = await mintCallingWorkspace();
    const campaign = await pausedCampaign(workspace);
    const { told, socket } = await look(workspace);
    await seen(
      () => told[0],
      (first) => first?.kind === "snapshot" && first.campaigns[0]?.id === campaign,
    );
    const push = { campaign, phone: "+919812345678" };
    const task = String((await workspace.ask("POST /v1/tasks", { body: push })).json.id);
    await seen(
      () => told.at(-1)?.campaigns[0]?.counters,
      (counters) => counters?.paused === 1,
    );
    socket.send(JSON.stringify({ campaign, tasks: [task] }));
    await seen(
      () => told.at(-1),
      (last) => last?.kind === "snapshot" && last.tasks[0]?.id === task,
    );
    await workspace.ask(`POST /v1/tasks/${task}/archive`);
    await seen(
      () => told.at(-1)?.tasks[0]?.status,
      (status) => status === "archived",
    );
    expect(JSON.stringify(told)).not.toContain("9812345678");
    socket.close(1000);
  });

  it("H37 opens for a ticket of ours, once, in time, from our own pages", async () => {
    const workspace = await mintWorkspace();
    expect((await knock("/v1/live")).status).toBe(401);
    const path = await ticketOf(workspace);
    const forged = path.replace(workspace.id, (await mintWorkspace()).id);
    expect((await knock(forged)).status).toBe(401);
    const other = path.endsWith("0") ? "1" : "0";
    const damaged = `${path.slice(0, -1)}${other}`;
    expect((await knock(damaged)).status + (await knock(`${path}f`)).status).toBe(802);
    const elsewhere = { ...UPGRADE, origin: "https://evil.example" };
    expect((await knock(path, elsewhere)).status).toBe(403);
    expect((await knock(path, {})).status).toBe(422);
    const opened = await knock(path, { ...UPGRADE, origin: "http://outdial.test" });
    expect(opened.status).toBe(101);
    opened.webSocket?.accept();
    opened.webSocket?.close(1000);
    const again = await knock(path);
    expect(again.status).toBe(401);
    expect(
      codeOf({ status: 401, headers: again.headers, text: "", json: await again.json() }),
    ).toBe("unauthorized");
  });

  it("H37 closes what says anything else, and shows nothing of others", async () => {
    const mine = await mintCallingWorkspace();
    const other = await mintCallingWorkspace();
    const campaign = await pausedCampaign(other);
    const { told, socket, closed } = await look(mine);
    socket.send(JSON.stringify({ campaign, tasks: [] }));
    await seen(
      () => told.length,
      (count) => count >= 2,
    );
    expect(told.flatMap((patch) => [...patch.campaigns, ...patch.calls])).toEqual([]);
    socket.send("watch everything");
    await seen(
      () => closed.at(-1),
      (code) => code === 1003,
    );
  });

  it("H37 closes with the key that opened it", async () => {
    const workspace = await mintCallingWorkspace();
    const body = { name: "Wallboard", scopes: ["read"] };
    const made = (await workspace.ask("POST /v1/keys", { body })).json;
    const reader = { authorization: `Bearer ${String(made.apiKey)}` };
    const asReader: Workspace = {
      ...workspace,
      ask: (route, request) => workspace.ask(route, { ...request, headers: reader }),
    };
    const { closed } = await look(asReader);
    const others = await look(workspace);
    await workspace.ask(`DELETE /v1/keys/${String(made.id)}`);
    await seen(
      () => closed.at(-1),
      (code) => code === 4003,
    );
    expect(others.closed).toEqual([]);
  });
});
