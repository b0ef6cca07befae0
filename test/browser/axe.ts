import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { Page } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const SERIOUS = ["serious", "critical"];

type Found = { violations: { id: string; impact: string | null; nodes: { html: string }[] }[] };

/**
 * What axe finds serious or critical on a page as it is now, as lines: a rule, and where it is
 * broken; of all rules, or of these alone.
 */
export async function axeFaults(page: Page, rules?: string[]): Promise<string[]> {
  // The page's policy allows no script of another origin; this one is the debugger's.
  await page.evaluate(AXE);
  const options = {
    resultTypes: ["violations"],
    preload: false,
    ...(rules === undefined ? {} : { runOnly: rules }),
  };
  const { violations } = await page.evaluate<Found>(
    `axe.run(document, ${JSON.stringify(options)})`,
  );
  return violations
    .filter(({ impact }) => SERIOUS.includes(impact ?? ""))
    .flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 200)}`));
}
