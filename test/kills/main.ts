/**
 * Real processes, really killed. `npm run test:kills -- --rounds 100 [--seed S] [--first N]`
 *
 * Each round draws a workspace, its campaigns, what a client does and when the Worker and the
 * carrier are killed from its seed, which is printed first: the plan can be repeated, its timing
 * cannot. Exits with 1 when a promise was broken.
 *
 *   --only NAME    disk-full, stopped or carrier-away, which 20 rounds and more end with
 *   --patience S   how long tasks may take to end after the last kill, seconds
 *   --keep         leaves the folders; `--check FOLDER` looks at one again
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { stopEverything } from "../../scripts/local.ts";
import { check, ENDED, notesOf, type Verdict } from "./check.ts";
import { RoundClient } from "./client.ts";
import type { Kept } from "./notes.ts";
import { type Plan, planRound, planSpecial, type Special } from "./plan.ts";
import { sleep, World } from "./world.ts";

/** Rounds that share processes and a folder. */
const ROUNDS_OF_A_WORLD = 20;
const SHOWN = 40;

/** How far ahead the cron is fired: past the patience of the watchdog with imports and uploads. */
const IMPORT_STALLED_MS = 120_000;
const UPLOAD_STOPPED_MS = 20 * 60_000;
/** Named rounds, each once in a long run. */
const SPECIALS: readonly Special[] = ["disk-full", "stopped", "carrier-away"];
const SPECIALS_FROM = 20;
const SPECIAL_ROUNDS = 900;
const SPECIAL_AT_MS = 2_000;
const FULL_MS = 6_000;
const DISK_ROOM_BYTES = 40_000;
const STOPPED_MS = 90_000;
/** After so long without a kill two leases, one after the other, have ended. */
const LEASES_MS = 840_000;
/** What D1 takes to hear of the last change. */
const FLUSH_MS = 3_000;
/** How long a moment is awaited at which nothing moves. */
const QUIET_MS = 60_000;

const sum = { rounds: 0, kills: 0 };

const { values } = parseArgs({
  options: {
    rounds: { type: "string", default: "3" },
    first: { type: "string", default: "1" },
    seed: { type: "string", default: Math.floor(Math.random() * 2 ** 32).toString(36) },
    patience: { type: "string", default: "900" },
    only: { type: "string" },
    keep: { type: "boolean", default: false },
    check: { type: "string" },
  },
});
for (const signal of ["SIGINT", "SIGTERM"] as const) {
  process.on(signal, () => void leave());
}
try {
  await main();
} catch (error) {
  console.error(error);
  await leave();
}

/** Leaves no process behind, and no folder that nobody asked for. */
async function leave(): Promise<void> {
  await stopEverything();
  if (!values.keep) for (const world of World.all) world.remove();
  process.exit(1);
}

async function main(): Promise<void> {
  if (values.check !== undefined) return finish([check(values.check)]);
  console.log(`seed ${values.seed}`);
  const settling: Promise<Verdict>[] = [];
  const { only } = values;
  const rounds = only === undefined ? Number(values.rounds) : 0;
  const last = Number(values.first) + rounds - 1;
  for (let from = Number(values.first); from <= last; from += ROUNDS_OF_A_WORLD) {
    const world = await World.open();
    const clients: RoundClient[] = [];
    for (let round = from; round <= Math.min(from + ROUNDS_OF_A_WORLD - 1, last); round++) {
      const plan = planRound(round, `${values.seed}-${round}`);
      await world.behave({ retriesMs: plan.retriesMs });
      clients.push(await runRound(world, plan, (since) => world.suffer(plan.kills, since)));
    }
    // The next world acts while this one waits for look-ups and leases.
    settling.push(settle(world, clients, `rounds ${from} on`));
  }
  const names = SPECIALS.filter((name) => only === name || rounds >= SPECIALS_FROM);
  for (const [n, name] of names.entries()) {
    const { world, client } = await runSpecial(name, SPECIAL_ROUNDS + 2 * n);
    settling.push(settle(world, [client], name));
  }
  finish(await Promise.all(settling));
}

async function runRound(
  world: World,
  plan: Plan,
  suffer: (since: number) => Promise<void>,
): Promise<RoundClient> {
  const begin = Date.now();
  const before = world.kills;
  console.log(`round ${plan.round} seed ${plan.seed}: ${tell(plan)}`);
  const { client, agent } = await RoundClient.open(plan, world);
  const since = Date.now();
  await Promise.all([suffer(since), client.act(agent, since)]);
  const seconds = ((Date.now() - begin) / 1_000).toFixed(1);
  console.log(`round ${plan.round}: ${world.kills - before} kills, ${seconds} s`);
  sum.rounds += 1;
  return client;
}

