import type { CarrierSettings, Dial, RefusalKind } from "../../src/carriers/carrier.ts";
import type { CarrierId } from "../../src/carriers/carriers.ts";
import type { Template } from "../../src/carriers/http-template.ts";
import { BOLNA, PLIVO, TELNYX } from "../../src/carriers/templates.ts";

/** What the shared suite needs to know of a vendor. Nothing here says how its adapter works. */
export type Bench = {
  carrier: CarrierId;
  vendor: string;
  settings(url: string): CarrierSettings;
  /** Settings that may be left out. */
  optional?: string[];
  /** The setting that a wrong key goes into, and what reports are signed with; null: nothing. */
  key: string;
  reportSecret: string | null;
  /** How old a report's proof may be, ms; left out where it has no time. */
  toleranceMs?: number;
  /** A story whose word stands in no table: it counts as `failed`. Some vendors' look-ups say it, too. */
  unknownWord?: { story: string; word: string; lookedUp?: true };
  dial?: Partial<Dial>;
  /** What a task's call ends as, for every story of the fake; null: it does not end. */
  endings: Record<string, string | null>;
  /** Stories that are refusals by report (H21). */
  refusedBy: Record<string, RefusalKind>;
  refusals: Record<string, RefusalKind | "unknown">;
  /** Whether the vendor gives our call id back, in look-ups by it. */
  findsByOurs: boolean;
  /** Whether reports name our call, by their address or in the body: then one finds it after a lost answer. */
  namesOurs: boolean;
  /** Whether it can look a call up at all, and end one. */
  looksUp: boolean;
  /** A recording is the vendor's own, and wants its key. */
  keepsRecordings?: true;
  /** False where a call cannot be ended from outside. */
  ends?: false;
  /** A story with everything that may come with a call. */
  rich: { story: string; currency: string | null; turns: number; analysis: string | null };
};

const REPORT_SECRET = "report-secret-of-the-connection";

/** A shipped template as text, sent to the fake in the vendor's place. */
function at(template: Template, url: string): string {
  return JSON.stringify(template).replaceAll(new URL(template.place.url).origin, url);
}

const bolna: Bench = {
  namesOurs: false,
  carrier: "http",
  vendor: "bolna",
  settings: (url) => ({
    template: at(BOLNA, url),
    key: "bn-key-of-the-fake-vendor",
    reportSecret: REPORT_SECRET,
  }),
  key: "key",
  reportSecret: REPORT_SECRET,
  endings: {
    connected: "connected",
    own: "not_interested",
    voicemail: "voicemail",
    no_answer: "no_answer",
    busy: "busy",
    failed: "failed",
    canceled: "failed",
    odd: null,
  },
  refusedBy: { poor: "connection" },
  refusals: {
    unauthorized: "connection",
    forbidden: "connection",
    limited: "capacity",
    bad: "rejected",
    broken: "unknown",
  },
  findsByOurs: false,
  looksUp: true,
  rich: { story: "own", currency: "USD", turns: 2, analysis: "not_interested" },
};

const telnyx: Bench = {
  namesOurs: true,
  carrier: "http",
  vendor: "telnyx",
  settings: (url) => ({ template: at(TELNYX, url), key: "KEY-of-the-fake-vendor" }),
  key: "key",
  reportSecret: null,
  endings: {
    connected: "connected",
    longest: "connected",
    busy: "busy",
    rejected: "busy",
    no_answer: "no_answer",
    timeout: "no_answer",
    failed: "failed",
  },
  refusedBy: { invalid: "permanent" },
  refusals: {
    unauthorized: "connection",
    forbidden: "connection",
    limited: "capacity",
    bad: "rejected",
    broken: "unknown",
  },
  findsByOurs: false,
  looksUp: true,
  rich: { story: "connected", currency: null, turns: 0, analysis: null },
};

const plivo: Bench = {
  namesOurs: true,
  carrier: "http",
  vendor: "plivo",
  settings: (url) => ({
    template: at(PLIVO, url),
    key: "MAFAKEVENDOR",
    keySecret: "plivo-token",
  }),
  key: "keySecret",
  reportSecret: null,
  dial: { carrierAgentId: "https://bot.example.com/answer" },
  endings: {
    connected: "connected",
    voicemail: "voicemail",
    busy: "busy",
    no_answer: "no_answer",
    timeout: "no_answer",
    failed: "failed",
  },
  refusedBy: {},
  refusals: {
    unauthorized: "connection",
    poor: "connection",
    limited: "capacity",
    bad: "rejected",
    broken: "unknown",
  },
  findsByOurs: false,
  looksUp: false,
  rich: { story: "connected", currency: "USD", turns: 0, analysis: null },
};

