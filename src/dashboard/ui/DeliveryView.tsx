import { Code, Group, Text } from "@mantine/core";
import type { ReactNode } from "react";
import { answerWords, DELIVERY_STATUS } from "../events.ts";
import type { Delivery } from "../things.ts";
import { HOME_ZONE } from "../times.ts";
import { CopyId, Sign, When } from "./signs.tsx";

/** One event on its way to one receiver, with what can be done; what was sent and answered opens below. */
export function DeliveryView(props: {
  delivery: Delivery;
  /** What of it is not shown. */
  note: string | null;
  children?: ReactNode;
}) {
  const { delivery, note, children } = props;
  const { type, status, attempts, createdAt, nextAt } = delivery;
  const answered = answerWords(delivery);
  return (
    <div className="delivery">
      <div className="set-main">
        <Group gap="sm">
          <Text span size="sm" fw={550}>
            {type}
          </Text>
          <Sign look={DELIVERY_STATUS[status]} />
        </Group>
        <div className="set-quiet">
          <When at={createdAt} zone={HOME_ZONE} />
          {answered !== null && <span className="numbers">{answered}</span>}
          {attempts > 1 && <span className="numbers">{attempts} tries</span>}
          {nextAt !== null && (
            <span>
              next try <When at={nextAt} zone={HOME_ZONE} as="relative" />
            </span>
          )}
        </div>
      </div>
      <div>{children}</div>
      <details>
        <summary className="set-summary">Request and answer</summary>
        <Exchange delivery={delivery} note={note} />
      </details>
    </div>
  );
}

function Exchange({ delivery, note }: { delivery: Delivery; note: string | null }) {
  const { event, sequence, url, request, answer, code, lastAt, attempts } = delivery;
  return (
    <>
      <div className="set-quiet" style={{ marginTop: 8 }}>
        <CopyId id={event} what="the webhook-id" />
        <span>to {url}</span>
      </div>
      <Code
        block
        mt={8}
        tabIndex={0}
        aria-label={`Request ${sequence}`}
        style={{ overflowX: "auto" }}
      >
        {JSON.stringify(request, null, 2)}
      </Code>
      {note !== null && (
        <Text size="xs" mt={8} className="quiet">
          {note}
        </Text>
      )}
      <Text size="xs" mt={8} className="quiet">
        {attempts === 0 || lastAt === null ? (
          "Not tried yet."
        ) : (
          <>
            Answer of try {attempts}, <When at={lastAt} zone={HOME_ZONE} />:{" "}
            {code === null ? "" : `${code}, `}
            {answer === null || answer === "" ? "nothing was said" : `“${answer}”`}
          </>
        )}
      </Text>
    </>
  );
}
