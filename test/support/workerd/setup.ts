import { applyD1Migrations, env, reset } from "cloudflare:test";
import { afterAll, afterEach, expect } from "vitest";
import { takeLeaks } from "./leaks.ts";

// Nothing of another file's is left: no row, no object that still runs, no alarm.
await reset();
await applyD1Migrations(env.DB, env.MIGRATIONS);

const nothing = () => expect(takeLeaks(), "secrets or numbers in a log or refusal").toEqual([]);
afterEach(nothing);
// What was logged after the last test had ended.
afterAll(nothing);
