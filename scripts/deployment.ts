import { join } from "node:path";
import { readJson, writePrivately } from "./home.ts";

/** Names of the Worker's secrets that seal settings of connections; the largest number seals. */
export const SEALING_KEY = /^SEALING_KEY_(\d+)$/;

type Kept = {
  url: string | null;
  /** The only copy outside of Cloudflare, which does not show it again. */
  signingSecret: string | null;
  adminSecret: string | null;
  /** By their names; likewise the only copy. */
  sealingKeys: Record<string, string>;
  /** Makes the first owner, once. */
  setupToken: string | null;
  /** Sender of mails through Cloudflare, or null where none are sent that way. */
  mailFrom: string | null;
  workspace: string | null;
  apiKey: string | null;
};

const NOTHING: Kept = {
  url: null,
  signingSecret: null,
  adminSecret: null,
  sealingKeys: {},
  setupToken: null,
  mailFrom: null,
  workspace: null,
  apiKey: null,
};

/**
 * What `npm run deploy` remembers of one deployment, by its database, so that two accounts do not
 * mix. Each thing is kept before it is used: whatever fails after that, the next run knows it.
 */
export class Deployment {
  readonly file: string;
  #kept: Kept;

  constructor(folder: string, database: string) {
    this.file = join(folder, `${database}.json`);
    this.#kept = { ...NOTHING, ...readJson<Partial<Kept>>(this.file) };
  }

  get url(): string | null {
    return this.#kept.url;
  }
  get signingSecret(): string | null {
    return this.#kept.signingSecret;
  }
  get adminSecret(): string | null {
    return this.#kept.adminSecret;
  }
  get sealingKeys(): Record<string, string> {
    return this.#kept.sealingKeys;
  }
  get setupToken(): string | null {
    return this.#kept.setupToken;
  }
  get mailFrom(): string | null {
    return this.#kept.mailFrom;
  }
  get workspace(): string | null {
    return this.#kept.workspace;
  }
  get apiKey(): string | null {
    return this.#kept.apiKey;
  }

  keep(some: Partial<Kept>): void {
    this.#kept = { ...this.#kept, ...some };
    writePrivately(this.file, this.#kept);
  }
}
