import {
  Button,
  Group,
  NumberInput,
  Select,
  SimpleGrid,
  Stack,
  Text,
  TextInput,
} from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useMutation, useQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api.ts";
import { CARRIERS, carrierForm, carrierName, TEMPLATE } from "../carriers.ts";
import { useNow } from "../clock.ts";
import * as queries from "../queries.ts";
import type { Connection, Workspace } from "../things.ts";
import { relative, roughly } from "../times.ts";
import { Fact } from "../ui/CallView.tsx";
import { CarrierFields } from "../ui/CarrierFields.tsx";
import { Listing, Main } from "../ui/Listing.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { Form, Panel } from "../ui/Panel.tsx";
import { issueAt, issuesUnder } from "../ui/refusal.tsx";
import { Card, Head } from "../ui/Section.tsx";
import { CopyIcon, Sign } from "../ui/signs.tsx";
import { Empty } from "../ui/states.tsx";
import { CONNECTION_STATE, CONNECTION_TEST, whoMay } from "../words.ts";
import { useDeed } from "./deed.ts";
import { useList } from "./list.ts";
import { Delete } from "./SettingsDelete.tsx";
import { ShippedTemplates, TemplateTools } from "./SettingsTemplate.tsx";
import { useMay, useTitle } from "./session.tsx";

const route = getRouteApi("/frame/settings/connections");

/** The carriers' accounts that calls go through, and how each is. */
export function SettingsConnections() {
  useTitle("Connections");
  const { open } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useList("GET /v1/connections", {});
  const workspace = useQuery(queries.workspace());
  const mayAdd = useMay("set_up");
  const opened = list.items?.find(({ id }) => id === open);
  const close = () => void navigate({ search: {}, replace: true });
  return (
    <>
      <Head title="Connections" lead="The carriers' accounts that your calls go through.">
        {mayAdd && (
          <ButtonLink
            to="/settings/connections"
            search={{ open: "new" }}
            leftSection={<IconPlus size={16} />}
          >
            Connect a carrier
          </ButtonLink>
        )}
      </Head>
      <Listing label="Connections" list={list} empty={<None mayAdd={mayAdd} />}>
        {(connection) => (
          <>
            <Main
              name={
                <Link
                  to="/settings/connections"
                  search={{ open: connection.id }}
                  className="row-link"
                >
                  {connection.name}
                </Link>
              }
            >
              <span>{carrierName(connection.carrier)}</span>
              <State id={connection.id} workspace={workspace.data} />
            </Main>
            {mayAdd && <Test connection={connection} />}
          </>
        )}
      </Listing>
      {open === "new" && mayAdd && (
        <Panel title="Connect a carrier" close={close}>
          <Create close={close} />
        </Panel>
      )}
      {opened !== undefined && (
        <Panel key={opened.id} title={opened.name} close={close}>
          {mayAdd ? <Edit connection={opened} close={close} /> : <Facts connection={opened} />}
        </Panel>
      )}
    </>
  );
}

function None({ mayAdd }: { mayAdd: boolean }) {
  return (
    <Empty title="No carrier is connected">
      <Text className="quiet" ta="center" maw={440}>
        A connection holds the credentials of one account at a carrier; agents and numbers belong to
        it. {mayAdd ? "" : `${whoMay("set_up")} can connect one.`}
      </Text>
      {mayAdd && (
        <ButtonLink to="/settings/connections" search={{ open: "new" }}>
          Connect a carrier
        </ButtonLink>
      )}
    </Empty>
  );
}

/** Whether calls go out through it now, and if not, why and until when (H41). */
function State({ id, workspace }: { id: string; workspace: Workspace | undefined }) {
  const now = useNow();
  const found = workspace?.connections.find((one) => one.id === id);
  if (found === undefined || found.state === "ok") return null;
  const { state, suspended, reason, since, until } = found;
  const from = since === null ? "" : ` for ${roughly(now - since)}`;
  const why = reason === null ? "" : `: ${reason}`;
  const next = until === null ? "" : `, tries again ${relative(until, now)}`;
  const look = CONNECTION_STATE[suspended ? "suspended" : state];
  return <Sign look={{ ...look, label: `${look.label}${from}${why}${next}` }} wrap />;
}

