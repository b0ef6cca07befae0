import { Stack, Text } from "@mantine/core";
import { IconPlus } from "@tabler/icons-react";
import { useInfiniteQuery } from "@tanstack/react-query";
import { getRouteApi, Link } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api.ts";
import { bodyOf, draftOf, type FormDraft, NEW_FORM, snippetFor, stateOf } from "../form-draft.ts";
import * as queries from "../queries.ts";
import type { Campaign, Form as FormData } from "../things.ts";
import { Fact } from "../ui/CallView.tsx";
import { BESIDE, FormBasics, FormLimits } from "../ui/FormFields.tsx";
import { FormSnippet } from "../ui/FormSnippet.tsx";
import { Listing, Main } from "../ui/Listing.tsx";
import { ButtonLink } from "../ui/links.tsx";
import { Form, Panel } from "../ui/Panel.tsx";
import { Card, Head } from "../ui/Section.tsx";
import { Empty } from "../ui/states.tsx";
import { whoMay } from "../words.ts";
import { useDeed } from "./deed.ts";
import { useList } from "./list.ts";
import { Delete } from "./SettingsDelete.tsx";
import { useMay, useTitle } from "./session.tsx";

const route = getRouteApi("/frame/settings/forms");

/** Forms for pages without a backend: each pushes to one realtime campaign. */
export function SettingsForms() {
  useTitle("Forms");
  const { open } = route.useSearch();
  const navigate = route.useNavigate();
  const list = useList("GET /v1/forms", {});
  const campaigns = useInfiniteQuery(queries.campaigns("realtime", undefined));
  const known = campaigns.data?.pages.flatMap(({ items }) => items) ?? [];
  const mayAdd = useMay("set_up");
  const opened = list.items?.find(({ id }) => id === open);
  const close = () => void navigate({ search: {}, replace: true });
  const show = (id: string) => void navigate({ search: { open: id }, replace: true });
  return (
    <>
      <Head
        title="Forms"
        lead="For pages of yours without a backend: somebody leaves a number, and it rings."
      >
        {mayAdd && (
          <ButtonLink
            to="/settings/forms"
            search={{ open: "new" }}
            leftSection={<IconPlus size={16} />}
          >
            Make a form
          </ButtonLink>
        )}
      </Head>
      <Listing label="Forms" list={list} empty={<None mayAdd={mayAdd} />}>
        {(form) => (
          <Main
            name={
              <Link to="/settings/forms" search={{ open: form.id }} className="row-link">
                {form.name}
              </Link>
            }
          >
            <span>{nameOf(known, form.campaign)}</span>
            <span>
              {form.origins.length === 0 ? "no page may post yet" : form.origins.join(", ")}
            </span>
          </Main>
        )}
      </Listing>
      {open === "new" && mayAdd && (
        <Panel title="Make a form" close={close}>
          <Editor made={null} campaigns={known} done={show} />
        </Panel>
      )}
      {opened !== undefined && (
        <Panel key={opened.id} title={opened.name} close={close}>
          {mayAdd ? (
            <Stack gap="xl">
              <Editor made={opened} campaigns={known} done={close} />
              <Delete
                noun="form"
                name={opened.name}
                id={opened.id}
                ask={() => call("DELETE /v1/forms/{id}", { params: { id: opened.id } })}
                close={close}
              />
            </Stack>
          ) : (
            <Facts form={opened} campaigns={known} />
          )}
        </Panel>
      )}
    </>
  );
}

function nameOf(campaigns: Campaign[], id: string): string {
  return campaigns.find((one) => one.id === id)?.name ?? id;
}

function None({ mayAdd }: { mayAdd: boolean }) {
  return (
    <Empty title="There is no form">
      <Text className="quiet" ta="center" maw={440}>
        A form is pasted into a page, without any secret. Whoever fills it in and agrees is called
        by a realtime campaign's agent, within its hours.{" "}
        {mayAdd ? "" : `${whoMay("set_up")} can make one.`}
      </Text>
      {mayAdd && (
        <ButtonLink to="/settings/forms" search={{ open: "new" }}>
          Make a form
        </ButtonLink>
      )}
    </Empty>
  );
}

function Editor(props: {
  made: FormData | null;
  campaigns: Campaign[];
  done: (id: string) => void;
}) {
  const { made, campaigns, done } = props;
  const [draft, setDraft] = useState<FormDraft>(made === null ? NEW_FORM : draftOf(made));
  const set = (change: Partial<FormDraft>) => setDraft((now) => ({ ...now, ...change }));
  const save = useDeed({
    ask: () => {
      const body = bodyOf(draft);
      return made === null
        ? call("POST /v1/forms", { body })
        : call("PATCH /v1/forms/{id}", { params: { id: made.id }, body });
    },
    said: ({ name }) => `${made === null ? "Made" : "Saved"}: ${name}`,
    done: ({ id }) => done(id),
  });
  const same = { draft, set, error: save.error };
  return (
    <Form
      submit={() => save.mutate()}
      deed={made === null ? "Make the form" : "Save"}
      pending={save.isPending}
      error={save.error}
      beside={BESIDE}
    >
      <FormBasics {...same} campaigns={campaigns} />
      <Card title="The form" lead="As it is now, with what is written above.">
        <FormSnippet snippet={snippetFor(draft, made)} state={stateOf(draft, made)} />
      </Card>
      <Card title="Against robots and repetitions">
        <FormLimits {...same} hasSecret={made?.turnstile != null} />
      </Card>
    </Form>
  );
}

function Facts({ form, campaigns }: { form: FormData; campaigns: Campaign[] }) {
  return (
    <Stack>
      <dl className="facts">
        <Fact name="Campaign">{nameOf(campaigns, form.campaign)}</Fact>
        <Fact name="Pages">{form.origins.length === 0 ? "none" : form.origins.join(", ")}</Fact>
        <Fact name="Consent">{form.consent.text}</Fact>
        <Fact name="Country">{form.country ?? "none: a + is needed"}</Fact>
      </dl>
      <FormSnippet snippet={snippetFor(draftOf(form), form)} state="made" />
      <Text size="sm" className="quiet">
        {whoMay("set_up")} can change it.
      </Text>
    </Stack>
  );
}
