import { env, runInDurableObject } from "cloudflare:test";
import { afterEach, describe, expect, inject, it, vi } from "vitest";
import { seal } from "../../src/carriers/seal.ts";
import { logFault } from "../../src/shell/faults.ts";
import { readAlong, takeLeaks } from "../support/workerd/leaks.ts";
import { mintWorkspace } from "../support/workerd/workspace.ts";

/** What was found, by its kind; nothing is left for the check after each test. */
const taken = () => takeLeaks().map(({ what }) => what);

afterEach(() => vi.restoreAllMocks());

describe("the reader of logs and refusals", () => {
  it("finds each kind of what must not be there, planted in a log line", async () => {
    const { key } = await mintWorkspace();
    const planted: [string, string][] = [
      ["a key", `refused ${key}`],
      ["a key", `"${key.replace("outdial_", "od_")}"`],
      ["a sealed text", await seal(env as unknown as Env, "{}".repeat(40))],
      ["the address for a call's reports", `/reports/con_a_b/cal_abcdef_1.${"0a".repeat(16)}`],
      ["a session", "cookie: __Host-outdial.session_token=abcdefgh.ijkl"],
      ["a token", "/#token=abcdefghijklmnopqr"],
      ["a token", "/invitations/abcdefghijklmnopqr"],
      ["a person's address", "no such person: maya@acme.example"],
      ["a phone number", "cannot dial +91 98765 40001"],
      ["a phone number", '{"to":"+919876540001"}'],
      ["a phone number", '{"to":"919876540001"}'],
      ["ADMIN_SECRET", `wrong: ${env.ADMIN_SECRET}!`],
      ["SIGNING_SECRET", env.SIGNING_SECRET],
      ["SEALING_KEY_1", String(env.SEALING_KEY_1)],
      ["the carrier's key", `x-key: ${inject("carrier").apiKey}`],
      ["the carrier's secret", inject("carrier").reportSecret],
    ];
    const levels = ["log", "warn", "error"] as const;
    for (const [index, [what, line]] of planted.entries()) {
      console[levels[index % 3] ?? "log"](JSON.stringify({ event: "planted", line }));
      expect(taken(), line).toEqual([what]);
      readAlong("GET /planted", 422, `{"error":{"message":${JSON.stringify(line)}}}`);
      expect(taken(), line).toEqual([what]);
    }
  });

  it("finds it in the log of an object, and in an error's cause", async () => {
    const { id } = await mintWorkspace();
    await runInDurableObject(env.DIALER.get(env.DIALER.idFromName(id)), () => {
      console.log('{"event":"place","to":"+919876540001"}');
    });
    expect(taken()).toEqual(["a phone number"]);
    console.error(new Error("away", { cause: new Error(`with ${env.ADMIN_SECRET}`) }));
    expect(taken()).toEqual(["ADMIN_SECRET"]);
  });

  it("lets pass what belongs into a log: ids, instants, masked numbers, good replies", () => {
    logFault("planted", new Error("cannot dial +919876540001 from 918047112233"), {
      workspace: "ws_k3v9q2m8xa",
      call: "cal_k3v9q2m8xa_1",
      at: 1_764_576_000_000,
      requestId: "c7ce79c2-810c-4113-ad4c-917748509646",
    });
    readAlong("GET /v1/tasks", 200, '{"phone":"+919876540001"}');
    expect(taken()).toEqual([]);
  });
});