/** Asks the carrier for something that places no call. */
function Test({ connection }: { connection: Connection }) {
  const test = useMutation({
    mutationFn: () => call("POST /v1/connections/{id}/test", { params: { id: connection.id } }),
  });
  const { data } = test;
  return (
    <Group gap="sm" className="above">
      <div role="status">
        {test.error !== null && (
          <Text size="xs" c="red">
            {test.error.message}
          </Text>
        )}
        {data !== undefined && !test.isPending && (
          <Sign
            look={
              data.works
                ? { ...CONNECTION_TEST.works, label: `Works, answered in ${data.tookMs} ms` }
                : { ...CONNECTION_TEST.fails, label: data.said ?? "Does not work" }
            }
          />
        )}
      </div>
      <Button
        size="xs"
        variant="default"
        loading={test.isPending}
        onClick={() => test.mutate()}
        aria-label={`Test ${connection.name}`}
      >
        Test
      </Button>
    </Group>
  );
}

type Limits = {
  name: string;
  minutes: number | string;
  perSecond: number | string;
  callsMax: number | string;
};

const MINUTE_MS = 60_000;
const numberOrNull = (value: number | string) => (value === "" ? null : Number(value));

function limitsBody({ name, minutes, perSecond, callsMax }: Limits) {
  return {
    name,
    lengthMaxMs: Math.round(Number(minutes) * MINUTE_MS),
    perSecond: numberOrNull(perSecond),
    callsMax: numberOrNull(callsMax),
  };
}

const BESIDE = ["name", "carrier", "lengthMaxMs", "perSecond", "callsMax", "settings."];

function Create({ close }: { close: () => void }) {
  const [carrier, setCarrier] = useState<string | null>(null);
  const [values, setValues] = useState<Record<string, string>>({});
  const [limits, setLimits] = useState<Limits>({
    ...{ name: "", minutes: 30 },
    ...{ perSecond: "", callsMax: "" },
  });
  const save = useDeed({
    ask: () => {
      const settings = Object.fromEntries(
        Object.entries(values).filter(([, value]) => value !== ""),
      );
      const body = { carrier: carrier ?? "", settings, ...limitsBody(limits) };
      return call("POST /v1/connections", { body });
    },
    said: ({ name }) => `Connected: ${name}`,
    done: close,
  });
  const form = carrier === null ? undefined : carrierForm(carrier);
  return (
    <Stack gap="xl">
      <Form
        submit={() => save.mutate()}
        deed="Connect"
        pending={save.isPending}
        error={save.error}
        beside={BESIDE}
        disabled={form === undefined}
      >
        <Select
          label="Carrier"
          description="Never changes"
          placeholder="What places the calls"
          maxDropdownHeight={340}
          value={carrier}
          allowDeselect={false}
          onChange={(id) => {
            setCarrier(id);
            setValues({});
            if (limits.name === "" && id !== null) setLimits({ ...limits, name: carrierName(id) });
          }}
          data={CARRIERS.map(({ id, label }) => ({ value: id, label }))}
          error={issueAt(save.error, "carrier")}
          data-autofocus
        />
        {form !== undefined && (
          <>
            <LimitFields limits={limits} set={setLimits} error={save.error} />
            {form.id === "http" && (
              <ShippedTemplates
                choose={(text) => setValues((now) => ({ ...now, [TEMPLATE]: text }))}
              />
            )}
            <CarrierFields
              fields={form.fields}
              values={values}
              kept={{}}
              set={(name, value) => setValues((now) => ({ ...now, [name]: value }))}
              issues={issuesUnder(save.error, "settings")}
            />
          </>
        )}
      </Form>
      <TemplateTools template={values[TEMPLATE] ?? ""} />
    </Stack>
  );
}