/** One of the named rounds, in a world of its own. */
async function runSpecial(
  name: Special,
  round: number,
): Promise<{ world: World; client: RoundClient }> {
  const plan = planSpecial(name, round, `${values.seed}-${name}`);
  const world = await World.open({ carrier: name !== "carrier-away", disk: name === "disk-full" });
  await world.behave({ retriesMs: plan.retriesMs });
  const client = await runRound(world, plan, async (since) => {
    await sleep(since + SPECIAL_AT_MS - Date.now());
    switch (name) {
      case "disk-full":
        return fullDisk(world);
      case "stopped":
        return world.hold(STOPPED_MS);
      case "carrier-away":
        return world.suffer(plan.kills, since);
    }
  });
  if (name === "carrier-away") await world.startCarrier();
  return { world, client };
}

/** It is full, is killed meanwhile, is full again, and then there is room. */
async function fullDisk(world: World): Promise<void> {
  world.fillDisk(DISK_ROOM_BYTES);
  await sleep(FULL_MS);
  await world.killWorker();
  await world.startWorker();
  world.fillDisk(DISK_ROOM_BYTES);
  await sleep(FULL_MS);
  world.emptyDisk();
}

/** Waits until everything has ended, stops the world, and checks what is left of it. */
async function settle(world: World, clients: RoundClient[], name: string): Promise<Verdict> {
  const begin = Date.now();
  const deadline = begin + Number(values.patience) * 1_000;
  let before = -1;
  for (;;) {
    // What was lost with a queue is sent again once it made no progress for a minute.
    await world.tick(IMPORT_STALLED_MS).catch(() => undefined);
    const left = await leftOf(clients);
    if (left === 0) break;
    // Out of patience: at a moment when nothing moves, so that D1 can have heard of everything.
    if (Date.now() > deadline && left === before && left !== -1) break;
    if (Date.now() > deadline + QUIET_MS) break;
    before = left;
    await sleep(FLUSH_MS);
  }
  // Half uploads are removed after a quarter of an hour, marked first and then dropped.
  for (let n = 0; n < 2; n++) await world.tick(UPLOAD_STOPPED_MS);
  if (Date.now() < deadline) await sleep(FLUSH_MS);
  const until = Date.now();
  await world.stop();
  sum.kills += world.kills;
  const kept: Kept = { until, holds: world.holds, rounds: clients.map((client) => client.notes) };
  writeFileSync(notesOf(world.folder), JSON.stringify(kept));
  const verdict = check(world.folder);
  if (verdict.open > 0 && deadline - begin >= LEASES_MS) {
    verdict.broken.push({ promise: ENDED, where: `${name}: ${verdict.open} tasks are left` });
  }
  for (const line of world.bugs) {
    // What breaks off for want of disk is taken up again; the checks tell.
    if (name === "disk-full" && /SQLITE_(IOERR|FULL)/.test(line)) continue;
    verdict.broken.push({ promise: "no bug is logged", where: line });
  }
  for (const { odd, notes } of clients) {
    const where = (one: string): string => `round ${notes.round}: ${one}`;
    verdict.broken.push(...odd.map((one) => ({ promise: "no odd reply", where: where(one) })));
  }
  const seconds = Math.round((until - begin) / 1_000);
  const { acknowledged, dials, broken } = verdict;
  const counts = `${acknowledged} acknowledged, ${dials} dials, ${broken.length} broken promises`;
  console.log(`${name}: ended after ${seconds} s; ${counts}`);
  if (values.keep) {
    writeFileSync(join(world.folder, "worker.log"), world.lines.join("\n"));
    console.log(`kept ${world.folder}`);
  } else world.remove();
  return verdict;
}

/** Tasks and imports that have not ended, as the API counts them; -1 while it does not say. */
async function leftOf(clients: readonly RoundClient[]): Promise<number> {
  const left = await Promise.all(clients.map((client) => client.left()));
  return left.some((one) => one === null) ? -1 : left.reduce<number>((a, b) => a + (b ?? 0), 0);
}

function tell(plan: Plan): string {
  const rows = plan.campaigns.flatMap((one) => one.files.flatMap((file) => file.rows)).length;
  const pushes = plan.campaigns.flatMap((one) => one.pushes.flatMap((push) => push.tasks)).length;
  const kills = plan.kills.map(({ of, again }) => of + "+".repeat(again.length)).join(", ");
  const names = plan.campaigns.map((one) => one.name).join(", ");
  return `${plan.slots} slots; ${names}; ${rows} rows, ${pushes} pushes; kills: ${kills}`;
}

function finish(verdicts: readonly Verdict[]): void {
  const broken = verdicts.flatMap((verdict) => verdict.broken);
  for (const { promise, where } of broken.slice(0, SHOWN))
    console.log(`BROKEN ${promise}: ${where}`);
  if (broken.length > SHOWN) console.log(`… and ${broken.length - SHOWN} more`);
  const total = (pick: (verdict: Verdict) => number): number =>
    verdicts.reduce((all, verdict) => all + pick(verdict), 0);
  const open = total((verdict) => verdict.open);
  if (open > 0) console.log(`${open} tasks still wait for a look-up or a lease's end (H22)`);
  console.log(
    `${sum.rounds} rounds, ${sum.kills} kills, ${total((one) => one.acknowledged)} acknowledged, ` +
      `${total((one) => one.dials)} dials, ${broken.length} broken promises`,
  );
  process.exitCode = broken.length > 0 ? 1 : 0;
}
