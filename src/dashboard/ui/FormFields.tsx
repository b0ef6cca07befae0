import {
  ActionIcon,
  Button,
  Checkbox,
  Group,
  NumberInput,
  PasswordInput,
  Select,
  SimpleGrid,
  Stack,
  Textarea,
  TextInput,
} from "@mantine/core";
import { IconPlus, IconTrash } from "@tabler/icons-react";
import { FIELD_KINDS, type FormField } from "../../core/form.ts";
import type { FormDraft } from "../form-draft.ts";
import { COUNTRIES } from "../reading.ts";
import type { Campaign } from "../things.ts";
import { FIELD_KIND } from "../words.ts";
import { issueAt, issuesUnder } from "./refusal.tsx";

type Props = {
  draft: FormDraft;
  set: (change: Partial<FormDraft>) => void;
  error: Error | null;
};

/** Fields that say themselves what is wrong with them. */
export const BESIDE = [
  ...["name", "campaign", "consentText", "origins", "origins.", "fields.", "country", "redirect"],
  ...["fillMinMs", "repeatMs", "numberMax", "hourMax", "ticketNeeded"],
  ...["turnstile.siteKey", "turnstile.secret"],
];

/** What a form is for, what it asks, and what people agree to. */
export function FormBasics({ draft, set, error, campaigns }: Props & { campaigns: Campaign[] }) {
  const realtime = campaigns.filter(({ type }) => type === "realtime");
  const [origin] = issuesUnder(error, "origins");
  return (
    <>
      <TextInput
        label="Name"
        placeholder="Call me back"
        value={draft.name}
        onChange={({ currentTarget }) => set({ name: currentTarget.value })}
        maxLength={200}
        required
        withAsterisk={false}
        error={issueAt(error, "name")}
        data-autofocus
      />
      <Select
        label="Campaign"
        description="Its agent calls, in its hours"
        placeholder={
          realtime.length === 0 ? "There is no realtime campaign" : "A realtime campaign"
        }
        value={draft.campaign}
        allowDeselect={false}
        onChange={(campaign) => set({ campaign })}
        data={realtime.map(({ id, name }) => ({ value: id, label: name }))}
        error={issueAt(error, "campaign")}
      />
      <Textarea
        label="Pages that may post"
        description="Their origins, one a line"
        placeholder="https://www.example.com"
        autosize
        minRows={2}
        maxRows={8}
        spellCheck={false}
        value={draft.origins}
        onChange={({ currentTarget }) => set({ origins: currentTarget.value })}
        error={origin && `Expected ${origin.expected}; got ${origin.got}.`}
      />
      <Textarea
        label="Consent"
        description="Stands beside the box; without the box nothing is dialled"
        placeholder="Example Ltd may call me about my request."
        autosize
        minRows={2}
        maxRows={8}
        maxLength={2000}
        required
        withAsterisk={false}
        value={draft.consentText}
        onChange={({ currentTarget }) => set({ consentText: currentTarget.value })}
        error={issueAt(error, "consentText")}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }} style={{ alignItems: "end" }}>
        <Select
          label="Country"
          description="Of numbers without +"
          placeholder="None: a + is needed"
          searchable
          clearable
          value={draft.country === "" ? null : draft.country}
          onChange={(country) => set({ country: country ?? "" })}
          data={COUNTRIES}
          error={issueAt(error, "country")}
        />
        <Checkbox
          label="Mobile numbers only"
          checked={draft.mobileOnly}
          onChange={({ currentTarget }) => set({ mobileOnly: currentTarget.checked })}
          pb={8}
        />
      </SimpleGrid>
      <Questions draft={draft} set={set} error={error} />
    </>
  );
}

