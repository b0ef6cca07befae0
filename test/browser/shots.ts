/** `npm run shots`: pictures of every page, wide and narrow, light and dark, in `.shots`. */
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { complaints, NARROW, Stage, WIDE } from "./stage.ts";

const SETTINGS = [
  "workspace",
  "agents",
  "numbers",
  "connections",
  "do-not-call",
  "people",
  "keys",
  "audit",
];
const FOLDER = join(import.meta.dirname, "..", "..", ".shots");
mkdirSync(FOLDER, { recursive: true });

const stage = await Stage.open(4);
try {
  const batch = await stage.campaign({
    name: "November orders",
    type: "batch",
    retries: 2,
    intervals: [60_000],
  });
  const leads = await stage.campaign({ name: "Website leads", type: "realtime", priority: "high" });
  await stage.campaign({
    name: "Winter sale, waiting for its list",
    type: "batch",
    start: 1000,
    end: 2000,
  });
  await stage.import(batch, 300, [
    "+9198,Short,LK-1",
    "9.19877E+11,Lost digits,LK-2",
    "+919876510001,Again,LK-3",
  ]);
  for (const n of [1, 2, 3]) {
    await stage.api.post("/v1/tasks", {
      campaign: leads,
      phone: `+91555012345${n}`,
      context: { name: "Maya" },
    });
  }
  await new Promise((resolve) => setTimeout(resolve, 6_000));
  const { items } = await stage.api.get<{ items: { id: string }[] }>(
    `/v1/campaigns/${batch}/tasks?status=completed&limit=1`,
  );
  const task = items[0]?.id ?? "";
  const calls = await stage.api.get<{ items: { id: string }[] }>(`/v1/tasks/${task}/calls`);
  const pages: Record<string, string> = {
    campaigns: "/",
    tasks: `/campaigns/${batch}/tasks`,
    "tasks-queued": `/campaigns/${batch}/tasks?status=queued`,
    task: `/campaigns/${batch}/tasks/${task}`,
    call: `/campaigns/${batch}/tasks/${task}?call=${calls.items.at(-1)?.id}`,
    details: `/campaigns/${batch}/tasks/${task}?tab=details`,
    "campaign-calls": `/campaigns/${batch}/calls`,
    imports: `/campaigns/${batch}/imports`,
    settings: `/campaigns/${batch}/settings`,
    push: `/campaigns/${leads}/push`,
    realtime: `/campaigns/${leads}/tasks`,
    "new-batch": "/campaigns/new/batch",
    "new-realtime": "/campaigns/new/realtime",
    calls: "/calls",
    ...Object.fromEntries(SETTINGS.map((name) => [`settings-${name}`, `/settings/${name}`])),
    "settings-agent": `/settings/agents?open=${stage.agent}`,
    "settings-connect": "/settings/connections?open=new",
    account: "/account",
    lost: "/nowhere",
  };
  const wanted = process.argv.slice(2);
  for (const [size, viewport] of [
    ["wide", WIDE],
    ["narrow", NARROW],
  ] as const) {
    const out = await stage.visit(viewport);
    await out.goto(`${stage.url}/sign-in`);
    await out.getByLabel("Email").waitFor();
    await out.screenshot({ path: join(FOLDER, `sign-in-${size}.png`) });
    const page = await stage.enter("owner", viewport);
    for (const [name, path] of Object.entries(pages)) {
      if (wanted.length > 0 && !wanted.includes(name)) continue;
      await page.goto(stage.url + path);
      await page.waitForTimeout(900);
      await page.screenshot({ path: join(FOLDER, `${name}-${size}.png`) });
      const over = await page.evaluate<number>("document.documentElement.scrollWidth - innerWidth");
      if (over > 0) console.log(`${name} ${size}: ${over} px too wide`);
    }
    if (size === "wide") {
      await page.emulateMedia({ colorScheme: "dark" });
      for (const name of ["campaigns", "tasks", "call"]) {
        await page.goto(stage.url + pages[name]);
        await page.waitForTimeout(900);
        await page.screenshot({ path: join(FOLDER, `${name}-dark.png`) });
      }
    }
  }
  console.log(complaints);
} finally {
  await stage.close();
}
