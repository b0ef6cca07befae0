import { Alert, Button, PasswordInput, Stack, TextInput } from "@mantine/core";
import { useMutation } from "@tanstack/react-query";
import { useLocation } from "@tanstack/react-router";
import { auth } from "../api.ts";
import { ButtonLink, TextLink } from "../ui/links.tsx";
import { Plain } from "../ui/Plain.tsx";
import { issueAt, Refusal } from "../ui/refusal.tsx";
import { useTitle } from "./session.tsx";

/** Asks for a mail with a link; the answer is the same for addresses that nobody has. */
export function ForgotPassword() {
  useTitle("Forgotten password");
  const ask = useMutation({
    mutationFn: (email: string) => auth("/request-password-reset", { email }),
  });
  return (
    <Plain title="Forgotten password" lead="We mail you a link to choose a new one.">
      {ask.isSuccess ? (
        <Alert color="teal" title="Look into your mail" role="status">
          If we know this address, a link is on its way. It works for an hour.
        </Alert>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            ask.mutate(String(new FormData(event.currentTarget).get("email")));
          }}
        >
          <Stack>
            <TextInput
              name="email"
              type="email"
              label="Email"
              autoComplete="username"
              required
              withAsterisk={false}
              autoFocus
              error={issueAt(ask.error, "email")}
            />
            <Refusal error={ask.error} beside={["email"]} />
            <Button type="submit" loading={ask.isPending}>
              Mail me a link
            </Button>
            <TextLink to="/sign-in" size="sm">
              Back to sign-in
            </TextLink>
          </Stack>
        </form>
      )}
    </Plain>
  );
}

/** Where the mail's link leads: its token stands behind `#`, which no server sees. */
export function ResetPassword() {
  useTitle("New password");
  const { hash } = useLocation();
  const token = new URLSearchParams(hash).get("token");
  const reset = useMutation({
    mutationFn: (newPassword: string) => auth("/reset-password", { newPassword, token }),
  });
  return (
    <Plain title="New password" lead="At least 12 characters. You are signed out everywhere else.">
      {reset.isSuccess ? (
        <Stack>
          <Alert color="teal" title="Your password is changed" role="status" />
          <ButtonLink to="/sign-in">Sign in</ButtonLink>
        </Stack>
      ) : token === null ? (
        <Stack>
          <Alert color="orange" title="This link is not whole">
            Open it from the mail again, or ask for another one.
          </Alert>
          <ButtonLink to="/forgot-password" variant="default">
            Ask for another link
          </ButtonLink>
        </Stack>
      ) : (
        <form
          onSubmit={(event) => {
            event.preventDefault();
            reset.mutate(String(new FormData(event.currentTarget).get("password")));
          }}
        >
          <Stack>
            <PasswordInput
              name="password"
              label="New password"
              autoComplete="new-password"
              minLength={12}
              required
              withAsterisk={false}
              autoFocus
              error={issueAt(reset.error, "newPassword", "password")}
            />
            <Refusal error={reset.error} beside={["newPassword", "password"]} />
            <Button type="submit" loading={reset.isPending}>
              Change the password
            </Button>
          </Stack>
        </form>
      )}
    </Plain>
  );
}
