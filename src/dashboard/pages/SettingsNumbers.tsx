import { Select, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api.ts";
import { carrierForm, carrierName } from "../carriers.ts";
import * as queries from "../queries.ts";
import type { CallingNumber, Connection } from "../things.ts";
import { Listing, Main } from "../ui/Listing.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { Form, Panel } from "../ui/Panel.tsx";
import { issueAt } from "../ui/refusal.tsx";
import { Head } from "../ui/Section.tsx";
import { Empty } from "../ui/states.tsx";
import { whoMay } from "../words.ts";
import { useDeed } from "./deed.ts";
import { useList } from "./list.ts";
import { Delete } from "./SettingsDelete.tsx";
import { useMay, useTitle } from "./session.tsx";

const route = getRouteApi("/frame/settings/numbers");

/** The numbers that people see on their phones. */
export function SettingsNumbers() {
  useTitle("Numbers");
  const { open } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useList("GET /v1/numbers", {});
  const connections = useQuery(queries.connections());
  const mayAdd = useMay("set_up");
  const all = connections.data?.items ?? [];
  const opened = list.items?.find(({ id }) => id === open);
  const close = () => void navigate({ search: {}, replace: true });
  return (
    <>
      <Head title="Numbers" lead="What people see on their phones when they are called.">
        {mayAdd && all.length > 0 && (
          <ButtonLink
            to="/settings/numbers"
            search={{ open: "new" }}
            leftSection={<IconPlus size={16} />}
          >
            Add a number
          </ButtonLink>
        )}
      </Head>
      <Listing label="Numbers" list={list} empty={<None mayAdd={mayAdd} any={all.length > 0} />}>
        {(number) => (
          <Main
            name={
              mayAdd ? (
                <Link
                  to="/settings/numbers"
                  search={{ open: number.id }}
                  className="row-link numbers"
                >
                  {number.phone}
                </Link>
              ) : (
                <span className="numbers">{number.phone}</span>
              )
            }
          >
            {number.name !== null && <span>{number.name}</span>}
            <span>{all.find(({ id }) => id === number.connection)?.name ?? number.connection}</span>
            {number.carrierNumberId !== null && <span>{number.carrierNumberId}</span>}
          </Main>
        )}
      </Listing>
      {open === "new" && mayAdd && connections.data !== undefined && (
        <Panel title="Add a number" close={close}>
          <Editor number={null} connections={all} close={close} />
        </Panel>
      )}
      {opened !== undefined && mayAdd && (
        <Panel key={opened.id} title={opened.phone} close={close}>
          <Editor number={opened} connections={all} close={close} />
        </Panel>
      )}
    </>
  );
}

function None({ mayAdd, any }: { mayAdd: boolean; any: boolean }) {
  return (
    <Empty title="No numbers yet">
      <Text className="quiet" ta="center" maw={440}>
        A number belongs to the connection whose carrier rents it to you.{" "}
        {mayAdd ? "" : `${whoMay("set_up")} can add one.`}
      </Text>
      {mayAdd &&
        (any ? (
          <ButtonLink to="/settings/numbers" search={{ open: "new" }}>
            Add a number
          </ButtonLink>
        ) : (
          <ButtonLink to="/settings/connections" search={{ open: "new" }}>
            Connect a carrier first
          </ButtonLink>
        ))}
    </Empty>
  );
}

const BESIDE = ["phone", "connection", "name", "carrierNumberId"];

function Editor(props: {
  number: CallingNumber | null;
  connections: Connection[];
  close: () => void;
}) {
  const { number, connections, close } = props;
  const [phone, setPhone] = useState(number?.phone ?? "");
  const only = connections.length === 1 ? connections[0]?.id : undefined;
  const [connection, setConnection] = useState(number?.connection ?? only ?? null);
  const [name, setName] = useState(number?.name ?? "");
  const [carrierNumberId, setCarrierId] = useState(number?.carrierNumberId ?? "");
  const orNull = (text: string) => (text.trim() === "" ? null : text.trim());
  const save = useDeed({
    ask: () => {
      const names = { name: orNull(name), carrierNumberId: orNull(carrierNumberId) };
      if (number !== null) {
        return call("PATCH /v1/numbers/{id}", { params: { id: number.id }, body: names });
      }
      const body = { phone: phone.trim(), connection: connection ?? "", ...names };
      return call("POST /v1/numbers", { body });
    },
    said: (saved) => `Saved: ${saved.phone}`,
    done: close,
  });
  const { error } = save;
  const carrier = connections.find(({ id }) => id === connection)?.carrier ?? "";
  const asked = carrierForm(carrier)?.numberId ?? null;
  return (
    <Stack gap="xl">
      <Form
        submit={() => save.mutate()}
        deed={number === null ? "Add" : "Save"}
        pending={save.isPending}
        error={error}
        beside={BESIDE}
        disabled={connection === null}
      >
        <TextInput
          type="tel"
          label="Number"
          description={
            number === null ? "With + and its country code; never changes" : "Never changes"
          }
          placeholder="+918047112233"
          value={phone}
          disabled={number !== null}
          onChange={({ currentTarget }) => setPhone(currentTarget.value)}
          required
          withAsterisk={false}
          error={issueAt(error, "phone")}
        />
        <Select
          label="Connection"
          description={number === null ? "Agents on it call from this number" : "Never changes"}
          placeholder="Choose a connection"
          value={connection}
          disabled={number !== null}
          allowDeselect={false}
          onChange={setConnection}
          data={connections.map((one) => ({
            value: one.id,
            label: `${one.name} · ${carrierName(one.carrier)}`,
          }))}
          error={issueAt(error, "connection")}
        />
        <TextInput
          label="Name"
          description="For you, to tell numbers apart"
          value={name}
          onChange={({ currentTarget }) => setName(currentTarget.value)}
          maxLength={200}
          error={issueAt(error, "name")}
        />
        {(asked !== null || carrierNumberId !== "") && (
          <TextInput
            label="The carrier's id of the number"
            description={asked?.description}
            value={carrierNumberId}
            onChange={({ currentTarget }) => setCarrierId(currentTarget.value)}
            maxLength={200}
            required={asked?.required === true}
            withAsterisk={false}
            error={issueAt(error, "carrierNumberId")}
          />
        )}
      </Form>
      {number !== null && (
        <Delete
          noun="number"
          name={number.phone}
          id={number.id}
          ask={() => call("DELETE /v1/numbers/{id}", { params: { id: number.id } })}
          close={close}
        />
      )}
    </Stack>
  );
}
