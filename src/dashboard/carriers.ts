/** A setting of a carrier's, as a form asks for it. */
export type CarrierField = {
  name: string;
  label: string;
  description: string;
  /** Never shown again. */
  secret: boolean;
  required: boolean;
};

export type CarrierForm = { id: string; label: string; fields: readonly CarrierField[] };

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
  },
  {
    id: "simulator",
    label: "Simulated carrier",
    fields: [
      open("baseUrl", "Address", "Where it answers"),
      secret("apiKey", "Key", "What it was started with"),
      secret("reportSecret", "Secret of reports", "What it signs its reports with"),
    ],
  },
];

export function carrierForm(id: string): CarrierForm | undefined {
  return CARRIERS.find((one) => one.id === id);
}

/** `Any HTTP API`; of one that nobody knows here, its id. */
export function carrierName(id: string): string {
  return carrierForm(id)?.label ?? id;
}
