import { Paper, Progress, Stack, Text, Title } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { addressOf, named, upload } from "../api.ts";
import * as queries from "../queries.ts";
import { PLAIN, type Reading, readingOf } from "../reading.ts";
import type { Import } from "../things.ts";
import { ImportView } from "../ui/ImportView.tsx";
import { ListDrop } from "../ui/ListDrop.tsx";
import { ReadingFields } from "../ui/ReadingFields.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { Broken, Empty, Loading } from "../ui/states.tsx";
import { useMay } from "./session.tsx";

const route = getRouteApi("/frame/campaigns/$campaign/imports");

/** A campaign's uploads, and another one. */
export function Imports() {
  const { campaign: id } = route.useParams();
  const imports = useQuery(queries.imports(id));
  const campaign = useQuery(queries.campaign(id));
  const mayRun = useMay("run");
  if (imports.data === undefined || campaign.data === undefined) {
    const error = imports.error ?? campaign.error;
    return error === null ? <Loading rows={2} height={120} /> : <Broken error={error} />;
  }
  const { items } = imports.data;
  const { status, timezone } = campaign.data;
  return (
    <Stack maw={760}>
      {mayRun && status !== "archived" && (
        <UploadList
          campaign={id}
          title={items.length === 0 ? "Import a list" : "Import another list"}
          lead={
            status === "paused"
              ? "Its numbers wait until the campaign is resumed. A number that came before is not called twice."
              : "Its numbers are called at once, within calling hours. A number that came before is not called twice."
          }
        />
      )}
      {items.length === 0 && <Empty title="No list was imported yet" />}
      <Files campaign={id} items={items} zone={timezone} />
    </Stack>
  );
}

/** Uploads, each with its report and the rows to mend. */
export function Files(props: { campaign: string; items: Import[]; zone: string }) {
  const mayDownload = useMay("see_personal");
  const rejected = (importId: string) =>
    addressOf("GET /v1/campaigns/{id}/imports/{importId}/rejected.csv", {
      params: { id: props.campaign, importId },
    });
  return props.items.map((file) => (
    <ImportView
      key={file.id}
      file={file}
      zone={props.zone}
      download={mayDownload ? rejected(file.id) : null}
    />
  ));
}

/** Takes a further list for a campaign, and uploads it at once. */
export function UploadList(props: { campaign: string; title: string; lead: string }) {
  const { campaign, title, lead } = props;
  const client = useQueryClient();
  const [reading, setReading] = useState<Reading>(PLAIN);
  const [share, setShare] = useState(0);
  const send = useMutation({
    mutationFn: (file: File) => {
      setShare(0);
      const ask = { params: { id: campaign }, query: readingOf(reading) };
      return upload("POST /v1/campaigns/{id}/imports", ask, named(file), setShare);
    },
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <Paper withBorder p="md" component="section" aria-label={title}>
      <Stack gap="sm">
        <div>
          <Title order={2} size="h5">
            {title}
          </Title>
          <Text size="sm" className="quiet">
            {lead}
          </Text>
        </div>
        <ReadingFields reading={reading} set={setReading} />
        <ListDrop file={null} take={(file) => send.mutate(file)} disabled={send.isPending} />
        {send.isPending && <Progress value={share * 100} aria-label="Uploaded" />}
        <Refusal error={send.error} />
      </Stack>
    </Paper>
  );
}
