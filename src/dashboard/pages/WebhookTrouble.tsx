import { Alert } from "@mantine/core";
import { IconBellOff } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { useNow } from "../clock.ts";
import { webhookLook } from "../events.ts";
import * as queries from "../queries.ts";
import { TextLink } from "../ui/links.tsx";
import { useMay } from "./session.tsx";

/** Webhooks that fail, or that were switched off for it: for whoever can mend them. */
export function WebhookTrouble() {
  return useMay("set_up") ? <Trouble /> : null;
}

function Trouble() {
  const { data } = useInfiniteQuery(queries.list("GET /v1/webhooks", {}));
  const now = useNow();
  const all = data?.pages.flatMap(({ items }) => items) ?? [];
  const bad = all.filter(({ off, failingSince }) =>
    off === null ? failingSince !== null : off.reason !== null,
  );
  return bad.map((webhook) => {
    const { label, color } = webhookLook(webhook, now);
    return (
      <Alert key={webhook.id} color={color} icon={<IconBellOff />} mt="sm" py="xs">
        Webhook{" "}
        <TextLink
          to="/settings/webhooks/$webhook"
          params={{ webhook: webhook.id }}
          inherit
          underline="always"
          c="inherit"
        >
          {webhook.name}
        </TextLink>
        {" · "}
        {label}
      </Alert>
    );
  });
}
