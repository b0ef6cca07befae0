import { Button, PasswordInput, Stack, Text, TextInput } from "@mantine/core";
import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { getRouteApi, useNavigate } from "@tanstack/react-router";
import { auth, call, chooseWorkspace } from "../api.ts";
import * as queries from "../queries.ts";
import { ButtonLink } from "../ui/links.tsx";
import { Plain } from "../ui/Plain.tsx";
import { issueAt, Refusal } from "../ui/refusal.tsx";
import { Broken, Loading } from "../ui/states.tsx";
import { ROLE } from "../words.ts";
import { Elsewhere } from "./Elsewhere.tsx";
import { useTitle } from "./session.tsx";

const route = getRouteApi("/invitations/$token");

/** Where an invitation's mail leads. */
export function Invitation() {
  useTitle("Invitation");
  const { token } = route.useParams();
  const client = useQueryClient();
  const navigate = useNavigate();
  const invitation = useQuery(queries.invitation(token));
  const me = useQuery({ ...queries.me(), retry: false });
  const accept = useMutation({
    mutationFn: (body: { name?: string; password?: string }) =>
      call("POST /invitations/{token}", { params: { token }, body }),
    onSuccess: async ({ workspace }) => {
      client.clear();
      chooseWorkspace(workspace);
      await navigate({ to: "/" });
    },
  });
  const signOut = useMutation({
    mutationFn: () => auth("/sign-out"),
    onSuccess: () => client.invalidateQueries({ queryKey: ["me"] }),
  });
  const shown = invitation.data;
  if (shown === undefined) {
    return (
      <Plain title="Invitation">
        {invitation.error === null ? <Loading rows={3} /> : <Broken error={invitation.error} />}
      </Plain>
    );
  }
  const lead = `${shown.email} is invited to ${shown.workspace.name} as ${ROLE[shown.role].toLowerCase()}.`;
  const signedIn = me.error === null ? me.data : undefined;
  return (
    <Plain title={`Join ${shown.workspace.name}`} lead={lead}>
      {shown.known ? (
        <Stack>
          {signedIn === undefined ? (
            <ButtonLink to="/sign-in" search={{ to: `/invitations/${token}` }}>
              Sign in to accept
            </ButtonLink>
          ) : signedIn.email === shown.email ? (
            <Button onClick={() => accept.mutate({})} loading={accept.isPending}>
              Accept
            </Button>
          ) : (
            <>
              <Text size="sm">
                You are signed in as {signedIn.email}, which is another address.
              </Text>
              <Button variant="default" onClick={() => signOut.mutate()}>
                Sign out
              </Button>
            </>
          )}
          <Refusal error={accept.error} />
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            const form = new FormData(event.currentTarget);
            accept.mutate({
              name: String(form.get("name")),
              password: String(form.get("password")),
            });
          }}
        >
          <Stack>
            <TextInput
              name="name"
              label="Your name"
              autoComplete="name"
              required
              withAsterisk={false}
              autoFocus
              error={issueAt(accept.error, "name")}
            />
            <input
              type="hidden"
              name="email"
              autoComplete="username"
              value={shown.email}
              readOnly
            />
            <PasswordInput
              name="password"
              label="Password"
              description="At least 12 characters, and no common one."
              autoComplete="new-password"
              minLength={12}
              required
              withAsterisk={false}
              error={issueAt(accept.error, "password")}
            />
            <Refusal error={accept.error} beside={["name", "password"]} />
            <Button type="submit" loading={accept.isPending}>
              Join
            </Button>
            <Elsewhere to={`/invitations/${token}`} />
          </Stack>
        </form>
      )}
    </Plain>
  );
}
