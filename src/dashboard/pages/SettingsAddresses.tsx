import { Stack, Text, Title } from "@mantine/core";
import { getRouteApi } from "@tanstack/react-router";
import { useNow } from "../clock.ts";
import { healthLook } from "../events.ts";
import { Sign } from "../ui/signs.tsx";
import { Empty } from "../ui/states.tsx";
import { Deliveries } from "./Deliveries.tsx";
import { useList } from "./list.ts";
import { Allowed } from "./Settings.tsx";
import { Back } from "./SettingsWebhook.tsx";
import { useTitle } from "./session.tsx";

const route = getRouteApi("/frame/settings/webhooks/addresses");

/** What was sent to tasks' own addresses at one origin. */
export function SettingsAddresses() {
  useTitle("Addresses of tasks");
  return (
    <Allowed permission="set_up">
      <Page />
    </Allowed>
  );
}

function Page() {
  const { origin, status } = route.useSearch();
  const navigate = route.useNavigate();
  const known = useList("GET /v1/callbacks", {}).items?.find((one) => one.origin === origin);
  const now = useNow();
  if (origin === undefined) {
    return (
      <>
        <Back />
        <Empty title="No address is named" />
      </>
    );
  }
  return (
    <Stack gap="lg">
      <div>
        <Back />
        <Title order={2} size="h3" style={{ overflowWrap: "anywhere" }}>
          {origin}
        </Title>
        <Text size="sm" className="quiet">
          Addresses that tasks brought themselves
        </Text>
        {known !== undefined && <Sign look={healthLook(known, now)} wrap />}
      </div>
      <Deliveries
        of={{ origin }}
        on
        to={{ shape: "standard", texts: false }}
        status={status}
        setStatus={(next) =>
          void navigate({
            search: { origin, ...(next === undefined ? {} : { status: next }) },
            replace: true,
          })
        }
      />
    </Stack>
  );
}
