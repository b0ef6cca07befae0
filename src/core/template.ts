const PLACEHOLDER = /\$\{([^{}]*)\}/g;

/** The distinct names of the `${placeholders}` in a prompt, trimmed, in order of appearance. */
export function placeholders(prompt: string): string[] {
  const names = new Set<string>();
  for (const match of prompt.matchAll(PLACEHOLDER)) {
    const name = (match[1] ?? "").trim();
    if (name !== "") names.add(name);
  }
  return [...names];
}

/**
 * The template with its placeholders filled from the context (H10). A placeholder without a value
 * becomes empty text. Values are text, not templates: a `${x}` inside one (a merge that was never
 * filled) is dropped like a placeholder without a value, and what could still read as the start of
 * one, however pieced together, loses its `$`. So the result never contains `${`.
 */
export function render(template: string, context: Record<string, unknown>): string {
  const filled = template.replace(PLACEHOLDER, (_, inner: string) => {
    const name = inner.trim();
    if (!Object.hasOwn(context, name)) return "";
    return textOf(context[name]).replace(PLACEHOLDER, "");
  });
  return filled.includes("${") ? filled.replace(/\$+\{/g, "{") : filled;
}

/** A context value as the agent says it: nothing is empty text, lists and objects are JSON. */
export function textOf(value: unknown): string {
  switch (typeof value) {
    case "string":
      return value;
    case "number":
      return Number.isFinite(value) ? String(value) : "";
    case "boolean":
    case "bigint":
      return String(value);
    case "object":
      return value === null ? "" : JSON.stringify(value);
    default:
      return "";
  }
}