/** What is asked beside the number: each is in the task's context under its key. */
function Questions({ draft, set, error }: Props) {
  const { fields } = draft;
  const change = (at: number, some: Partial<FormField>) =>
    set({ fields: fields.map((field, index) => (index === at ? { ...field, ...some } : field)) });
  const add = { name: "", label: "", kind: "text", required: false } as const;
  return (
    <Stack gap="xs" role="group" aria-label="Fields">
      {fields.map((field, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: a field is its place
        <Group key={index} gap="xs" align="flex-end" wrap="wrap">
          <TextInput
            label="Label"
            aria-label={`Label of field ${index + 1}`}
            style={{ flex: "2 1 150px" }}
            value={field.label}
            onChange={({ currentTarget }) => change(index, { label: currentTarget.value })}
            required
            withAsterisk={false}
            error={issueAt(error, `fields.${index}.label`)}
          />
          <TextInput
            label="Key"
            aria-label={`Key of field ${index + 1}`}
            style={{ flex: "2 1 130px" }}
            value={field.name}
            onChange={({ currentTarget }) => change(index, { name: currentTarget.value })}
            required
            withAsterisk={false}
            spellCheck={false}
            error={issueAt(error, `fields.${index}.name`)}
          />
          <Select
            label="Kind"
            aria-label={`Kind of field ${index + 1}`}
            style={{ flex: "1 1 110px" }}
            allowDeselect={false}
            value={field.kind}
            onChange={(kind) => change(index, { kind: kind as FormField["kind"] })}
            data={FIELD_KINDS.map((kind) => ({ value: kind, label: FIELD_KIND[kind] }))}
          />
          <Checkbox
            label="Needed"
            aria-label={`Field ${index + 1} is needed`}
            checked={field.required}
            onChange={({ currentTarget }) => change(index, { required: currentTarget.checked })}
            pb={8}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            mb={4}
            onClick={() => set({ fields: fields.filter((_, at) => at !== index) })}
            aria-label={`Remove field ${index + 1}`}
          >
            <IconTrash size={16} />
          </ActionIcon>
        </Group>
      ))}
      <Group>
        <Button
          size="xs"
          variant="default"
          leftSection={<IconPlus size={14} />}
          onClick={() => set({ fields: [...fields, add] })}
        >
          Ask for something else
        </Button>
      </Group>
    </Stack>
  );
}

/** What keeps robots and repetitions away. */
export function FormLimits({ draft, set, error, hasSecret }: Props & { hasSecret: boolean }) {
  return (
    <>
      <SimpleGrid cols={{ base: 1, xs: 2 }} style={{ alignItems: "end" }}>
        <NumberInput
          label="The same number rings once in"
          description="Minutes"
          min={1}
          max={1440}
          value={draft.repeatMinutes}
          onChange={(repeatMinutes) => set({ repeatMinutes })}
          error={issueAt(error, "repeatMs")}
        />
        <NumberInput
          label="Calls of one number"
          description="In 24 hours"
          min={1}
          max={100}
          allowDecimal={false}
          value={draft.numberMax}
          onChange={(numberMax) => set({ numberMax })}
          error={issueAt(error, "numberMax")}
        />
        <NumberInput
          label="Calls of everybody"
          description="In an hour"
          min={1}
          max={10_000}
          allowDecimal={false}
          value={draft.hourMax}
          onChange={(hourMax) => set({ hourMax })}
          error={issueAt(error, "hourMax")}
        />
        <NumberInput
          label="Nobody fills it in within"
          description="Seconds; told by the script's ticket"
          min={0}
          max={600}
          value={draft.fillSeconds}
          onChange={(fillSeconds) => set({ fillSeconds })}
          error={issueAt(error, "fillMinMs")}
        />
      </SimpleGrid>
      <Checkbox
        label="Only pages that run the script"
        description="Without it nobody can tell how long somebody took"
        checked={draft.ticketNeeded}
        onChange={({ currentTarget }) => set({ ticketNeeded: currentTarget.checked })}
        error={issueAt(error, "ticketNeeded")}
      />
      <Checkbox
        label="Posts without an origin, too"
        description="Apps and servers send none; browsers always do"
        checked={draft.withoutOrigin}
        onChange={({ currentTarget }) => set({ withoutOrigin: currentTarget.checked })}
      />
      <TextInput
        label="Where to go afterwards"
        description="Without script; empty: a page of ours says when the call comes"
        placeholder="https://www.example.com/thanks"
        value={draft.redirect}
        onChange={({ currentTarget }) => set({ redirect: currentTarget.value })}
        error={issueAt(error, "redirect")}
      />
      <SimpleGrid cols={{ base: 1, xs: 2 }} style={{ alignItems: "end" }}>
        <TextInput
          label="Turnstile: site key"
          description="Empty: it is not asked"
          value={draft.siteKey}
          onChange={({ currentTarget }) => set({ siteKey: currentTarget.value })}
          spellCheck={false}
          error={issueAt(error, "turnstile.siteKey")}
        />
        <PasswordInput
          label="Turnstile: secret key"
          description={hasSecret ? "Empty: the one that is there stays" : "Never shown again"}
          autoComplete="off"
          value={draft.secret}
          disabled={draft.siteKey.trim() === ""}
          onChange={({ currentTarget }) => set({ secret: currentTarget.value })}
          error={issueAt(error, "turnstile.secret")}
        />
      </SimpleGrid>
    </>
  );
}
