import { Alert, Button, FileButton, Group, Progress, Stack, Text, TextInput } from "@mantine/core";
import { IconPlus, IconUpload } from "@tabler/icons-react";
import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { call, upload } from "../api.ts";
import type { Erasure, Suppression } from "../things.ts";
import { HOME_ZONE, instantOf } from "../times.ts";
import { Fact } from "../ui/CallView.tsx";
import { Confirm } from "../ui/Confirm.tsx";
import { Listing, Main } from "../ui/Listing.tsx";
import { Form, Panel } from "../ui/Panel.tsx";
import { issueAt, Refusal } from "../ui/refusal.tsx";
import { Card, Head } from "../ui/Section.tsx";
import { When } from "../ui/signs.tsx";
import { Empty } from "../ui/states.tsx";
import { count, counted } from "../words.ts";
import { useDeed } from "./deed.ts";
import { useList } from "./list.ts";
import { Allowed } from "./Settings.tsx";
import { useMay, useTitle } from "./session.tsx";

/** Numbers that are never dialled (H40), and the erasure of a person who was called. */
export function SettingsDoNotCall() {
  useTitle("Do not call");
  return (
    <Allowed permission="see_personal">
      <Numbers />
    </Allowed>
  );
}

function Numbers() {
  const list = useList("GET /v1/suppressions", {});
  const mayRun = useMay("run");
  const mayErase = useMay("govern");
  const [adding, setAdding] = useState(false);
  const [leaving, setLeaving] = useState<Suppression | null>(null);
  return (
    <Stack gap="xl">
      <div>
        <Head
          title="Do not call"
          lead="These numbers are refused in every list and push, and looked up again at the instant of each dial."
        >
          {mayRun && (
            <Button leftSection={<IconPlus size={16} />} onClick={() => setAdding(true)}>
              Add numbers
            </Button>
          )}
        </Head>
        <Listing
          label="Numbers not to call"
          list={list}
          empty={
            <Empty title="No number is on the list">
              <Text className="quiet" ta="center" maw={440}>
                Whoever asks not to be called goes here: by hand, by a CSV, or by an outcome of an
                agent that says so.
              </Text>
            </Empty>
          }
        >
          {(entry) => (
            <>
              <Main name={<span className="numbers">{entry.phone ?? "Erased"}</span>}>
                {entry.reason !== null && <span>{entry.reason}</span>}
                <span>{sourceWords(entry.source)}</span>
                <span>
                  since <When at={entry.createdAt} zone={HOME_ZONE} as="day" />
                </span>
                {entry.expiresAt !== null && (
                  <span>
                    until <When at={entry.expiresAt} zone={HOME_ZONE} />
                  </span>
                )}
              </Main>
              {mayRun && (
                <Button
                  size="xs"
                  variant="subtle"
                  color="gray"
                  onClick={() => setLeaving(entry)}
                  aria-label={`Take off ${entry.phone ?? "the erased number"}`}
                >
                  Take off …
                </Button>
              )}
            </>
          )}
        </Listing>
      </div>
      {mayErase && <Erase />}
      {adding && <Add close={() => setAdding(false)} />}
      {leaving !== null && <TakeOff entry={leaving} close={() => setLeaving(null)} />}
    </Stack>
  );
}

/** Where an entry came from. */
function sourceWords(source: string): string {
  if (source === "api") return "entered by hand or by the API";
  if (source === "csv") return "from a CSV";
  return `the outcome ${source.replaceAll("_", " ")}`;
}

function TakeOff({ entry, close }: { entry: Suppression; close: () => void }) {
  const name = entry.phone ?? "the erased number";
  const remove = useDeed({
    ask: () => call("DELETE /v1/suppressions/{phone}", { params: { phone: entry.id } }),
    said: () => `Off the list: ${name}`,
    done: close,
  });
  return (
    <Confirm
      title={`Take ${name} off the list?`}
      deed="Take it off"
      pending={remove.isPending}
      error={remove.error}
      confirm={() => remove.mutate()}
      close={close}
    >
      It may be called again from now on. Tasks that were archived because of it stay so.
    </Confirm>
  );
}

