import { Button, Group } from "@mantine/core";
import type { ReactNode } from "react";
import { Broken, Loading } from "./states.tsx";

export type Listed<T> = {
  /** Undefined until the first page is there. */
  items: T[] | undefined;
  error: Error | null;
  again: () => void;
  /** Reads the next page; null on the last. */
  more: (() => void) | null;
  isLoadingMore: boolean;
};

/** A list with its designed states: on its way, broken, empty, and more of it. */
export function Listing<T extends { id: string }>(props: {
  label: string;
  list: Listed<T>;
  empty: ReactNode;
  children: (item: T) => ReactNode;
}) {
  const { label, list, empty, children } = props;
  const { items, error, again, more, isLoadingMore } = list;
  if (items === undefined) {
    return error === null ? (
      <Loading rows={3} height={60} />
    ) : (
      <Broken error={error} again={again} />
    );
  }
  if (items.length === 0) return <>{empty}</>;
  return (
    <>
      <ul className="list plain-list" aria-label={label}>
        {items.map((item) => (
          <li key={item.id} className="row set-row">
            {children(item)}
          </li>
        ))}
      </ul>
      {error !== null && <Broken error={error} again={again} />}
      {more !== null && (
        <Group justify="center" mt="md">
          <Button variant="default" size="xs" loading={isLoadingMore} onClick={more}>
            Load more
          </Button>
        </Group>
      )}
    </>
  );
}

/** What a row is about: its name, and a quiet line below. */
export function Main({ name, children }: { name: ReactNode; children?: ReactNode }) {
  return (
    <div className="set-main">
      <div className="cut">{name}</div>
      {children !== undefined && <div className="set-quiet">{children}</div>}
    </div>
  );
}
