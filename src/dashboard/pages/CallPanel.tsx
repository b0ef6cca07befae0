import { useQuery } from "@tanstack/react-query";
import { addressOf } from "../api.ts";
import * as queries from "../queries.ts";
import { CallView } from "../ui/CallView.tsx";
import { Broken, Loading } from "../ui/states.tsx";
import { useMay } from "./session.tsx";

/** One call, read while it is looked at. */
export function CallPanel({ id, zone }: { id: string; zone: string }) {
  const call = useQuery(queries.wholeCall(id));
  const agents = useQuery(queries.agents());
  const hears = useMay("see_personal");
  if (call.data === undefined) {
    return call.error === null ? <Loading rows={3} /> : <Broken error={call.error} />;
  }
  const { agent } = call.data;
  const name = agents.data?.items.find((one) => one.id === agent)?.name ?? agent;
  const recording = addressOf("GET /v1/calls/{id}/recording", { params: { id } });
  return (
    <CallView call={call.data} zone={zone} agent={name} recording={hears ? recording : null} />
  );
}
