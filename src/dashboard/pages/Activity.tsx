import "../settings.css";
import { Text } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { EntryView } from "../ui/EntryView.tsx";
import { Listing } from "../ui/Listing.tsx";
import { Empty } from "../ui/states.tsx";
import { useList } from "./list.ts";
import { useMay } from "./session.tsx";

const route = getRouteApi("/frame/campaigns/$campaign/activity");

/** Who did what to this campaign, newest first. */
export function Activity() {
  const { campaign } = route.useParams();
  if (!useMay("govern")) {
    return <Text className="quiet">Admins and owners can read who did what.</Text>;
  }
  return <Entries campaign={campaign} />;
}

function Entries({ campaign }: { campaign: string }) {
  const list = useList("GET /v1/audit", { target: campaign });
  return (
    <Listing
      label="What was done to this campaign"
      list={list}
      empty={<Empty title="Nothing was done to it yet" />}
    >
      {(entry) => <EntryView entry={entry} />}
    </Listing>
  );
}