function Edit({ connection, close }: { connection: Connection; close: () => void }) {
  const { carrier, settings } = connection;
  const form = carrierForm(carrier) ?? unknownForm(connection);
  const shown = Object.fromEntries(
    form.fields
      .filter((field) => !field.secret)
      .map(({ name }): [string, string] => [name, settings[name] ?? ""]),
  );
  const [values, setValues] = useState<Record<string, string>>(shown);
  const [limits, setLimits] = useState<Limits>({
    name: connection.name,
    minutes: connection.lengthMaxMs / MINUTE_MS,
    perSecond: connection.perSecond ?? "",
    callsMax: connection.callsMax ?? "",
  });
  const save = useDeed({
    ask: () => {
      const given = Object.entries(values).filter(([name, value]) => value !== (shown[name] ?? ""));
      // What was emptied goes; a secret that was left empty stays.
      const changes = given.map(([name, value]): [string, string | null] => [name, value || null]);
      const body = {
        ...limitsBody(limits),
        ...(changes.length === 0 ? {} : { settings: Object.fromEntries(changes) }),
      };
      return call("PATCH /v1/connections/{id}", { params: { id: connection.id }, body });
    },
    said: ({ name }) => `Saved: ${name}`,
    done: close,
  });
  return (
    <Stack gap="xl">
      <Group justify="space-between">
        <Text size="sm" className="quiet">
          {carrierName(carrier)}
        </Text>
        <Test connection={connection} />
      </Group>
      <Form
        submit={() => save.mutate()}
        deed="Save"
        pending={save.isPending}
        error={save.error}
        beside={BESIDE}
      >
        <LimitFields limits={limits} set={setLimits} error={save.error} />
        <CarrierFields
          fields={form.fields}
          values={values}
          kept={settings}
          set={(name, value) => setValues((now) => ({ ...now, [name]: value }))}
          issues={issuesUnder(save.error, "settings")}
        />
      </Form>
      <TemplateTools template={values[TEMPLATE] ?? ""} />
      <Reports connection={connection} />
      <Delete
        noun="connection"
        name={connection.name}
        id={connection.id}
        ask={() => call("DELETE /v1/connections/{id}", { params: { id: connection.id } })}
        close={close}
      />
    </Stack>
  );
}

/** A carrier that this page does not know: what was given can be given anew. */
function unknownForm({ settingsGiven }: Connection) {
  const fields = settingsGiven.map((name) => ({
    ...{ name, label: name, description: "" },
    ...{ secret: true, required: false },
  }));
  return { id: "", label: "", fields };
}

function Reports({ connection }: { connection: Connection }) {
  return (
    <Card
      title="Reports"
      lead="Where the carrier may send what becomes of a call, if it asks for an address."
    >
      <Group gap={4} wrap="nowrap">
        <Text size="xs" ff="monospace" style={{ overflowWrap: "anywhere" }}>
          {connection.reportsUrl}
        </Text>
        <CopyIcon text={connection.reportsUrl} what="the address of reports" />
      </Group>
    </Card>
  );
}

function LimitFields(props: {
  limits: Limits;
  set: (limits: Limits) => void;
  error: Error | null;
}) {
  const { limits, set, error } = props;
  return (
    <>
      <TextInput
        label="Name"
        value={limits.name}
        onChange={({ currentTarget }) => set({ ...limits, name: currentTarget.value })}
        maxLength={200}
        required
        withAsterisk={false}
        error={issueAt(error, "name")}
      />
      <SimpleGrid cols={{ base: 1, xs: 3 }} style={{ alignItems: "end" }}>
        <NumberInput
          label="Longest call"
          description="Minutes"
          min={1}
          max={240}
          value={limits.minutes}
          onChange={(minutes) => set({ ...limits, minutes })}
          error={issueAt(error, "lengthMaxMs")}
        />
        <NumberInput
          label="Calls a second"
          description="Empty: no pace"
          min={0.001}
          max={1000}
          value={limits.perSecond}
          onChange={(perSecond) => set({ ...limits, perSecond })}
          error={issueAt(error, "perSecond")}
        />
        <NumberInput
          label="Calls at once"
          description="Empty: no limit of its own"
          min={1}
          allowDecimal={false}
          value={limits.callsMax}
          onChange={(callsMax) => set({ ...limits, callsMax })}
          error={issueAt(error, "callsMax")}
        />
      </SimpleGrid>
    </>
  );
}

function Facts({ connection }: { connection: Connection }) {
  return (
    <Stack>
      <dl className="facts">
        <Fact name="Carrier">{carrierName(connection.carrier)}</Fact>
        <Fact name="Longest call">{connection.lengthMaxMs / MINUTE_MS} min</Fact>
        <Fact name="Calls a second">{connection.perSecond ?? "no pace"}</Fact>
        <Fact name="Calls at once">{connection.callsMax ?? "no limit of its own"}</Fact>
      </dl>
      <Text size="sm" className="quiet">
        {whoMay("set_up")} can change these.
      </Text>
    </Stack>
  );
}
