import { Button, CloseButton, Group, Select, TextInput } from "@mantine/core";
import { IconDownload } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { addressOf } from "../api.ts";
import { AUDIT_NOUNS, nounWords } from "../deeds.ts";
import * as queries from "../queries.ts";
import { EntryView } from "../ui/EntryView.tsx";
import { Listing } from "../ui/Listing.tsx";
import { Head } from "../ui/Section.tsx";
import { Empty } from "../ui/states.tsx";
import { useList } from "./list.ts";
import { Allowed } from "./Settings.tsx";
import { useTitle } from "./session.tsx";

const route = getRouteApi("/frame/settings/audit");

/** Who did what, newest first. */
export function SettingsAudit() {
  useTitle("Audit log");
  return (
    <Allowed permission="govern">
      <Log />
    </Allowed>
  );
}

function Log() {
  const filter = route.useSearch();
  const navigate = route.useNavigate();
  const list = useList("GET /v1/audit", filter);
  const set = (change: typeof filter) =>
    void navigate({
      search: (old) => {
        const all = Object.entries({ ...old, ...change });
        return Object.fromEntries(all.filter(([, value]) => value !== undefined && value !== ""));
      },
      replace: true,
    });
  const isFiltered = Object.keys(filter).length > 0;
  return (
    <>
      <Head
        title="Audit log"
        lead="Who changed what, who signed in, who exported, and who read or heard a call. No secret and no whole number is in it."
      >
        <Button
          component="a"
          variant="default"
          leftSection={<IconDownload size={16} />}
          href={addressOf("GET /v1/audit.csv", { query: filter })}
          download
        >
          Export as CSV
        </Button>
      </Head>
      <Group mb="md" gap="sm">
        <Select
          aria-label="About"
          placeholder="About anything"
          clearable
          searchable
          w={190}
          value={filter.action ?? null}
          onChange={(action) => set({ action: action ?? undefined })}
          data={choicesOf(filter.action)}
        />
        <Actor value={filter.actor} set={(actor) => set({ actor })} />
        <TextInput
          aria-label="Id of what it was done to"
          placeholder="Id, such as cmp_…"
          w={220}
          value={filter.target ?? ""}
          onChange={({ currentTarget }) => set({ target: currentTarget.value.trim() })}
          rightSection={
            filter.target === undefined ? null : (
              <CloseButton
                size="sm"
                aria-label="Clear"
                onClick={() => set({ target: undefined })}
              />
            )
          }
        />
      </Group>
      <Listing
        label="Audit log"
        list={list}
        empty={
          <Empty title={isFiltered ? "No entry is like that" : "Nothing was done yet"}>
            {isFiltered && (
              <Button
                variant="default"
                onClick={() => void navigate({ search: {}, replace: true })}
              >
                Show all
              </Button>
            )}
          </Empty>
        }
      >
        {(entry) => <EntryView entry={entry} />}
      </Listing>
    </>
  );
}

/** Whole nouns to choose from, and whatever stands in the address. */
function choicesOf(action: string | undefined): { value: string; label: string }[] {
  const known = AUDIT_NOUNS.map((value) => ({ value, label: nounWords(value) }));
  const isKnown = action === undefined || AUDIT_NOUNS.some((one) => one === action);
  return isKnown ? known : [...known, { value: action, label: action }];
}

function Actor({
  value,
  set,
}: {
  value: string | undefined;
  set: (id: string | undefined) => void;
}) {
  const people = useInfiniteQuery(queries.list("GET /v1/people", {}));
  const keys = useInfiniteQuery(queries.list("GET /v1/keys", {}));
  const choices = [
    ...(people.data?.pages ?? []).flatMap(({ items }) => items),
    ...(keys.data?.pages ?? []).flatMap(({ items }) => items),
  ].map(({ id, name }) => ({ value: id, label: name }));
  const known = value === undefined || choices.some((one) => one.value === value);
  return (
    <Select
      aria-label="By whom"
      placeholder="By anybody"
      clearable
      searchable
      w={190}
      value={value ?? null}
      onChange={(id) => set(id ?? undefined)}
      data={known ? choices : [...choices, { value, label: value }]}
    />
  );
}
