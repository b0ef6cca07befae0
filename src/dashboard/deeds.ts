/** Everything that the audit log tells of, by noun: one chooses all entries about it. */
export const AUDIT_NOUNS = [
  "campaign",
  "task",
  "import",
  "call",
  "phone",
  "agent",
  "number",
  "connection",
  "suppression",
  "person",
  "invitation",
  "session",
  "password",
  "second_factor",
  "key",
  "form",
  "webhook",
  "workspace",
  "retention",
  "audit",
] as const;
export type AuditNoun = (typeof AUDIT_NOUNS)[number];

const NOUNS: Readonly<Record<AuditNoun, string>> = {
  campaign: "Campaigns",
  task: "Tasks",
  import: "Imports",
  call: "Calls, read and played",
  phone: "Whole numbers, looked at",
  agent: "Agents",
  number: "Numbers",
  connection: "Connections",
  suppression: "Do-not-call list",
  person: "People",
  invitation: "Invitations",
  session: "Sign-ins",
  password: "Passwords",
  second_factor: "Second factors",
  key: "Keys",
  form: "Forms",
  webhook: "Webhooks",
  workspace: "Workspace",
  retention: "Retention",
  audit: "Audit log",
};

export function nounWords(noun: AuditNoun): string {
  return NOUNS[noun];
}

/** Deeds whose words are not those of a noun and a verb. */
const DEEDS: Readonly<Record<string, string>> = {
  "audit.export": "exported the audit log",
  "call.play": "played a recording",
  "call.read": "read a transcript",
  "connection.reseal": "sealed a connection anew",
  "form.reseal": "sealed a form's secret anew",
  "import.export": "exported an import's rejected rows",
  "import.start": "imported a list",
  "invitation.create": "invited somebody",
  "password.ask_reset": "asked for a new password by mail",
  "password.change": "changed the password",
  "password.reset": "chose a new password by mail",
  "phone.read": "looked at whole numbers",
  "person.edit": "changed a person's role",
  "person.erase": "erased a person who was called",
  "person.join": "joined the workspace",
  "person.leave": "left the workspace",
  "person.remove": "removed a person",
  "person.rename": "changed their name",
  "person.set_up": "set up the deployment",
  "retention.apply": "removed what was kept long enough",
  "second_factor.disable": "switched a second factor off",
  "second_factor.enable": "switched a second factor on",
  "second_factor.renew_codes": "made new recovery codes",
  "second_factor.show": "looked at a second factor's secret",
  "session.end": "signed out, or ended a session",
  "session.end_all": "signed out everywhere",
  "session.end_others": "signed out everywhere else",
  "session.refuse": "refused a sign-in",
  "session.start": "signed in",
  "suppression.enter": "put numbers on the do-not-call list",
  "suppression.remove": "took a number off the do-not-call list",
  "task.export": "exported tasks",
  "webhook.replay": "sent events again",
  "webhook.roll": "gave a webhook a new secret",
  "webhook.switch_off": "switched a webhook off",
  "workspace.create": "made the workspace",
  "workspace.edit": "changed the workspace",
  "workspace.end": "ended the workspace",
};

const VERBS: Readonly<Record<string, string>> = {
  create: "made",
  edit: "changed",
  delete: "deleted",
  pause: "paused",
  resume: "resumed",
  archive: "archived",
  revoke: "revoked",
  roll: "rolled",
};

/** `paused a campaign`: what somebody did, after the name. */
export function deedWords(action: string): string {
  const known = DEEDS[action];
  if (known !== undefined) return known;
  const [noun = "", verb = ""] = action.split(".");
  const article = /^[aeiou]/.test(noun) ? "an" : "a";
  return `${VERBS[verb] ?? verb.replaceAll("_", " ")} ${article} ${noun.replaceAll("_", " ")}`;
}
