import { describe, expect, it } from "vitest";
import { type ImportId, makeId } from "../../src/core/ids.ts";
import { rowsOf } from "../support/node/scene.ts";
import { AGENT, AGENT_DOC, HOUR, START, taken, WORKSPACE, World } from "../support/node/world.ts";

async function made(slots = 10): Promise<World> {
  const world = new World();
  await world.setUp({ workspace: { slots } });
  return world;
}

const phonesOf = (world: World) => world.dials.map((dial) => dial.phone);

describe("H8 no guessing of countries", () => {
  it("H8 a pushed number without + or 00 is refused, never read as some country's", async () => {
    const world = await made();
    const campaign = await world.campaign();
    for (const phone of ["9198765400001", "09876540001", "98765 40001", "919876540001.0"]) {
      const [answer] = await world.pushAll([{ campaign, phone }]);
      expect(answer).toMatchObject({
        ok: false,
        code: "invalid",
        issues: [{ path: "tasks.0.phone" }],
      });
    }
    expect(rowsOf(world, "task")).toBe(0);
  });

  it("H8 00 and + write the same number", async () => {
    const world = await made();
    const campaign = await world.campaign();
    await world.push(campaign, { phone: "00 91 98765-40001" });
    await world.push(campaign, { phone: "+919876540001" });
    expect(phonesOf(world)).toEqual(["+919876540001", "+919876540001"]);
  });
});

describe("H9 the same number twice", () => {
  it("H9 one batch dials a number once over all its imports: the first row wins", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    const [a, b, c] = [world.phone(), world.phone(), world.phone()];
    const first = await world.import(campaign, [a, b, a]);
    expect(first).toEqual({ taken: 2, rejected: [{ line: 4, reason: "duplicate" }] });
    const second = await world.import(campaign, [b, c]);
    expect(second).toEqual({ taken: 1, rejected: [{ line: 2, reason: "duplicate" }] });
    expect(phonesOf(world).sort()).toEqual([a, b, c].sort());
  });

  it("H9 of two equal numbers in one file the earlier row's context counts, in whatever part it stands", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    const id = makeId("imp", WORKSPACE, "i") as ImportId;
    taken(await world.dialer.openImport(id, campaign));
    const phone = world.phone();
    const ingest = (part: number, name: string) => {
      const rows = [{ line: part + 2, phone, context: { name } }];
      const request = { import: id, part, last: part === 1, allowDuplicates: false, rows };
      return world.dialer.ingest(request);
    };
    expect(taken(await ingest(0, "Asha"))).toEqual({ taken: 1, rejected: [] });
    const rejected = [{ line: 3, reason: "duplicate" }];
    expect(taken(await ingest(1, "Ravi"))).toEqual({ taken: 0, rejected });
    await world.idle();
    expect(world.dials.map((dial) => dial.variables)).toEqual([{ name: "Asha" }]);
  });

  it("H9 allowDuplicates turns this off, within an import and over imports", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    const phone = world.phone();
    expect(await world.import(campaign, [phone, phone], true)).toEqual({ taken: 2, rejected: [] });
    expect(await world.import(campaign, [phone], true)).toEqual({ taken: 1, rejected: [] });
    expect(await world.import(campaign, [phone])).toMatchObject({ taken: 0 });
    expect(world.dials).toHaveLength(3);
  });

  it("H9 another batch, and a push, may call the same number again", async () => {
    const world = await made();
    const phone = world.phone();
    for (const type of ["batch", "batch"]) {
      await world.import(await world.campaign({ type }), [phone]);
    }
    const leads = await world.campaign();
    await world.push(leads, { phone });
    await world.push(leads, { phone });
    expect(phonesOf(world)).toEqual([phone, phone, phone, phone]);
  });

  it("H9 a number stays a duplicate after its task is done, has left the object, and after a restart", async () => {
    const world = await made();
    const campaign = await world.campaign({ type: "batch" });
    const phone = world.phone();
    await world.import(campaign, [phone]);
    await world.finish(world.last(), "connected");
    await world.run(HOUR);
    expect(rowsOf(world, "task")).toBe(0);
    world.restart();
    expect(await world.import(campaign, [phone])).toMatchObject({ taken: 0 });
    expect((await world.read(campaign)).status).toBe("completed");
  });
});

describe("H10 placeholders", () => {
  it("H10 every placeholder that the agent lists is sent, empty if need be, never as itself", async () => {
    const world = await made();
    const placeholders = ["name", "city", "toString"];
    await world.put("agent", AGENT, { ...AGENT_DOC, placeholders });
    const campaign = await world.campaign();
    await world.push(campaign, { context: { name: "Asha", extra: 7, city: null } });
    const listed = { name: "Asha", city: "", toString: "" };
    expect(world.last().variables).toEqual({ ...listed, extra: "7" });
    expect(world.last().dynamicVariables).toEqual(listed);
    await world.push(campaign);
    expect(world.last().variables).toEqual({ name: "", city: "", toString: "" });
    expect(world.last().dynamicVariables).toEqual({ name: "", city: "", toString: "" });
  });

  it("H10 a vendor that renders by itself gets the context whole only where nothing is listed", async () => {
    const world = await made();
    const campaign = await world.campaign();
    await world.push(campaign, { context: { name: "Asha", diagnosis: "none of theirs" } });
    expect(world.last().dynamicVariables).toEqual({ name: "Asha", diagnosis: "none of theirs" });
    await world.put("agent", AGENT, { ...AGENT_DOC, placeholders: ["name"] });
    await world.push(campaign, { context: { name: "Asha", diagnosis: "none of theirs" } });
    expect(world.last().dynamicVariables).toEqual({ name: "Asha" });
  });

  it("H10 the agent's placeholders count as they are at the instant of dialling", async () => {
    const world = await made();
    const campaign = await world.campaign({ startAfter: START + HOUR });
    await world.push(campaign);
    await world.put("agent", AGENT, { ...AGENT_DOC, placeholders: ["late"] });
    await world.run(HOUR);
    expect(world.last().variables).toEqual({ late: "" });
  });
});