function Add({ close }: { close: () => void }) {
  const [phone, setPhone] = useState("");
  const [reason, setReason] = useState("");
  const [until, setUntil] = useState("");
  const save = useDeed({
    ask: () => {
      const body = {
        phone: phone.trim(),
        reason: reason.trim() === "" ? null : reason.trim(),
        expiresAt: until === "" ? null : instantOf(until, HOME_ZONE),
      };
      return call("POST /v1/suppressions", { body });
    },
    said: () => `Not called any more: ${phone.trim()}`,
    done: close,
  });
  return (
    <Panel title="Numbers not to call" close={close}>
      <Stack gap="xl">
        <Form
          submit={() => save.mutate()}
          deed="Add"
          pending={save.isPending}
          error={save.error}
          beside={["phone", "reason", "expiresAt"]}
        >
          <TextInput
            type="tel"
            label="Number"
            description="With + and its country code"
            placeholder="+919876543210"
            value={phone}
            onChange={({ currentTarget }) => setPhone(currentTarget.value)}
            required
            withAsterisk={false}
            data-autofocus
            error={issueAt(save.error, "phone")}
          />
          <TextInput
            label="Reason"
            placeholder="Asked not to be called"
            maxLength={500}
            value={reason}
            onChange={({ currentTarget }) => setReason(currentTarget.value)}
            error={issueAt(save.error, "reason")}
          />
          <TextInput
            type="datetime-local"
            label="Until"
            description="Empty: for good"
            value={until}
            onChange={({ currentTarget }) => setUntil(currentTarget.value)}
            error={issueAt(save.error, "expiresAt")}
          />
        </Form>
        <FromFile />
      </Stack>
    </Panel>
  );
}

function FromFile() {
  const client = useQueryClient();
  const [share, setShare] = useState(0);
  const send = useMutation({
    mutationFn: (file: File) => {
      setShare(0);
      return upload("POST /v1/suppressions", {}, file, setShare);
    },
    onSuccess: () => client.invalidateQueries(),
  });
  const { data } = send;
  return (
    <Card
      title="A whole list"
      lead="A CSV whose first column is phone; a column reason is read too. Bad numbers are told, good ones are entered."
    >
      <div>
        <FileButton
          accept=".csv,text/csv,.txt,.tsv"
          onChange={(file) => file !== null && send.mutate(file)}
        >
          {(props) => (
            <Button
              {...props}
              variant="default"
              loading={send.isPending}
              leftSection={<IconUpload size={16} />}
            >
              Choose and upload
            </Button>
          )}
        </FileButton>
      </div>
      {send.isPending && <Progress value={share * 100} aria-label="Uploaded" />}
      <Refusal error={send.error} />
      {data !== undefined && (
        <Alert color={data.rejectedCount === 0 ? "teal" : "orange"} role="status">
          {counted(data.entered, "number")} entered
          {data.rejectedCount > 0 && `, ${count(data.rejectedCount)} could not be read`}.
          {data.rejected.map(({ index, reason }) => (
            <div key={index}>
              Row {index + 1}: {reason}
            </div>
          ))}
        </Alert>
      )}
    </Card>
  );
}

/** Everything that is known of one who was called goes; counts stay. */
function Erase() {
  const [phone, setPhone] = useState("");
  const [asking, setAsking] = useState(false);
  const erase = useDeed({
    ask: () => call("POST /v1/erasures", { body: { phone: phone.trim() } }),
    done: () => {
      setAsking(false);
      setPhone("");
    },
  });
  return (
    <Card
      title="Erase a person"
      lead="Removes a number with everything that this workspace knows by it: values, recordings' links, transcripts, analyses. Counts stay, and so does a do-not-call entry, as a hash that nobody can read."
    >
      <form
        onSubmit={(event) => {
          event.preventDefault();
          erase.reset();
          setAsking(true);
        }}
      >
        <Group align="flex-start">
          <TextInput
            type="tel"
            aria-label="Number to erase"
            placeholder="+919876543210"
            value={phone}
            onChange={({ currentTarget }) => setPhone(currentTarget.value)}
            error={issueAt(erase.error, "phone")}
          />
          <Button type="submit" color="red" variant="outline" disabled={phone.trim() === ""}>
            Erase …
          </Button>
        </Group>
      </form>
      {erase.data !== undefined && <Erased erasure={erase.data} />}
      {asking && (
        <Confirm
          title="Erase this person?"
          deed="Erase for good"
          typed={{ label: `Type the number again: ${phone.trim()}`, text: phone.trim() }}
          pending={erase.isPending}
          error={erase.error}
          confirm={() => erase.mutate()}
          close={() => setAsking(false)}
        >
          What waits for this number is archived. A call in progress goes on, and nothing that is
          heard of it later is kept. What the carrier keeps is the carrier's. Nobody can undo this.
        </Confirm>
      )}
    </Card>
  );
}

function Erased({ erasure }: { erasure: Erasure }) {
  const { phone, tasks, archived, calls, rows, rejected, suppressed } = erasure;
  return (
    <Alert color="teal" title={`Erased: ${phone}`} role="status">
      <dl className="facts">
        <Fact name="Tasks">
          {count(tasks)}, {count(archived)} of them waited
        </Fact>
        <Fact name="Calls">{count(calls)}</Fact>
        <Fact name="Rows of files">{count(rows + rejected)}</Fact>
        <Fact name="Do not call">
          {suppressed ? "goes on refusing the number" : "had no such number"}
        </Fact>
      </dl>
    </Alert>
  );
}
