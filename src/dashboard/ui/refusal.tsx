import { Alert, List } from "@mantine/core";
import { IconAlertTriangle } from "@tabler/icons-react";

type Issue = { path: string; expected: string; got: string };

function issuesOf(error: Error | null): Issue[] {
  return error !== null && "issues" in error ? (error.issues as Issue[]) : [];
}

/** What is wrong with one field, in the API's words, for beside it. */
export function issueAt(error: Error | null, ...paths: string[]): string | undefined {
  const found = issuesOf(error).find(({ path }) => paths.includes(path));
  return found === undefined ? undefined : `Expected ${found.expected}; got ${found.got}.`;
}

/** All that is wrong with a field or with what is in it. */
export function issuesUnder(error: Error | null, path: string): Issue[] {
  return issuesOf(error).filter(
    (issue) => issue.path === path || issue.path.startsWith(`${path}.`),
  );
}

/** A refusal as a whole; issues that stand beside their field already are left out: `a`, or all under `a.`. */
export function Refusal({ error, beside = [] }: { error: Error | null; beside?: string[] }) {
  if (error === null) return null;
  const issues = issuesOf(error);
  const others = issues.filter(
    ({ path }) =>
      !beside.some((one) => path === one || (one.endsWith(".") && path.startsWith(one))),
  );
  if (issues.length > 0 && others.length === 0) return null;
  return (
    <Alert color="red" icon={<IconAlertTriangle />} title={error.message} role="alert">
      {others.length > 0 && (
        <List size="sm">
          {others.map(({ path, expected, got }) => (
            <List.Item key={path}>
              {path}: expected {expected}; got {got}.
            </List.Item>
          ))}
        </List>
      )}
    </Alert>
  );
}
