import { Button, NumberInput, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useNavigate } from "@tanstack/react-router";
import { useState } from "react";
import { call } from "../api.ts";
import * as queries from "../queries.ts";
import { HOME_ZONE } from "../times.ts";
import { Plain } from "../ui/Plain.tsx";
import { issueAt, Refusal } from "../ui/refusal.tsx";
import { Broken, Loading } from "../ui/states.tsx";
import { Go } from "./Go.tsx";
import { useTitle } from "./session.tsx";

const FIELDS = ["token", "name", "email", "password", "workspace.name", "workspace.slots"];

/** The first owner of a new deployment, with the token that the console printed. */
export function Setup() {
  useTitle("Set up");
  const setup = useQuery(queries.setup());
  const client = useQueryClient();
  const navigate = useNavigate();
  const [token] = useState(() => new URLSearchParams(location.hash.slice(1)).get("token") ?? "");
  const [slots, setSlots] = useState<number | string>(10);
  const make = useMutation({
    mutationFn: (form: FormData) => {
      const field = (name: string) => String(form.get(name) ?? "");
      const needed = setup.data?.needsWorkspace === true;
      const workspace = {
        workspace: { name: field("workspace"), slots: Number(slots), timezone: HOME_ZONE },
      };
      const person = { name: field("name"), email: field("email"), password: field("password") };
      const body = { token: field("token").trim(), ...person, ...(needed ? workspace : {}) };
      return call("POST /setup", { body });
    },
    onSuccess: async () => {
      client.clear();
      await navigate({ to: "/" });
    },
  });
  if (setup.data === undefined) {
    return (
      <Plain title="Set up">
        {setup.error === null ? <Loading rows={4} /> : <Broken error={setup.error} />}
      </Plain>
    );
  }
  if (!setup.data.open) return <Go to="/sign-in" />;
  const error = make.error;
  return (
    <Plain title="Set up outdial" lead="You become its first owner. This page works once.">
      <form
        onSubmit={(event) => {
          event.preventDefault();
          make.mutate(new FormData(event.currentTarget));
        }}
      >
        <Stack>
          <TextInput
            name="token"
            label="Set-up token"
            description="npm run deploy, or npm start, has printed it."
            defaultValue={token}
            autoComplete="off"
            required
            withAsterisk={false}
            error={issueAt(error, "token")}
          />
          <TextInput
            name="name"
            label="Your name"
            autoComplete="name"
            required
            withAsterisk={false}
            error={issueAt(error, "name")}
          />
          <TextInput
            name="email"
            type="email"
            label="Email"
            autoComplete="username"
            required
            withAsterisk={false}
            error={issueAt(error, "email")}
          />
          <PasswordInput
            name="password"
            label="Password"
            description="At least 12 characters, and no common one."
            autoComplete="new-password"
            minLength={12}
            required
            withAsterisk={false}
            error={issueAt(error, "password")}
          />
          {setup.data.needsWorkspace && (
            <>
              <TextInput
                name="workspace"
                label="Workspace"
                description={`The team or company that calls. Its timezone is ${HOME_ZONE}, until you change it.`}
                required
                withAsterisk={false}
                error={issueAt(error, "workspace.name")}
              />
              <NumberInput
                label="Slots"
                description="How many calls go on at once, at most."
                min={1}
                max={10_000}
                value={slots}
                onChange={setSlots}
                error={issueAt(error, "workspace.slots")}
              />
            </>
          )}
          <Refusal error={error} beside={FIELDS} />
          <Button type="submit" loading={make.isPending}>
            Set up
          </Button>
        </Stack>
      </form>
    </Plain>
  );
}
