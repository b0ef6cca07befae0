import { Stack, Text } from "@mantine/core";
import { IconCircle, IconCircleCheck } from "@tabler/icons-react";
import { useQuery } from "@tanstack/react-query";
import * as queries from "../queries.ts";
import { TextLink } from "../ui/links.tsx";
import { whoMay } from "../words.ts";
import { useMay } from "./session.tsx";

/** What a new workspace lacks before anybody can be called; nothing once it is all there. */
export function FirstSteps() {
  const connections = useQuery(queries.connections());
  const agents = useQuery(queries.agents());
  const numbers = useQuery(queries.numbers());
  const maySetUp = useMay("set_up");
  const steps = [
    { to: "/settings/connections", text: "Connect a carrier", found: connections.data },
    { to: "/settings/agents", text: "Add an agent, who speaks", found: agents.data },
    { to: "/settings/numbers", text: "Add a number to call from", found: numbers.data },
  ] as const;
  if (steps.some(({ found }) => found === undefined)) return null;
  const missing = steps.filter(({ found }) => found?.items.length === 0);
  if (missing.length === 0) return null;
  if (!maySetUp) {
    return (
      <Text className="quiet" ta="center" maw={480}>
        Before that, {whoMay("set_up").toLowerCase()} connect a carrier and add an agent and a
        number.
      </Text>
    );
  }
  return (
    <Stack gap={6} component="ol" className="plain-list" aria-label="Before the first call" mb="sm">
      {steps.map(({ to, text, found }) => {
        const isDone = !missing.some((step) => step.found === found);
        const Icon = isDone ? IconCircleCheck : IconCircle;
        return (
          <li key={to} style={{ display: "flex", gap: 8, alignItems: "center" }}>
            <Icon size={18} aria-hidden />
            {isDone ? (
              <span>{text}: done</span>
            ) : (
              <TextLink to={to} search={{ open: "new" }}>
                {text}
              </TextLink>
            )}
          </li>
        );
      })}
    </Stack>
  );
}
