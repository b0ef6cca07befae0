import { Button, FileButton, Group, Progress, Select, Stack, Text } from "@mantine/core";
import { IconUpload } from "@tabler/icons-react";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi } from "@tanstack/react-router";
import { useState } from "react";
import { addressOf, upload } from "../api.ts";
import * as queries from "../queries.ts";
import { ImportView } from "../ui/ImportView.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { Broken, Empty, Loading } from "../ui/states.tsx";
import { useMay } from "./session.tsx";

const route = getRouteApi("/frame/campaigns/$campaign/imports");

export const READINGS = [
  { value: "e164", label: "Numbers start with + or 00" },
  { value: "international-without-plus", label: "Country codes are there, without +" },
];

/** A campaign's uploads, and another one. */
export function Imports() {
  const { campaign: id } = route.useParams();
  const imports = useQuery(queries.imports(id));
  const campaign = useQuery(queries.campaign(id));
  const mayRun = useMay("run");
  const mayDownload = useMay("see_personal");
  const zone = campaign.data?.timezone ?? "UTC";
  if (imports.data === undefined) {
    return imports.error === null ? (
      <Loading rows={2} height={120} />
    ) : (
      <Broken error={imports.error} />
    );
  }
  const { items } = imports.data;
  const archived = campaign.data?.status === "archived";
  return (
    <Stack maw={720}>
      {mayRun && !archived && <Another campaign={id} />}
      {items.length === 0 && <Empty title="No list was imported yet" />}
      {items.map((file) => (
        <ImportView
          key={file.id}
          file={file}
          zone={zone}
          download={
            mayDownload
              ? addressOf("GET /v1/campaigns/{id}/imports/{importId}/rejected.csv", {
                  params: { id, importId: file.id },
                })
              : null
          }
        />
      ))}
    </Stack>
  );
}

function Another({ campaign }: { campaign: string }) {
  const client = useQueryClient();
  const [reading, setReading] = useState<string>("e164");
  const [share, setShare] = useState(0);
  const send = useMutation({
    mutationFn: (file: File) => {
      setShare(0);
      const numbers = reading as "e164" | "international-without-plus";
      const ask = { params: { id: campaign }, query: { numbers } };
      return upload("POST /v1/campaigns/{id}/imports", ask, file, setShare);
    },
    onSuccess: () => client.invalidateQueries(),
  });
  return (
    <Stack gap="xs">
      <Group align="flex-end">
        <Select
          label="Another list"
          description="A CSV whose first column is phone. A number that came before is not called twice."
          w={300}
          allowDeselect={false}
          value={reading}
          onChange={(value) => setReading(value ?? "e164")}
          data={READINGS}
        />
        <FileButton
          accept=".csv,text/csv,.txt,.tsv"
          onChange={(file) => file !== null && send.mutate(file)}
        >
          {(props) => (
            <Button {...props} loading={send.isPending} leftSection={<IconUpload size={16} />}>
              Choose and upload
            </Button>
          )}
        </FileButton>
      </Group>
      {send.isPending && <Progress value={share * 100} aria-label="Uploaded" />}
      <Refusal error={send.error} />
      <Text size="xs" className="quiet">
        The campaign takes it up at once, within its hours.
      </Text>
    </Stack>
  );
}
