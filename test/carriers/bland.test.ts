import { expect, it } from "vitest";
import { bland } from "../../src/carriers/bland.ts";
import type { Dial } from "../../src/carriers/carrier.ts";
import { outboundOf } from "../../src/carriers/outbound.ts";
import { startFake } from "../fakes/process.ts";
import { BENCHES } from "./benches.ts";
import { describeCarrier } from "./suite.ts";

describeCarrier(BENCHES.bland);
describeCarrier(BENCHES.blandTask);

it("a task of bland's gets the values that its prompt names, and no others", async () => {
  const vendor = await startFake("bland");
  const settings = BENCHES.bland.settings(vendor.url);
  const out = outboundOf({ PUBLIC_URL: "http://outdial.test", OUTBOUND_ALLOW: "127.0.0.1:*" });
  const dial = {
    call: "cal_k3v9q2m8xa_1",
    reportUrl: "https://outdial.test/reports/con_k3v9q2m8xa_c1/cal_k3v9q2m8xa_1.0f",
    phone: "+14155550100",
    from: "+14155550000",
    carrierAgentId: "agent_1",
    prompt: "You talk to $" + "{name}.",
    agentSettings: {},
    variables: { name: "Ann", diagnosis: "private" },
    dynamicVariables: { name: "Ann" },
    lengthMaxMs: 600_000,
  } as unknown as Dial;
  await bland(out).place(settings, dial, AbortSignal.timeout(5000));
  await bland(out).place(settings, { ...dial, prompt: null }, AbortSignal.timeout(5000));
  const [task, pathway] = (await vendor.seen()).calls.map(({ asked }) => asked);
  expect(task).toMatchObject({ task: "You talk to Ann." });
  expect(JSON.stringify(task)).not.toContain("private");
  expect(pathway).toMatchObject({ pathway_id: "agent_1", request_data: { name: "Ann" } });
  expect(JSON.stringify(pathway)).not.toContain("private");
  await vendor.stop();
});
