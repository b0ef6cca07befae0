/** `npm run reset`: forgets the demo and everything that `npm start` kept. */
import { rmSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Home } from "./home.ts";

const { values } = parseArgs({ options: { folder: { type: "string" } } });
const folder = values.folder ?? join(import.meta.dirname, "..", ".local");
const runner = new Home(folder).runner();
if (runner !== null) {
  console.error(`It runs: ${runner.url} (process ${runner.pid}). End that first.`);
  process.exit(1);
}
rmSync(folder, { recursive: true, force: true });
console.log("The next npm start makes a new demo.");
