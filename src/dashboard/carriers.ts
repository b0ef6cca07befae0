/** A setting of a carrier's, as a form asks for it. */
export type CarrierField = {
  name: string;
  label: string;
  description: string;
  /** Never shown again. */
  secret: boolean;
  required: boolean;
  /** All that it can be, where that is known. */
  choices?: readonly string[];
};

export type CarrierForm = {
  id: string;
  label: string;
  fields: readonly CarrierField[];
  /** What an agent's `carrierAgentId` is there. */
  agentId: string;
  /** What a number's `carrierNumberId` is there; null where none is asked for. */
  numberId: { description: string; required: boolean } | null;
};

const secret = (name: string, label: string, description: string, required = true) => ({
  ...{ name, label, description, required },
  secret: true,
});
const open = (name: string, label: string, description: string, required = true) => ({
  ...{ name, label, description, required },
  secret: false,
});

/** The setting that has an editor of its own. */
export const TEMPLATE = "template";

/** What each carrier is connected with, by its own names (docs/carriers.md). */
export const CARRIERS: readonly CarrierForm[] = [
  {
    id: "twilio",
    label: "Twilio",
    fields: [
      open("accountSid", "Account SID", "Starts with AC"),
      secret("authToken", "Auth Token", "Of the same account; it signs the reports, too"),
    ],
    agentId: "An address (https: of TwiML, wss: of a voice bot), or any word where a prompt speaks",
    numberId: null,
  },
  {
    id: "vapi",
    label: "Vapi",
    fields: [
      secret("apiKey", "Private API key", "Vapi's dashboard, API Keys"),
      secret("reportSecret", "Secret of reports", "One that you make up: Vapi sends it along"),
      {
        ...open(
          "reports",
          "Reports",
          "Signed: by the assistant's own server and credential",
          false,
        ),
        choices: ["signed"],
      },
    ],
    agentId: "The assistant's id",
    numberId: { description: "The phone number's id at Vapi", required: true },
  },
  {
    id: "retell",
    label: "Retell",
    fields: [
      secret("apiKey", "API key", "Retell's dashboard, API Keys"),
      secret("webhookKey", "Webhook key", "Only where another key has the webhook badge", false),
    ],
    agentId: "The agent's id at Retell",
    numberId: null,
  },
  {
    id: "bland",
    label: "Bland",
    fields: [
      secret("apiKey", "API key", "Bland's account settings, Keys"),
      secret("webhookSecret", "Webhook signing secret", "From the same page"),
    ],
    agentId: "The pathway's id, or any word where a prompt speaks",
    numberId: null,
  },
  {
    id: "elevenlabs",
    label: "ElevenLabs",
    fields: [
      secret("apiKey", "API key", "With access to conversational agents"),
      secret("webhookSecret", "Webhook secret", "Of the account's post-call webhook"),
      {
        ...open("telephony", "Telephony", "Empty for Twilio", false),
        choices: ["twilio", "sip-trunk", "exotel"],
      },
    ],
    agentId: "The agent's id at ElevenLabs",
    numberId: { description: "The phone number's id at ElevenLabs", required: true },
  },
  {
    id: "hooman",
    label: "Hooman Labs",
    fields: [
      secret("apiKey", "API key", "Of the workspace there"),
      open("campaign", "Campaign", "The id of a realtime campaign there"),
    ],
    agentId: "The agent's id there",
    numberId: null,
  },
  {
    id: "http",
    label: "Any HTTP API",
    fields: [
      open(TEMPLATE, "Template", "What is asked, and what answers and reports mean, as JSON"),
      secret("key", "Key", "What the template's key stands for", false),
      secret(
        "keySecret",
        "Key's secret",
        "What the template's keySecret stands for; both make its basic",
        false,
      ),
      secret("reportSecret", "Secret of reports", "What reports prove themselves with", false),
    ],
    agentId: "What the template puts where it names the agent: an id, or an address",
    numberId: { description: "Only where the template names the number", required: false },
  },
  {
    id: "simulator",
    label: "Simulated carrier",
    fields: [
      open("baseUrl", "Address", "Where it answers"),
      secret("apiKey", "Key", "What it was started with"),
      secret("reportSecret", "Secret of reports", "What it signs its reports with"),
    ],
    agentId: "Any word",
    numberId: null,
  },
];

export function carrierForm(id: string): CarrierForm | undefined {
  return CARRIERS.find((one) => one.id === id);
}

/** `Any HTTP API`; of one that nobody knows here, its id. */
export function carrierName(id: string): string {
  return carrierForm(id)?.label ?? id;
}
