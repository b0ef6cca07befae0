import { PasswordInput, Select, Textarea, TextInput } from "@mantine/core";
import type { Issue } from "../../core/result.ts";
import { type CarrierField, TEMPLATE } from "../carriers.ts";

/** Of long secrets the API shows the end, of short ones nothing. */
function keepWords(shown: string | undefined): string {
  return shown === "…" ? "Empty: the one that is there stays" : `Empty: ${shown} stays`;
}

/** A carrier's own settings. Secrets are never shown again: left empty, one that is there stays. */
export function CarrierFields(props: {
  fields: readonly CarrierField[];
  values: Record<string, string>;
  /** What is there already, secrets cut. */
  kept: Record<string, string>;
  set: (name: string, value: string) => void;
  issues: Issue[];
}) {
  const { fields, values, kept, set, issues } = props;
  const known = fields.map(({ name }) => `settings.${name}`);
  return (
    <>
      {fields.map((field) => {
        const { name, label, description, secret, required } = field;
        const has = kept[name] !== undefined;
        const issue = issues.find(({ path }) => path === `settings.${name}`);
        const error = issue && `Expected ${issue.expected}; got ${issue.got}.`;
        const same = {
          ...{ label, error, value: values[name] ?? "" },
          required: required && !has,
          withAsterisk: false,
          onChange: (event: { currentTarget: { value: string } }) =>
            set(name, event.currentTarget.value),
        };
        if (name === TEMPLATE) {
          return (
            <Textarea
              key={name}
              {...same}
              description={description}
              autosize
              minRows={8}
              maxRows={22}
              spellCheck={false}
              styles={{ input: { fontFamily: "monospace", fontSize: 12 } }}
            />
          );
        }
        if (field.choices !== undefined) {
          const { label: name, error: wrong, value } = same;
          return (
            <Select
              key={field.name}
              {...{ label: name, description, error: wrong }}
              placeholder="As it is by default"
              clearable
              value={value === "" ? null : value}
              onChange={(choice) => set(field.name, choice ?? "")}
              data={[...field.choices]}
            />
          );
        }
        if (!secret) return <TextInput key={name} {...same} description={description} />;
        return (
          <PasswordInput
            key={name}
            {...same}
            description={has ? `${description}. ${keepWords(kept[name])}` : description}
            autoComplete="new-password"
          />
        );
      })}
      {issues
        .filter(({ path }) => !known.includes(path))
        .map(({ path, expected, got }) => (
          <p key={path} role="alert" style={{ color: "var(--mantine-color-error)", margin: 0 }}>
            {path}: expected {expected}; got {got}.
          </p>
        ))}
    </>
  );
}