const retell: Bench = {
  carrier: "retell",
  vendor: "retell",
  settings: (baseUrl) => ({ baseUrl, apiKey: "key_of-the-fake-vendor" }),
  key: "apiKey",
  reportSecret: "key_of-the-fake-vendor",
  toleranceMs: 300_000,
  endings: {
    connected: "connected",
    own: "not_interested",
    longest: "connected",
    voicemail: "voicemail",
    machine: "voicemail",
    silent: "no_response",
    no_answer: "no_answer",
    busy: "busy",
    declined: "busy",
    failed: "failed",
    broken: "failed",
    odd: "failed",
  },
  unknownWord: { story: "odd", word: "some_new_reason", lookedUp: true },
  refusedBy: { invalid: "permanent", crowded: "capacity", poor: "connection" },
  refusals: {
    unauthorized: "connection",
    poor: "connection",
    limited: "capacity",
    bad: "rejected",
    invalid: "rejected",
    broken: "unknown",
  },
  findsByOurs: true,
  namesOurs: true,
  looksUp: true,
  rich: { story: "own", currency: "USD", turns: 2, analysis: "not_interested" },
};

const vapi: Bench = {
  carrier: "vapi",
  vendor: "vapi",
  settings: (baseUrl) => ({
    baseUrl,
    apiKey: "vapi-key-of-the-fake-vendor",
    reportSecret: REPORT_SECRET,
  }),
  key: "apiKey",
  reportSecret: REPORT_SECRET,
  endings: {
    connected: "connected",
    own: "not_interested",
    longest: "connected",
    forwarded: "connected",
    hung_up: "connected",
    voicemail: "voicemail",
    silent: "no_response",
    deaf: "no_response",
    no_answer: "no_answer",
    unreached: "no_answer",
    busy: "busy",
    failed: "failed",
    model: "failed",
    not_started: "init_failed",
    no_assistant: "init_failed",
    odd: "failed",
  },
  unknownWord: { story: "odd", word: "some-new-reason", lookedUp: true },
  refusedBy: {
    misdialed: "permanent",
    crowded: "capacity",
    daily: "capacity",
    poor: "connection",
  },
  refusals: {
    unauthorized: "connection",
    poor: "connection",
    limited: "capacity",
    daily: "capacity",
    bad: "rejected",
    broken: "unknown",
  },
  findsByOurs: false,
  namesOurs: true,
  looksUp: true,
  rich: { story: "own", currency: "USD", turns: 2, analysis: "not_interested" },
};

/** Reports by the assistant's saved server, which signs them. */
const vapiSigned: Bench = {
  ...vapi,
  settings: (url) => ({ ...vapi.settings(url), reports: "signed" }),
  optional: ["reports"],
  toleranceMs: 300_000,
  namesOurs: false,
};

const bland: Bench = {
  carrier: "bland",
  vendor: "bland",
  settings: (baseUrl) => ({
    baseUrl,
    apiKey: "org_key-of-the-fake-vendor",
    webhookSecret: REPORT_SECRET,
  }),
  key: "apiKey",
  reportSecret: REPORT_SECRET,
  endings: {
    connected: "connected",
    own: "not_interested",
    unsure: "connected",
    voicemail: "voicemail",
    no_answer: "no_answer",
    unheard: "no_answer",
    busy: "busy",
    failed: "failed",
    broken: "failed",
    refused: "init_failed",
    odd: "failed",
  },
  unknownWord: { story: "odd", word: "some-new-status", lookedUp: true },
  refusedBy: {},
  refusals: {
    unauthorized: "connection",
    poor: "connection",
    limited: "capacity",
    bad: "rejected",
    said: "rejected",
    broken: "unknown",
  },
  findsByOurs: false,
  namesOurs: true,
  looksUp: true,
  rich: { story: "own", currency: "USD", turns: 2, analysis: "not_interested" },
};

