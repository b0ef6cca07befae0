import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";

const ROOT = import.meta.dirname;
/** Where `npm run dev` finds the Worker: `npm start` beside it. */
const WORKER = process.env.OUTDIAL_URL ?? "http://127.0.0.1:8787";
const API = [
  "/v1",
  "/api",
  "/f/",
  "/form.js",
  "/demo",
  "/docs",
  "/docs-assets",
  "/openapi.json",
  "/healthz",
];
/** Pages and API at once: a page where somebody navigates. */
const BOTH = ["/setup", "/invitations"];

const toWorker = {
  target: WORKER,
  changeOrigin: true,
  // What changes something must come from the Worker's own origin.
  headers: { origin: new URL(WORKER).origin },
};
const unlessPage = {
  ...toWorker,
  bypass: (request: { headers: { accept?: string | undefined } }) =>
    request.headers.accept?.includes("text/html") ? "/index.html" : undefined,
};

/** The dashboard: `npm run build` puts it beside what `/docs` loads. */
export default defineConfig({
  root: join(ROOT, "src", "dashboard"),
  plugins: [react()],
  build: {
    outDir: join(ROOT, "dist", "assets"),
    // `scripts/build.ts` empties it: more than the dashboard is in there.
    emptyOutDir: false,
    assetsDir: "app",
    // The policy of scripts and images allows what has an address of ours.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1_000,
  },
  worker: { format: "es" },
  server: {
    port: 5173,
    strictPort: true,
    proxy: Object.fromEntries([
      ...API.map((path) => [path, toWorker]),
      ...BOTH.map((path) => [path, unlessPage]),
    ]),
  },
});
