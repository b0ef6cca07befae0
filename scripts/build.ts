/**
 * Makes what the Worker serves and is: `dist/assets` (the dashboard, the script of forms, and what
 * the page at /docs loads) and, unless `--assets` is given, the production bundle `dist/worker/index.js`.
 */
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { build } from "vite";
import { PAGE_POLICY, SAFE_HEADERS } from "../src/api/policy.ts";

const ROOT = join(import.meta.dirname, "..");
const ASSETS = join(ROOT, "dist", "assets");
const PAGE = ["swagger-ui-bundle.js", "swagger-ui.css", "favicon-32x32.png"];

/** Starts the page: a file of its own, since the page runs no inline script. */
const START = `SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#operations",
  deepLinking: true,
  docExpansion: "list",
  defaultModelsExpandDepth: 0,
  persistAuthorization: false,
  validatorUrl: null,
});
`;

async function buildDashboard(): Promise<void> {
  rmSync(join(ASSETS, "app"), { recursive: true, force: true });
  // Whoever asks, a test runner too, gets React as it is deployed.
  process.env.NODE_ENV = "production";
  await build({ configFile: join(ROOT, "vite.config.ts"), logLevel: "warn" });
}

function buildDocs(): void {
  const page = join(ASSETS, "docs-assets");
  rmSync(page, { recursive: true, force: true });
  mkdirSync(page, { recursive: true });
  const from = dirname(createRequire(import.meta.url).resolve("swagger-ui-dist/package.json"));
  for (const file of PAGE) cpSync(join(from, file), join(page, file));
  cpSync(join(from, "LICENSE"), join(page, "LICENSE"));
  writeFileSync(join(page, "start.js"), START);
}

/** The script of forms: one file, for pages that load nothing else of ours. */
async function buildFormScript(): Promise<void> {
  await build({
    configFile: false,
    logLevel: "warn",
    build: {
      lib: {
        entry: join(ROOT, "src", "form", "script.ts"),
        formats: ["iife"],
        name: "outdial",
        fileName: () => "form.js",
      },
      outDir: ASSETS,
      emptyOutDir: false,
      copyPublicDir: false,
    },
  });
}

/** Headers of everything that is served without the Worker. */
function buildHeaders(): void {
  const all = { "content-security-policy": PAGE_POLICY, ...SAFE_HEADERS };
  const lines = Object.entries(all).map(([name, value]) => `  ${name}: ${value}`);
  writeFileSync(join(ASSETS, "_headers"), `/*\n${lines.join("\n")}\n`);
}

function buildWorker(): void {
  const wrangler = join(ROOT, "node_modules", "wrangler", "bin", "wrangler.js");
  const args = [wrangler, "deploy", "--dry-run", "--outdir", "dist/worker"];
  execFileSync(process.execPath, args, {
    cwd: ROOT,
    stdio: ["ignore", "ignore", "inherit"],
    env: {
      ...process.env,
      WRANGLER_SEND_METRICS: "false",
      WRANGLER_HIDE_BANNER: "true",
      CLOUDFLARE_CF_FETCH_ENABLED: "false",
    },
  });
}

buildDocs();
buildHeaders();
await buildDashboard();
await buildFormScript();
if (!process.argv.includes("--assets")) buildWorker();
