import { Alert, Button, Code, Group, Stack, Text, Textarea } from "@mantine/core";
import { useMutation, useQuery } from "@tanstack/react-query";
import { useState } from "react";
import { call } from "../api.ts";
import * as queries from "../queries.ts";
import type { TemplatePreview, TemplateTrial } from "../things.ts";
import { Fact } from "../ui/CallView.tsx";
import { Refusal } from "../ui/refusal.tsx";
import { Card } from "../ui/Section.tsx";
import { Sign } from "../ui/signs.tsx";
import { outcomeLook } from "../words.ts";

/** Templates that come with outdial, to begin with. */
export function ShippedTemplates({ choose }: { choose: (template: string) => void }) {
  const shipped = useQuery(queries.templates());
  return (
    <Group gap="xs">
      <Text size="sm" className="quiet">
        Begin with
      </Text>
      {shipped.data?.items.map((one) => (
        <Button key={one.name} size="xs" variant="default" onClick={() => choose(one.template)}>
          {one.name}
        </Button>
      ))}
    </Group>
  );
}

/** Below a template: the request that it makes, and a report to try. */
export function TemplateTools({ template }: { template: string }) {
  if (template.trim() === "") return null;
  return (
    <Stack>
      <Preview template={template} />
      <Trial template={template} />
    </Stack>
  );
}

function Preview({ template }: { template: string }) {
  const look = useMutation({
    mutationFn: () => call("POST /v1/templates/preview", { body: { template } }),
  });
  return (
    <Card
      title="The request of a dial"
      lead="As it would go out, for a made-up number. Nothing is sent."
    >
      <div>
        <Button size="xs" variant="default" loading={look.isPending} onClick={() => look.mutate()}>
          Show it
        </Button>
      </div>
      <Refusal error={look.error} />
      {look.data !== undefined && (
        <Code block tabIndex={0} aria-label="The request">
          {requestText(look.data)}
        </Code>
      )}
    </Card>
  );
}

function requestText({ method, url, headers, body }: TemplatePreview): string {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
  return [`${method} ${url}`, ...lines, "", body === null ? "" : pretty(body)].join("\n").trimEnd();
}

function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}

function Trial({ template }: { template: string }) {
  const [report, setReport] = useState("");
  const attempt = useMutation({
    mutationFn: () => call("POST /v1/templates/trial", { body: { template, report } }),
  });
  return (
    <Card title="Try a sample report" lead="What the template's rules make of it. Nothing is kept.">
      <Textarea
        aria-label="Sample report"
        placeholder='{"id": "c1", "status": "busy"}'
        autosize
        minRows={3}
        maxRows={12}
        spellCheck={false}
        styles={{ input: { fontFamily: "monospace", fontSize: 12 } }}
        value={report}
        onChange={({ currentTarget }) => setReport(currentTarget.value)}
      />
      <div>
        <Button
          size="xs"
          variant="default"
          loading={attempt.isPending}
          disabled={report.trim() === ""}
          onClick={() => attempt.mutate()}
        >
          Try it
        </Button>
      </div>
      <Refusal error={attempt.error} />
      {attempt.data !== undefined && <Said trial={attempt.data} />}
    </Card>
  );
}

function Said({ trial }: { trial: TemplateTrial }) {
  if (!trial.readable) {
    return (
      <Alert color="orange">This is not in the template's format: it would be left aside.</Alert>
    );
  }
  const { known, word, outcome, refusal, ended, concluding, call: ours, carrierCallId } = trial;
  return (
    <div role="status">
      {!known && (
        <Alert color="orange" py="xs" mb="sm">
          The template does not list {word === null ? "any word of it" : `“${word}”`}: it would
          change nothing.
        </Alert>
      )}
      <dl className="facts">
        <Fact name="Outcome">
          {outcome === null ? "none yet" : <Sign look={outcomeLook(outcome)} />}
        </Fact>
        <Fact name="The call">
          {ended ? "is over: its slot is free" : "goes on"}
          {concluding && "; the task is decided"}
        </Fact>
        {refusal !== null && <Fact name="Refused for">{refusal}</Fact>}
        <Fact name="Carrier's word">{word ?? "none"}</Fact>
        <Fact name="Belongs to">{ours ?? carrierCallId ?? "no call: neither id is in it"}</Fact>
        <Fact name="Also has">{alsoHas(trial)}</Fact>
      </dl>
    </div>
  );
}

function alsoHas({ recording, turns, analysis, costMicros, talkMs }: TemplateTrial): string {
  const parts = [
    recording && "a recording",
    turns > 0 && `${turns} spoken turns`,
    analysis !== null && "an analysis",
    costMicros !== null && "a cost",
    talkMs !== null && "a duration",
  ].filter((part) => part !== false);
  return parts.length === 0 ? "nothing else" : parts.join(", ");
}
