import { useInfiniteQuery } from "@tanstack/react-query";
import * as queries from "../queries.ts";
import type { Listed } from "../ui/Listing.tsx";

/** A list as `Listing` shows it: its pages as one, and the way to the next. */
export function useList<R extends queries.ListRoute>(
  route: R,
  filter: queries.FilterOf<R>,
): Listed<queries.ItemOf<R>> {
  const query = useInfiniteQuery(queries.list(route, filter));
  return {
    items: query.data?.pages.flatMap(({ items }) => items),
    error: query.error,
    again: () => void query.refetch(),
    more: query.hasNextPage ? () => void query.fetchNextPage() : null,
    isLoadingMore: query.isFetchingNextPage,
  };
}
