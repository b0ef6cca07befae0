/**
 * Stands in for wrangler 4.155: does to the account in a file what the real one does to one at
 * Cloudflare, answers in its words, and records what it was asked. `STAND_IN` names the file.
 */
import { appendFileSync, readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import type { Account, Asked } from "./account.ts";

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    config: { type: "string" },
    json: { type: "boolean" },
    format: { type: "string" },
    remote: { type: "boolean" },
    yes: { type: "boolean" },
    command: { type: "string" },
    "keep-vars": { type: "boolean" },
    "secrets-file": { type: "string" },
  },
});

const FILE = process.env.STAND_IN ?? "";
const account = JSON.parse(readFileSync(FILE, "utf8")) as Account;
const config = readFileSync(values.config ?? "wrangler.toml", "utf8");
const asked: Asked = {
  command: positionals.join(" "),
  database: /^database_id = "(.+)"$/m.exec(config)?.[1] ?? "",
  publicUrl: /^PUBLIC_URL = "(.+)"$/m.exec(config)?.[1] ?? null,
  keepVars: values["keep-vars"] === true,
  secrets: readSecrets(),
};
account.asked.push(asked);

class Failed extends Error {}

try {
  if (account.failing !== null && asked.command.startsWith(account.failing)) {
    fail("A request to the Cloudflare API failed.\n\n  Internal error [code: 10013]");
  }
  console.log(answer());
} catch (error) {
  if (!(error instanceof Failed)) throw error;
  console.error(`✘ [ERROR] ${error.message}`);
  process.exitCode = 1;
}
writeFileSync(FILE, JSON.stringify(account));

/** Does what is asked, and says what the real one says. */
function answer(): string {
  const [noun = "", verb = "", name = ""] = positionals;
  switch (noun === "deploy" || noun === "whoami" ? noun : `${noun} ${verb}`) {
    case "whoami":
      if (!account.signedIn) return fail("You are not authenticated.");
      return JSON.stringify({ loggedIn: true }, null, 4);
    case "d1 list":
      return JSON.stringify(account.databases, null, 2);
    case "d1 create":
      if (account.databases.some((one) => one.name === name)) {
        return fail("A database with that name already exists");
      }
      account.databases.push({ uuid: "7d1c2b9e-5f0a-4c41-9a63-2f0f5e1d7c10", name });
      return `✅ Successfully created DB '${name}'`;
    case "d1 migrations":
      account.migrated.push(asked.database);
      return "🌀 Executing on remote database";
    case "d1 execute": {
      const rows = account.workspaces.map((id) => ({ id }));
      const owners = account.hasOwner ? [{ set_up_at: 1 }] : [];
      const results = values.command?.includes("FROM deployment") ? owners : rows;
      return JSON.stringify([{ success: true, results, meta: {} }], null, 2);
    }
    case "queues info":
      if (account.queues.includes(name)) return `Queue Name: ${name}`;
      return fail(
        `Queue "${name}" does not exist. To create it, run: wrangler queues create ${name}`,
      );
    case "queues create":
      if (account.queues.includes(name)) return fail(`Queue name '${name}' is already taken.`);
      account.queues.push(name);
      return `✅ Created queue '${name}'`;
    case "secret list": {
      if (account.worker === null) return fail('Worker "outdial" not found.');
      const names = Object.keys(account.worker.secrets);
      return JSON.stringify(names.map((one) => ({ name: one, type: "secret_text" })));
    }
    case "secret put":
      if (account.worker === null) return fail('Worker "outdial" not found.');
      account.worker.secrets[name] = readFileSync(0, "utf8");
      return `✨ Success! Uploaded secret ${name}`;
    case "secret delete":
      if (account.worker?.secrets[name] === undefined) return fail("Secret not found");
      delete account.worker.secrets[name];
      return `✨ Success! Deleted secret ${name}`;
    case "deploy":
      return deploy();
    default:
      return fail(`Unknown arguments: ${asked.command}`);
  }
}

function deploy(): string {
  const missing = ["outdial-ingest", "outdial-reports", "outdial-events", "outdial-dead"].filter(
    (queue) => !account.queues.includes(queue),
  );
  if (missing.length > 0) return fail(`Queue "${missing[0]}" does not exist.`);
  if (!account.databases.some((one) => one.uuid === asked.database)) {
    return fail("binding DB of type d1 must have a valid `id` specified [code: 10021]");
  }
  const before = account.worker;
  const kept = asked.keepVars ? (before?.publicUrl ?? null) : null;
  account.worker = {
    secrets: { ...before?.secrets, ...asked.secrets },
    publicUrl: asked.publicUrl ?? kept,
  };
  const targets = [account.address, "schedule: * * * * *", "Producer for outdial-ingest"];
  const lines = [{ type: "wrangler-session" }, { type: "deploy", version: 1, targets }];
  const report = process.env.WRANGLER_OUTPUT_FILE_PATH ?? "";
  appendFileSync(report, lines.map((line) => `${JSON.stringify(line)}\n`).join(""));
  return `Uploaded outdial (0.54 sec)\nDeployed outdial triggers (0.02 sec)\n  ${account.address}`;
}

function readSecrets(): Record<string, string> {
  const file = values["secrets-file"];
  if (file === undefined) return {};
  return JSON.parse(readFileSync(file, "utf8")) as Record<string, string>;
}

function fail(text: string): never {
  throw new Failed(text);
}