/** The same with a prompt of the agent's own: no pathway, but a task. */
const blandTask: Bench = {
  ...bland,
  dial: { prompt: "You talk to $" + "{name}.", agentSettings: { voice: "maya" } },
};

const elevenlabs: Bench = {
  carrier: "elevenlabs",
  vendor: "elevenlabs",
  keepsRecordings: true,
  settings: (baseUrl) => ({
    baseUrl,
    apiKey: "sk_key-of-the-fake-vendor",
    webhookSecret: REPORT_SECRET,
  }),
  key: "apiKey",
  reportSecret: REPORT_SECRET,
  toleranceMs: 1_800_000,
  endings: {
    connected: "connected",
    own: "not_interested",
    longest: "connected",
    voicemail: "voicemail",
    silent: "no_response",
    broken: "failed",
    busy: "busy",
    no_answer: "no_answer",
    failed: "failed",
    odd: "failed",
  },
  unknownWord: { story: "odd", word: "some-new-reason" },
  refusedBy: {},
  refusals: {
    unauthorized: "connection",
    poor: "connection",
    limited: "capacity",
    bad: "rejected",
    said: "rejected",
    broken: "unknown",
  },
  findsByOurs: true,
  // A call that never began is reported by the vendor's id alone.
  namesOurs: false,
  looksUp: true,
  ends: false,
  rich: { story: "own", currency: "credits", turns: 2, analysis: "not_interested" },
};

const TWIML = '<Response><Say voice="alice">Hello $' + "{name}.</Say></Response>";
const TWILIO_TOKEN = "twilio-token-of-the-fake-vendor";

const twilio: Bench = {
  carrier: "twilio",
  vendor: "twilio",
  keepsRecordings: true,
  settings: (baseUrl) => ({
    baseUrl,
    accountSid: `AC${"0a".repeat(16)}`,
    authToken: TWILIO_TOKEN,
  }),
  key: "authToken",
  reportSecret: TWILIO_TOKEN,
  dial: { prompt: TWIML, agentSettings: { ringSeconds: 30, record: true } },
  endings: {
    connected: "connected",
    unsure: "connected",
    undetected: "connected",
    machine: "voicemail",
    beep: "voicemail",
    fax: "voicemail",
    busy: "busy",
    no_answer: "no_answer",
    failed: "failed",
    canceled: "failed",
    odd: "failed",
  },
  unknownWord: { story: "odd", word: "some-new-status", lookedUp: true },
  refusedBy: { gone: "permanent", incomplete: "permanent" },
  refusals: {
    unauthorized: "connection",
    suspended: "connection",
    limited: "capacity",
    crowded: "capacity",
    invalid: "permanent",
    forbidden: "rejected",
    bad: "rejected",
    broken: "unknown",
  },
  findsByOurs: false,
  namesOurs: true,
  looksUp: true,
  rich: { story: "connected", currency: null, turns: 0, analysis: null },
};

/** The same with a voice bot of the team's own. */
const twilioStream: Bench = {
  ...twilio,
  dial: { carrierAgentId: "wss://bot.example.com/talk?a=1&b=2" },
};

const hooman: Bench = {
  carrier: "hooman",
  vendor: "hooman",
  settings: (baseUrl) => ({
    baseUrl,
    apiKey: "hl-key-of-the-fake-vendor",
    campaign: "leads-1",
  }),
  key: "apiKey",
  reportSecret: null,
  endings: {
    connected: "connected",
    own: "not_interested",
    voicemail: "voicemail",
    silent: "no_response",
    no_answer: "no_answer",
    spelt: "no_answer",
    busy: "busy",
    failed: "failed",
    init_failed: "init_failed",
    odd: "failed",
  },
  unknownWord: { story: "odd", word: "some-new-reason" },
  refusedBy: {},
  refusals: {
    unauthorized: "connection",
    forbidden: "connection",
    limited: "capacity",
    bad: "rejected",
    over: "rejected",
    broken: "unknown",
  },
  findsByOurs: false,
  namesOurs: true,
  looksUp: true,
  ends: false,
  rich: { story: "own", currency: null, turns: 0, analysis: "not_interested" },
};

/** Every carrier and template that is tried, against its vendor's fake. */
export const BENCHES = {
  bolna,
  telnyx,
  plivo,
  retell,
  vapi,
  vapiSigned,
  bland,
  blandTask,
  elevenlabs,
  twilio,
  twilioStream,
  hooman,
};
