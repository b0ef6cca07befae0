import { Text } from "@mantine/core";
import { deedWords } from "../deeds.ts";
import type { AuditEntry } from "../things.ts";
import { HOME_ZONE } from "../times.ts";
import { CopyId, When } from "./signs.tsx";

/** One entry of the audit log; what changed opens below it. */
export function EntryView({ entry }: { entry: AuditEntry }) {
  const { actor, at, action, target, ip, before, after } = entry;
  const fields = [...new Set([...Object.keys(before ?? {}), ...Object.keys(after ?? {})])];
  return (
    <div className="set-main">
      <Text size="sm">
        <Text span fw={550}>
          {actorWords(actor)}
        </Text>{" "}
        {deedWords(action)}
      </Text>
      <div className="set-quiet">
        <When at={at} zone={HOME_ZONE} />
        {target !== null && <CopyId id={target} what="the id" />}
        {ip !== null && <span className="numbers">from {ip}</span>}
      </div>
      {fields.length > 0 && (
        <details>
          <summary className="set-summary">What changed</summary>
          <div className="change">
            {fields.map((name) => (
              <Change key={name} name={name} before={before?.[name]} after={after?.[name]} />
            ))}
          </div>
        </details>
      )}
    </div>
  );
}

function Change({ name, before, after }: { name: string; before: unknown; after: unknown }) {
  return (
    <>
      <span className="quiet">{name}</span>
      <span>{before === undefined ? "" : <del>{valueText(before)}</del>}</span>
      <span>{after === undefined ? "" : valueText(after)}</span>
    </>
  );
}

function valueText(value: unknown): string {
  if (value === null || value === "") return "none";
  return typeof value === "string" ? value : JSON.stringify(value);
}

function actorWords({ kind, id, name }: AuditEntry["actor"]): string {
  switch (kind) {
    case "person":
      return name ?? id ?? "Somebody";
    case "key":
      return `Key ${name ?? id ?? ""}`;
    case "deployment":
      return "The deployment";
    case "outdial":
      return "outdial";
    default:
      return kind satisfies never;
  }
}
