/*
 * The script of forms, on pages of anybody: validates, submits and shows the answer where the form
 * stands. Without it the form works too, and leads to a page of ours. Nothing is imported, nothing
 * is styled; what it adds has the classes `outdial-error` and `outdial-answer`. A page can say in its
 * own words what the answer is: `data-now`, `data-soon`, `data-at` and `data-later` on the form, with
 * `{when}` for the time.
 */

type Issue = { path: string; expected: string };
type Answer = {
  when?: string;
  text?: string;
  message?: string;
  error?: { message: string; issues?: Issue[] };
};
/** When somebody began, as the server says, and how long a person takes at least, ms. */
type Begun = { ticket: string; waitMs: number; at: number };
type Control = HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement;

const GIVE_UP_MS = 30_000;
const DIGITS_MIN = 5;
const JSON_ONLY = { accept: "application/json" };
let marks = 0;

function enhance(form: HTMLFormElement): void {
  if (form.dataset.outdial === "on") return;
  form.dataset.outdial = "on";
  form.noValidate = true;
  const said = document.createElement("div");
  said.className = "outdial-answer";
  said.setAttribute("role", "status");
  said.tabIndex = -1;
  form.append(said);

  let begun: Promise<Begun | null> | null = null;
  const begin = () => {
    begun ??= fetch(form.action, { headers: JSON_ONLY })
      .then(async (reply) => (reply.ok ? { ...(await reply.json()), at: Date.now() } : null))
      .catch(() => null);
    return begun;
  };
  let busy = false;
  form.addEventListener("focusin", begin, { once: true });
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (busy) return;
    const wrong = controlsOf(form).flatMap((control) => {
      const what = faultOf(control);
      return what === null ? [] : [{ control, what }];
    });
    if (wrong.length > 0) return show(form, said, wrong, []);
    busy = true;
    setBusy(form, true);
    show(form, said, [], ["Sending …"]);
    const started = await begin();
    if (started !== null) await pause(started.at + started.waitMs - Date.now());
    const answer = await send(form, started);
    busy = false;
    setBusy(form, false);
    // A ticket that was not taken, or was used: the next one begins now.
    begun = null;
    if (answer.error === undefined) return finish(form, said, answer);
    (window as { turnstile?: { reset(): void } }).turnstile?.reset();
    const { issues = [], message } = answer.error;
    const marked = issues.flatMap(({ path, expected }) => {
      const control = controlsOf(form).find(({ name }) => name === path);
      return control === undefined ? [] : [{ control, what: `Expected: ${expected}.` }];
    });
    const others = issues.filter(({ path }) =>
      marked.every(({ control }) => control.name !== path),
    );
    const texts = others.map(({ expected }) => `Expected: ${expected}.`);
    show(form, said, marked, issues.length === 0 ? [message] : texts, true);
  });
}

async function send(form: HTMLFormElement, begun: Begun | null): Promise<Answer> {
  const data = new URLSearchParams();
  for (const [name, value] of new FormData(form)) {
    if (typeof value === "string") data.append(name, value);
  }
  data.set("page", location.href);
  if (begun !== null) data.set("ticket", begun.ticket);
  try {
    const reply = await fetch(form.action, {
      method: "POST",
      headers: JSON_ONLY,
      body: data,
      signal: AbortSignal.timeout(GIVE_UP_MS),
    });
    return (await reply.json()) as Answer;
  } catch {
    return { error: { message: "This could not be sent. Please try again." } };
  }
}

function finish(form: HTMLFormElement, said: HTMLElement, answer: Answer): void {
  const own = form.dataset[answer.when ?? ""];
  const text = own?.replace("{when}", answer.text ?? "") ?? answer.message ?? "Thank you.";
  show(form, said, [], [text]);
  form.reset();
  said.focus();
  form.dispatchEvent(new CustomEvent("outdial:answer", { detail: answer, bubbles: true }));
}

/** Marks what is wrong and goes to the first of it; what belongs to no field is said below. */
function show(
  form: HTMLFormElement,
  said: HTMLElement,
  wrong: { control: Control; what: string }[],
  texts: string[],
  failed = wrong.length > 0,
): void {
  for (const old of form.querySelectorAll(".outdial-error")) old.remove();
  for (const control of controlsOf(form)) {
    control.removeAttribute("aria-invalid");
    control.removeAttribute("aria-describedby");
  }
  for (const { control, what } of wrong) {
    const note = document.createElement("span");
    note.className = "outdial-error";
    note.id = `outdial-error-${++marks}`;
    note.textContent = what;
    (control.closest("label") ?? control).after(note);
    control.setAttribute("aria-invalid", "true");
    control.setAttribute("aria-describedby", note.id);
  }
  said.classList.toggle("outdial-failed", failed);
  const lines = wrong.length > 0 ? ["Please look at what is marked.", ...texts] : texts;
  said.textContent = lines.join(" ");
  wrong[0]?.control.focus();
}

function controlsOf(form: HTMLFormElement): Control[] {
  return [...form.elements].filter((one) => "willValidate" in one && "name" in one) as Control[];
}

/** What is wrong with a value, as far as a page can tell. */
function faultOf(control: Control): string | null {
  if (!control.willValidate) return null;
  if (!control.checkValidity()) return control.validationMessage;
  if (control.name !== "phone") return null;
  const text = control.value.trim();
  if (text.replace(/\D/g, "").length < DIGITS_MIN) return "Please give a phone number.";
  const named = /^(\+|00)/.test(text) || !("international" in control.dataset);
  return named ? null : "Please begin with + and the country code.";
}

function setBusy(form: HTMLFormElement, busy: boolean): void {
  for (const button of form.querySelectorAll("button")) {
    button.setAttribute("aria-disabled", String(busy));
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, Math.max(0, ms)));
}

for (const form of document.querySelectorAll<HTMLFormElement>("form[data-outdial]")) enhance(form);
