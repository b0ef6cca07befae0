/** `npm run shots [-- name …]`: pictures of every page, wide and narrow, light and dark, in `.shots`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { until } from "../support/node/local.ts";
import { complaints, NARROW, Stage } from "./stage.ts";

const FOLDER = join(import.meta.dirname, "..", "..", ".shots");
const SIZES = { wide: { width: 1440, height: 900 }, narrow: NARROW };
const SCHEMES = ["light", "dark"] as const;
const MIX = { connected: 46, no_answer: 24, busy: 10, voicemail: 14, failed: 3, busy_callback: 3 };
/** Bars move and drawers slide in for so long, ms. */
const SETTLED_MS = 700;

type Listed = { items: { id: string }[] };

/** A day in the middle: one campaign runs, one waits, one is over, and leads come in. */
async function scene(stage: Stage): Promise<Record<string, string>> {
  await stage.api.patch(`/v1/agents/${stage.agent}`, {
    usesCallback: true,
    settings: { ringMs: [200, 500], talkMs: [500, 2_500], analysisMs: 100, mix: MIX },
  });
  const retries = { retries: 2, intervals: [20_000, 3_600_000] };
  const batch = await stage.campaign({ name: "November orders", type: "batch", ...retries });
  const leads = await stage.campaign({ name: "Website leads", type: "realtime", priority: "high" });
  const startAfter = Date.now() + 20 * 3_600_000;
  const sale = { name: "Winter sale", type: "batch", start: 1000, end: 2000, startAfter };
  await stage.import(await stage.campaign(sale), 120);
  await stage.campaign({ name: "Feedback, no list yet", type: "batch", priority: "low" });
  const survey = await stage.campaign({ name: "Delivery survey", type: "batch", paused: true });
  await stage.import(survey, 80);
  await stage.import(batch, 500, [
    "+9198,Short,LK-1",
    "9.19877E+11,Lost digits,LK-2",
    "+919876510101,Again,LK-3",
  ]);
  for (let n = 10; n < 30; n++) {
    const context = { name: "Maya", orderId: `LK-${n}` };
    await stage.api.post("/v1/tasks", { campaign: leads, phone: `+9155501234${n}`, context });
  }
  const talked = `/v1/campaigns/${batch}/tasks?status=completed&outcome=connected&limit=1`;
  const { items } = await until(
    () => stage.api.get<Listed>(talked),
    (page) => page.items.length > 0,
  );
  await new Promise((resolve) => setTimeout(resolve, 25_000));
  const task = items[0]?.id ?? "";
  const calls = await stage.api.get<Listed>(`/v1/tasks/${task}/calls`);
  const of = `/campaigns/${batch}`;
  return {
    campaigns: "/",
    "campaigns-none": "/?q=nothing",
    tasks: `${of}/tasks`,
    "tasks-queued": `${of}/tasks?status=queued`,
    "tasks-none": `${of}/tasks?status=archived`,
    task: `${of}/tasks/${task}`,
    call: `${of}/tasks/${task}?call=${calls.items.at(-1)?.id}`,
    details: `${of}/tasks/${task}?tab=details`,
    overview: `${of}/overview`,
    "campaign-calls": `${of}/calls`,
    imports: `${of}/imports`,
    settings: `${of}/settings`,
    activity: `${of}/activity`,
    paused: `/campaigns/${survey}/tasks`,
    push: `/campaigns/${leads}/push`,
    realtime: `/campaigns/${leads}/overview`,
    "new-batch": "/campaigns/new/batch",
    "new-realtime": "/campaigns/new/realtime",
    calls: "/calls",
    account: "/account",
    ...Object.fromEntries(
      [
        ...["workspace", "agents", "numbers", "connections", "webhooks", "forms"],
        ...["do-not-call", "people", "keys", "audit"],
      ].map((name) => [`settings-${name}`, `/settings/${name}`]),
    ),
    lost: "/nowhere",
  };
}

mkdirSync(FOLDER, { recursive: true });
const wanted = process.argv.slice(2);
const stage = await Stage.open(6);
try {
  const pages = Object.entries(await scene(stage)).filter(
    ([name]) => wanted.length === 0 || wanted.includes(name),
  );
  for (const [size, viewport] of Object.entries(SIZES)) {
    const page = await stage.enter("owner", viewport);
    for (const [name, path] of pages) {
      await page.emulateMedia({ colorScheme: "light" });
      await page.goto(stage.url + path);
      await page.getByRole("heading").first().waitFor();
      for (const scheme of SCHEMES) {
        await page.emulateMedia({ colorScheme: scheme });
        await page.waitForTimeout(SETTLED_MS);
        await page.screenshot({ path: join(FOLDER, `${name}-${size}-${scheme}.png`) });
      }
      const over = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
      if (over > 0) console.log(`${name} ${size}: ${over} px too wide`);
    }
    const out = await stage.visit(viewport);
    await out.goto(`${stage.url}/sign-in`);
    await out.getByLabel("Email").waitFor();
    await out.screenshot({ path: join(FOLDER, `sign-in-${size}-light.png`) });
  }
  for (const complaint of complaints) console.log(complaint);
} finally {
  await stage.close();
}
