import { useHotkeys } from "@mantine/hooks";
import { useRef } from "react";

/** `j` and `k` go from row to row of a list, by the link that each row is. */
export function useRowKeys() {
  const list = useRef<HTMLDivElement>(null);
  const move = (step: number) => {
    const links = [...(list.current?.querySelectorAll<HTMLElement>(".row-link") ?? [])];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const next = links[at === -1 ? 0 : at + step];
    next?.focus();
    next?.scrollIntoView({ block: "nearest" });
  };
  useHotkeys([
    ["j", () => move(1)],
    ["k", () => move(-1)],
  ]);
  return list;
}
